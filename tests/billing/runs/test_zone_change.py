"""A subscribed customer moves to another time zone after a period was billed."""

from itertools import pairwise

import pytest

from billing.models import BillingPeriod, Invoice, InvoiceLine
from billing.reconciliation.report import reconcile
from customers.services import update_customer
from tests.billing.builders import ACTOR, at, bill, invoices, make_catalog, make_customer, send_usage, subscribe

pytestmark = pytest.mark.django_db

PRICED = """
meters: [{code: calls, name: Calls, event_type: call, aggregation: sum, value: n}]
plans:
  - code: basic
    name: Basic
    currency: EUR
    charges: [{code: calls, name: Calls, meter: calls, model: per_unit, unit_amount: "0.10"}]
"""


def _said(invoice: Invoice) -> list[tuple[str, str, str, int]]:
    return [
        (line.group, line.first_day.isoformat(), f"{line.quantity.normalize():f}", line.amount_minor)
        for line in InvoiceLine.objects.filter(invoice=invoice).order_by("position")
    ]


@pytest.mark.parametrize(
    ("timezone", "moved_at", "january", "february"),
    [
        # Tokyo is 9 hours ahead: what came at 20:00 UTC of 31 January is of 1 February there; of 28 February, of 1 March.
        ("Asia/Tokyo", "2026-01-31T20:00:00Z", "-30", "230"),
        # In New York, 5 hours behind, what came at 2:00 UTC of 1 February is of 31 January.
        ("America/New_York", "2026-02-01T02:00:00Z", "30", "170"),
    ],
)
def test_periods_go_on_without_a_gap_and_usage_that_moved_is_adjusted(
    timezone: str, moved_at: str, january: str, february: str
) -> None:
    make_catalog(PRICED)
    customer = make_customer()
    subscribe(customer)
    send_usage(customer, "call", 100, "2026-01-10T12:00:00Z")
    send_usage(customer, "call", 30, moved_at)
    send_usage(customer, "call", 200 if moved_at < "2026-02" else 170, "2026-02-10T12:00:00Z")
    assert bill("2026-02-02").failed == ()
    counted = 130 if moved_at < "2026-02" else 100
    assert _said(invoices()[-1]) == [("usage", "2026-01-01", str(counted), counted * 10)]

    update_customer(customer_id=customer.pk, changes={"timezone": timezone}, actor=ACTOR, now=at("2026-02-20"))
    assert reconcile().differences == ()
    assert bill("2026-03-02").failed == ()

    # The 30 that moved are worth 3.00 less in one month and 3.00 more in the other.
    assert _said(invoices()[-1]) == [
        ("usage", "2026-02-01", february, int(february) * 10), ("adjustment", "2026-01-01", january, int(january) * 10)
    ]  # fmt: skip
    assert sum(line.quantity for line in InvoiceLine.objects.all()) == (330 if moved_at < "2026-02" else 300)
    assert reconcile().differences == ()

    assert bill("2026-04-02").failed == ()
    periods = list(BillingPeriod.objects.order_by("index"))
    for earlier, later in pairwise(periods):
        assert (earlier.end_day, earlier.ends_at) == (later.first_day, later.starts_at)
    assert reconcile().differences == ()
