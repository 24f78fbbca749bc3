"""Payments are priced one by one: a share of each and a fee for each, the first ones free."""

from decimal import Decimal

import pytest

from billing.models import InvoiceLine, Subscription
from tests.billing.builders import bill, make_customer, send_usage, subscribe
from tests.billing.subscriptions.plans_made import Sold, make_meter, sell
from tests.billing.subscriptions.steps import invoice_at, move, said
from tests.scenarios.stories import assert_books_agree

pytestmark = pytest.mark.django_db


def payments(rate: str, **more: str) -> Sold:
    make_meter("payments", event_type="payment")
    return Sold("payments", {"model": "percentage", "rate": rate, **more}, meter="payments")


@pytest.fixture
def shop() -> Subscription:
    """2 % and 0.30 of each payment, the first two of a period free."""
    sell("shop", payments("2", fixed_amount="0.30", free_events="2"))
    return subscribe(make_customer(), "shop")


def test_each_payment_in_its_order(shop: Subscription) -> None:
    for amount, when in (("100", "02"), ("50", "05"), ("200", "09"), ("10", "20")):
        send_usage(shop.customer, "payment", amount, f"2026-01-{when}")
    bill("2026-02-01")
    # 100 and 50 are free; 200 x 2 % + 0.30 = 4.30; 10 x 2 % + 0.30 = 0.50.
    assert said(invoice_at("2026-02-01")) == [("usage", "payments", "2026-01-01", 480)]
    assert InvoiceLine.objects.get().quantity == 360
    # One of the 3rd comes late and takes the place of the 50, which is charged now: 50 x 2 % + 0.30 = 1.30.
    send_usage(shop.customer, "payment", "70", "2026-01-03")
    bill("2026-03-01")
    assert said(invoice_at("2026-03-01")) == [("adjustment", "payments", "2026-01-01", 130)]
    assert InvoiceLine.objects.get(group="adjustment").quantity == 70
    assert_books_agree()


def test_free_payments_count_anew_with_each_plan(shop: Subscription) -> None:
    sell("store", payments("1", fixed_amount="0.10", free_events="1"))
    for amount, when in (("100", "02"), ("50", "05"), ("200", "09"), ("10", "20"), ("1000", "21")):
        send_usage(shop.customer, "payment", amount, f"2026-01-{when}")
    move(shop, "store", "2026-01-11")
    bill("2026-02-01")
    assert said(invoice_at("2026-01-11")) == [("usage", "payments", "2026-01-01", 430)]  # 200 alone
    assert said(invoice_at("2026-02-01")) == [("usage", "payments", "2026-01-11", 1010)]  # 1000 x 1 % + 0.10; 10 is free
    assert_books_agree()


def test_bounds_hold_for_each_payment() -> None:
    sell("shop", payments("2", per_transaction_min="0.50", per_transaction_max="3"))
    shop = subscribe(make_customer(), "shop")
    for amount in ("10", "100", "1000"):
        send_usage(shop.customer, "payment", amount, "2026-01-05")
    bill("2026-02-01")
    assert said(invoice_at("2026-02-01")) == [("usage", "payments", "2026-01-01", 550)]  # 0.50 + 2.00 + 3.00
    assert_books_agree()


def test_a_share_alone_is_of_the_sum() -> None:
    sell("shop", payments("2.5"))
    shop = subscribe(make_customer(), "shop")
    for amount in ("0.01", "0.02", "99.99"):
        send_usage(shop.customer, "payment", amount, "2026-01-05")
    bill("2026-02-01")
    # 100.02 x 2.5 % = 2.5005, rounded once.
    line = InvoiceLine.objects.get()
    assert (line.exact_amount, line.amount_minor) == (Decimal("2.5005"), 250)
    assert_books_agree()


def test_no_payment_costs_nothing(shop: Subscription) -> None:
    bill("2026-02-01")
    assert InvoiceLine.objects.count() == 0
    assert_books_agree()
