"""The worked examples of ADR 0021: seats up and down, an add-on once, and one by the month."""

import pytest

from tests.billing.builders import bill, make_customer, subscribe
from tests.billing.subscriptions.plans_made import fee, seats, sell, sell_add_on
from tests.billing.subscriptions.steps import add, invoice_at, said, seat, unpaid_differences

pytestmark = pytest.mark.django_db


def test_seats_by_their_days_and_add_ons_beside_them() -> None:
    sell("team", seats("31", quantity="2"))
    sell_add_on("setup", fee("100", in_advance=False), once=True)
    sell_add_on("support", fee("31"))
    subscription = subscribe(make_customer(), "team")
    bill("2026-01-01")
    assert said(invoice_at("2026-01-01")) == [("subscription", "seats", "2026-01-01", 6200)]

    seat(subscription, "5", "2026-01-11")
    add(subscription, "setup", "2026-01-20")
    seat(subscription, "3", "2026-01-21")
    bill("2026-02-01")
    # 2 x 10 + 5 x 10 + 3 x 11 = 103 days at 1.00, of which 62.00 are billed.
    assert said(invoice_at("2026-02-01")) == [
        ("subscription", "seats", "2026-02-01", 9300),
        ("subscription", ":setup:fee", "2026-01-01", 10000),
        ("adjustment", "seats", "2026-01-01", 4100),
    ]

    add(subscription, "support", "2026-02-11", quantity="2")
    bill("2026-03-01")
    assert said(invoice_at("2026-03-01")) == [
        ("subscription", "seats", "2026-03-01", 9300),
        ("subscription", ":support:fee", "2026-03-01", 6200),
        ("adjustment", ":support:fee", "2026-02-01", 3986),  # 62 x 18/28 = 39.857…
    ]
    assert unpaid_differences() == []
