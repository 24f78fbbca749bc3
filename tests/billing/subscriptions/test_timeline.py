"""What a subscription is on at any day, from its changes alone: no row is written here."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.models import Plan, PlanVersion, SubscriptionChange
from billing.subscriptions.timeline import (
    Stretch,
    Timeline,
    TimelineError,
    add_on_stretches,
    cadence_of,
    days_of_period,
    timeline_of,
)
from tests.billing.builders import NOW

JANUARY = date(2026, 1, 1)
Kind = SubscriptionChange.Kind


def version(number: int, code: str = "plan", **cadence: object) -> PlanVersion:
    plan = Plan(pk=number, code=f"{code}-{number}", name=code)
    return PlanVersion(pk=number, plan=plan, version=1, currency="EUR", **({"anchor": "anniversary"} | cadence))


MONTHLY, OTHER, YEARLY = version(1), version(2), version(3, interval="yearly")
CALENDAR, ON_15TH = version(4, anchor="calendar"), version(5, anchor="calendar", billing_day=15)
EXTRA, SETUP = version(6, "extra"), version(7, "setup", interval="once")


def day(offset: int) -> date:
    """A day counted from 1 January 2026, which is 0."""
    return JANUARY + timedelta(days=offset)


def change(pk: int | None, kind: SubscriptionChange.Kind, offset: int, **columns: object) -> SubscriptionChange:
    return SubscriptionChange(pk=pk, kind=kind, effective_on=day(offset), **columns)


def start(plan: PlanVersion = MONTHLY, *, trial: int | None = None) -> SubscriptionChange:
    ends = day(trial) if trial is not None else None
    return change(1, Kind.START, 0, plan_version=plan, trial_ends_on=ends)


def told(timeline: Timeline) -> list[tuple[int, int | None, str, str]]:
    """The segments as (first day, end day, kind, plan), days counted from the start."""
    return [
        (
            (segment.first_day - JANUARY).days,
            (segment.end_day - JANUARY).days if segment.end_day else None,
            segment.kind,
            segment.version.plan.code,
        )
        for segment in timeline.segments
    ]


class TestSegments:
    def test_a_start_alone_goes_on_for_ever(self) -> None:
        timeline = timeline_of([start()])
        assert told(timeline) == [(0, None, "regular", "plan-1")]
        assert (timeline.started_on, timeline.ended_on) == (JANUARY, None)
        assert timeline.segment_on(day(-1)) is None
        assert timeline.segment_on(date.max) is timeline.segments[0]

    def test_a_trial_comes_first_and_anniversaries_count_from_its_end(self) -> None:
        timeline = timeline_of([start(trial=14)])
        assert told(timeline) == [(0, 14, "trial", "plan-1"), (14, None, "regular", "plan-1")]
        assert {segment.anchored_on for segment in timeline.segments} == {day(14)}

    def test_a_plan_that_is_changed_in_the_trial_is_tried_for_the_rest_of_it(self) -> None:
        timeline = timeline_of([start(trial=14), change(2, Kind.PLAN, 5, plan_version=OTHER)])
        assert told(timeline) == [(0, 5, "trial", "plan-1"), (5, 14, "trial", "plan-2"), (14, None, "regular", "plan-2")]

    def test_a_change_on_the_day_of_the_start_leaves_nothing_of_the_first_plan(self) -> None:
        assert told(timeline_of([start(), change(2, Kind.PLAN, 0, plan_version=OTHER)])) == [(0, None, "regular", "plan-2")]

    def test_the_last_change_of_a_day_holds(self) -> None:
        rows = [start(), change(3, Kind.PLAN, 5, plan_version=YEARLY), change(2, Kind.PLAN, 5, plan_version=OTHER)]
        assert told(timeline_of(rows)) == [(0, 5, "regular", "plan-1"), (5, None, "regular", "plan-3")]

    def test_one_that_is_not_saved_yet_comes_after_those_of_its_day(self) -> None:
        rows = [start(), change(None, Kind.PLAN, 5, plan_version=YEARLY), change(2, Kind.PLAN, 5, plan_version=OTHER)]
        assert timeline_of(rows).segments[-1].version == YEARLY

    def test_the_same_version_again_makes_no_cut(self) -> None:
        assert told(timeline_of([start(), change(2, Kind.PLAN, 9, plan_version=MONTHLY)])) == [(0, None, "regular", "plan-1")]

    def test_a_pause_keeps_the_plan_and_a_resumption_brings_it_back(self) -> None:
        rows = [start(), change(2, Kind.PAUSE, 10), change(3, Kind.RESUME, 20)]
        assert told(timeline_of(rows)) == [
            (0, 10, "regular", "plan-1"),
            (10, 20, "paused", "plan-1"),
            (20, None, "regular", "plan-1"),
        ]

    def test_a_plan_that_is_changed_in_a_pause_is_on_afterwards(self) -> None:
        rows = [start(), change(2, Kind.PAUSE, 10), change(3, Kind.PLAN, 15, plan_version=OTHER), change(4, Kind.RESUME, 20)]
        assert told(timeline_of(rows))[1:] == [
            (10, 15, "paused", "plan-1"),
            (15, 20, "paused", "plan-2"),
            (20, None, "regular", "plan-2"),
        ]

    def test_a_pause_over_the_end_of_a_trial_uses_the_trial_up(self) -> None:
        rows = [start(trial=14), change(2, Kind.PAUSE, 10), change(3, Kind.RESUME, 20)]
        assert told(timeline_of(rows)) == [
            (0, 10, "trial", "plan-1"),
            (10, 20, "paused", "plan-1"),
            (20, None, "regular", "plan-1"),
        ]

    def test_a_pause_within_a_trial_leaves_the_rest_of_it(self) -> None:
        rows = [start(trial=14), change(2, Kind.PAUSE, 4), change(3, Kind.RESUME, 8)]
        assert [segment[2] for segment in told(timeline_of(rows))] == ["trial", "paused", "trial", "regular"]

    def test_resumed_on_the_day_of_the_pause_is_no_pause(self) -> None:
        rows = [start(), change(2, Kind.PAUSE, 10), change(3, Kind.RESUME, 10)]
        assert told(timeline_of(rows)) == [(0, None, "regular", "plan-1")]

    def test_what_is_decided_for_the_end_or_later_has_no_effect(self) -> None:
        rows = [
            start(trial=14),
            change(2, Kind.PLAN, 10, plan_version=OTHER),
            change(3, Kind.PAUSE, 12),
            change(4, Kind.QUANTITY, 10, charge_code="seats", quantity=Decimal(9)),
            change(5, Kind.ADD_ON, 11, add_on_code="extra", plan_version=EXTRA, quantity=Decimal(1)),
            change(6, Kind.END, 10),
        ]
        timeline = timeline_of(rows)
        assert told(timeline) == [(0, 10, "trial", "plan-1")]
        assert (timeline.quantities, timeline.add_ons, timeline.ended_on) == ({}, (), day(10))

    def test_a_trial_that_ends_with_the_subscription_is_all_there_is(self) -> None:
        assert told(timeline_of([start(trial=14), change(2, Kind.END, 14)])) == [(0, 14, "trial", "plan-1")]

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            ([change(2, Kind.PLAN, -1, plan_version=OTHER)], "the subscription begins on 2026-01-01"),
            ([change(2, Kind.PAUSE, 5), change(3, Kind.PAUSE, 9)], "it is paused at that time already"),
            ([change(2, Kind.RESUME, 5)], "it is not paused at that time"),
            ([change(2, Kind.PAUSE, 9), change(3, Kind.RESUME, 5)], "it is not paused at that time"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, rows: list[SubscriptionChange], message: str) -> None:
        with pytest.raises(TimelineError, match=message):
            timeline_of([start(), *rows])


class TestAnchors:
    def test_a_plan_of_the_same_cadence_keeps_the_anniversary(self) -> None:
        timeline = timeline_of([start(), change(2, Kind.PLAN, 19, plan_version=OTHER)])
        assert timeline.segments[1].anchored_on == JANUARY

    def test_another_cadence_counts_from_the_day_of_the_change(self) -> None:
        timeline = timeline_of([start(), change(2, Kind.PLAN, 19, plan_version=YEARLY)])
        segment = timeline.segments[1]
        assert segment.anchored_on == day(19)
        # A whole year from 20 January.
        assert days_of_period(segment, day(19)) == (date(2027, 1, 20), (date(2026, 1, 20), date(2027, 1, 20)))

    def test_another_cadence_within_a_trial_counts_from_its_end(self) -> None:
        timeline = timeline_of([start(trial=14), change(2, Kind.PLAN, 5, plan_version=YEARLY)])
        assert timeline.segments[-1].anchored_on == day(14)

    def test_there_and_back_again_counts_from_the_way_back(self) -> None:
        rows = [start(), change(2, Kind.PLAN, 10, plan_version=YEARLY), change(3, Kind.PLAN, 20, plan_version=MONTHLY)]
        assert timeline_of(rows).segments[-1].anchored_on == day(20)

    def test_a_calendar_does_not_look_at_the_anchor(self) -> None:
        timeline = timeline_of([start(CALENDAR), change(2, Kind.PLAN, 19, plan_version=ON_15TH)])
        # 20 January is within 15 January to 15 February.
        assert days_of_period(timeline.segments[1], day(19)) == (date(2026, 2, 15), (date(2026, 1, 15), date(2026, 2, 15)))


class TestPeriods:
    def test_a_trial_is_one_period_however_long(self) -> None:
        trial = timeline_of([start(trial=100)]).segments[0]
        assert days_of_period(trial, JANUARY) == (day(100), (JANUARY, day(100)))

    def test_the_end_of_the_segment_cuts_the_period_and_not_the_whole(self) -> None:
        segment = timeline_of([start(), change(2, Kind.END, 10)]).segments[0]
        assert days_of_period(segment, JANUARY) == (day(10), (JANUARY, date(2026, 2, 1)))

    def test_resumed_in_mid_period_it_is_in_the_period_that_it_would_have_had(self) -> None:
        segment = timeline_of([start(), change(2, Kind.PAUSE, 10), change(3, Kind.RESUME, 40)]).segments[-1]
        assert days_of_period(segment, day(40)) == (date(2026, 3, 1), (date(2026, 2, 1), date(2026, 3, 1)))

    def test_an_add_on_that_is_charged_once_has_no_cadence(self) -> None:
        with pytest.raises(ValueError, match="interval"):
            cadence_of(SETUP)


class TestQuantities:
    @staticmethod
    def timeline(*steps: tuple[int, int]) -> Timeline:
        rows = [
            change(number, Kind.QUANTITY, offset, charge_code="seats", quantity=Decimal(quantity))
            for number, (offset, quantity) in enumerate(steps, start=2)
        ]
        return timeline_of([start(), *rows])

    def test_before_the_first_step_the_charge_says_how_many(self) -> None:
        timeline = self.timeline((10, 5))
        assert timeline.quantity_on("seats", day(9), default=Decimal(2)) == 2
        assert timeline.quantity_on("seats", day(10), default=Decimal(2)) == 5
        assert timeline.quantity_on("other", day(10), default=Decimal(3)) == 3

    def test_stretches_are_cut_to_the_days_that_are_asked_for(self) -> None:
        found = self.timeline((3, 5), (10, 8), (40, 9)).stretches("seats", day(5), day(31), default=Decimal(1))
        assert found == (Stretch(day(5), day(10), Decimal(5)), Stretch(day(10), day(31), Decimal(8)))

    def test_equal_neighbours_are_one(self) -> None:
        found = self.timeline((3, 5), (10, 5)).stretches("seats", day(0), day(31), default=Decimal(5))
        assert found == (Stretch(day(0), day(31), Decimal(5)),)

    def test_a_day_that_ends_with_what_it_began_with_makes_no_cut(self) -> None:
        # Up to 7 and back to 5 on the same day.
        found = self.timeline((10, 7), (10, 5)).stretches("seats", day(0), day(31), default=Decimal(5))
        assert found == (Stretch(day(0), day(31), Decimal(5)),)

    def test_days_without_an_add_on_are_left_out(self) -> None:
        rows = [
            change(number, Kind.ADD_ON, offset, add_on_code="extra", plan_version=EXTRA, quantity=Decimal(quantity))
            for number, (offset, quantity) in enumerate([(3, 1), (10, 0), (20, 2)], start=2)
        ]
        (add_on,) = timeline_of([start(), *rows]).add_ons
        assert not add_on.is_once
        assert add_on_stretches(add_on, day(0), day(31)) == (
            Stretch(day(3), day(10), Decimal(1)),
            Stretch(day(20), day(31), Decimal(2)),
        )
        assert add_on_stretches(add_on, day(10), day(20)) == ()

    def test_the_same_add_on_under_two_names_is_two(self) -> None:
        rows = [
            change(number, Kind.ADD_ON, 5, add_on_code=code, plan_version=SETUP, quantity=Decimal(1))
            for number, code in enumerate(["setup", "again"], start=2)
        ]
        found = timeline_of([start(), *rows]).add_ons
        assert [(add_on.code, add_on.is_once) for add_on in found] == [("setup", True), ("again", True)]


VERSIONS = [MONTHLY, OTHER, YEARLY, CALENDAR, ON_15TH]


@st.composite
def histories(draw: st.DrawFn) -> list[SubscriptionChange]:
    """Changes that fit: pauses and resumptions alternate by their days; plans, seats and an end lie anywhere."""
    trial = draw(st.none() | st.integers(1, 60))
    rows = [start(draw(st.sampled_from(VERSIONS)), trial=trial)]
    for offset, plan in draw(st.lists(st.tuples(st.integers(0, 200), st.sampled_from(VERSIONS)), max_size=4)):
        rows.append(change(len(rows) + 1, Kind.PLAN, offset, plan_version=plan))
    stops = sorted(draw(st.sets(st.integers(0, 200), max_size=4)))
    for position, offset in enumerate(stops):
        rows.append(change(len(rows) + 1, Kind.RESUME if position % 2 else Kind.PAUSE, offset))
    for offset, quantity in draw(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 5)), max_size=4)):
        rows.append(change(len(rows) + 1, Kind.QUANTITY, offset, charge_code="seats", quantity=Decimal(quantity)))
    if draw(st.booleans()):
        rows.append(change(len(rows) + 1, Kind.END, draw(st.integers(1, 220))))
    return rows


def periods_until(timeline: Timeline, last: date) -> Iterable[tuple[date, date, tuple[date, date]]]:
    """The periods of a timeline up to the one that holds a day."""
    first = timeline.started_on
    while first <= last and (segment := timeline.segment_on(first)) is not None:
        end, whole = days_of_period(segment, first)
        yield first, end, whole
        first = end


class TestProperties:
    @given(histories())
    def test_segments_tile_the_life_and_neighbours_differ(self, rows: list[SubscriptionChange]) -> None:
        timeline = timeline_of(rows)
        assert timeline.started_on == JANUARY
        assert all(segment.end_day is None or segment.first_day < segment.end_day for segment in timeline.segments)
        for earlier, later in pairwise(timeline.segments):
            assert earlier.end_day == later.first_day
            assert (earlier.kind, earlier.version, earlier.anchored_on) != (later.kind, later.version, later.anchored_on)
        ends = [row.effective_on for row in rows if row.kind == Kind.END]
        assert timeline.ended_on == (ends[0] if ends else None)

    @given(histories(), st.randoms(use_true_random=False))
    def test_the_order_of_the_rows_does_not_matter(self, rows: list[SubscriptionChange], chance: object) -> None:
        shuffled = list(rows)
        chance.shuffle(shuffled)  # type: ignore[attr-defined]
        assert timeline_of(shuffled) == timeline_of(rows)

    @given(histories(), st.data())
    def test_undoing_is_leaving_out(self, rows: list[SubscriptionChange], data: st.DataObject) -> None:
        undoable = [row for row in rows if row.kind in (Kind.PLAN, Kind.QUANTITY, Kind.END)]
        undone = data.draw(st.lists(st.sampled_from(undoable), unique=True) if undoable else st.just([]))
        kept = [row for row in rows if row not in undone]
        for row in undone:
            row.undone_at = NOW
        assert timeline_of(rows) == timeline_of(kept)

    @given(histories(), st.integers(0, 210), st.integers(1, 60), st.integers(0, 5))
    def test_stretches_tile_any_span_and_neighbours_differ(
        self, rows: list[SubscriptionChange], first: int, length: int, default: int
    ) -> None:
        timeline = timeline_of(rows)
        found = timeline.stretches("seats", day(first), day(first + length), default=Decimal(default))
        assert (found[0].first_day, found[-1].end_day) == (day(first), day(first + length))
        assert sum((stretch.end_day - stretch.first_day).days for stretch in found) == length
        for earlier, later in pairwise(found):
            assert earlier.end_day == later.first_day
            assert earlier.quantity != later.quantity
        for offset in range(first, first + length):
            (held,) = [stretch for stretch in found if stretch.first_day <= day(offset) < stretch.end_day]
            assert held.quantity == timeline.quantity_on("seats", day(offset), default=Decimal(default))

    @given(histories())
    def test_periods_tile_the_life_within_their_wholes_and_never_cross_a_segment(self, rows: list[SubscriptionChange]) -> None:
        timeline = timeline_of(rows)
        found = list(periods_until(timeline, day(400)))
        assert found[0][0] == JANUARY
        for first, end, whole in found:
            assert whole[0] <= first < end <= whole[1]
            assert timeline.segment_on(first) == timeline.segment_on(end - timedelta(days=1))
        assert timeline.ended_on is None or found[-1][1] == timeline.ended_on

    @given(histories(), st.integers(0, 200))
    def test_a_change_alters_nothing_before_its_day(self, rows: list[SubscriptionChange], offset: int) -> None:
        before = timeline_of(rows)
        after = timeline_of([*rows, change(99, Kind.PLAN, offset, plan_version=YEARLY)])
        for earlier in range(offset):
            held, was = after.segment_on(day(earlier)), before.segment_on(day(earlier))
            assert (held is None) == (was is None)
            if held is not None and was is not None:
                assert (held.kind, held.version, held.anchored_on) == (was.kind, was.version, was.anchored_on)
