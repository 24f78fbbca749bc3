"""What a subscription has to itself follows its timeline, and the database keeps it from others."""

import pytest

from billing.models import SubscriptionClaim
from billing.models.subscription import Subscription
from tests.billing.builders import make_customer, row_counts, subscribe
from tests.billing.subscriptions.plans_made import calls, fee, make_meter, sell, sell_add_on
from tests.billing.subscriptions.steps import add, end, move, newest, pause, refused, resume, undo

pytestmark = pytest.mark.django_db


def claims(subscription: Subscription) -> list[tuple[str, str, str | None]]:
    """What is claimed, from and until which day, in order."""
    rows = SubscriptionClaim.objects.filter(subscription=subscription).select_related("plan", "meter")
    named = [(f"plan {row.plan.code}" if row.plan else f"meter {row.meter and row.meter.code}", row) for row in rows]
    return sorted((name, str(row.first_day), str(row.end_day) if row.end_day else None) for name, row in named)


@pytest.fixture
def basic() -> Subscription:
    sell("basic", fee("31"), calls("1"))
    sell("pro", fee("62"), calls("2"), calls("3", "traffic", meter="traffic"))
    return subscribe(make_customer(), "basic")


def test_a_meter_that_both_plans_price_is_claimed_throughout(basic: Subscription) -> None:
    move(basic, "pro", "2026-01-11")
    assert claims(basic) == [
        ("meter calls", "2026-01-01", None),
        ("meter traffic", "2026-01-11", None),
        ("plan basic", "2026-01-01", "2026-01-11"),
        ("plan pro", "2026-01-11", None),
    ]


def test_there_and_back_claims_the_plan_twice(basic: Subscription) -> None:
    move(basic, "pro", "2026-01-11")
    move(basic, "basic", "2026-02-01", now="2026-01-12")
    assert claims(basic) == [
        ("meter calls", "2026-01-01", None),
        ("meter traffic", "2026-01-11", "2026-02-01"),
        ("plan basic", "2026-01-01", "2026-01-11"),
        ("plan basic", "2026-02-01", None),
        ("plan pro", "2026-01-11", "2026-02-01"),
    ]


def test_a_pause_keeps_the_plan_and_lets_the_meters_go(basic: Subscription) -> None:
    pause(basic, "2026-01-11")
    assert claims(basic) == [("meter calls", "2026-01-01", "2026-01-11"), ("plan basic", "2026-01-01", None)]
    resume(basic, "2026-02-05", now="2026-01-12")
    assert claims(basic) == [
        ("meter calls", "2026-01-01", "2026-01-11"),
        ("meter calls", "2026-02-05", None),
        ("plan basic", "2026-01-01", None),
    ]


def test_an_end_shortens_all_and_undone_it_never_was(basic: Subscription) -> None:
    move(basic, "pro", "2026-01-11", now="2026-01-02")
    before = claims(basic)
    end(basic, "2026-01-06", now="2026-01-02")
    assert claims(basic) == [("meter calls", "2026-01-01", "2026-01-06"), ("plan basic", "2026-01-01", "2026-01-06")]
    undo(basic, newest(basic), now="2026-01-03")
    assert claims(basic) == before


def test_a_trial_claims_like_all_else(basic: Subscription) -> None:
    sell("tried", calls("4", meter="other"), trial_days=14)
    make_meter("other")
    assert claims(subscribe(basic.customer, "tried")) == [("meter other", "2026-01-01", None), ("plan tried", "2026-01-01", None)]


def test_what_changes_no_claim_writes_none(basic: Subscription) -> None:
    sell_add_on("support", fee("31"))
    kept = set(SubscriptionClaim.objects.values_list("pk", flat=True))
    add(basic, "support", "2026-01-11")
    sell("basic", fee("40"), calls("1"))
    move(basic, "basic", "2026-01-11")
    assert set(SubscriptionClaim.objects.values_list("pk", flat=True)) == kept


def test_two_subscriptions_of_a_customer_have_nothing_in_common(basic: Subscription) -> None:
    sell("other", fee("1"), calls("1", meter="traffic"))
    other = subscribe(basic.customer, "other", "2026-01-01")
    before = row_counts()
    refused(lambda: move(basic, "pro", "2026-01-11"), "meter_taken", "plan")
    assert row_counts() == before
    pause(other, "2026-01-11")
    move(basic, "pro", "2026-01-11")
    refused(lambda: resume(other, "2026-01-20"), "meter_taken", "plan")


def test_another_customer_may_claim_the_same(basic: Subscription) -> None:
    second = subscribe(make_customer("second"), "basic")
    assert claims(second) == claims(basic)
