"""Taking back a subscription that has not begun: its days are the customer's own, and the audit trail keeps it."""

import pytest

from billing.models import Subscription, SubscriptionChange, SubscriptionClaim
from billing.subscriptions.refusals import SubscriptionError
from billing.subscriptions.withdrawing import withdraw_subscription
from customers.models import AuditEvent
from tests.billing.builders import ACTOR, at, bill, make_catalog, make_customer, row_counts, subscribe

pytestmark = pytest.mark.django_db


def withdraw(subscription: Subscription, now: str) -> None:
    withdraw_subscription(subscription_id=subscription.pk, actor=ACTOR, now=at(now))


def refused(subscription: Subscription, now: str, code: str) -> str:
    before = row_counts()
    with pytest.raises(SubscriptionError) as caught:
        withdraw(subscription, now)
    assert caught.value.code == code
    assert row_counts() == before
    return caught.value.message


def test_all_of_it_goes_and_the_audit_trail_says_what_it_was() -> None:
    make_catalog()
    customer = make_customer()
    other = subscribe(customer, starts="2026-01-01", ends="2026-03-01", external_id="other")
    subscription = subscribe(customer, starts="2026-03-01", ends="2027-03-01")

    withdraw(subscription, "2026-01-15")

    assert list(Subscription.objects.all()) == [other]
    assert set(SubscriptionChange.objects.values_list("subscription", flat=True)) == {other.pk}
    assert set(SubscriptionClaim.objects.values_list("subscription", flat=True)) == {other.pk}
    event = AuditEvent.objects.get(action="subscription.withdrawn")
    assert (event.object_id, event.customer_id, event.actor_label) == ("acme:basic:2026-03-01", customer.pk, "tests")
    assert event.before == {"plan": "basic", "version": 1, "started_on": "2026-03-01", "ended_on": "2027-03-01"}
    subscribe(customer, starts="2026-03-01")
    bill("2026-05-01")  # nothing is left that billing would trip over


def test_the_day_is_that_of_the_customer() -> None:
    make_catalog()
    subscription = subscribe(make_customer(timezone="Asia/Tokyo"), starts="2026-03-01T00:00:00+09:00")

    message = refused(subscription, "2026-02-28T15:00:00Z", "has_begun")  # midnight of 1 March in Tokyo

    assert message == "it began on 2026-03-01: end it instead"
    withdraw(subscription, "2026-02-28T14:59:59Z")
    assert not Subscription.objects.exists()


def test_one_that_billing_has_reached_stays() -> None:
    make_catalog()
    subscription = subscribe(make_customer(), starts="2026-03-01")
    bill("2026-03-01")

    assert refused(subscription, "2026-02-15", "has_begun").startswith("billing has reached its first day, 2026-03-01")


def test_one_that_is_gone_is_not_found() -> None:
    make_catalog()
    subscription = subscribe(make_customer(), starts="2026-03-01")
    gone = Subscription(pk=subscription.pk)
    withdraw(subscription, "2026-01-15")

    refused(gone, "2026-01-15", "not_found")
