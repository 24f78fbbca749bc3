"""
Billing periods: half-open spans of whole local days, each ending where the next begins (ADR-0004).

Periods are worked out once, here, and then stored; history is never recomputed.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from squill.lib.interval import Interval

type CadenceInterval = Literal["weekly", "monthly", "quarterly", "yearly"]
type Anchor = Literal["calendar", "anniversary"]

# Every calendar grid passes through this day: a Monday, and the first of a month, a quarter and a year.
_ORIGIN: Final = date(2001, 1, 1)
_MONTHS: Final = {"monthly": 1, "quarterly": 3, "yearly": 12}
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """
    How often a subscription is billed: every `count` weeks, months, quarters or years.

    `anniversary` counts from the day of the start. `calendar` cuts at Mondays, first days of months, of quarters
    (January, April, July, October) or of years, so that the first period is usually a part of one. With a count above
    one the calendar's cuts are those that can be counted from Monday 1 January 2001.

    `day` moves the cuts of a monthly, quarterly or yearly calendar to that day of the month; in a month without it, to
    its last day.

    :raises ValueError: if the count or the day cannot be used
    """

    interval: CadenceInterval
    count: int = 1
    anchor: Anchor = "calendar"
    day: int = 1

    def __post_init__(self) -> None:
        if self.interval != "weekly" and self.interval not in _MONTHS:
            raise ValueError(f"the interval must be weekly, monthly, quarterly or yearly, got {self.interval!r}")
        if self.anchor not in ("calendar", "anniversary"):
            raise ValueError(f"the anchor must be calendar or anniversary, got {self.anchor!r}")
        if self.count < 1:
            raise ValueError(f"the count must be one or more, got {self.count}")
        if not 1 <= self.day <= 31:
            raise ValueError(f"the billing day must be 1 to 31, got {self.day}")
        if self.day != 1 and (self.interval == "weekly" or self.anchor == "anniversary"):
            raise ValueError("a billing day needs the calendar anchor and months: leave it at 1")


def period_days(cadence: Cadence, *, started_on: date, index: int) -> tuple[date, date]:
    """
    Return the first day (inclusive) and the end day (exclusive) of a period. Period 0 begins on `started_on`.

    The end of a period is always the first day of the next.

    :raises ValueError: if the index is negative
    """
    first, end = full_period_days(cadence, started_on=started_on, index=index)
    return max(first, started_on), end


def full_period_days(cadence: Cadence, *, started_on: date, index: int) -> tuple[date, date]:
    """
    Return the whole period of the cadence that holds a period: for index 0 of a calendar it may begin before the start.

    This is what a partial first period is prorated by.

    :raises ValueError: if the index is negative
    """
    if index < 0:
        raise ValueError(f"periods are counted from 0, got {index}")
    if cadence.anchor == "anniversary":
        return _cut(cadence, started_on, started_on.day, index), _cut(cadence, started_on, started_on.day, index + 1)
    step = _step_holding(cadence, started_on) + index
    return _cut(cadence, _ORIGIN, cadence.day, step), _cut(cadence, _ORIGIN, cadence.day, step + 1)


def period_holding(cadence: Cadence, *, anchored_on: date, day: date) -> tuple[date, date]:
    """
    Return the whole period of the cadence that holds a day: first day (inclusive) and end day (exclusive).

    The days of an anniversary are counted from `anchored_on`, in both directions; a calendar does not look at it.
    """
    if cadence.anchor == "calendar":
        return full_period_days(cadence, started_on=day, index=0)
    if cadence.interval == "weekly":
        step = (day - anchored_on).days // (7 * cadence.count)
    else:
        months = (day.year - anchored_on.year) * 12 + day.month - anchored_on.month
        step = months // (_MONTHS[cadence.interval] * cadence.count)
        # Before the anniversary's day of its month, the day still belongs to the period before.
        step -= _cut(cadence, anchored_on, anchored_on.day, step) > day
    return _cut(cadence, anchored_on, anchored_on.day, step), _cut(cadence, anchored_on, anchored_on.day, step + 1)


def _cut(cadence: Cadence, origin: date, day: int, step: int) -> date:
    """
    Return the day of the cut that lies `step` periods from the origin.

    Months are counted from the origin each time, and the day is clamped to the month that is reached, never carried on
    from a month that was shorter: 31 January, 28 February, 31 March.
    """
    if cadence.interval == "weekly":
        return origin + timedelta(weeks=cadence.count * step)
    months = origin.year * 12 + origin.month - 1 + _MONTHS[cadence.interval] * cadence.count * step
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))


def _step_holding(cadence: Cadence, day: date) -> int:
    """Return which period of the calendar's grid, counted from the origin, holds the day."""
    if cadence.interval == "weekly":
        return (day - _ORIGIN).days // (7 * cadence.count)
    months = (day.year - _ORIGIN.year) * 12 + day.month - _ORIGIN.month
    step = months // (_MONTHS[cadence.interval] * cadence.count)
    # Before the billing day of its first month, the day still belongs to the period before.
    return step if _cut(cadence, _ORIGIN, cadence.day, step) <= day else step - 1


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """
    Return the instant at which a local day begins, aware and in UTC: the first instant that bears its date.

    Where clocks jump over midnight, that is the instant of the jump (the day begins at 01:00, say); for a day that a
    zone left out altogether, the instant at which the next one begins. Where midnight is struck twice, it is the first.

    >>> local_midnight(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo")).isoformat()  # 00:00 to 00:59 did not exist
    '2018-11-04T03:00:00+00:00'
    """
    midnight = datetime.combine(day, time.min, tzinfo=zone)
    instant = midnight.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return instant
    # Midnight lies in a gap. Read with the offset after the gap it falls before the jump, with the one before it falls
    # on or after the jump; the jump itself is the first second in between that bears the day's date or a later one.
    early = midnight.replace(fold=1).astimezone(UTC)
    while instant - early > _SECOND:
        middle = early + (instant - early) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).date() >= day:
            instant = middle
        else:
            early = middle
    return instant


def period_interval(cadence: Cadence, *, started_on: date, index: int, zone: ZoneInfo) -> Interval:
    """
    Return a period as instants: from the beginning of its first local day to the beginning of its end day.

    :raises ValueError: if the index is negative
    """
    first, end = period_days(cadence, started_on=started_on, index=index)
    return Interval(local_midnight(first, zone), local_midnight(end, zone))
