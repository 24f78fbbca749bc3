"""Coupons are checked when they are made, and fixed once a customer has them."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Coupon, CouponRedemption
from billing.reductions.offering import archive_coupon, create_coupon, update_coupon
from billing.reductions.refusals import ReductionError
from customers.models import AuditEvent
from tests.billing.builders import ACTOR, NOW, at, make_catalog, make_customer
from tests.billing.reductions.reduced import coupon, redeem

pytestmark = pytest.mark.django_db


def change(code: str = "TEN", **changes: Any) -> Coupon:
    return update_coupon(code=code, changes=changes, actor=ACTOR, now=NOW)


def test_a_coupon_is_made_as_it_was_asked_for_and_is_on_the_trail() -> None:
    make_catalog()
    made = coupon(
        "SPRING",
        amount_minor=500,
        duration="periods",
        period_count=3,
        plan_codes=["basic"],
        charge_codes=["calls", "fee"],
        max_redemptions=2,
        redeem_until=at("2026-06-01"),
    )
    made.refresh_from_db()
    assert (made.percent, made.amount_minor, made.currency) == (None, 500, "EUR")
    assert (made.duration, made.period_count, made.max_redemptions) == ("periods", 3, 2)
    assert (made.plan_codes, made.charge_codes) == (["basic"], ["calls", "fee"])
    assert made.redeem_until == datetime(2026, 6, 1, tzinfo=UTC)
    event = AuditEvent.objects.get(action="coupon.created")
    assert (event.object_id, event.actor_label, event.after["amount_minor"]) == ("SPRING", "tests", 500)


@pytest.mark.parametrize(
    ("members", "field", "code", "words"),
    [
        ({"code": "10 % OFF"}, "code", "unusable", "beginning with a letter or digit"),
        ({"name": " "}, "name", "unusable", "printed on invoices"),
        ({"percent": None}, "percent", "unusable", "either a percentage or an amount"),
        ({"amount_minor": 5, "currency": "EUR"}, "percent", "unusable", "either a percentage or an amount"),
        ({"percent": Decimal("100.1")}, "percent", "unusable", "above 0 up to 100"),
        ({"percent": Decimal(0)}, "percent", "unusable", "above 0 up to 100"),
        ({"percent": Decimal("1.00001")}, "percent", "unusable", "at most four decimals"),
        ({"percent": Decimal("NaN")}, "percent", "unusable", "above 0 up to 100"),
        ({"currency": "EUR"}, "currency", "unusable", "leave the currency out"),
        ({"percent": None, "amount_minor": 0, "currency": "EUR"}, "amount", "unusable", "above zero"),
        ({"percent": None, "amount_minor": 10**15, "currency": "EUR"}, "amount", "unusable", "below"),
        ({"percent": None, "amount_minor": 5, "currency": "XXX"}, "currency", "unusable", "ISO 4217"),
        ({"duration": "periods"}, "period_count", "unusable", "for how many invoices"),
        ({"duration": "forever", "period_count": 2}, "period_count", "unusable", "leave it out"),
        ({"duration": "always"}, "duration", "unusable", "once, periods, forever"),
        ({"max_redemptions": 0}, "max_redemptions", "unusable", "leave it out"),
        ({"plan_codes": ["basic", "gold"]}, "plan_codes", "plan_not_found", "no plan or add-on gold"),
        ({"charge_codes": ["calls", "seats"]}, "charge_codes", "charge_not_found", "has a charge seats"),
        ({"charge_codes": ["\0"]}, "charge_codes", "charge_not_found", "has a charge"),
    ],
)
def test_a_coupon_that_cannot_be_is_refused_in_words(members: dict[str, Any], field: str, code: str, words: str) -> None:
    make_catalog()
    trail = AuditEvent.objects.count()
    with pytest.raises(ReductionError, match=words) as caught:
        create_coupon(**{"code": "TEN", "name": "Ten", "percent": Decimal(10), "actor": ACTOR, "now": NOW, **members})
    assert (caught.value.field, caught.value.code) == (field, code)
    assert (Coupon.objects.count(), AuditEvent.objects.count()) == (0, trail)


def test_a_charge_must_be_of_one_of_the_plans_that_are_named() -> None:
    other = "plans: [{code: other, name: Other, currency: EUR, charges: [{code: seats, model: flat, amount: '1'}]}]"
    make_catalog()
    make_catalog(other)
    assert coupon("A", plan_codes=["other"], charge_codes=["seats", ":minimum-commitment"]).charge_codes[1] == "seats"
    with pytest.raises(ReductionError, match="has a charge calls"):
        coupon("B", plan_codes=["other"], charge_codes=["calls"])


def test_a_code_is_there_once() -> None:
    coupon()
    with pytest.raises(ReductionError, match="choose another code"):
        coupon(percent="20")
    assert [(one.code, one.percent) for one in Coupon.objects.all()] == [("TEN", Decimal(10))]


def test_terms_change_until_a_customer_has_the_coupon() -> None:
    coupon()
    assert change(percent=Decimal(15), name="Fifteen").percent == Decimal(15)
    redeem(make_customer())
    before = AuditEvent.objects.count()
    with pytest.raises(ReductionError, match="make another coupon") as caught:
        change(name="Twenty", percent=Decimal(20))
    assert (caught.value.field, caught.value.code) == ("percent", "terms_fixed")
    assert list(Coupon.objects.values_list("name", "percent")) == [("Fifteen", Decimal(15))]
    assert AuditEvent.objects.count() == before

    change(name="Welcome", redeem_until=at("2026-03-01"), percent=Decimal("15.00"))  # the same percentage is no change
    event = AuditEvent.objects.filter(action="coupon.updated").latest("pk")
    assert event.before == {"name": "Fifteen", "redeem_until": None}
    assert event.after == {"name": "Welcome", "redeem_until": "2026-03-01T00:00:00+00:00"}


def test_the_limit_is_not_below_what_was_given() -> None:
    coupon(max_redemptions=5)
    redeem(make_customer("a"))
    redeem(make_customer("b"))
    with pytest.raises(ReductionError, match="redeemed 2 times already"):
        change(max_redemptions=1)
    assert change(max_redemptions=2).max_redemptions == 2


def test_a_change_that_changes_nothing_leaves_no_trail() -> None:
    coupon()
    change(name="Ten")
    assert not AuditEvent.objects.filter(action="coupon.updated").exists()


def test_an_archived_coupon_is_not_redeemed_any_more_and_whoever_has_it_keeps_it() -> None:
    coupon()
    redeem(make_customer("a"))
    archive_coupon(code="TEN", actor=ACTOR, now=at("2026-01-02"))
    archive_coupon(code="TEN", actor=ACTOR, now=at("2026-01-03"))
    assert Coupon.objects.get().archived_at == at("2026-01-02")
    assert AuditEvent.objects.filter(action="coupon.archived").count() == 1
    with pytest.raises(ReductionError, match="TEN is archived"):
        redeem(make_customer("b"))
    assert CouponRedemption.objects.get().ended_at is None


@pytest.mark.parametrize("code", ["NONE", "\0"])
def test_a_coupon_that_is_not_there_is_named(code: str) -> None:
    services: list[Callable[[], object]] = [lambda: change(code), lambda: archive_coupon(code=code, actor=ACTOR, now=NOW)]
    for service in services:
        with pytest.raises(ReductionError) as caught:
            service()
        assert caught.value.code == "coupon_not_found"
