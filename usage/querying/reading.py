"""Where the answers come from: rollups of whole days, and raw events for all that is finer."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import connection

from usage import put_away
from usage.encoding import exact_json
from usage.models import Meter
from usage.models.event import STILL_COUNTS, UTC_DAY
from usage.querying import spans
from usage.querying.questions import MOST_EVENTS, MOST_ROWS, SUBJECT, EventsPutAway, Group, MeterQuery, TooMuch
from usage.querying.windows import WindowSize
from usage.rollups.rules import Number, Rule
from usage.rollups.totals import Latest, Moment, Total

_FETCHED_AT_ONCE: Final = 2000


@dataclass(frozen=True, slots=True)
class OfDays:
    """What rollups say of one group in one bucket of days, of one customer where the query is of a level."""

    customer_id: int
    day: date | None  # the first of the bucket; None: all days
    group: Group
    total: Total
    items: frozenset[str]


# Grain: day, month or everything, and the dimensions asked for; of a level, each day of each customer. Reads each customer's
# rollups by the primary key.
_ROLLUPS: Final = """
SELECT CASE WHEN %(by_customer)s THEN r.customer_id END AS customer,
       CASE %(unit)s WHEN 'DAY' THEN r.day WHEN 'MONTH' THEN date_trunc('month', r.day)::date END AS bucket,
       g.dimensions::text, sum(r.event_count)::bigint, sum(r.value_sum), min(r.value_min), max(r.value_max), sum(r.value_weight),
       max(r.latest_at),
       (array_agg(r.latest_event ORDER BY r.latest_at DESC, r.latest_event DESC) FILTER (WHERE r.latest_at IS NOT NULL))[1],
       (array_agg(r.value_latest ORDER BY r.latest_at DESC, r.latest_event DESC) FILTER (WHERE r.latest_at IS NOT NULL))[1],
       array_agg(DISTINCT r.item) FILTER (WHERE r.item IS NOT NULL)
FROM unnest(%(customer_ids)s::bigint[], %(first_days)s::date[], %(end_days)s::date[]) AS s(customer_id, first_day, end_day)
JOIN usage_rollup r ON r.customer_id = s.customer_id AND r.meter_id = %(meter_id)s AND r.day >= s.first_day AND r.day < s.end_day
CROSS JOIN LATERAL (
  SELECT coalesce(jsonb_object_agg(name, r.dimensions -> name), '{}') AS dimensions FROM unnest(%(group_by)s::text[]) AS name
) g
WHERE NOT EXISTS (
  SELECT FROM jsonb_each(%(filters)s::jsonb) f WHERE NOT coalesce(f.value ? (r.dimensions ->> f.key), false)
)
GROUP BY customer, bucket, g.dimensions
LIMIT %(limit)s
"""


def from_rollups(query: MeterQuery, parts: Sequence[spans.Part]) -> Iterator[OfDays]:
    """
    Yield what the rollups of the parts' days say, by the windows of the query; of a level, day by day.

    :raises TooMuch: if a level has more than 200,000 such days
    """
    if not parts:
        return
    days = [part.days for part in parts if part.days]
    is_level = query.meter.aggregation == Meter.Aggregation.WEIGHTED_SUM
    parameters: dict[str, Any] = {
        "by_customer": is_level,
        "unit": WindowSize.DAY if is_level else query.window_size or "",
        "customer_ids": [part.customer_id for part in parts],
        "first_days": [first_day for first_day, _end_day in days],
        "end_days": [end_day for _first_day, end_day in days],
        "meter_id": query.meter.pk,
        "group_by": list(query.group_by),
        "filters": json.dumps({name: list(values) for name, values in query.filters.items()}),
        "limit": (MOST_EVENTS if is_level else MOST_ROWS) + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ROLLUPS, parameters)
        rows = cursor.fetchall()
    if is_level and len(rows) > MOST_EVENTS:
        raise TooMuch(events=True)
    for customer_id, day, text, count, value_sum, least, most, weight, latest_at, latest_event, value_latest, items in rows:
        dimensions = json.loads(text)
        latest = None if latest_at is None else Latest(latest_at, latest_event, value_latest)
        group = tuple(dimensions[name] for name in query.group_by)
        yield OfDays(customer_id or 0, day, group, Total(count, value_sum, least, most, weight, latest), frozenset(items or ()))


@dataclass(frozen=True, slots=True)
class OfEvent:
    """What one event says."""

    customer_id: int
    group: Group
    moment: Moment
    value: Number
    item: str | None


# Each customer's events by usage_event_by_customer; the outer bounds let the planner leave months out.
_EVENTS: Final = f"""
SELECT e.customer_id, coalesce(e.subject, c.external_id), c.timezone, e.occurred_at, e.source, e.event_id, e.data
FROM unnest(%(customer_ids)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS s(customer_id, since, until)
JOIN customers_customer c ON c.id = s.customer_id
JOIN usage_event e ON e.customer_id = s.customer_id AND e.occurred_at >= s.since AND e.occurred_at < s.until
  AND {UTC_DAY} BETWEEN (s.since AT TIME ZONE 'UTC')::date AND (s.until AT TIME ZONE 'UTC')::date
WHERE e.occurred_at >= %(first)s AND e.occurred_at < %(last)s AND e.event_type = %(event_type)s
  AND (%(subjects)s::text[] IS NULL OR coalesce(e.subject, c.external_id) = ANY(%(subjects)s::text[]))
  AND {STILL_COUNTS}
LIMIT %(limit)s
"""  # noqa: S608 (constants only)


def from_events(query: MeterQuery, parts: Sequence[spans.Part]) -> Iterator[OfEvent]:
    """
    Yield the events of the parts that still count and that the query selects.

    :raises TooMuch: if there are more than 200,000 of them
    :raises EventsPutAway: if there were some in a month that was put away
    """
    if not parts:
        return
    rule = Rule.of(query.meter)
    selected: dict[str, dict[str, str | None] | None] = {}  # by the dimensions' JSON; None where a filter leaves them out
    for number, (customer_id, subject, timezone, occurred_at, source, event_id, text) in enumerate(_events(query, parts)):
        if number >= MOST_EVENTS:
            raise TooMuch(events=True)
        reading = rule.read_stored(exact_json.decode(text))
        if reading is None:
            continue
        _rule, found, value = reading
        if found.dimensions not in selected:
            selected[found.dimensions] = _selected(query, json.loads(found.dimensions))
        dimensions = selected[found.dimensions]
        if dimensions is not None:
            group = tuple(subject if name == SUBJECT else dimensions[name] for name in query.group_by)
            yield OfEvent(
                customer_id,
                group,
                Moment(occurred_at, occurred_at.date(), timezone, source, event_id),
                value,
                found.item,
            )


def _selected(query: MeterQuery, dimensions: dict[str, str | None]) -> dict[str, str | None] | None:
    wanted = all(dimensions[name] in values for name, values in query.filters.items())
    return dimensions if wanted else None


def _events(query: MeterQuery, parts: Sequence[spans.Part]) -> Iterator[tuple[int, str, str, datetime, str, str, str]]:
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
