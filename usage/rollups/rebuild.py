"""Count past events again, by the same rules that count new ones: for a new meter, or a customer whose days have moved."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

from django.db import connection

from squill.lib.decimals import exact
from usage.encoding import exact_json
from usage.models import Meter, Rollup
from usage.models.event import STILL_COUNTS
from usage.rollups import writing
from usage.rollups.rules import Rule, Unusable, local_day
from usage.rollups.totals import Moment, Totals


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found: events that count for a meter, and events of its type whose data it cannot use."""

    counted: int
    unusable: int


class _PastEvent(NamedTuple):
    customer_id: int
    timezone: str
    event_type: str
    occurred_at: datetime
    source: str
    event_id: str
    data: str  # JSON


# One customer after the other, so that only one customer's totals are held at a time. A single customer's events by
# usage_event_by_customer. What was corrected does not count any more.
_EVENTS: Final = f"""
SELECT e.customer_id, c.timezone, e.event_type, e.occurred_at, e.source, e.event_id, e.data
FROM usage_event e JOIN customers_customer c ON c.id = e.customer_id
WHERE (%(customer_id)s::bigint IS NULL OR e.customer_id = %(customer_id)s::bigint)
  AND e.event_type = ANY(%(event_types)s) AND {STILL_COUNTS}
ORDER BY e.customer_id
"""  # noqa: S608 (constants only)
_FETCHED_AT_ONCE: Final = 2000


def rebuild_meter(meter: Meter) -> Rebuilt:
    """
    Replace the meter's rollups by what its past events say; events are streamed.

    The caller holds `usage.ingestion.locks.keep_ingestion_out` for the meter's type, in a transaction: otherwise an event
    that is stored meanwhile would be counted twice or never. Events whose data the meter cannot use were accepted before it
    existed; they stay out of its rollups, and are told.
    """
    Rollup.objects.filter(meter_id=meter.pk).delete()
    return _count({meter.event_type: [Rule.of(meter)]}, customer_id=None)


def rebuild_customer(customer_id: int) -> Rebuilt:
    """
    Replace all rollups of a customer by what its events say in its present time zone.

    The caller keeps out whoever counts (`usage.ingestion.locks.keep_all_counting_out`), in a transaction.
    """
    Rollup.objects.filter(customer_id=customer_id).delete()
    rules: dict[str, list[Rule]] = {}
    for meter in Meter.objects.order_by("pk"):
        rules.setdefault(meter.event_type, []).append(Rule.of(meter))
    return _count(rules, customer_id=customer_id)


def _count(rules: Mapping[str, Sequence[Rule]], *, customer_id: int | None) -> Rebuilt:
    counted = unusable = 0
    for each, events in groupby(_past_events(list(rules), customer_id), key=lambda event: event.customer_id):
        totals = Totals()
        with exact():
            for event in events:
                day = local_day(event.occurred_at, event.timezone)
                data = exact_json.decode(event.data)
                moment = Moment(event.occurred_at, day, event.timezone, event.source, event.event_id)
                for rule in rules[event.event_type]:
                    try:
                        reading = rule.read(data)
                    except Unusable:
                        unusable += 1
                        continue
                    if reading is not None:
                        counted += 1
                        totals.add(each, moment, (reading,))
        writing.add(totals)
    return Rebuilt(counted, unusable)


def _past_events(event_types: Sequence[str], customer_id: int | None) -> Iterator[_PastEvent]:
    parameters: dict[str, Any] = {"event_types": list(event_types), "customer_id": customer_id}
    with connection.chunked_cursor() as cursor:
        cursor.execute(_EVENTS, parameters)
        while rows := cursor.fetchmany(_FETCHED_AT_ONCE):
            yield from (_PastEvent(*row) for row in rows)
