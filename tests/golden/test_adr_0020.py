"""The worked example of ADR 0020: an upgrade in mid-month."""

import pytest

from tests.billing.builders import bill, make_customer, send_usage, subscribe
from tests.billing.subscriptions.plans_made import Sold, calls, fee, sell
from tests.billing.subscriptions.steps import invoice_at, move, said, unpaid_differences

pytestmark = pytest.mark.django_db


def after_five(price: str) -> Sold:
    return calls(model="per_unit", unit_amount=price, free_units="5")


def test_both_ways_by_whole_days_and_usage_by_its_day() -> None:
    sell("basic", fee("31"), after_five("1"))
    sell("pro", fee("62"), after_five("0.50"))
    acme = make_customer()
    subscription = subscribe(acme, "basic")
    bill("2026-01-01")
    send_usage(acme, "call", 8, "2026-01-10T23:59:59Z")
    send_usage(acme, "call", 9, "2026-01-11T00:00:00Z")
    move(subscription, "pro", "2026-01-11")
    bill("2026-01-11")
    upgrade = invoice_at("2026-01-11")
    assert said(upgrade) == [
        ("subscription", "fee", "2026-01-11", 4200),  # 62 x 21/31
        ("usage", "calls", "2026-01-01", 300),  # (8 - 5) x 1
        ("adjustment", "fee", "2026-01-01", -2100),  # 31 x 10/31 - 31
    ]
    assert upgrade.due_minor == 2400
    bill("2026-02-01")
    assert said(invoice_at("2026-02-01")) == [
        ("subscription", "fee", "2026-02-01", 6200),
        ("usage", "calls", "2026-01-11", 200),  # (9 - 5) x 0.50
    ]
    assert unpaid_differences() == []
