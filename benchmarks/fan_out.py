"""
Invoices per second of one run that 1, 2 and 4 processes share; PDFs apart. Two times: as it is, where processes share the cores
of this machine, and with a database that is 100 ms away for each invoice, where they wait beside each other as functions do.
"""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path

import django

django.setup()

from django.db import connection  # noqa: E402 (after set-up)

from benchmarks.billing_run import ACTOR, CATALOG, START, events  # noqa: E402
from billing.catalog.apply import apply_catalog  # noqa: E402 (after set-up)
from billing.catalog.document import read_catalog  # noqa: E402
from billing.runs.run import run_billing  # noqa: E402
from billing.subscriptions.services import start_subscription  # noqa: E402
from customers.services import create_customer  # noqa: E402
from usage.ingestion import ingest  # noqa: E402

CHECKOUT = Path(__file__).resolve().parent.parent
CUSTOMERS = 200
# The same customers each time, a month later: (processes, month).
NEAR = ((1, 4), (2, 5), (4, 6))
FAR = ((1, 7), (2, 8), (4, 9))
# Once for each draft, and once for each invoice that is prepared for its number.
FARTHER = """
CREATE FUNCTION bench_wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.1); RETURN NEW; END $$;
CREATE TRIGGER bench_wait BEFORE INSERT ON billing_invoice FOR EACH ROW EXECUTE FUNCTION bench_wait();
CREATE TRIGGER bench_wait BEFORE INSERT ON procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION bench_wait();
"""


def main() -> None:
    apply_catalog(spec=read_catalog(CATALOG), actor=ACTOR, now=START)
    for number in range(CUSTOMERS):
        customer = create_customer(
            external_id=f"c{number:05}", name=f"Customer {number}", email="", currency="EUR", actor=ACTOR, now=START
        )
        start_subscription(customer_id=customer.pk, plan_code="bench", starts_at=START, actor=ACTOR, now=START)
    run_billing(as_of=START, finalize=True, actor=ACTOR, now=START)  # the first fees, in advance
    measure("as it is", NEAR)
    with connection.cursor() as cursor:
        cursor.execute(FARTHER)
    measure("100 ms further away", FAR)


def measure(how: str, rounds: tuple[tuple[int, int], ...]) -> None:
    alone: dict[str, float] = {}
    for workers, month in rounds:
        for batch in batched(events(CUSTOMERS, month - 1), 5000):
            ingest(batch, now=datetime(2026, month, 1, tzinfo=UTC))
        for step, arguments in (("drafted", ()), ("worked out anew and numbered", ("--finalize",))):
            rate = CUSTOMERS / seconds(month, workers, *arguments)
            times = rate / alone.setdefault(step, rate)
            told = f"{rate:5.1f} invoices a second {step}, {times:.2f} times one"
            print(f"{how}, {workers} processes: {told} (load {os.getloadavg()[0]:.1f})", flush=True)


def seconds(month: int, workers: int, *arguments: str) -> float:
    """Seconds of a run, less those that its process takes to start and say so."""
    command = [sys.executable, "manage.py", "run_billing", "--workers", str(workers), *arguments]
    command += ["--as-of", f"2026-{month:02}-01T00:00:00Z"]
    return timed(command) - timed([sys.executable, "manage.py", "help_billing", "0"])


def timed(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=CHECKOUT, env=dict(os.environ), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
