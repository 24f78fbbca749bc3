"""The worked example of ADR 0023: payments in their order, one that comes late, and months that stay."""

import pytest

from billing.runs.holding import what_holds
from tests.billing.builders import at, bill, make_customer, send_usage, subscribe
from tests.billing.subscriptions.plans_made import Sold, make_meter, sell
from tests.billing.subscriptions.steps import invoice_at, said, unpaid_differences

pytestmark = pytest.mark.django_db


def test_each_payment_by_itself() -> None:
    make_meter("payments", event_type="payment")
    terms = {"model": "percentage", "rate": "2", "fixed_amount": "0.30", "free_events": "2"}
    sell("shop", Sold("payments", terms, meter="payments"))
    acme = make_customer()
    subscribe(acme, "shop")
    for amount, day in (("100", "02"), ("50", "05"), ("200", "09"), ("10", "20")):
        send_usage(acme, "payment", amount, f"2026-01-{day}")
    bill("2026-02-01")
    # 200 x 2 % + 0.30 = 4.30 and 10 x 2 % + 0.30 = 0.50.
    assert said(invoice_at("2026-02-01")) == [("usage", "payments", "2026-01-01", 480)]

    send_usage(acme, "payment", "70", "2026-01-03")
    bill("2026-03-01")
    # The 50 are the third now: 1.00 + 0.30.
    assert said(invoice_at("2026-03-01")) == [("adjustment", "payments", "2026-01-01", 130)]
    assert unpaid_differences() == []

    held = list(what_holds(at("2025-12-15"), at("2026-01-15")))
    assert held == [
        "the period from 2026-01-01 of the subscription acme:shop:2026-01-01 has prices of single events, which are rated again "
        "with every invoice"
    ]
