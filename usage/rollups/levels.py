"""
Levels: the running total of a weighted sum, averaged over time. Pure.

An event changes the level by its value, from then on. A day is known by the sum of its values and by their weight (value
times the microseconds to the end of the day), which together say exactly what the level was, on average, over whole days.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from squill.lib.decimals import exact
from usage.rollups.rules import end_of_day

_MICROSECOND = timedelta(microseconds=1)
_ONE_DAY = timedelta(days=1)


class DayOfLevel(NamedTuple):
    """What changed the level on one local day."""

    day: date
    event_count: int
    value_sum: Decimal
    value_weight: Decimal


def average_level(
    before: Decimal, days: Sequence[DayOfLevel], *, first_day: date, end_day: date, timezone: str
) -> tuple[Fraction, int]:
    """
    Return the average level over the local days [first_day, end_day), and how many events changed it.

    `before` is the sum of all values before the first of `days`; days outside the span may be among them. What the level is
    at the last of the days, it stays.
    """
    start, end = end_of_day(first_day - _ONE_DAY, timezone), end_of_day(end_day - _ONE_DAY, timezone)
    whole = (end - start) // _MICROSECOND
    event_count = 0
    with exact():
        area = before * whole
        for each in days:
            if each.day < first_day:
                area += each.value_sum * whole
            elif each.day < end_day:
                area += each.value_weight + each.value_sum * ((end - end_of_day(each.day, timezone)) // _MICROSECOND)
                event_count += each.event_count
    return Fraction(area) / whole, event_count
