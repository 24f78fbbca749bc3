"""Two at once on one subscription, with two connections: both happen one after the other, or one is refused in words."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from billing.models import BillingPeriod, Subscription, SubscriptionChange
from billing.subscriptions.periods import load_timeline
from billing.subscriptions.refusals import SubscriptionError
from tests.billing.builders import bill, make_customer, send_usage, subscribe
from tests.billing.subscriptions.plans_made import calls, fee, sell
from tests.billing.subscriptions.steps import end, move, pause, periods, resume, unpaid_differences
from tests.usage.builders import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def subscription() -> Subscription:
    sell("basic", fee("31"), calls("1"))
    sell("pro", fee("62"), calls("2"))
    sell("max", fee("93"), calls("3"))
    customer = make_customer()
    subscription = subscribe(customer, "basic")
    send_usage(customer, "call", 10, "2026-01-05")
    send_usage(customer, "call", 10, "2026-01-25")
    return subscription


def attempt(work: Callable[[], object]) -> Callable[[], str]:
    """Do it, and return "done" or the code of the refusal; any other error is raised in the test."""

    def tried() -> str:
        try:
            work()
        except SubscriptionError as refusal:
            return refusal.code
        return "done"

    return tried


def assert_one_story(subscription: Subscription) -> None:
    """Periods tile the life as the timeline says, and once all is billed the books agree."""
    live = list(BillingPeriod.objects.filter(superseded_at=None).order_by("index"))
    for earlier, later in pairwise(live):
        assert (earlier.end_day, earlier.ends_at) == (later.first_day, later.starts_at)
    timeline = load_timeline(subscription)
    for period in live:
        segment = timeline.segment_on(period.first_day)
        assert segment is not None
        assert (segment.version.pk, segment.kind) == (period.plan_version_id, period.kind)
    assert bill("2026-03-01").failed == ()
    assert bill("2026-04-01").failed == ()
    assert unpaid_differences() == []


def test_two_changes_of_plan_at_once_come_one_after_the_other(subscription: Subscription) -> None:
    found = in_threads(
        attempt(lambda: move(subscription, "pro", "2026-01-11")), attempt(lambda: move(subscription, "max", "2026-01-11"))
    )
    assert found == ["done", "done"]
    assert [period[:3] for period in periods(subscription)] == [
        ("2026-01-01", "2026-01-11", "regular"),
        ("2026-01-11", "2026-02-01", "regular"),
    ]
    assert_one_story(subscription)


def test_a_change_and_a_billing_run_at_once(subscription: Subscription) -> None:
    bill("2026-01-01")
    found = in_threads(
        attempt(lambda: move(subscription, "pro", "2026-01-11", now="2026-02-01")), lambda: bill("2026-02-01").failed
    )
    # Either the change was first, or the run has billed January and the change is refused.
    assert found[0] in ("done", "period_billed")
    assert found[1] == ()
    assert_one_story(subscription)


def test_a_change_of_the_day_and_the_run_of_the_day_at_once(subscription: Subscription) -> None:
    bill("2026-01-01")
    found = in_threads(
        attempt(lambda: move(subscription, "pro", "2026-02-01")),
        lambda: bill("2026-02-01").failed,
        lambda: bill("2026-02-01").failed,
    )
    assert found == ["done", (), ()]
    assert_one_story(subscription)


def test_a_change_and_an_end_at_once(subscription: Subscription) -> None:
    found = in_threads(
        attempt(lambda: move(subscription, "pro", "2026-01-21", now="2026-01-05")),
        attempt(lambda: end(subscription, "2026-01-11", now="2026-01-05")),
    )
    # A change that comes after the end is refused; one that came before has no effect.
    assert found in (["done", "done"], ["not_running", "done"])
    assert periods(subscription) == [("2026-01-01", "2026-01-11", "regular", "basic")]
    assert_one_story(subscription)


def test_two_pauses_at_once_are_one(subscription: Subscription) -> None:
    found = in_threads(*[attempt(lambda: pause(subscription, "2026-01-11"))] * 2)
    assert found == ["done", "done"]  # the second finds it paused from that day, and changes nothing
    assert SubscriptionChange.objects.filter(subscription=subscription, kind="pause").count() == 1
    assert_one_story(subscription)


def test_a_resumption_and_another_plan_for_its_usage_at_once(subscription: Subscription) -> None:
    pause(subscription, "2026-01-11")
    sell("metered", calls("5"))
    found = in_threads(
        attempt(lambda: resume(subscription, "2026-01-21")),
        attempt(lambda: subscribe(subscription.customer, "metered", "2026-01-21")),
    )
    assert sorted(found, key=str) == ["done", "meter_taken"]
    assert_one_story(subscription)


def test_two_subscriptions_of_a_customer_that_want_each_others_meters_do_not_wait_for_each_other(
    subscription: Subscription,
) -> None:
    sell("traffic", calls("1", "traffic", meter="traffic"))
    second = subscribe(subscription.customer, "traffic")
    sell("to-traffic", calls("1", "traffic", meter="traffic"))
    sell("to-calls", calls("1"))
    for _time in range(5):
        found = in_threads(
            attempt(lambda: move(subscription, "to-traffic", "2026-01-01")),
            attempt(lambda: move(second, "to-calls", "2026-01-01")),
        )
        assert found == ["meter_taken", "meter_taken"]
