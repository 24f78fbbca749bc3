"""Stored billing periods: half-open, in the customer's zone, without a gap."""

# ruff: noqa: S608 (the statements are made of constants)

from datetime import timedelta

import pytest
from django.db import IntegrityError

from billing.models import BillingPeriod, Subscription
from billing.subscriptions.periods import extend_periods, subscriptions_to_extend
from tests.billing.builders import CALLS, assault, at, make_catalog, make_customer, subscribe

pytestmark = pytest.mark.django_db


def bounds(subscription: Subscription) -> list[tuple[str, str]]:
    periods = BillingPeriod.objects.filter(subscription=subscription).order_by("index")
    return [(period.starts_at.isoformat()[:16], period.ends_at.isoformat()[:16]) for period in periods]


def test_an_anniversary_on_the_31st_clamps_to_short_months_and_comes_back() -> None:
    make_catalog(CALLS.replace("currency: EUR", "currency: EUR\n    anchor: anniversary"))
    subscription = subscribe(make_customer(), starts="2026-01-31", now=at("2026-04-30"))
    assert bounds(subscription) == [
        ("2026-01-31T00:00", "2026-02-28T00:00"),
        ("2026-02-28T00:00", "2026-03-31T00:00"),
        ("2026-03-31T00:00", "2026-04-30T00:00"),
        ("2026-04-30T00:00", "2026-05-31T00:00"),
    ]


def test_periods_of_tokyo_begin_at_its_midnight() -> None:
    make_catalog()
    # 2026-01-10T15:00Z is 11 January 00:00 in Tokyo (+9).
    subscription = subscribe(make_customer(timezone="Asia/Tokyo"), starts="2026-01-10T15:00:00Z", now=at("2026-02-01"))
    assert bounds(subscription) == [("2026-01-10T15:00", "2026-01-31T15:00"), ("2026-01-31T15:00", "2026-02-28T15:00")]
    assert str(subscription.started_on) == "2026-01-11"


def test_periods_of_new_york_follow_its_clock_changes() -> None:
    make_catalog()
    # -5 until 8 March 2026, -4 until 1 November.
    subscription = subscribe(make_customer(timezone="America/New_York"), starts="2026-03-01T05:00:00Z", now=at("2026-12-01"))
    found = bounds(subscription)
    assert found[0] == ("2026-03-01T05:00", "2026-04-01T04:00")
    assert found[8] == ("2026-11-01T04:00", "2026-12-01T05:00")
    march = BillingPeriod.objects.get(subscription=subscription, index=0)
    assert march.ends_at - march.starts_at == timedelta(days=31, hours=-1)


@pytest.mark.parametrize(
    ("interval", "first", "second"),
    [
        ("weekly", ("2026-02-10T00:00", "2026-02-16T00:00"), ("2026-02-16T00:00", "2026-02-23T00:00")),  # Tuesday to Monday
        ("quarterly", ("2026-02-10T00:00", "2026-04-01T00:00"), ("2026-04-01T00:00", "2026-07-01T00:00")),
        ("yearly", ("2026-02-10T00:00", "2027-01-01T00:00"), ("2027-01-01T00:00", "2028-01-01T00:00")),
    ],
)
def test_calendar_periods_end_with_the_week_the_quarter_and_the_year(
    interval: str, first: tuple[str, str], second: tuple[str, str]
) -> None:
    make_catalog(CALLS.replace("currency: EUR", f"currency: EUR\n    interval: {interval}"))
    subscription = subscribe(make_customer(), starts="2026-02-10", now=at("2026-02-10"))
    assert bounds(subscription) == [first]
    extend_periods(subscription, until=at(second[0] + ":00Z"))
    assert bounds(subscription) == [first, second]


def test_each_period_ends_where_the_next_begins_and_the_last_contains_the_instant() -> None:
    make_catalog()
    subscription = subscribe(make_customer(timezone="America/Sao_Paulo"), starts="2017-06-15T12:00:00Z", now=at("2019-03-01"))
    found = bounds(subscription)
    assert [end for _start, end in found[:-1]] == [start for start, _end in found[1:]]
    assert found[-1][0] <= "2019-03-01T00:00" < found[-1][1]
    assert extend_periods(subscription, until=at("2019-03-01")) == 0


def test_the_last_period_ends_with_the_subscription_and_none_follows() -> None:
    make_catalog()
    subscription = subscribe(make_customer(), ends="2026-02-11", now=at("2026-09-01"))
    assert bounds(subscription) == [("2026-01-01T00:00", "2026-02-01T00:00"), ("2026-02-01T00:00", "2026-02-11T00:00")]
    assert subscriptions_to_extend(until=at("2026-09-01")) == []


def test_only_subscriptions_that_reach_too_short_are_extended() -> None:
    make_catalog()
    short = subscribe(make_customer("short"), now=at("2026-01-10"))
    subscribe(make_customer("long"), now=at("2026-05-10"))
    coming = subscribe(make_customer("coming"), starts="2026-08-01", now=at("2026-01-10"))
    assert subscriptions_to_extend(until=at("2026-01-31T23:59:59Z")) == []
    assert subscriptions_to_extend(until=at("2026-02-01")) == [short.pk]
    everyone = list(Subscription.objects.order_by("pk").values_list("pk", flat=True))
    assert coming.pk in everyone
    assert subscriptions_to_extend(until=at("2026-09-01")) == everyone


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("ends_at = starts_at", "billing_period_not_empty"),
        ("end_day = first_day", "billing_period_not_empty"),
        ("index = 1", "billing_period_index_unique"),
        ("starts_at = '2026-01-15'", "billing_period_no_overlap"),
        ("arrears_invoice_id = 1", "billing_period_arrears_invoice_when_billed"),
    ],
)
def test_the_database_refuses_periods_that_cannot_be(change: str, constraint: str) -> None:
    make_catalog()
    subscribe(make_customer(), now=at("2026-03-01"))
    with pytest.raises(IntegrityError, match=constraint):
        assault(f"UPDATE billing_billingperiod SET {change} WHERE index = 2")
