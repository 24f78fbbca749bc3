"""Invoices per second of a run over 2,000 customers with three usage charges each: drafted, numbered, frozen; PDFs apart."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import batched

import django

django.setup()

from billing.catalog.apply import apply_catalog  # noqa: E402 (after set-up)
from billing.catalog.document import read_catalog  # noqa: E402
from billing.invoicing.preview import upcoming_invoice  # noqa: E402
from billing.models import Invoice, InvoiceLine, Subscription  # noqa: E402
from billing.rating.terms import TermsBook  # noqa: E402
from billing.runs.run import run_billing  # noqa: E402
from billing.subscriptions.services import start_subscription  # noqa: E402
from customers.services import create_customer  # noqa: E402
from squill.lib.actor import system  # noqa: E402
from usage.ingestion import IncomingEvent, incoming_event, ingest  # noqa: E402

CUSTOMERS = 2000
START = datetime(2026, 3, 1, tzinfo=UTC)
AS_OF = datetime(2026, 4, 1, tzinfo=UTC)
ACTOR = system("benchmark")
CATALOG = """
meters:
  - {code: calls, event_type: call, aggregation: sum, value: n}
  - {code: disk, event_type: disk, aggregation: max, value: gb, dimensions: [region]}
plans:
  - code: bench
    currency: EUR
    charges:
      - {code: fee, model: flat, amount: "49", billed: in_advance}
      - code: calls
        meter: calls
        model: graduated
        tiers: [{up_to: "1000", unit_amount: "0"}, {up_to: "50000", unit_amount: "0.002"}, {up_to: null, unit_amount: "0.001"}]
      - {code: disk-eu, meter: disk, filter: {region: eu}, model: per_unit, unit_amount: "0.085"}
      - {code: disk-rest, meter: disk, model: per_unit, unit_amount: "0.11"}
"""


def main() -> None:
    apply_catalog(spec=read_catalog(CATALOG), actor=ACTOR, now=START)
    for number in range(CUSTOMERS):
        customer = create_customer(
            external_id=f"c{number:05}", name=f"Customer {number}", email="", currency="EUR", actor=ACTOR, now=START
        )
        start_subscription(customer_id=customer.pk, plan_code="bench", starts_at=START, actor=ACTOR, now=START)
    run_billing(as_of=START, finalize=True, actor=ACTOR, now=START)  # the first fees, in advance
    started = time.perf_counter()
    for batch in batched(events(), 5000):
        ingest(batch, now=AS_OF)
    print(f"{CUSTOMERS * 31 * 3:,} events in {time.perf_counter() - started:.1f} s, straight into ingest()")
    alone = rating_alone()
    before = Invoice.objects.count()
    started = time.perf_counter()
    run_billing(as_of=AS_OF, finalize=True, actor=ACTOR, now=AS_OF)
    seconds = time.perf_counter() - started
    made = Invoice.objects.count() - before
    lines = InvoiceLine.objects.filter(invoice__boundary_at=AS_OF).count()
    print(f"{made:,} invoices with {lines:,} lines in {seconds:.1f} s: {made / seconds:.0f} invoices a second in one process")
    print(f"  ratio to rating and composing them alone, with nothing written: {seconds / alone:.1f}")


def events(customers: int = CUSTOMERS, month: int = 3) -> Iterator[IncomingEvent]:
    start = START.replace(month=month)
    for number in range(customers):
        for day in range(31):
            at = start + timedelta(days=day, hours=12)
            for kind, data in (
                ("call", {"n": 100 + number}),
                ("disk", {"gb": "10.5", "region": "eu"}),
                ("disk", {"gb": "3.25", "region": "us"}),
            ):
                name = f"{number}-{month}-{day}-{kind}-{data.get('region')}"
                yield incoming_event(
                    source="b", event_id=name, event_type=kind, subject=f"c{number:05}", occurred_at=at, data=data
                )


def rating_alone() -> float:
    """Seconds to rate and compose the same invoices without writing a row."""
    terms_book = TermsBook()
    started = time.perf_counter()
    for subscription in Subscription.objects.select_related("customer").order_by("pk"):
        upcoming_invoice(subscription, now=AS_OF - timedelta(seconds=1), terms_book=terms_book)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
