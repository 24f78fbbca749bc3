"""Reconciliation finds what the constraints would have kept out: entries, uses and discounts that do not fit."""

from collections.abc import Callable

import pytest

from billing.models import Coupon, CouponRedemption, Credit, CreditEntry, Invoice, InvoiceDiscount
from billing.reconciliation.credits import check_coupons, check_credits
from tests.billing.builders import bill, make_catalog, make_customer, send_usage, sql, subscribe, triggers_off
from tests.billing.reductions.reduced import coupon, grant, redeem

pytestmark = pytest.mark.django_db


def books() -> None:
    """Two months of 30.00 and 10.00, a coupon of 10 % for two invoices, another of 1.00, and a credit of 12.00."""
    make_catalog()
    acme = make_customer()
    subscribe(acme)
    coupon(duration="periods", period_count=2, max_redemptions=1)
    coupon("EURO", amount_minor=100, duration="forever", charge_codes=["fee"])
    redeem(acme)
    redeem(acme, "EURO")
    grant(acme, 1200)
    send_usage(acme, "call", 2100, "2026-01-10")
    bill("2026-03-01")


def broken(change: Callable[[], object]) -> list[str]:
    """Break the books around the triggers, and return what is found."""
    books()
    assert [*check_credits(), *check_coupons()] == []
    with triggers_off():
        change()
    return [*check_credits(), *check_coupons()]


def test_an_entry_that_is_missing_or_too_much_is_found() -> None:
    (found,) = broken(lambda: CreditEntry.objects.filter(kind="used").delete())
    assert found == "I7 invoice INV-000001 is finalized and says credits of 1200; entries used 0 and gave back 0"


def test_a_credit_that_was_used_beyond_its_worth_is_found() -> None:
    found = broken(lambda: sql("UPDATE billing_creditentry SET amount_minor = -1300 WHERE kind = 'used'"))
    assert found == [
        "I7 credit gift of acme is worth 1200, was granted 1 times with 1200, and went from -100 to 1200",
        "I7 invoice INV-000001 is finalized and says credits of 1200; entries used 1300 and gave back 0",
    ]


def test_a_credit_of_another_customer_is_found() -> None:
    other = make_customer("other")
    (found,) = broken(lambda: Credit.objects.update(customer=other))
    entry = CreditEntry.objects.get(kind="used")
    assert found == f"I7 credit entry {entry.pk} of gift does not fit invoice INV-000001"


def test_a_coupon_that_was_used_or_given_too_often_is_found() -> None:
    other = make_customer("other")

    def change() -> None:
        Coupon.objects.filter(code="TEN").update(period_count=1)
        ten = Coupon.objects.get(code="TEN")
        held = CouponRedemption.objects.get(coupon=ten)
        CouponRedemption.objects.create(coupon=ten, customer=other, redeemed_at=held.redeemed_at)

    assert broken(change) == [
        "I7 coupon TEN of acme is on 2 of 1 invoices, 0 of them of somebody else",
        "I7 coupon TEN was redeemed 2 times, 1 at most",
    ]


def test_a_discount_that_its_coupon_does_not_give_is_found() -> None:
    first = InvoiceDiscount.objects.filter(redemption__coupon__code="TEN")
    found = broken(lambda: first.filter(invoice__number="INV-000001").update(amount_minor=350))
    assert found[0] == "I7 invoice INV-000001 has a discount of 350 by TEN, its lines give 300"


def test_a_discount_on_the_wrong_line_is_found() -> None:
    def change() -> None:
        lines = Invoice.objects.get(number="INV-000002").lines
        lines.filter(charge_code="fee").update(discount_minor=0)
        lines.exclude(charge_code="fee").update(discount_minor=190)

    assert any(text.startswith("I7 invoice INV-000002 has line") for text in broken(change))
