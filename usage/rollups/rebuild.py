"""Count a meter's past events again, by the same rules that count new ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Final, NamedTuple

from django.db import connection

from usage.models import Meter
from usage.rollups import exact_json
from usage.rollups.columns import column, numbers
from usage.rollups.rules import Contribution, Rule, Unusable, local_day


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found: events that count for the meter, and events of its type whose data it cannot use."""

    counted: int
    unusable: int


class _PastEvent(NamedTuple):
    customer_id: int
    timezone: str
    occurred_at: datetime
    data: str  # JSON


@dataclass(slots=True)
class _Total:
    dimensions: str
    event_count: int
    value_sum: Decimal
    value_max: Decimal

    def add(self, value: Decimal) -> None:
        self.event_count += 1
        self.value_sum += value
        self.value_max = max(self.value_max, value)


# One customer after the other, so that only one customer's totals are held at a time; by usage_event_by_customer. What was
# corrected does not count any more.
_EVENTS: Final = """
SELECT e.customer_id, c.timezone, e.occurred_at, e.data::text
FROM usage_event e JOIN customers_customer c ON c.id = e.customer_id
WHERE e.event_type = %s AND NOT EXISTS (SELECT 1 FROM usage_correction v WHERE v.event_key = e.key)
ORDER BY e.customer_id
"""
_DELETE: Final = "DELETE FROM usage_rollup WHERE meter_id = %s"
_FETCHED_AT_ONCE: Final = 2000


def rebuild_meter(meter: Meter) -> Rebuilt:
    """
    Replace the meter's rollups by what its past events say; events are streamed.

    The caller holds `usage.ingestion.locks.keep_ingestion_out` for the meter's type, in a transaction: otherwise an event
    that is stored meanwhile would be counted twice or never. Events whose data the meter cannot use were accepted before it
    existed; they stay out of its rollups, and are told.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, [meter.pk])
    rule = Rule.of(meter)
    counted = unusable = 0
    for customer_id, events in groupby(_past_events(meter.event_type), key=lambda event: event.customer_id):
        totals: dict[tuple[str, str], _Total] = {}
        for event in events:
            try:
                contribution = rule.contribution(exact_json.decode(event.data), local_day(event.occurred_at, event.timezone))
            except Unusable:
                unusable += 1
                continue
            counted += 1
            _add(totals, contribution)
        _insert(customer_id, meter.pk, totals)
    return Rebuilt(counted, unusable)


def _past_events(event_type: str) -> Iterator[_PastEvent]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(_EVENTS, [event_type])
        while rows := cursor.fetchmany(_FETCHED_AT_ONCE):
            yield from (_PastEvent(*row) for row in rows)


def _add(totals: dict[tuple[str, str], _Total], contribution: Contribution) -> None:
    value = Decimal(contribution.value)
    total = totals.get((contribution.day, contribution.dimensions_key))
    if total is None:
        totals[contribution.day, contribution.dimensions_key] = _Total(contribution.dimensions, 1, value, value)
    else:
        total.add(value)


_INSERT: Final = """
INSERT INTO usage_rollup (customer_id, meter_id, day, dimensions_key, dimensions, event_count, value_sum, value_max)
SELECT %(customer_id)s, %(meter_id)s, day, dimensions_key, dimensions, event_count, value_sum, value_max
FROM unnest(string_to_array(%(day)s, chr(30))::date[], string_to_array(%(dimensions_key)s, chr(30))::uuid[],
            string_to_array(%(dimensions)s, chr(30))::jsonb[], %(event_count)s::bigint[],
            string_to_array(%(value_sum)s, chr(30))::numeric[], string_to_array(%(value_max)s, chr(30))::numeric[])
  AS t(day, dimensions_key, dimensions, event_count, value_sum, value_max)
"""


def _insert(customer_id: int, meter_id: int, totals: dict[tuple[str, str], _Total]) -> None:
    if not totals:
        return
    parameters: dict[str, Any] = {
        "customer_id": customer_id,
        "meter_id": meter_id,
        "day": column([day for day, _dimensions_key in totals]),
        "dimensions_key": column([dimensions_key for _day, dimensions_key in totals]),
        "dimensions": column([total.dimensions for total in totals.values()]),
        "event_count": numbers([total.event_count for total in totals.values()]),
        "value_sum": column([str(total.value_sum) for total in totals.values()]),
        "value_max": column([str(total.value_max) for total in totals.values()]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, parameters)
