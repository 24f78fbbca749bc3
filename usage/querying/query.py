"""
Answer a question about a meter, from rollups where they know, and else from raw events.

Rollups know whole days of the customer's own time zone, over all its subjects. Whatever is finer, cut off, in another time
zone or split by subject is read from the customer's events by the index over (customer, time), and counted by the rules by
which it was counted when it came in.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from usage import put_away
from usage.models import Meter
from usage.querying import spans
from usage.querying.windows import WindowSize, midnight, window_of
from usage.rollups import exact_json
from usage.rollups.rules import Rule, Unusable

MOST_EVENTS: Final = 200_000  # raw events that one answer reads
MOST_ROWS: Final = 10_000  # rows that one answer has
SUBJECT: Final = "subject"  # what a query may be split by besides the meter's dimensions
_FETCHED_AT_ONCE: Final = 2000


@dataclass(frozen=True, slots=True)
class MeterQuery:
    """What is asked of a meter. Every name in `group_by` and `filters` is `subject` or one of the meter's dimensions."""

    meter: Meter
    start: datetime | None = None  # included; None: from the first counted day
    end: datetime | None = None  # excluded; None: to the end of the last counted day
    window_size: WindowSize | None = None  # None: one window for all
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    customer_ids: tuple[int, ...] | None = None  # None: all customers
    subjects: frozenset[str] | None = None  # None: all subjects
    group_by: tuple[str, ...] = ()
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by dimension: the values that count


@dataclass(frozen=True, slots=True)
class UsageRow:
    """The usage of one window [start, end) and one set of the values asked for."""

    start: datetime
    end: datetime
    groups: dict[str, str | None]  # by the names in `group_by`; None where the event had no such member
    value: Decimal


class TooMuch(Exception):
    """The answer would have more rows, or need more raw events, than one answer may. `events` tells which."""

    def __init__(self, *, events: bool) -> None:
        super().__init__("too many events" if events else "too many rows")
        self.events = events


class EventsPutAway(Exception):
    """The answer needs raw events of months that were put away. The message names them, for a person."""


type _Group = tuple[str | None, ...]
type _Row = tuple[datetime, datetime, _Group]


@dataclass(slots=True)
class _Total:
    event_count: int = 0
    value_sum: Decimal = Decimal(0)
    value_max: Decimal | None = None

    def add(self, event_count: int, value_sum: Decimal, value_max: Decimal) -> None:
        self.event_count += event_count
        self.value_sum += value_sum
        self.value_max = value_max if self.value_max is None else max(self.value_max, value_max)

    def value(self, aggregation: str) -> Decimal:
        if aggregation == Meter.Aggregation.COUNT:
            return Decimal(self.event_count)
        if aggregation == Meter.Aggregation.SUM:
            return self.value_sum
        if aggregation == Meter.Aggregation.MAX:
            return self.value_max or Decimal(0)
        raise ValueError(f"unknown aggregation {aggregation!r}")


@transaction.atomic
def usage_rows(query: MeterQuery) -> list[UsageRow]:
    """
    Return the usage asked for, by window and then by groups; windows without usage are left out.

    The first and the last window are cut to the instants asked for. Reads only.

    :raises TooMuch: if there are more than 10,000 rows, or if more than 200,000 raw events would have to be read
    :raises EventsPutAway: if raw events of a month that was put away would have to be read
    """
    customers = spans.counted(meter_id=query.meter.pk, customer_ids=query.customer_ids, start=query.start, end=query.end)
    if not customers:
        return []
    whole = query.start or min(each.start for each in customers), query.end or max(each.end for each in customers)
    parts = _parts(query, customers)
    totals: dict[_Row, _Total] = {}
    for day, group, event_count, value_sum, value_max in _from_rollups(query, [part for part in parts if part.days]):
        window = whole if day is None else _window(query, midnight(day, query.zone), whole)
        _total(totals, (*window, group)).add(event_count, value_sum, value_max)
    for occurred_at, group, value in _from_events(query, [part for part in parts if not part.days]):
        _total(totals, (*_window(query, occurred_at, whole), group)).add(1, value, value)
    ordered = sorted(totals.items(), key=lambda item: (item[0][0], [(name is not None, name or "") for name in item[0][2]]))
    return [
        UsageRow(start, end, dict(zip(query.group_by, group, strict=True)), total.value(query.meter.aggregation))
        for (start, end, group), total in ordered
    ]


def _parts(query: MeterQuery, customers: Sequence[spans.Counted]) -> list[spans.Part]:
    """Cut what is asked of each customer into whole days, where rollups can answer, and instants of raw events."""
    if SUBJECT in query.group_by:
        in_rollups: set[int] = set()
    elif query.subjects is None:
        in_rollups = {customer.customer_id for customer in customers}
    else:
        in_rollups = spans.with_only_subjects(customers, query.subjects)
    found: list[spans.Part] = []
    for customer in customers:
        of_days = query.window_size in (WindowSize.DAY, WindowSize.MONTH) and query.zone.key == customer.timezone
        if customer.customer_id in in_rollups and (query.window_size is None or of_days):
            found += spans.parts(customer)
        else:
            found.append(spans.Part(customer.customer_id, customer.start, customer.end))
    return found


def _window(query: MeterQuery, instant: datetime, whole: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    if query.window_size is None:
        return whole
    start, end = window_of(instant, query.window_size, query.zone)
    return max(start, whole[0]), min(end, whole[1])


def _total(totals: dict[_Row, _Total], row: _Row) -> _Total:
    total = totals.get(row)
    if total is None:
        if len(totals) >= MOST_ROWS:
            raise TooMuch(events=False)
        total = totals[row] = _Total()
    return total


# Grain: day, month or everything, and the dimensions asked for. Reads each customer's rollups by the primary key.
_ROLLUPS: Final = """
SELECT CASE %(unit)s WHEN 'DAY' THEN r.day WHEN 'MONTH' THEN date_trunc('month', r.day)::date END AS bucket,
       g.dimensions::text, sum(r.event_count)::bigint, sum(r.value_sum), max(r.value_max)
FROM unnest(%(customer_ids)s::bigint[], %(first_days)s::date[], %(end_days)s::date[]) AS s(customer_id, first_day, end_day)
JOIN usage_rollup r ON r.customer_id = s.customer_id AND r.meter_id = %(meter_id)s AND r.day >= s.first_day AND r.day < s.end_day
CROSS JOIN LATERAL (
  SELECT coalesce(jsonb_object_agg(name, r.dimensions -> name), '{}') AS dimensions FROM unnest(%(group_by)s::text[]) AS name
) g
WHERE NOT EXISTS (
  SELECT FROM jsonb_each(%(filters)s::jsonb) f WHERE NOT coalesce(f.value ? (r.dimensions ->> f.key), false)
)
GROUP BY bucket, g.dimensions
LIMIT %(limit)s
"""


def _from_rollups(query: MeterQuery, parts: Sequence[spans.Part]) -> list[tuple[date | None, _Group, int, Decimal, Decimal]]:
    if not parts:
        return []
    days = [part.days for part in parts if part.days]
    parameters: dict[str, Any] = {
        "unit": query.window_size or "",
        "customer_ids": [part.customer_id for part in parts],
        "first_days": [first_day for first_day, _end_day in days],
        "end_days": [end_day for _first_day, end_day in days],
        "meter_id": query.meter.pk,
        "group_by": list(query.group_by),
        "filters": json.dumps({name: list(values) for name, values in query.filters.items()}),
        "limit": MOST_ROWS + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ROLLUPS, parameters)
        rows = cursor.fetchall()
    found = []
    for day, text, event_count, value_sum, value_max in rows:
        dimensions = json.loads(text)
        found.append((day, tuple(dimensions[name] for name in query.group_by), event_count, value_sum, value_max))
    return found


# Each customer's events by usage_event_by_customer; the outer bounds let the planner leave months out.
_EVENTS: Final = """
SELECT e.subject, e.occurred_at, e.data::text
FROM unnest(%(customer_ids)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS s(customer_id, since, until)
JOIN usage_event e ON e.customer_id = s.customer_id AND e.occurred_at >= s.since AND e.occurred_at < s.until
WHERE e.occurred_at >= %(first)s AND e.occurred_at < %(last)s AND e.event_type = %(event_type)s
  AND (%(subjects)s::text[] IS NULL OR e.subject = ANY(%(subjects)s::text[]))
  AND NOT EXISTS (SELECT FROM usage_correction c WHERE c.event_key = e.key)
LIMIT %(limit)s
"""


def _from_events(query: MeterQuery, parts: Sequence[spans.Part]) -> Iterator[tuple[datetime, _Group, Decimal]]:
    if not parts:
        return
    rule = Rule.of(query.meter)
    selected: dict[str, dict[str, str | None] | None] = {}  # by the key of the dimensions; None where a filter leaves them out
    for number, (subject, occurred_at, text) in enumerate(_events(query, parts)):
        if number >= MOST_EVENTS:
            raise TooMuch(events=True)
        try:
            contribution = rule.contribution(exact_json.decode(text), "")
        except Unusable:  # it came before the meter, which cannot use it
            continue
        if contribution.dimensions_key not in selected:
            selected[contribution.dimensions_key] = _selected(query, json.loads(contribution.dimensions))
        dimensions = selected[contribution.dimensions_key]
        if dimensions is not None:
            group = tuple(subject if name == SUBJECT else dimensions[name] for name in query.group_by)
            yield occurred_at, group, Decimal(contribution.value)


def _selected(query: MeterQuery, dimensions: dict[str, str | None]) -> dict[str, str | None] | None:
    wanted = all(dimensions[name] in values for name, values in query.filters.items())
    return dimensions if wanted else None


def _events(query: MeterQuery, parts: Sequence[spans.Part]) -> Iterator[tuple[str, datetime, str]]:
    parameters: dict[str, Any] = {
        "customer_ids": [part.customer_id for part in parts],
        "starts": [part.start for part in parts],
        "ends": [part.end for part in parts],
        "first": min(part.start for part in parts),
        "last": max(part.end for part in parts),
        "event_type": query.meter.event_type,
        "subjects": None if query.subjects is None else sorted(query.subjects),
        "limit": MOST_EVENTS + 1,
    }
    with connection.chunked_cursor() as cursor:
        cursor.execute(_EVENTS, parameters)
        if message := put_away.reason_against((part.start, part.end) for part in parts):
            raise EventsPutAway(message)
        while rows := cursor.fetchmany(_FETCHED_AT_ONCE):
            yield from rows
