"""I3 and I4 as a property: whatever is changed, undone, billed and voided in whatever order, each day is billed once."""

from calendar import monthrange
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from billing.invoicing.voiding import void_invoice
from billing.models import BillingPeriod, Invoice, InvoiceLine, Subscription, SubscriptionClaim
from billing.subscriptions.claims import write_claims
from billing.subscriptions.periods import load_timeline
from billing.subscriptions.refusals import SubscriptionError
from billing.subscriptions.timeline import Timeline
from tests.billing.builders import ACTOR, bill, make_customer, send_usage, subscribe
from tests.billing.rating.rating_tools import rated
from tests.billing.subscriptions.plans_made import calls, fee, seats, sell, sell_add_on
from tests.billing.subscriptions.steps import add, end, move, newest, pause, resume, seat, undo, unpaid_differences

pytestmark = pytest.mark.django_db

JANUARY = date(2026, 1, 1)
# By plan: the fee and a seat of a whole month, and a call.
PRICES = {"one": (31, 7, 1), "two": (62, 5, 2), "three": (10, 3, 3)}
SUPPORT = 11  # each, a month
SETUP = 100  # each, once


def sell_all() -> None:
    sell("one", fee("31"), seats("7"), calls("1"))
    sell("two", fee("62"), seats("5", in_advance=False), calls("2"))
    sell("three", fee("10", in_advance=False), seats("3", in_advance=False), calls("3"))
    sell_add_on("support", fee(str(SUPPORT)))
    sell_add_on("setup", fee(str(SETUP), in_advance=False), once=True)


what = st.one_of(
    st.tuples(st.just("move"), st.sampled_from(list(PRICES))),
    st.tuples(st.just("seat"), st.integers(0, 5)),
    st.tuples(st.just("add"), st.integers(0, 3)),
    st.tuples(st.just("buy"), st.integers(0, 9)),
    st.tuples(st.just("pause"), st.just(0)),
    st.tuples(st.just("resume"), st.just(0)),
    st.tuples(st.just("undone"), st.sampled_from(list(PRICES))),
    st.tuples(st.just("bill"), st.booleans()),
    st.tuples(st.just("bill"), st.just(True)),
    st.tuples(st.just("void"), st.integers(0, 5)),
    st.tuples(st.just("use"), st.integers(1, 9)),
)
# The days that pass before a step, what it is, and how many days from then it is for.
steps = st.lists(st.tuples(st.integers(0, 20), what, st.integers(-12, 25)), min_size=3, max_size=9)


def carry_out(subscription: Subscription, today: date, action: tuple[str, Any], offset: int) -> None:
    now, day = today.isoformat(), max(today + timedelta(days=offset), JANUARY).isoformat()
    kind, number = action
    if kind == "move":
        move(subscription, number, day, now=now)
    elif kind == "seat":
        seat(subscription, str(number), day, now=now)
    elif kind == "add":
        add(subscription, "support", day, quantity=str(number), now=now)
    elif kind == "buy":
        add(subscription, "setup", day, code=f"setup-{number}", now=now)
    elif kind == "pause":
        pause(subscription, day, now=now)
    elif kind == "resume":
        resume(subscription, day, now=now)
    elif kind == "undone":
        decide_and_undo(subscription, number, today)
    elif kind == "bill":
        assert bill(f"{now}T12:00:00Z", finalize=number).failed == ()
    elif kind == "void":
        final = list(Invoice.objects.filter(status="finalized").order_by("pk"))
        if final:
            void_invoice(
                invoice_id=final[number % len(final)].pk,
                reason="a test",
                actor=ACTOR,
                now=datetime.fromisoformat(f"{now}T13:00Z"),
            )
    else:
        send_usage(subscription.customer, "call", number, f"{min(day, now)}T08:00:00Z")


def decide_and_undo(subscription: Subscription, plan: str, today: date) -> None:
    """What is decided for a later day and undone leaves the rows as they were, but for drafts that had to go."""
    bill(f"{today.isoformat()}T12:00:00Z")
    before = list(BillingPeriod.objects.order_by("pk").values()), claims_of(subscription)
    last = newest(subscription)
    move(subscription, plan, (today + timedelta(days=9)).isoformat(), now=today.isoformat())
    if newest(subscription) != last:
        undo(subscription, newest(subscription), now=today.isoformat())
    assert (list(BillingPeriod.objects.order_by("pk").values()), claims_of(subscription)) == before


def claims_of(subscription: Subscription) -> set[Any]:
    return set(SubscriptionClaim.objects.filter(subscription=subscription).values_list("plan", "meter", "first_day", "end_day"))


def assert_rows_agree(subscription: Subscription) -> None:
    """Periods tile the life without a gap, are what the timeline says, and the claims are those that it gives."""
    timeline = load_timeline(subscription)
    live = list(BillingPeriod.objects.filter(subscription=subscription, superseded_at=None).order_by("index"))
    assert [period.index for period in live] == list(range(len(live)))
    assert (live[0].first_day, live[0].starts_at) == (JANUARY, subscription.starts_at)
    for earlier, later in pairwise(live):
        assert (earlier.end_day, earlier.ends_at) == (later.first_day, later.starts_at)
    for period in live:
        day = period.first_day
        while day < period.end_day:
            segment = timeline.segment_on(day)
            assert segment is not None
            assert (segment.kind, segment.version.pk) == (period.kind, period.plan_version_id)
            day += timedelta(days=1)
    kept = claims_of(subscription)
    write_claims(subscription, timeline)
    assert claims_of(subscription) == kept


def fees_by_days(timeline: Timeline, end_day: date) -> Fraction:
    """What all days together cost, day by day, with no periods."""
    total, day = Fraction(0), JANUARY
    while day < end_day:
        segment = timeline.segment_on(day)
        if segment is not None and segment.kind == "regular":
            flat, each, _call = PRICES[segment.version.plan.code]
            held = timeline.quantity_on("seats", day, default=Decimal(1))
            extra = sum((Fraction(_held(add_on.steps, day)) for add_on in timeline.add_ons if not add_on.is_once), Fraction(0))
            total += (flat + each * Fraction(held) + SUPPORT * extra) / monthrange(day.year, day.month)[1]
        day += timedelta(days=1)
    return total + SETUP * sum(Fraction(add_on.steps[0][1]) for add_on in timeline.add_ons if add_on.is_once)


def _held(steps: tuple[tuple[date, Decimal], ...], day: date) -> Decimal:
    return next((quantity for first, quantity in reversed(steps) if first <= day), Decimal(0))


def billed() -> dict[tuple[int, str], tuple[Decimal, Decimal, int]]:
    sums: dict[tuple[int, str], tuple[Decimal, Decimal, int]] = defaultdict(lambda: (Decimal(0), Decimal(0), 0))
    for line in InvoiceLine.objects.exclude(invoice__status="void").select_related("billing_period"):
        assert line.billing_period_id is not None
        before = sums[line.billing_period_id, line.charge_code]
        found = (before[0] + line.quantity, before[1] + line.exact_amount, before[2] + line.amount_minor)
        sums[line.billing_period_id, line.charge_code] = found
    return {key: found for key, found in sums.items() if any(found)}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(found=steps, trial_days=st.sampled_from([0, 0, 9, 40]))
def test_whatever_happens_each_day_is_billed_once(found: list[tuple[int, tuple[str, Any], int]], trial_days: int) -> None:
    with transaction.atomic():
        sell_all()
        subscription = subscribe(make_customer(), "one", trial_days=trial_days)
        today = JANUARY
        for passed, action, offset in found:
            today += timedelta(days=passed)
            subscription.refresh_from_db()
            try:
                carry_out(subscription, today, action, offset)
            except SubscriptionError as refusal:
                note(f"{today} {action} {offset}: {refusal.code}")
            subscription.refresh_from_db()
            assert_rows_agree(subscription)
        # The last month has so much usage that whatever is to come back fits.
        last = today + timedelta(days=60)
        timeline = load_timeline(subscription)
        segment = timeline.segment_on(last)
        if segment is not None and segment.kind == "paused":
            resume(subscription, last.isoformat(), now=today.isoformat())
        send_usage(subscription.customer, "call", 10_000, f"{last}T08:00:00Z")
        end_day = last + timedelta(days=2)
        end(subscription, end_day.isoformat(), now=last.isoformat())
        assert bill(f"{end_day}T00:00:00Z").failed == ()
        subscription.refresh_from_db()
        assert_rows_agree(subscription)
        assert unpaid_differences() == []
        now_known = {
            (period.pk, line.charge_code): (line.quantity, line.exact_amount, line.amount_minor)
            for period in BillingPeriod.objects.filter(superseded_at=None)
            for line in rated(subscription, period.index).lines
            if line.quantity or line.amount_minor
        }
        assert billed() == now_known
        fees = InvoiceLine.objects.exclude(invoice__status="void").filter(meter_code="")
        exact = sum((Fraction(line.exact_amount) for line in fees), Fraction(0))
        assert abs(exact - fees_by_days(load_timeline(subscription), end_day)) < Fraction(1, 10**8)
        transaction.set_rollback(True)
