"""The worked example of ADR 0019: decided, undone, decided for a day that has passed, and refused once it is billed."""

import pytest

from tests.billing.builders import bill, invoices, make_customer, send_usage, subscribe
from tests.billing.subscriptions.plans_made import calls, fee, sell
from tests.billing.subscriptions.steps import move, newest, periods, refused, said, undo, unpaid_differences

pytestmark = pytest.mark.django_db


def test_periods_follow_what_is_decided() -> None:
    sell("basic", fee("31"), calls("1"))
    sell("pro", fee("62"), calls("1"))
    acme = make_customer()
    subscription = subscribe(acme, "basic")
    bill("2026-01-01")
    send_usage(acme, "call", 5, "2026-01-20")

    move(subscription, "pro", "2026-01-11", now="2026-01-05")
    assert periods(subscription) == [("2026-01-01", "2026-01-11", "regular", "basic")]
    undo(subscription, newest(subscription), now="2026-01-06")
    assert periods(subscription) == [("2026-01-01", "2026-02-01", "regular", "basic")]

    bill("2026-02-02", finalize=False)
    assert [(invoice.status, said(invoice)) for invoice in invoices()][1:] == [
        ("draft", [("subscription", "fee", "2026-02-01", 3100), ("usage", "calls", "2026-01-01", 500)])
    ]
    move(subscription, "pro", "2026-01-11", now="2026-02-02")
    assert len(invoices()) == 1  # the draft is gone
    bill("2026-02-02")
    assert [said(invoice) for invoice in invoices()][1:] == [
        # 62 x 21/31 = 42.00; of 31.00 ten days are 10.00.
        [("subscription", "fee", "2026-01-11", 4200), ("adjustment", "fee", "2026-01-01", -2100)],
        [("subscription", "fee", "2026-02-01", 6200), ("usage", "calls", "2026-01-11", 500)],
    ]
    message = refused(lambda: move(subscription, "basic", "2026-01-20", now="2026-02-02"), "period_billed", "when")
    assert message.startswith("the period from 2026-01-11 is billed already: void its invoice first")
    assert unpaid_differences() == []
