"""
Answer a question about a weighted sum: the running total, averaged over each window.

A level goes on where nothing happens, so windows without events have one too, and what came before the first window decides
it. Whole days before and within are read from rollups where they know, all else from raw events.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from squill.lib.decimals import exact, rounded
from usage.querying import spans
from usage.querying.questions import MOST_ROWS, Group, MeterQuery, TooMuch, UsageRow, sortable
from usage.querying.reading import from_events, from_rollups
from usage.querying.windows import midnight, window_of
from usage.rollups.rules import Number, end_of_day
from usage.selectors import QUANTITY_PLACES

type _Window = tuple[datetime, datetime]
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(slots=True)
class _Course:
    """How one group's level moves: what came before, and in each window the sum of changes and their weight to its end."""

    before: Number = 0
    changes: dict[_Window, tuple[Number, Number]] = field(default_factory=dict)

    def change(self, window: _Window, value: Number, weight: Number) -> None:
        changed, weighed = self.changes.get(window, (0, 0))
        self.changes[window] = changed + value, weighed + weight


def rows(query: MeterQuery, customers: Sequence[spans.Counted], whole: _Window) -> list[UsageRow]:
    """
    Return the average level of each window of `whole` and each group, where it is not zero or something changed it.

    :raises TooMuch: if there are too many windows, or raw events to be read
    """
    windows = list(_windows(query, whole))
    by_start = {window[0]: window for window in windows}
    courses: dict[Group, _Course] = defaultdict(_Course)
    parts = _parts(query, customers, whole)
    zones = {customer.customer_id: customer.timezone for customer in customers}
    with exact():
        for each in from_rollups(query, [part for part in parts if part.days]):
            if each.day is None or each.total.value_sum is None or each.total.value_weight is None:
                continue
            end = end_of_day(each.day, zones[each.customer_id])
            if end <= whole[0]:
                courses[each.group].before += each.total.value_sum
                continue
            window = windows[0] if query.window_size is None else by_start[_start(query, midnight(each.day, query.zone), whole)]
            weight = each.total.value_weight + each.total.value_sum * ((window[1] - end) // _MICROSECOND)
            courses[each.group].change(window, each.total.value_sum, weight)
        for event in from_events(query, [part for part in parts if not part.days]):
            at = event.moment.occurred_at
            if at < whole[0]:
                courses[event.group].before += event.value
                continue
            window = windows[0] if query.window_size is None else by_start[_start(query, at, whole)]
            courses[event.group].change(window, event.value, event.value * ((window[1] - at) // _MICROSECOND))
        found = [row for group, course in courses.items() for row in _levels(query, group, course, windows)]
    if len(found) > MOST_ROWS:
        raise TooMuch(events=False)
    return sorted(found, key=lambda row: (row.start, sortable(tuple(row.groups.values()))))


def _levels(query: MeterQuery, group: Group, course: _Course, windows: Sequence[_Window]) -> Iterator[UsageRow]:
    level = course.before
    for window in windows:
        changed, weighed = course.changes.get(window, (0, 0))
        length = (window[1] - window[0]) // _MICROSECOND
        average = Fraction(level * length + weighed) / length
        level += changed
        if average or window in course.changes:
            value = max(rounded(average, places=QUANTITY_PLACES), Decimal(0))
            yield UsageRow(*window, dict(zip(query.group_by, group, strict=True)), value)


def _windows(query: MeterQuery, whole: _Window) -> Iterator[_Window]:
    if query.window_size is None:
        yield whole
        return
    start, count = whole[0], 0
    while start < whole[1]:
        end = min(window_of(start, query.window_size, query.zone)[1], whole[1])
        yield start, end
        start, count = end, count + 1
        if count > MOST_ROWS:
            raise TooMuch(events=False)


def _start(query: MeterQuery, instant: datetime, whole: _Window) -> datetime:
    if query.window_size is None:
        return whole[0]
    return max(window_of(instant, query.window_size, query.zone)[0], whole[0])


def _parts(query: MeterQuery, customers: Sequence[spans.Counted], whole: _Window) -> list[spans.Part]:
    """Cut each customer's time, from its first day on, into days of rollups and instants of raw events."""
    in_rollups = spans.known_to_rollups(query, customers)
    found: list[spans.Part] = []
    for customer in customers:
        end = min(customer.end, whole[1])
        if customer.start >= end:
            continue
        zone = ZoneInfo(customer.timezone)
        if customer.customer_id not in in_rollups:
            found.append(spans.Part(customer.customer_id, customer.start, end))
            continue
        # Days that end before the first window are whole, whatever the windows are.
        middle = midnight(whole[0].astimezone(zone).date(), zone)
        middle = min(max(middle, customer.start), end)
        found += spans.parts(spans.Counted(customer.customer_id, "", customer.timezone, customer.start, middle))
        rest = spans.Counted(customer.customer_id, "", customer.timezone, middle, end)
        if spans.are_of_days(query, customer):
            # The day that the first window begins in is cut by it, so its events are read.
            found += _from(rest, whole[0])
        else:
            found.append(spans.Part(rest.customer_id, rest.start, rest.end))
    return [part for part in found if part.start < part.end]


def _from(rest: spans.Counted, start: datetime) -> list[spans.Part]:
    first = min(max(start, rest.start), rest.end)
    return [spans.Part(rest.customer_id, rest.start, first), *spans.parts(replace(rest, start=first))]
