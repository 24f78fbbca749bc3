"""Workers of one run killed at any moment, the one who leads it among them: nothing is lost, nothing is there twice."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import transaction

from billing.models import Invoice
from billing.reconciliation.report import reconcile
from tests.billing.builders import bill, books
from tests.billing.runs.worlds import small_company
from tests.faults import FULL

pytestmark = pytest.mark.django_db(transaction=True)

CHECKOUT = Path(__file__).resolve().parents[2]
AS_OF = "2026-04-01"
CUSTOMERS = 5
SMALL = {"SQUILL_BILLING_CHUNK_SIZE": "2", "SQUILL_BILLING_CLAIM_SECONDS": "1"}


def quiet_books() -> str:
    with transaction.atomic():
        small_company(customers=CUSTOMERS)
        bill(AS_OF)
        found = books()
        transaction.set_rollback(True)
    return found


def start(database_url: str, **environment: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "manage.py", "run_billing", "--as-of", f"{AS_OF}T00:00:00Z", "--finalize", "--workers", "3"]
    variables = os.environ | {"DATABASE_URL": database_url} | SMALL | environment
    return subprocess.Popen(command, cwd=CHECKOUT, env=variables, stdout=subprocess.DEVNULL, start_new_session=True)


def workers(group: int) -> list[int]:
    """The processes of the run that live: the one who leads it and its helpers, which are of one group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, of_group = stat.read_text().rpartition(") ")[2].split()[:3]
        except OSError:
            continue  # ended meanwhile
        if int(of_group) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


def finish(expected: str) -> None:
    """Run it again, as the next tick does, and compare the books with those of one quiet run."""
    assert bill(AS_OF).failed == ()
    assert books() == expected
    assert reconcile().differences == ()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc, which only Linux has")
@pytest.mark.parametrize("seed", range(60 if FULL else 2))
def test_workers_killed_at_random_moments_lose_nothing(seed: int, database_url: str) -> None:
    expected = quiet_books()
    small_company(customers=CUSTOMERS)
    choice = random.Random(seed)  # noqa: S311 - no secret
    leader = start(database_url)
    killed = 0
    while leader.poll() is None and killed < 3:
        time.sleep(choice.uniform(0.3, 1.5))
        if alive := workers(leader.pid):
            os.kill(choice.choice(alive), signal.SIGKILL)
            killed += 1
    leader.wait(120)
    for helper in workers(leader.pid):  # those who outlive their leader do no harm, but the test ends
        os.kill(helper, signal.SIGKILL)
    assert killed
    finish(expected)


@pytest.mark.parametrize(
    "failpoint",
    ["chunk-member-done:3", "draft-before-commit:5", "chunk-prepared", "chunk-before-commit", "chunk-before-commit:2"],
)
def test_all_workers_killed_at_one_point_lose_nothing(failpoint: str, database_url: str) -> None:
    expected = quiet_books()
    small_company(customers=CUSTOMERS)
    # Each process dies where it passes the point: helpers first, or the one who leads.
    leader = start(database_url, SQUILL_FAILPOINT=failpoint)
    assert leader.wait(120) == -signal.SIGKILL
    for helper in workers(leader.pid):
        os.kill(helper, signal.SIGKILL)
    assert Invoice.objects.exclude(sequence=None).count() < 3 * CUSTOMERS
    finish(expected)
