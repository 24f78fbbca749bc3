"""I3: whatever arrives late, the documents together say what the usage now known costs."""

from collections import defaultdict
from decimal import Decimal

import pytest

from billing.invoicing.voiding import void_invoice
from billing.models import InvoiceLine, Subscription
from billing.reconciliation.report import reconcile
from billing.subscriptions.changing import end_subscription
from tests.billing.builders import (
    ACTOR,
    CALLS,
    amounts,
    at,
    bill,
    invoices,
    lines,
    make_catalog,
    make_customer,
    send_usage,
    subscribe,
)
from tests.billing.rating.rating_tools import rated

pytestmark = pytest.mark.django_db

VOLUME = """
meters: [{code: u, name: U, event_type: u, aggregation: sum, value: n}]
plans: [{code: volume, currency: EUR, charges: [
  {code: u, meter: u, model: volume, tiers: [{up_to: "100", unit_amount: "1"}, {up_to: null, unit_amount: "0.5"}]}]}]
"""
ADVANCE = """
meters: [{code: u, name: U, event_type: u, aggregation: sum, value: n}]
plans: [{code: advance, currency: EUR, charges: [
  {code: fee, name: Fee, model: flat, amount: "31", billed: in_advance},
  {code: u, name: Use, meter: u, model: per_unit, unit_amount: "1"}]}]
"""


NOTHING = (Decimal(0), Decimal(0), 0)


def billed() -> dict[tuple[int, str], tuple[Decimal, Decimal, int]]:
    """The sum of all live documents by period and charge, added up line by line."""
    sums: dict[tuple[int, str], tuple[Decimal, Decimal, int]] = defaultdict(lambda: NOTHING)
    for line in InvoiceLine.objects.exclude(invoice__status="void").select_related("billing_period"):
        assert line.billing_period is not None
        key = (line.billing_period.index, line.charge_code)
        quantity, exact_amount, amount_minor = sums[key]
        sums[key] = (quantity + line.quantity, exact_amount + line.exact_amount, amount_minor + line.amount_minor)
    return {key: value for key, value in sums.items() if value != NOTHING}


def now_known(*indexes: int) -> dict[tuple[int, str], tuple[Decimal, Decimal, int]]:
    """What the periods cost by the usage now known, worked out afresh."""
    subscription = Subscription.objects.get()
    found = {}
    for index in indexes:
        for line in rated(subscription, index).lines:
            found[index, line.charge_code] = (line.quantity, line.exact_amount, line.amount_minor)
    return found


def test_late_usage_is_an_adjustment_on_the_next_invoice_that_names_its_period() -> None:
    make_catalog()
    customer = make_customer()
    subscribe(customer)
    send_usage(customer, "call", 150, "2026-01-10")
    bill("2026-02-01")
    send_usage(customer, "call", 30, "2026-01-31T23:59:59Z")
    send_usage(customer, "call", 101, "2026-02-10")
    bill("2026-03-01")
    january, february = invoices()
    assert amounts(january) == [("subscription", "fee", 1000), ("usage", "calls", 50)]
    assert amounts(february) == [("subscription", "fee", 1000), ("usage", "calls", 1), ("adjustment", "calls", 30)]
    line = february.lines.get(group="adjustment")
    assert (line.quantity, line.exact_amount) == (Decimal(30), Decimal("0.3"))  # (180 − 100) x 0.01 − 0.5
    period = line.billing_period
    assert period is not None
    assert (line.first_day.isoformat(), line.last_day.isoformat(), period.index) == ("2026-01-01", "2026-01-31", 0)
    assert line.detail == "Correction of an earlier period: usage now known minus usage billed"
    assert billed() == now_known(0, 1)


def test_late_usage_of_a_charge_that_was_not_on_the_invoice_is_its_whole_line() -> None:
    make_catalog()
    customer = make_customer()
    subscribe(customer)
    bill("2026-02-01")
    send_usage(customer, "call", 200, "2026-01-31")
    bill("2026-03-01")
    assert amounts(invoices()[1]) == [("subscription", "fee", 1000), ("adjustment", "calls", 100)]
    assert billed() == now_known(0, 1)


def test_rounding_never_adds_up_over_many_adjustments() -> None:
    make_catalog(CALLS.replace('unit_amount: "0.01"', 'unit_amount: "0.004"').replace('up_to: "100"', 'up_to: "1"'))
    customer = make_customer()
    subscribe(customer)
    send_usage(customer, "call", 2, "2026-01-10")  # 1 x 0.004 → 0.00
    for month in range(2, 6):
        bill(f"2026-{month:02d}-01")
        send_usage(customer, "call", 1, "2026-01-20")
    bill("2026-06-01")
    # Now 6 calls: 5 x 0.004 = 0.02. Four lines of 0.004 each would have come to 0.00.
    parts = [line.amount_minor for line in InvoiceLine.objects.filter(charge_code="calls").order_by("invoice_id")]
    assert parts == [0, 1, 0, 1, 0]  # 0.004, 0.008, 0.012, 0.016, 0.020, each rounded as a whole
    assert billed() == now_known(0, 1, 2, 3, 4)


def test_a_lower_price_by_volume_comes_back_as_far_as_it_fits() -> None:
    make_catalog(VOLUME)
    customer = make_customer()
    subscribe(customer, "volume")
    send_usage(customer, "u", 100, "2026-01-10")
    bill("2026-02-01")  # 100 x 1 = 100.00
    send_usage(customer, "u", 2, "2026-01-20")  # 102 x 0.5 = 51.00: 49.00 less
    send_usage(customer, "u", 20, "2026-02-10")
    bill("2026-03-01")  # 20.00: a credit of 49.00 does not fit, and waits
    send_usage(customer, "u", 80, "2026-03-10")
    bill("2026-04-01")  # 80.00 − 49.00 = 31.00
    january, february, march = invoices()
    assert (january.due_minor, february.due_minor, march.due_minor) == (10000, 2000, 3100)
    assert lines(march)[1] == ("u", Decimal(2), Decimal(-49), -4900)
    assert billed() == now_known(0, 1, 2)


def test_what_waits_is_told_by_reconcile_as_pending() -> None:
    make_catalog(VOLUME)
    customer = make_customer()
    subscribe(customer, "volume")
    send_usage(customer, "u", 100, "2026-01-10")
    bill("2026-02-01")
    send_usage(customer, "u", 2, "2026-01-20")
    bill("2026-03-01")  # nothing to bill in February, and a credit fits on no invoice
    assert [invoice.due_minor for invoice in invoices()] == [10000]
    found = reconcile()
    assert found.differences == ()
    assert "I3 acme:volume:2026-01-01 2026-01-01 u: -49 not billed yet" in found.pending


def test_what_is_left_after_the_last_invoice_is_a_difference_for_a_person() -> None:
    make_catalog(VOLUME)
    customer = make_customer()
    subscribe(customer, "volume", ends="2026-02-01")
    send_usage(customer, "u", 100, "2026-01-10")
    bill("2026-02-01")
    send_usage(customer, "u", 2, "2026-01-20")
    assert "I3 acme:volume:2026-01-01 2026-01-01 u: -49 not billed yet" in reconcile().differences


def test_a_true_up_shrinks_when_late_usage_fills_it() -> None:
    make_catalog(CALLS.replace("currency: EUR", 'currency: EUR\n    minimum_commitment: "20"'))
    customer = make_customer()
    subscribe(customer)
    bill("2026-02-01")  # fee 10.00, true-up 10.00
    send_usage(customer, "call", 500, "2026-01-31")  # 4.00
    bill("2026-03-01")
    assert amounts(invoices()[1]) == [
        ("subscription", "fee", 1000),
        ("subscription", ":minimum-commitment", 1000),
        ("adjustment", "calls", 400),
        ("adjustment", ":minimum-commitment", -400),
    ]
    send_usage(customer, "call", 2000, "2026-01-31")  # now 24.00: the commitment is reached, its line is gone
    bill("2026-04-01")
    assert amounts(invoices()[2])[2:] == [("adjustment", "calls", 2000), ("adjustment", ":minimum-commitment", -600)]
    assert billed() == now_known(0, 1, 2)


def test_fees_in_advance_and_usage_in_arrears_meet_on_one_invoice() -> None:
    make_catalog(ADVANCE)
    customer = make_customer()
    subscribe(customer, "advance", starts="2026-01-22")
    send_usage(customer, "u", 5, "2026-01-25")
    bill("2026-01-22")
    bill("2026-02-01")
    first, second = invoices()
    assert (amounts(first), first.boundary_at) == ([("subscription", "fee", 1000)], at("2026-01-22"))  # 31 x 10/31
    assert amounts(second) == [("subscription", "fee", 3100), ("usage", "u", 500)]
    assert [line.billing_period and line.billing_period.index for line in second.lines.order_by("position")] == [1, 0]
    assert second.lines.get(charge_code="fee").detail == "Billed in advance"


def test_an_end_in_mid_period_gives_the_fee_in_advance_back() -> None:
    make_catalog(ADVANCE)
    customer = make_customer()
    subscription = subscribe(customer, "advance")
    bill("2026-01-01")
    send_usage(customer, "u", 40, "2026-01-05")
    end_subscription(subscription_id=subscription.pk, ends_at=at("2026-01-11"), actor=ACTOR, now=at("2026-01-06"))
    bill("2026-01-11")
    _advance, last = invoices()
    # 10 of 31 days are left: 31 x 10/31 = 10.00, 31.00 was billed: 21.00 back, and 40.00 of usage.
    assert amounts(last) == [("usage", "u", 4000), ("adjustment", "fee", -2100)]
    assert last.due_minor == 1900
    assert billed() == now_known(0)
    assert reconcile().differences == ()


def test_a_void_invoice_is_billed_again_once_and_not_twice() -> None:
    make_catalog()
    customer = make_customer()
    subscribe(customer)
    send_usage(customer, "call", 200, "2026-01-10")
    bill("2026-02-01")  # fee 10.00, calls 1.00
    send_usage(customer, "call", 100, "2026-01-20")
    bill("2026-03-01")  # fee 10.00, correction 1.00
    january = invoices()[0]
    void_invoice(invoice_id=january.pk, reason="wrong address", actor=ACTOR, now=at("2026-03-02"))
    bill("2026-03-02")
    again = invoices(status="finalized", boundary_at=january.boundary_at)[0]
    # January costs 10.00 + 2.00 now, of which the February invoice bears 1.00.
    assert amounts(again) == [("subscription", "fee", 1000), ("usage", "calls", 200), ("adjustment", "calls", -100)]
    assert billed() == now_known(0, 1)
    assert reconcile().differences == ()


def test_an_adjustment_on_a_void_invoice_is_found_again() -> None:
    make_catalog()
    customer = make_customer()
    subscribe(customer)
    bill("2026-02-01")
    send_usage(customer, "call", 200, "2026-01-10")
    bill("2026-03-01")
    void_invoice(invoice_id=invoices()[1].pk, reason="wrong", actor=ACTOR, now=at("2026-03-02"))
    bill("2026-03-02")
    assert amounts(invoices()[2]) == [("subscription", "fee", 1000), ("adjustment", "calls", 100)]
    assert billed() == now_known(0, 1)
