"""Totals out, for rating and for pages. Read from rollups: sums of whole days in the customer's own time zone."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any, Final

from django.db import connection

from squill.lib.decimals import exact, rounded
from usage.models import Meter
from usage.rollups.levels import DayOfLevel, average_level
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


# Grain: span, meter and dimension values. Reads the customer's rollups of the spans by the primary key.
_BY_SPAN: Final = """
SELECT s.position, r.meter_id, r.dimensions::text, sum(r.event_count)::bigint, sum(r.value_sum), min(r.value_min),
       max(r.value_max), max(r.latest_at),
       (array_agg(r.latest_event ORDER BY r.latest_at DESC, r.latest_event DESC) FILTER (WHERE r.latest_at IS NOT NULL))[1],
       (array_agg(r.value_latest ORDER BY r.latest_at DESC, r.latest_event DESC) FILTER (WHERE r.latest_at IS NOT NULL))[1],
       array_agg(DISTINCT r.item) FILTER (WHERE r.item IS NOT NULL)
FROM unnest(%(starts)s::date[], %(ends)s::date[]) WITH ORDINALITY AS s(start_day, end_day, position)
JOIN usage_rollup r ON r.customer_id = %(customer_id)s AND r.day >= s.start_day AND r.day < s.end_day
WHERE r.value_weight IS NULL AND (%(meter_ids)s::bigint[] IS NULL OR r.meter_id = ANY(%(meter_ids)s::bigint[]))
GROUP BY s.position, r.meter_id, r.dimensions::text
"""
# Grain: weighted meter, dimension values and day; all days before the first span are one row, without a day. A level goes on
# from what it was before, however long ago.
_LEVELS: Final = """
SELECT r.meter_id, r.dimensions::text, CASE WHEN r.day >= %(first)s THEN r.day END AS of_day, sum(r.event_count)::bigint,
       sum(r.value_sum), sum(r.value_weight), min(c.timezone)
FROM usage_meter m
JOIN usage_rollup r ON r.customer_id = %(customer_id)s AND r.meter_id = m.id AND r.day < %(last)s
JOIN customers_customer c ON c.id = r.customer_id
WHERE m.aggregation = 'weighted_sum' AND (%(meter_ids)s::bigint[] IS NULL OR m.id = ANY(%(meter_ids)s::bigint[]))
GROUP BY r.meter_id, r.dimensions::text, of_day
ORDER BY r.meter_id, r.dimensions::text, of_day NULLS FIRST
"""


def metered_usage_by_span(
    *, customer_id: int, spans: Sequence[tuple[date, date]], meter_ids: Sequence[int] | None = None
) -> list[list[MeteredUsage]]:
    """
    Return what every meter counted for the customer in each span of local days [start, end), in the order of the spans.

    Within a span sorted by meter and dimension values; meters without usage are left out (a weighted sum whose level is not
    zero has usage). Spans may overlap. `meter_ids` leaves other meters out. One round trip.
    """
    found: list[list[MeteredUsage]] = [[] for _span in spans]
    if not spans:
        return found
    parameters: dict[str, Any] = {
        "customer_id": customer_id,
        "starts": _days(start for start, _end in spans),
        "ends": _days(end for _start, end in spans),
        "first": min(start for start, _end in spans),
        "last": max(end for _start, end in spans),
        "meter_ids": None if meter_ids is None else list(meter_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(f"{_BY_SPAN};{_LEVELS}", parameters)
        for position, meter_id, dimensions, event_count, *sums, latest_at, latest_event, value, items in cursor.fetchall():
            value_sum, value_min, value_max = sums
            usage = MeteredUsage(
                meter_id=meter_id,
                dimensions=json.loads(dimensions),
                event_count=event_count,
                value_sum=value_sum,
                value_min=value_min,
                value_max=value_max,
                latest=None if latest_at is None else Latest(latest_at, latest_event, value),
                items=frozenset(items or ()),
            )
            found[position - 1].append(usage)
        cursor.nextset()
        for (meter_id, dimensions), rows in groupby(cursor.fetchall(), key=lambda row: row[:2]):
            _add_levels(found, spans, meter_id, dimensions, list(rows))
    for each in found:
        each.sort(key=lambda usage: (usage.meter_id, json.dumps(usage.dimensions)))
    return found


def _add_levels(
    found: list[list[MeteredUsage]], spans: Sequence[tuple[date, date]], meter_id: int, dimensions: str, rows: list[Any]
) -> None:
    before = Decimal(0)
    days: list[DayOfLevel] = []
    for _meter_id, _dimensions, day, event_count, value_sum, value_weight, _timezone in rows:
        if day is None:
            before = value_sum
        else:
            days.append(DayOfLevel(day, event_count, value_sum, value_weight))
    timezone = rows[0][-1]
    for usages, (first_day, end_day) in zip(found, spans, strict=True):
        level, event_count = average_level(before, days, first_day=first_day, end_day=end_day, timezone=timezone)
        if level or event_count:
            usages.append(
                MeteredUsage(meter_id=meter_id, dimensions=json.loads(dimensions), event_count=event_count, level=level)
            )


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
