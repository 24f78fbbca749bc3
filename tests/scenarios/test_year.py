"""A year of one customer: a late start, growth, late usage, a void invoice, a new price, a payment, and an end."""

import pytest

from billing.invoicing.paying.payments import record_payment
from billing.invoicing.voiding import void_invoice
from billing.models import Invoice
from billing.reconciliation.report import reconcile
from billing.subscriptions.changing import end_subscription
from tests.billing.builders import ACTOR, amounts, at, bill, invoices, make_catalog, make_customer, send_usage, subscribe

pytestmark = pytest.mark.django_db

CATALOG = """
meters:
  - {code: calls, name: Calls, event_type: call, aggregation: sum, value: n, dimensions: [region], unit: calls}
plans:
  - code: scale
    name: Scale
    currency: EUR
    minimum_commitment: "40"
    charges:
      - {code: platform, name: Platform fee, model: flat, amount: "31", billed: in_advance}
      - code: calls
        name: Calls
        meter: calls
        model: graduated
        tiers: [{up_to: "1000", unit_amount: "0.02"}, {up_to: null, unit_amount: "0.01"}]
"""


def live(month: int) -> Invoice:
    """The live invoice whose boundary is the first of the month (2027 after December)."""
    boundary = at(f"2026-{month:02d}-01") if month <= 12 else at("2027-01-01")
    return Invoice.objects.exclude(status="void").get(boundary_at=boundary)


def test_a_year_with_everything_that_happens_in_one() -> None:
    make_catalog(CATALOG)
    customer = make_customer(tax_rate_pct="20")
    subscription = subscribe(customer, "scale", "2026-01-22", now=at("2026-01-22"))

    # 22 January: the fee of 10 of 31 days in advance. 31 x 10/31 = 10.00, tax 2.00.
    bill("2026-01-22")
    (first,) = invoices()
    assert (amounts(first), first.due_minor) == ([("subscription", "platform", 1000)], 1200)

    # February: 500 calls of January = 10.00; committed 40 x 10/31 = 12.9032 → 12.90, reached by 10.00 + 10.00.
    send_usage(customer, "call", 500, "2026-01-31T23:59:59Z")
    bill("2026-02-01")
    assert amounts(live(2)) == [("subscription", "platform", 3100), ("usage", "calls", 1000)]

    # March: no calls in February. 31.00 in advance for it, 40.00 committed: 9.00 more.
    bill("2026-03-01")
    assert amounts(live(3)) == [("subscription", "platform", 3100), ("subscription", ":minimum-commitment", 900)]

    # 600 late calls of February: 12.00, so that the true-up of 9.00 was not owed.
    send_usage(customer, "call", 600, "2026-02-28T23:59:59Z")
    send_usage(customer, "call", 1500, "2026-03-15")
    bill("2026-04-01")
    # March: 1000 x 0.02 + 500 x 0.01 = 25.00
    assert amounts(live(4)) == [
        ("subscription", "platform", 3100),
        ("usage", "calls", 2500),
        ("adjustment", "calls", 1200),
        ("adjustment", ":minimum-commitment", -900),
    ]
    assert reconcile().differences == ()

    # A new price in April is for others: this subscription keeps its version.
    make_catalog(CATALOG.replace('"0.02"', '"0.05"'), new_versions=True, now=at("2026-04-10"))

    # April's invoice is void for a wrong address, and billed again under a new number.
    old = live(4)
    void_invoice(invoice_id=old.pk, reason="wrong address", actor=ACTOR, now=at("2026-04-12"))
    bill("2026-04-12")
    again = live(4)
    assert (again.number, old.number) == ("INV-000005", "INV-000004")
    assert (amounts(again), again.due_minor) == (amounts(old), old.due_minor)

    record_payment(
        invoice_id=again.pk, amount_minor=again.due_minor, received_on=at("2026-04-30").date(), reference="SEPA 1", actor=ACTOR,
        now=at("2026-04-30"),
    )  # fmt: skip
    assert Invoice.objects.get(pk=again.pk).status == "paid"

    # May to November: a thousand calls a month, 20.00 each, on the first day of the next month.
    for month in range(4, 11):
        send_usage(customer, "call", 1000, f"2026-{month:02d}-10")
        bill(f"2026-{month + 1:02d}-01")
        assert amounts(live(month + 1)) == [("subscription", "platform", 3100), ("usage", "calls", 2000)]

    # The customer leaves on 16 November: 15 of 30 days. 31 x 15/30 = 15.50 of the 31.00 come back; the calls cost 30.00.
    send_usage(customer, "call", 2000, "2026-11-10")
    end_subscription(subscription_id=subscription.pk, ends_at=at("2026-11-16"), actor=ACTOR, now=at("2026-11-12"))
    bill("2026-12-01")
    last = invoices()[-1]
    assert (last.boundary_at, last.last_day.isoformat()) == (at("2026-11-16"), "2026-11-15")
    assert amounts(last) == [("usage", "calls", 3000), ("adjustment", "platform", -1550)]

    # Nothing more comes, and the books say what was used.
    report = bill("2027-01-01")
    assert (report.run.drafted_count, report.failed) == (0, ())
    found = reconcile()
    assert found.differences == ()
    assert all("no PDF yet" in pending for pending in found.pending)
    numbers = [invoice.number for invoice in Invoice.objects.order_by("sequence")]
    assert numbers == [f"INV-{number:06d}" for number in range(1, 14)]
    # 2026 without tax: fees 10 + 2 x 31 + … by hand: January 10.00, February to October 9 x 31.00, November 15.50;
    # calls 10 + 12 + 25 + 7 x 20 + 30; no true-up is left.
    revenue = sum(invoice.subtotal_minor for invoice in Invoice.objects.exclude(status="void"))
    assert revenue == 1000 + 9 * 3100 + 1550 + 1000 + 1200 + 2500 + 7 * 2000 + 3000
