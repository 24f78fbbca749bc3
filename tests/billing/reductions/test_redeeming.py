"""Who gets a coupon, how it is taken away, and that the last one is given once."""

from typing import Any

import pytest

from billing.models import CouponRedemption
from billing.reductions.redeeming import held_coupons, redeem_coupon, take_away_coupon
from billing.reductions.refusals import ReductionError
from customers.models import AuditEvent, Customer
from customers.services import archive_customer
from tests.billing.builders import ACTOR, NOW, at, bill, invoices, make_catalog, make_customer, subscribe
from tests.billing.reductions.reduced import coupon, discounts, redeem
from tests.usage.builders import in_threads

pytestmark = pytest.mark.django_db


def take_away(redemption: CouponRedemption, when: str = "2026-01-20") -> CouponRedemption:
    return take_away_coupon(redemption_id=redemption.pk, actor=ACTOR, now=at(when))


def test_a_customer_gets_a_coupon_for_all_or_for_one_subscription() -> None:
    make_catalog()
    coupon("ALL")
    coupon("ONE")
    acme = make_customer()
    subscription = subscribe(acme, external_id="acme/basic")
    assert redeem(acme, "ALL").subscription is None
    assert redeem(acme, "ONE", subscription="acme/basic").subscription == subscription
    event = AuditEvent.objects.filter(action="coupon.redeemed").latest("pk")
    assert (event.object_id, event.customer_id) == ("ONE", acme.pk)
    assert event.after == {"customer": "acme", "subscription": "acme/basic"}


@pytest.mark.parametrize(
    ("made", "asked", "field", "code", "words"),
    [
        ({}, {"code": "NONE"}, "coupon", "coupon_not_found", "no coupon NONE"),
        ({}, {"code": "\0"}, "coupon", "coupon_not_found", "no coupon"),
        ({}, {"now": at("2026-02-01")}, "coupon", "redeemable_no_more", "until 2026-02-01 00:00 UTC"),
        ({"amount_minor": 5, "currency": "USD"}, {}, "coupon", "currency_mismatch", "in USD, customer acme is billed in EUR"),
        ({"max_redemptions": 1}, {}, "coupon", "limit_reached", "was redeemed 1 times"),
        ({}, {"subscription": "other"}, "subscription", "subscription_not_found", "acme has no subscription other"),
        ({}, {"subscription": "\0"}, "subscription", "subscription_not_found", "acme has no subscription"),
    ],
)
def test_a_coupon_that_does_not_fit_is_refused_in_words(
    made: dict[str, Any], asked: dict[str, Any], field: str, code: str, words: str
) -> None:
    make_catalog()
    coupon(redeem_until=at("2026-02-01"), **made)
    other = make_customer("other", currency=made.get("currency", "EUR"))
    redeem(other)
    if other.currency == "EUR":
        subscribe(other, external_id="other")
    acme = make_customer()
    before = AuditEvent.objects.count()
    with pytest.raises(ReductionError, match=words) as caught:
        redeem_coupon(**{"customer_id": acme.pk, "code": "TEN", "actor": ACTOR, "now": NOW, **asked})
    assert (caught.value.field, caught.value.code) == (field, code)
    assert (CouponRedemption.objects.filter(customer=acme).count(), AuditEvent.objects.count()) == (0, before)


def test_a_customer_has_a_coupon_once_at_a_time() -> None:
    coupon(max_redemptions=2)
    acme = make_customer()
    first = redeem(acme)
    with pytest.raises(ReductionError, match="take it away before giving it anew"):
        redeem(acme)
    take_away(first)
    redeem(acme, when="2026-01-21")
    take_away(CouponRedemption.objects.latest("pk"), "2026-01-22")
    with pytest.raises(ReductionError, match="was redeemed 2 times"):  # those that were taken away count
        redeem(acme, when="2026-01-23")


def test_an_archived_customer_gets_none() -> None:
    coupon()
    acme = make_customer()
    archive_customer(customer_id=acme.pk, actor=ACTOR, now=NOW)
    with pytest.raises(ReductionError, match="archived"):
        redeem(acme)


def test_taking_away_twice_is_taking_away_once() -> None:
    coupon()
    redemption = redeem(make_customer())
    take_away(redemption)
    assert take_away(redemption, "2026-01-25").ended_at == at("2026-01-20")
    assert AuditEvent.objects.filter(action="coupon.taken_away").count() == 1


def test_what_became_of_each_coupon_is_told() -> None:
    make_catalog()
    for code, members in (("ONCE", {}), ("EVER", {"duration": "forever"}), ("TWO", {"duration": "periods", "period_count": 2})):
        coupon(code, **members)
    acme = make_customer()
    for code in ("ONCE", "EVER", "TWO"):
        redeem(acme, code)
    subscribe(acme)
    bill("2026-02-01")
    take_away(CouponRedemption.objects.get(coupon__code="TWO"), "2026-02-02")
    told = [(one.redemption.coupon.code, one.uses, one.uses_left, one.state) for one in held_coupons(customer_id=acme.pk)]
    assert told == [("ONCE", 1, 0, "used_up"), ("EVER", 1, None, "running"), ("TWO", 1, 1, "taken_away")]
    assert [discounts(invoice) for invoice in invoices()] == [[("ONCE", 100), ("EVER", 90), ("TWO", 81)]]


@pytest.mark.django_db(transaction=True)
def test_the_last_redemption_is_given_to_one_of_many_at_once() -> None:
    coupon(max_redemptions=3)
    customers = [make_customer(f"customer-{number}") for number in range(8)]

    def give(customer: Customer) -> str:
        try:
            redeem(customer)
        except ReductionError as refusal:
            return refusal.code
        return "given"

    fates = in_threads(*[lambda customer=customer: give(customer) for customer in customers])
    assert sorted(map(str, fates)) == ["given"] * 3 + ["limit_reached"] * 5
    assert CouponRedemption.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_coupon_given_to_a_customer_by_several_at_once_is_given_once() -> None:
    coupon()
    acme = make_customer()

    def give() -> str:
        try:
            redeem(acme)
        except ReductionError as refusal:
            return refusal.code
        return "given"

    assert sorted(map(str, in_threads(*[give] * 4))) == ["given", "has_it", "has_it", "has_it"]
