"""
Move rollups for events that stop counting and events that begin to, exactly.

All rollups are locked in sorted key order, the order of ingestion, before any is read; what is read afterwards holds all that
others have committed, since whoever moves a rollup keeps its lock until the commit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db import connection

from squill.lib.decimals import exact
from usage import put_away
from usage.corrections.errors import CorrectionError
from usage.corrections.finding import StoredEvent
from usage.encoding import exact_json
from usage.models.event import STILL_COUNTS, UTC_DAY
from usage.rollups import writing
from usage.rollups.rules import Rule, end_of_day, local_day
from usage.rollups.totals import Moment, Place, Total, Totals, without


@dataclass(frozen=True, slots=True)
class Moved:
    """One rollup before and after; None where there is none."""

    place: Place
    dimensions: str  # JSON object
    before: Total | None
    after: Total | None


@dataclass(frozen=True, slots=True)
class Meaning:
    """How the events at hand count: the rules of their types, and the time zones of their customers."""

    rules: Mapping[str, tuple[Rule, ...]]
    timezones: Mapping[int, str]

    def count(self, event: StoredEvent, totals: Totals) -> None:
        """Add an event to totals, as it is counted."""
        timezone = self.timezones[event.customer_id]
        day = local_day(event.occurred_at, timezone)
        moment = Moment(event.occurred_at, day, timezone, event.source, event.event_id)
        data = exact_json.decode(event.data)
        for rule in self.rules.get(event.event_type, ()):
            reading = rule.read_stored(data)
            if reading is not None:
                totals.add(event.customer_id, moment, (reading,))


def move_rollups(*, voided: Sequence[StoredEvent], added: StoredEvent | None, meaning: Meaning) -> list[Moved]:
    """
    Take voided events out of their rollups and count an added one; return every rollup that moved, in key order.

    The caller holds the meaning still, has written the corrections of the voided events and stored the added one, all in
    this transaction.
    """
    out, into = Totals(), Totals()
    moved: list[Moved] = []
    with exact():
        for event in voided:
            meaning.count(event, out)
        if added is not None:
            meaning.count(added, into)
        groups = out.groups | into.groups
        rows: list[tuple[Place, Total | None, Total]] = []
        for place in sorted({*out, *into}):
            before = writing.locked(place)
            now_there = writing.add_one(place, into) if place in into else before
            if now_there is None:
                raise LookupError(f"a counted event has no rollup: {place}")
            rows.append((place, before, now_there))
        left = {place: without(there, out[place]) if place in out else there for place, _before, there in rows}
        counted = _counted_again({place for place, total in left.items() if total is None}, meaning)
        for place, before, _there in rows:
            after = left[place] or counted.get(place, Total())
            if place in out:
                writing.put(place, after)
            moved.append(Moved(place, groups[place].dimensions, before, after if after.event_count else None))
    return moved


# What still counts of one customer and type in a span. By usage_event_by_customer, and the corrections of that customer.
_COUNTING: Final = f"""
SELECT e.occurred_at, e.source, e.event_id, e.data FROM usage_event e
WHERE e.customer_id = %(customer_id)s AND e.event_type = ANY(%(event_types)s)
  AND e.occurred_at >= %(start)s AND e.occurred_at < %(end)s AND {UTC_DAY} BETWEEN %(first_day)s AND %(last_day)s
  AND {STILL_COUNTS}
"""  # noqa: S608 (constants only)
_FETCHED_AT_ONCE: Final = 2000


def _counted_again(places: set[Place], meaning: Meaning) -> Totals:
    """
    Count these rollups anew from the events that still count; each day of a customer and meter is read once.

    :raises CorrectionError: put_away, while events that were put away with a month are being counted
    """
    try:
        found = put_away.totals_of(places)
    except put_away.BeingPutAway as error:
        raise CorrectionError("put_away", str(error)) from None
    rules = {rule.meter_id: (event_type, rule) for event_type, each in meaning.rules.items() for rule in each}
    for customer_id, meter_id, day in sorted({place[:3] for place in places}):
        event_type, rule = rules[meter_id]
        timezone = meaning.timezones[customer_id]
        for moment, data in _events_of_day(customer_id, event_type, day, timezone):
            reading = rule.read_stored(exact_json.decode(data))
            if reading is not None and Place(customer_id, meter_id, day, reading[1].key) in places:
                found.add(customer_id, moment, (reading,))
    return found


def _events_of_day(customer_id: int, event_type: str, day: date, timezone: str) -> Iterator[tuple[Moment, str]]:
    start, end = end_of_day(day - timedelta(days=1), timezone), end_of_day(day, timezone)
    parameters: dict[str, Any] = {
        "customer_id": customer_id,
        "event_types": [event_type],
        "start": start,
        "end": end,
        "first_day": start.date(),
        "last_day": end.date(),
    }
    with connection.chunked_cursor() as cursor:
        cursor.execute(_COUNTING, parameters)
        while rows := cursor.fetchmany(_FETCHED_AT_ONCE):
            for occurred_at, source, event_id, data in rows:
                yield Moment(occurred_at, day, timezone, source, event_id), data
