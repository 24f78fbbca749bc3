"""Totals out, for rating and for pages. Read from rollups: sums of whole days in the customer's own time zone."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import Max, Sum

from customers.models import Subject
from usage.models import Meter, Rollup


@dataclass(frozen=True, slots=True)
class MeteredUsage:
    """What one meter counted for one set of dimension values over some days."""

    meter_id: int
    dimensions: dict[str, str | None]  # by the meter's names; None where the event had no such member
    event_count: int
    value_sum: Decimal  # of a count: the number of events
    value_max: Decimal


# Grain: span, meter and dimension values. Reads the customer's rollups of the spans by the primary key.
_BY_SPAN: Final = """
SELECT s.position, r.meter_id, min(r.dimensions::text), sum(r.event_count)::bigint, sum(r.value_sum), max(r.value_max)
FROM unnest(%s::date[], %s::date[])
  WITH ORDINALITY AS s(start_day, end_day, position)
JOIN usage_rollup r ON r.customer_id = %s AND r.day >= s.start_day AND r.day < s.end_day
GROUP BY s.position, r.meter_id, r.dimensions_key
ORDER BY s.position, r.meter_id, min(r.dimensions::text)
"""


def metered_usage_by_span(*, customer_id: int, spans: Sequence[tuple[date, date]]) -> list[list[MeteredUsage]]:
    """
    Return what every meter counted for the customer in each span of local days [start, end), in the order of the spans.

    Within a span sorted by meter and dimension values; meters without usage are left out. Spans may overlap. One query.
    """
    found: list[list[MeteredUsage]] = [[] for _span in spans]
    if not spans:
        return found
    with connection.cursor() as cursor:
        cursor.execute(_BY_SPAN, [_days(start for start, _end in spans), _days(end for _start, end in spans), customer_id])
        for position, meter_id, dimensions, event_count, value_sum, value_max in cursor.fetchall():
            usage = MeteredUsage(meter_id, json.loads(dimensions), event_count, value_sum, value_max)
            found[position - 1].append(usage)
    return found


def _days(days: Iterable[date]) -> str:
    return "{" + ",".join(day.isoformat() for day in days) + "}"


def quantity_of(aggregation: str, usages: Iterable[MeteredUsage]) -> Decimal:
    """
    Aggregate usages of one meter into the quantity that is priced: events, sum of values, or largest value; 0 for none.

    :raises ValueError: if the aggregation is unknown
    """
    if aggregation == Meter.Aggregation.COUNT:
        return Decimal(sum(usage.event_count for usage in usages))
    if aggregation == Meter.Aggregation.SUM:
        return sum((usage.value_sum for usage in usages), Decimal(0))
    if aggregation == Meter.Aggregation.MAX:
        return max((usage.value_max for usage in usages), default=Decimal(0))
    raise ValueError(f"unknown aggregation {aggregation!r}")


def daily_quantities(*, customer_id: int, meter: Meter, first_day: date, end_day: date) -> list[tuple[date, Decimal]]:
    """
    Return the meter's quantity of every local day in [first_day, end_day), over all dimension values; days without usage
    are 0. One query.
    """
    total = {
        Meter.Aggregation.COUNT: Sum("event_count"),
        Meter.Aggregation.SUM: Sum("value_sum"),
        Meter.Aggregation.MAX: Max("value_max"),
    }[Meter.Aggregation(meter.aggregation)]
    rows = (
        Rollup.objects.filter(customer_id=customer_id, meter_id=meter.pk, day__gte=first_day, day__lt=end_day)
        .values("day")
        .annotate(quantity=total)
        .values_list("day", "quantity")
    )
    known: dict[date, Any] = dict(rows)
    days = [first_day + timedelta(days=offset) for offset in range((end_day - first_day).days)]
    return [(day, Decimal(known.get(day, 0))) for day in days]


@dataclass(frozen=True, slots=True)
class DayUsage:
    """What one meter counted for a customer on one local day, for one set of the dimension values asked for."""

    day: date
    meter_code: str
    dimensions: dict[str, str | None]
    event_count: int
    quantity: Decimal  # by the meter's aggregation


# Grain: day, meter and the dimensions asked for. Reads the customer's rollups of the days by the primary key.
_BY_DAY: Final = """
SELECT r.day, m.code, g.dimensions::text, sum(r.event_count)::bigint,
       CASE m.aggregation WHEN 'count' THEN sum(r.event_count) WHEN 'sum' THEN sum(r.value_sum) ELSE max(r.value_max) END
FROM usage_rollup r JOIN usage_meter m ON m.id = r.meter_id
CROSS JOIN LATERAL (
  SELECT coalesce(jsonb_object_agg(name, r.dimensions -> name), '{}') AS dimensions FROM unnest(%(group_by)s::text[]) AS name
) g
WHERE r.customer_id = %(customer_id)s AND r.day >= %(first_day)s AND r.day < %(end_day)s AND r.meter_id = ANY(%(meters)s)
GROUP BY r.day, m.id, m.code, m.aggregation, g.dimensions
ORDER BY r.day, m.code, g.dimensions::text
LIMIT %(limit)s
"""


def usage_by_day(
    *, customer_id: int, first_day: date, end_day: date, meter_ids: Sequence[int], group_by: Sequence[str] = (), limit: int
) -> list[DayUsage]:
    """
    Return the daily usage of some meters in the local days [first_day, end_day), at most `limit` rows, oldest first.

    Usage is split by the values of the dimensions in `group_by`, and summed over all others; days without usage are left
    out. One query.
    """
    parameters: dict[str, Any] = {
        "customer_id": customer_id,
        "first_day": first_day,
        "end_day": end_day,
        "meters": list(meter_ids),
        "group_by": list(group_by),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BY_DAY, parameters)
        return [DayUsage(day, code, json.loads(text), count, quantity) for day, code, text, count, quantity in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event that counts, as it was sent."""

    key: str  # 32 hex digits
    source: str
    event_id: str
    event_type: str
    subject: str
    occurred_at: datetime
    received_at: datetime
    customer: str  # external id
    data: str  # JSON, exact


# Newest first over the month partitions, one after the other; with a customer by usage_event_by_customer. An empty
# condition is a constant to the planner, since parameters are bound by the client.
_EVENTS: Final = """
SELECT replace(e.key::text, '-', ''), e.source, e.event_id, e.event_type, e.subject, e.occurred_at, e.received_at,
       c.external_id, e.data::text
FROM usage_event e JOIN customers_customer c ON c.id = e.customer_id
WHERE (%(customer_id)s::bigint IS NULL OR e.customer_id = %(customer_id)s::bigint)
  AND (%(subject)s::text IS NULL OR e.subject = %(subject)s::text)
  AND (%(event_type)s::text IS NULL OR e.event_type = %(event_type)s::text)
  AND (%(start)s::timestamptz IS NULL OR e.occurred_at >= %(start)s::timestamptz)
  AND (%(end)s::timestamptz IS NULL OR e.occurred_at < %(end)s::timestamptz)
  AND (%(after_key)s::uuid IS NULL OR (e.occurred_at <= %(after_time)s::timestamptz
       AND (e.occurred_at, e.key) < (%(after_time)s::timestamptz, %(after_key)s::uuid)))
ORDER BY e.occurred_at DESC, e.key DESC LIMIT %(limit)s
"""


def newest_events(
    *,
    customer_id: int | None = None,
    subject: str | None = None,
    event_type: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> list[StoredEvent]:
    """
    Return events that count, newest first, which happened in [start, end); None leaves a filter out.

    `after` is the (occurred_at, key) of the last event of the page before. One query.
    """
    parameters: dict[str, Any] = {
        "customer_id": customer_id,
        "subject": subject,
        "event_type": event_type,
        "start": start,
        "end": end,
        "after_time": after[0] if after else None,
        "after_key": after[1] if after else None,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, parameters)
        return [StoredEvent(*row) for row in cursor.fetchall()]


def subjects_of_others(customer_id: int, subjects: Iterable[str]) -> set[str]:
    """Return those of the subjects that do not name this customer. One query."""
    asked = set(subjects)
    return asked - set(Subject.objects.filter(customer_id=customer_id, key__in=asked).values_list("key", flat=True))
