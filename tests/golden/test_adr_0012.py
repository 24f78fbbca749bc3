"""The worked example of ADR 0012: no two subscriptions price the same usage at the same time."""

import pytest
from django.db import IntegrityError, transaction

from billing.models import Subscription, SubscriptionClaim
from billing.subscriptions.changing import end_subscription
from billing.subscriptions.refusals import SubscriptionError
from billing.subscriptions.services import start_subscription
from tests.golden.books import ACTOR, day, sell, subscribe

pytestmark = pytest.mark.django_db


def _two_plans() -> Subscription:
    sell('{code: calls, meter: calls, model: per_unit, unit_amount: "0.10"}', plan="old")
    sell('{code: calls, meter: calls, model: per_unit, unit_amount: "0.08"}', plan="new")
    return subscribe(plan="old")


def test_a_second_plan_on_the_same_meter_is_refused() -> None:
    subscription = _two_plans()
    with pytest.raises(SubscriptionError, match="billed twice") as refused:
        start_subscription(
            customer_id=subscription.customer_id, plan_code="new", starts_at=day(1, 20), actor=ACTOR, now=day(1, 20)
        )
    assert refused.value.code == "meter_taken"
    assert Subscription.objects.get() == subscription


def test_it_may_begin_on_the_day_on_which_the_first_has_ended() -> None:
    subscription = _two_plans()
    end_subscription(subscription_id=subscription.pk, ends_at=day(1, 20), actor=ACTOR, now=day(1, 19))
    second = start_subscription(
        customer_id=subscription.customer_id, plan_code="new", starts_at=day(1, 20), actor=ACTOR, now=day(1, 20)
    )
    assert (second.started_on.day, Subscription.objects.count()) == (20, 2)


def test_the_database_refuses_it_whatever_the_code_does() -> None:
    subscription = _two_plans()
    claim = SubscriptionClaim.objects.get(plan=None)
    other = subscribe("birch", plan="new")
    with pytest.raises(IntegrityError, match="meter_priced_once_at_a_time"), transaction.atomic():
        SubscriptionClaim.objects.filter(subscription=other, plan=None).update(customer=subscription.customer_id)
    assert SubscriptionClaim.objects.filter(customer=subscription.customer_id, plan=None).get() == claim
