"""The worked examples of ADR 0022: what follows a trial, and what a pause gives back."""

import pytest

from tests.billing.builders import bill, invoices, make_customer, send_usage, subscribe
from tests.billing.rating.rating_tools import rated
from tests.billing.subscriptions.plans_made import calls, fee, sell
from tests.billing.subscriptions.steps import invoice_at, pause, resume, said, unpaid_differences

pytestmark = pytest.mark.django_db


def test_a_trial_is_free_and_the_rest_of_the_month_is_paid() -> None:
    sell("basic", fee("31"), calls("1"), trial_days=14)
    acme = make_customer()
    subscribe(acme, "basic")
    send_usage(acme, "call", 10, "2026-01-10")
    bill("2026-01-15")
    assert [said(invoice) for invoice in invoices()] == [[("subscription", "fee", "2026-01-15", 1700)]]  # 31 x 17/31
    bill("2026-02-01")
    assert said(invoice_at("2026-02-01")) == [("subscription", "fee", "2026-02-01", 3100)]
    assert unpaid_differences() == []


def test_a_pause_gives_its_days_back_and_reports_their_usage() -> None:
    sell("basic", fee("28"), calls("1"))
    acme = make_customer()
    subscription = subscribe(acme, "basic", "2026-02-01")
    bill("2026-02-01")
    pause(subscription, "2026-02-11")
    send_usage(acme, "call", 7, "2026-02-15")
    resume(subscription, "2026-02-21")
    bill("2026-02-21")
    assert said(invoice_at("2026-02-21")) == [("subscription", "fee", "2026-02-21", 800)]  # 28 x 8/28
    bill("2026-03-01")
    march = invoice_at("2026-03-01")
    assert said(march) == [
        ("subscription", "fee", "2026-03-01", 2800),
        ("adjustment", "fee", "2026-02-01", -1800),  # 28 x 10/28 - 28
    ]
    assert march.due_minor == 1000
    assert [piece.value_sum for piece in rated(subscription, 1).unpriced] == [7]
    assert unpaid_differences() == []
