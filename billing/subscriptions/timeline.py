"""
What a subscription is on at any day, worked out from what was decided about it (ADR 0019).

Pure: a change holds from its day on, whenever it was recorded, so the same changes always give the same timeline. Undoing
one is leaving it out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import cast

from django.utils.translation import gettext as _

from billing.models import BillingPeriod, PlanVersion, SubscriptionChange
from billing.pricing.period import Anchor, Cadence, CadenceInterval, period_holding

type PeriodKind = BillingPeriod.Kind
_Kind = SubscriptionChange.Kind


class TimelineError(Exception):
    """A change does not fit the others; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Days on which a subscription is on one plan version and in one state. Half-open; no end means that it goes on."""

    first_day: date
    end_day: date | None
    kind: PeriodKind
    version: PlanVersion
    anchored_on: date  # where the anniversaries of its periods are counted from


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days on which a quantity stays the same. Half-open."""

    first_day: date
    end_day: date
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOn:
    """An add-on of a subscription: its price, and how many from which day on."""

    code: str  # unique in the subscription
    version: PlanVersion
    steps: tuple[tuple[date, Decimal], ...]

    @property
    def is_once(self) -> bool:
        """Whether it is charged once, on its first day."""
        return self.version.interval == PlanVersion.Interval.ONCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The whole life of a subscription. The segments tile it without a gap."""

    segments: tuple[Segment, ...]
    quantities: Mapping[str, tuple[tuple[date, Decimal], ...]]  # by charge code; before the first step the charge's default
    add_ons: tuple[AddOn, ...]

    @property
    def started_on(self) -> date:
        """The first day."""
        return self.segments[0].first_day

    @property
    def ended_on(self) -> date | None:
        """The first day that is no longer part of it; None = open."""
        return self.segments[-1].end_day

    def segment_on(self, day: date) -> Segment | None:
        """Return the segment that holds a day; None before the start and from the end on."""
        for segment in self.segments:
            if segment.first_day <= day and (segment.end_day is None or day < segment.end_day):
                return segment
        return None

    def quantity_on(self, charge_code: str, day: date, *, default: Decimal) -> Decimal:
        """Return how many of a charge the subscription has on a day."""
        found = default
        for first_day, quantity in self.quantities.get(charge_code, ()):
            if first_day <= day:
                found = quantity
        return found

    def stretches(self, charge_code: str, first_day: date, end_day: date, *, default: Decimal) -> tuple[Stretch, ...]:
        """Return the quantities of a charge that tile the days [first_day, end_day), equal neighbours as one."""
        start = (date.min, default)
        return tuple(_stretches((start, *self.quantities.get(charge_code, ())), first_day, end_day))


def add_on_stretches(add_on: AddOn, first_day: date, end_day: date) -> tuple[Stretch, ...]:
    """Return the days of [first_day, end_day) that have the add-on, and how many; days without any are left out."""
    tiles = _stretches(((date.min, Decimal(0)), *add_on.steps), first_day, end_day)
    return tuple(stretch for stretch in tiles if stretch.quantity)


def _stretches(steps: Iterable[tuple[date, Decimal]], first_day: date, end_day: date) -> Iterator[Stretch]:
    # The last step of a day is the one that holds.
    by_day = {max(day, first_day): quantity for day, quantity in steps if day < end_day}
    current: Stretch | None = None
    for day, quantity in by_day.items():
        if current is not None and quantity == current.quantity:
            continue
        if current is not None:
            yield replace(current, end_day=day)
        current = Stretch(day, end_day, quantity)
    if current is not None:
        yield current


def cadence_of(version: PlanVersion) -> Cadence:
    """
    Return how often the version is billed.

    :raises ValueError: for an add-on that is charged once, which has no periods
    """
    return Cadence(
        interval=cast("CadenceInterval", version.interval),
        count=version.interval_count,
        anchor=cast("Anchor", version.anchor),
        day=version.billing_day,
    )


def days_of_period(segment: Segment, first_day: date) -> tuple[date, tuple[date, date]]:
    """
    Return the end day of the period of a segment that begins on a day, and the whole period that it is a part of.

    A trial is one period. All other periods end where their cadence or the segment does.
    """
    if segment.kind == BillingPeriod.Kind.TRIAL and segment.end_day is not None:
        return segment.end_day, (first_day, segment.end_day)
    whole = period_holding(cadence_of(segment.version), anchored_on=segment.anchored_on, day=first_day)
    return (whole[1] if segment.end_day is None else min(whole[1], segment.end_day)), whole


def timeline_of(changes: Iterable[SubscriptionChange]) -> Timeline:
    """
    Work the timeline out from a subscription's changes, in any order, undone ones left out. Needs their versions loaded.

    What is decided for the day of the end or later has no effect (until the end is undone).

    :raises TimelineError: if one does not fit: before the start, a resumption without a pause, a pause within one
    """
    live = [change for change in changes if change.undone_at is None]
    start = next(change for change in live if change.kind == _Kind.START)
    end = next((change.effective_on for change in live if change.kind == _Kind.END), None)
    # A change that is not saved yet comes after those of its day that are.
    rest = sorted(
        (change for change in live if change.kind not in (_Kind.START, _Kind.END)),
        key=lambda change: (change.effective_on, change.pk is None, change.pk or 0),
    )
    for change in rest:
        if change.effective_on < start.effective_on:
            message = _("the subscription begins on %(day)s: choose that day or a later one")
            raise TimelineError(message % {"day": start.effective_on})
    rest = [change for change in rest if end is None or change.effective_on < end]
    return Timeline(
        segments=tuple(_segments(start, rest, end)),
        quantities=_quantities(change for change in rest if change.kind == _Kind.QUANTITY),
        add_ons=_add_ons(change for change in rest if change.kind == _Kind.ADD_ON),
    )


def _segments(start: SubscriptionChange, rest: list[SubscriptionChange], end: date | None) -> Iterator[Segment]:
    """Fold the changes into states, day by day; yield what lies between the days on which the state changes."""
    trial_end = start.trial_ends_on
    moves = [change for change in rest if change.kind in (_Kind.PLAN, _Kind.PAUSE, _Kind.RESUME)]
    days = {start.effective_on, *(change.effective_on for change in moves)}
    if trial_end is not None and (end is None or trial_end < end):
        days.add(trial_end)
    version, anchored_on, is_paused = _version(start), trial_end or start.effective_on, False
    current: Segment | None = None
    for day in sorted(days):
        for change in moves:
            if change.effective_on != day:
                continue
            if change.kind == _Kind.PLAN:
                if cadence_of(_version(change)) != cadence_of(version):
                    anchored_on = day if trial_end is None else max(day, trial_end)
                version = _version(change)
            else:
                _refuse_double(change, is_paused=is_paused)
                is_paused = change.kind == _Kind.PAUSE
        kind = BillingPeriod.Kind.PAUSED if is_paused else BillingPeriod.Kind.REGULAR
        if not is_paused and trial_end is not None and day < trial_end:
            kind = BillingPeriod.Kind.TRIAL
        found = Segment(first_day=day, end_day=None, kind=kind, version=version, anchored_on=anchored_on)
        if current is not None and replace(found, first_day=current.first_day) != current:
            yield replace(current, end_day=day)
            current = found
        current = current or found
    if current is not None:
        yield replace(current, end_day=end)


def _version(change: SubscriptionChange) -> PlanVersion:
    if change.plan_version is None:
        raise ValueError(f"{change.kind} names no plan version")  # a constraint keeps it from being stored
    return change.plan_version


def _refuse_double(change: SubscriptionChange, *, is_paused: bool) -> None:
    if (change.kind == _Kind.PAUSE) == is_paused:
        raise TimelineError(_("it is paused at that time already") if is_paused else _("it is not paused at that time"))


def _quantities(changes: Iterable[SubscriptionChange]) -> dict[str, tuple[tuple[date, Decimal], ...]]:
    found: dict[str, tuple[tuple[date, Decimal], ...]] = {}
    for change in changes:
        found[change.charge_code] = (*found.get(change.charge_code, ()), (change.effective_on, change.quantity or Decimal(0)))
    return found


def _add_ons(changes: Iterable[SubscriptionChange]) -> tuple[AddOn, ...]:
    found: dict[str, AddOn] = {}
    for change in changes:
        step = (change.effective_on, change.quantity or Decimal(0))
        known = found.get(change.add_on_code)
        if known is None:
            found[change.add_on_code] = AddOn(code=change.add_on_code, version=_version(change), steps=(step,))
        else:
            found[change.add_on_code] = replace(known, steps=(*known.steps, step))
    return tuple(found.values())
