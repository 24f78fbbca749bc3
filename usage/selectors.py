"""Totals out, for rating and for pages. Read from rollups: sums of whole days in the customer's own time zone."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any, Final, NamedTuple, Self

from django.db import connection, transaction

from squill.lib.decimals import exact, rounded
from usage import put_away
from usage.encoding import exact_json
from usage.models import Meter
from usage.models.event import STILL_COUNTS, UTC_DAY
from usage.rollups.levels import DayOfLevel, average_level
from usage.rollups.rules import Rule
from usage.rollups.totals import Latest

QUANTITY_PLACES: Final = 12  # decimals of a quantity that is a quotient: an average, a level over time (ADR-0016)
_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredUsage:
    """What one meter counted for one set of dimension values over some days; each aggregation fills in what it needs."""

    meter_id: int
    dimensions: dict[str, str | None]  # by the meter's names; None where the event had no such member
    event_count: int
    value_sum: Decimal | None = None
    value_min: Decimal | None = None
    value_max: Decimal | None = None
    latest: Latest | None = None
    items: frozenset[str] = frozenset()
    level: Fraction = Fraction(0)  # of a weighted sum: the running total, averaged over the days


# Grain: span, meter and dimension values. Grouped span by span, so that each is read by the primary key: joined first, the
# planner reads all rollups where there are many spans.
_BY_SPAN: Final = """
SELECT s.position, r.*
FROM unnest(%(customers)s::bigint[], %(starts)s::date[], %(ends)s::date[])
     WITH ORDINALITY AS s(customer_id, start_day, end_day, position)
CROSS JOIN LATERAL (
  SELECT r.meter_id, r.dimensions::text, sum(r.event_count)::bigint, sum(r.value_sum), min(r.value_min), max(r.value_max),
         max(r.latest_at),
         (array_agg(r.latest_event ORDER BY r.latest_at DESC, r.latest_event DESC) FILTER (WHERE r.latest_at IS NOT NULL))[1],
         (array_agg(r.value_latest ORDER BY r.latest_at DESC, r.latest_event DESC) FILTER (WHERE r.latest_at IS NOT NULL))[1],
         array_agg(DISTINCT r.item) FILTER (WHERE r.item IS NOT NULL)
  FROM usage_meter m
  JOIN usage_rollup r ON r.customer_id = s.customer_id AND r.meter_id = m.id AND r.day >= s.start_day AND r.day < s.end_day
  WHERE m.aggregation <> 'weighted_sum' AND (%(meter_ids)s::bigint[] IS NULL OR m.id = ANY(%(meter_ids)s::bigint[]))
  GROUP BY r.meter_id, r.dimensions
) r
"""
# Grain: customer, weighted meter, dimension values and day; all days before the customer's first span are one row, without a
# day. A level goes on from what it was before, however long ago. By the primary key, as above.
_LEVELS: Final = """
SELECT w.customer_id, m.id, r.dimensions, r.of_day, r.event_count, r.value_sum, r.value_weight, c.timezone
FROM (
  SELECT customer_id, min(start_day) AS first_day, max(end_day) AS last_day
  FROM unnest(%(customers)s::bigint[], %(starts)s::date[], %(ends)s::date[]) AS s(customer_id, start_day, end_day)
  GROUP BY customer_id
) w
JOIN customers_customer c ON c.id = w.customer_id
CROSS JOIN usage_meter m
CROSS JOIN LATERAL (
  SELECT r.dimensions::text AS dimensions, CASE WHEN r.day >= w.first_day THEN r.day END AS of_day,
         sum(r.event_count)::bigint AS event_count, sum(r.value_sum) AS value_sum, sum(r.value_weight) AS value_weight
  FROM usage_rollup r
  WHERE r.customer_id = w.customer_id AND r.meter_id = m.id AND r.day < w.last_day
  GROUP BY r.dimensions, of_day
) r
WHERE m.aggregation = 'weighted_sum' AND (%(meter_ids)s::bigint[] IS NULL OR m.id = ANY(%(meter_ids)s::bigint[]))
ORDER BY w.customer_id, m.id, r.dimensions, r.of_day NULLS FIRST
"""


def metered_usage_by_span(
    *, customer_id: int, spans: Sequence[tuple[date, date]], meter_ids: Sequence[int] | None = None
) -> list[list[MeteredUsage]]:
    """
    Return what every meter counted for the customer in each span of local days [start, end), in the order of the spans.

    Within a span sorted by meter and dimension values; meters without usage are left out (a weighted sum whose level is not
    zero has usage). Spans may overlap. `meter_ids` leaves other meters out. One round trip.
    """
    return metered_usage_of([(customer_id, start, end) for start, end in spans], meter_ids=meter_ids)


def metered_usage_of(
    spans: Sequence[tuple[int, date, date]], *, meter_ids: Sequence[int] | None = None
) -> list[list[MeteredUsage]]:
    """
    Return the same of many customers at once: for each (customer id, start, end) what every meter counted.

    One round trip, however many customers; the caller keeps the number of spans small enough for their usage to be held.
    """
    found: list[list[MeteredUsage]] = [[] for _span in spans]
    if not spans:
        return found
    parameters: dict[str, Any] = {
        "customers": [customer_id for customer_id, _start, _end in spans],
        "starts": _days(start for _customer_id, start, _end in spans),
        "ends": _days(end for _customer_id, _start, end in spans),
        "meter_ids": None if meter_ids is None else list(meter_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(f"{_BY_SPAN};{_LEVELS}", parameters)
        for position, *row in cursor.fetchall():
            found[position - 1].append(_counted(*row))
        cursor.nextset()
        positions: dict[int, list[int]] = {}
        for position, (customer_id, _start, _end) in enumerate(spans):
            positions.setdefault(customer_id, []).append(position)
        for (customer_id, meter_id, dimensions), rows in groupby(cursor.fetchall(), key=lambda row: row[:3]):
            level = _Level.of([row[3:] for row in rows])
            for position in positions[customer_id]:
                found[position] += level.usage(meter_id, dimensions, spans[position])
    for each in found:
        each.sort(key=lambda usage: (usage.meter_id, json.dumps(usage.dimensions)))
    return found


def _counted(
    meter_id: int,
    dimensions: str,
    event_count: int,
    value_sum: Decimal | None,
    value_min: Decimal | None,
    value_max: Decimal | None,
    latest_at: datetime | None,
    latest_event: str,
    value_latest: Decimal,
    items: list[str] | None,
) -> MeteredUsage:
    return MeteredUsage(
        meter_id=meter_id,
        dimensions=json.loads(dimensions),
        event_count=event_count,
        value_sum=value_sum,
        value_min=value_min,
        value_max=value_max,
        latest=None if latest_at is None else Latest(latest_at, latest_event, value_latest),
        items=frozenset(items or ()),
    )


class _Level(NamedTuple):
    """What changed the level of one weighted meter of a customer, for one set of dimension values."""

    before: Decimal
    days: list[DayOfLevel]
    timezone: str

    @classmethod
    def of(cls, rows: Sequence[Any]) -> Self:
        """Read it from rows of (day, events, sum, weight, time zone), oldest first; at least one."""
        before = next((row[2] for row in rows if row[0] is None), Decimal(0))
        return cls(before, [DayOfLevel(*row[:4]) for row in rows if row[0] is not None], rows[0][4])

    def usage(self, meter_id: int, dimensions: str, span: tuple[int, date, date]) -> Iterator[MeteredUsage]:
        """Yield the level in a span; nothing where it is zero and did not change."""
        _customer_id, first_day, end_day = span
        level, event_count = average_level(self.before, self.days, first_day=first_day, end_day=end_day, timezone=self.timezone)
        if level or event_count:
            yield MeteredUsage(meter_id=meter_id, dimensions=json.loads(dimensions), event_count=event_count, level=level)


def _days(days: Iterable[date]) -> str:
    return "{" + ",".join(day.isoformat() for day in days) + "}"


def quantity_of(aggregation: str, usages: Iterable[MeteredUsage]) -> Decimal:
    """
    Aggregate usages of one meter, over the same days, into the quantity that is priced; 0 for none.

    A quotient (an average, a level) is rounded once, to 12 decimals; a level below zero is 0 (ADR-0016).

    :raises ValueError: if the aggregation is unknown
    """
    found = list(usages)
    with exact():
        if aggregation == Meter.Aggregation.COUNT:
            return Decimal(sum(usage.event_count for usage in found))
        if aggregation == Meter.Aggregation.UNIQUE_COUNT:
            return Decimal(len(frozenset().union(*(usage.items for usage in found))))
        if aggregation == Meter.Aggregation.SUM:
            return sum((usage.value_sum or Decimal(0) for usage in found), Decimal(0))
        if aggregation == Meter.Aggregation.MIN:
            return min((usage.value_min for usage in found if usage.value_min is not None), default=Decimal(0))
        if aggregation == Meter.Aggregation.MAX:
            return max((usage.value_max for usage in found if usage.value_max is not None), default=Decimal(0))
        if aggregation == Meter.Aggregation.LATEST:
            latest = max((usage.latest for usage in found if usage.latest is not None), default=None)
            return Decimal(latest.value) if latest else Decimal(0)
        if aggregation == Meter.Aggregation.AVERAGE:
            count = sum(usage.event_count for usage in found)
            total = sum((usage.value_sum or Decimal(0) for usage in found), Decimal(0))
            return rounded(Fraction(total) / count, places=QUANTITY_PLACES) if count else Decimal(0)
        if aggregation == Meter.Aggregation.WEIGHTED_SUM:
            level = sum((usage.level for usage in found), Fraction(0))
            return max(rounded(level, places=QUANTITY_PLACES), Decimal(0))
    raise ValueError(f"unknown aggregation {aggregation!r}")


def _each_day(first_day: date, end_day: date) -> list[tuple[date, date]]:
    days = [first_day + timedelta(days=offset) for offset in range((end_day - first_day).days)]
    return [(day, day + _ONE_DAY) for day in days]


def daily_quantities(*, customer_id: int, meter: Meter, first_day: date, end_day: date) -> list[tuple[date, Decimal]]:
    """
    Return the meter's quantity of every local day in [first_day, end_day), over all dimension values; days without usage
    are 0. One round trip.
    """
    spans = _each_day(first_day, end_day)
    by_day = metered_usage_by_span(customer_id=customer_id, spans=spans, meter_ids=[meter.pk])
    return [(day, quantity_of(meter.aggregation, usages)) for (day, _end), usages in zip(spans, by_day, strict=True)]


@dataclass(frozen=True, slots=True)
class SpanUsage:
    """What one meter counted for a customer in some local days, for one set of the dimension values asked for."""

    first_day: date
    end_day: date
    meter_code: str
    dimensions: dict[str, str | None]
    event_count: int
    quantity: Decimal  # by the meter's aggregation


def usage_by_span(
    *,
    customer_id: int,
    spans: Sequence[tuple[date, date]],
    meters: Sequence[Meter],
    group_by: Sequence[str] = (),
    limit: int,
) -> list[SpanUsage]:
    """
    Return the usage of some meters in each span of local days [start, end), at most `limit` rows, in the order of the spans.

    Usage is split by the values of the dimensions in `group_by`, and taken together over all others; spans without usage
    are left out. One round trip.
    """
    codes = {meter.pk: meter for meter in meters}
    by_span = metered_usage_by_span(customer_id=customer_id, spans=spans, meter_ids=sorted(codes))
    rows: list[SpanUsage] = []
    for (first_day, end_day), usages in zip(spans, by_span, strict=True):
        groups: dict[tuple[str, str], list[MeteredUsage]] = {}
        for usage in usages:
            split = {name: usage.dimensions.get(name) for name in group_by}
            groups.setdefault((codes[usage.meter_id].code, json.dumps(split)), []).append(usage)
        for (code, text), some in sorted(groups.items()):
            quantity = quantity_of(codes[some[0].meter_id].aggregation, some)
            rows.append(SpanUsage(first_day, end_day, code, json.loads(text), sum(each.event_count for each in some), quantity))
        if len(rows) >= limit:
            break
    return rows[:limit]


class EventsPutAway(ValueError):
    """Single events are asked for of days whose events were put away. The message says which."""


# By usage_event_by_customer; the outer bounds, which are wider than the days, let the planner leave months out.
_SINGLE: Final = f"""
SELECT e.data
FROM usage_event e JOIN customers_customer c ON c.id = e.customer_id
WHERE e.customer_id = %(customer_id)s AND e.event_type = %(event_type)s
  AND e.occurred_at >= %(since)s AND e.occurred_at < %(until)s
  AND {UTC_DAY} BETWEEN %(since)s::date AND %(until)s::date
  AND (e.occurred_at AT TIME ZONE c.timezone)::date >= %(first_day)s
  AND (e.occurred_at AT TIME ZONE c.timezone)::date < %(end_day)s
  AND {STILL_COUNTS}
ORDER BY e.occurred_at, e.source, e.event_id
"""  # noqa: S608 (constants only)


def single_values(
    *, customer_id: int, meter: Meter, first_day: date, end_day: date
) -> list[tuple[dict[str, str | None], Decimal]]:
    """
    Return the dimension values and the value of every event that a meter counts for a customer in the local days
    [first_day, end_day), in the order in which they happened (then by source and id). Two queries; reads events, not rollups.

    :raises EventsPutAway: if events of these days were put away
    """
    since = datetime.combine(first_day - _ONE_DAY, time.min, tzinfo=UTC)
    until = datetime.combine(end_day + _ONE_DAY, time.min, tzinfo=UTC)
    parameters: dict[str, Any] = {"customer_id": customer_id, "event_type": meter.event_type, "since": since, "until": until}
    parameters |= {"first_day": first_day, "end_day": end_day}
    rule = Rule.of(meter)
    found: list[tuple[dict[str, str | None], Decimal]] = []
    known: dict[str, dict[str, str | None]] = {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SINGLE, parameters)
        for (text,) in cursor:
            reading = rule.read_stored(exact_json.decode(text))
            if reading is not None:
                _rule, group, value = reading
                if group.dimensions not in known:
                    known[group.dimensions] = json.loads(group.dimensions)
                found.append((known[group.dimensions], Decimal(value)))
        if message := put_away.reason_against([(since, until)]):
            raise EventsPutAway(message)
    return found
