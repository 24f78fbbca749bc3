"""
Move rollups for events that stop counting and events that begin to, exactly.

All rollups are locked in sorted key order, the order of ingestion, before any is read; what is read afterwards holds all that
others have committed, since whoever moves a rollup keeps its lock until the commit.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from usage import put_away
from usage.corrections.errors import CorrectionError
from usage.corrections.finding import StoredEvent
from usage.rollups import exact_json
from usage.rollups.rules import Rule, Unusable, local_day


class RollupKey(NamedTuple):
    """The primary key of a rollup; sorts as PostgreSQL sorts it."""

    customer_id: int
    meter_id: int
    day: str  # ISO date in the customer's time zone
    dimensions_key: str  # 32 hex digits


class Sums(NamedTuple):
    """What a rollup holds."""

    event_count: int
    value_sum: Decimal
    value_max: Decimal


@dataclass(frozen=True, slots=True)
class Moved:
    """One rollup before and after; None where there is none."""

    key: RollupKey
    dimensions: str  # JSON object
    before: Sums | None
    after: Sums | None


@dataclass(frozen=True, slots=True)
class Meaning:
    """How the events at hand count: the rules of their types, and the time zones of their customers."""

    rules: Mapping[str, tuple[Rule, ...]]
    timezones: Mapping[int, str]

    def counted(self, event: StoredEvent) -> dict[RollupKey, tuple[str, Decimal]]:
        """Return the dimensions and the value of an event, by the rollups in which it is counted."""
        day = local_day(event.occurred_at, self.timezones[event.customer_id])
        data = exact_json.decode(event.data)
        found = {}
        for rule in self.rules.get(event.event_type, ()):
            try:
                one = rule.contribution(data, day)
            except Unusable:  # stored before the meter was made, and left out of it
                continue
            found[RollupKey(event.customer_id, one.meter_id, day, one.dimensions_key)] = one.dimensions, Decimal(one.value)
        return found


_LOCK: Final = """
SELECT event_count, value_sum, value_max FROM usage_rollup
WHERE (customer_id, meter_id, day, dimensions_key) = (%s, %s, %s, %s) FOR UPDATE
"""
_ADD: Final = """
INSERT INTO usage_rollup AS r (customer_id, meter_id, day, dimensions_key, dimensions, event_count, value_sum, value_max)
VALUES (%s, %s, %s, %s, %s::jsonb, 1, %s, %s)
ON CONFLICT (customer_id, meter_id, day, dimensions_key) DO UPDATE SET
  event_count = r.event_count + 1, value_sum = r.value_sum + excluded.value_sum,
  value_max = greatest(r.value_max, excluded.value_max)
RETURNING event_count, value_sum, value_max
"""
_SET: Final = """
UPDATE usage_rollup SET event_count = %s, value_sum = %s, value_max = %s
WHERE (customer_id, meter_id, day, dimensions_key) = (%s, %s, %s, %s)
"""
_DELETE: Final = "DELETE FROM usage_rollup WHERE (customer_id, meter_id, day, dimensions_key) = (%s, %s, %s, %s)"


def move_rollups(*, voided: Sequence[StoredEvent], added: StoredEvent | None, meaning: Meaning) -> list[Moved]:
    """
    Take voided events out of their rollups and count an added one; return every rollup that moved, in key order.

    The caller holds the meaning still, has written the corrections of the voided events and stored the added one, all in
    this transaction.
    """
    out: dict[RollupKey, list[Decimal]] = defaultdict(list)
    dimensions: dict[RollupKey, str] = {}
    for event in voided:
        for key, (names, value) in meaning.counted(event).items():
            out[key].append(value)
            dimensions[key] = names
    into = {} if added is None else meaning.counted(added)
    dimensions |= {key: names for key, (names, _value) in into.items()}
    before: dict[RollupKey, Sums | None] = {}
    now: dict[RollupKey, Sums] = {}
    with connection.cursor() as cursor:
        for key in sorted(dimensions):
            cursor.execute(_LOCK, key)
            row = cursor.fetchone()
            before[key] = now_there = Sums(*row) if row else None
            if key in into:
                names, value = into[key]
                cursor.execute(_ADD, [*key, names, value, value])
                now_there = Sums(*cursor.fetchone())
            if now_there is None:
                raise LookupError(f"a counted event has no rollup: {key}")
            now[key] = now_there
        rules = {rule.meter_id: (event_type, rule) for event_type, rules in meaning.rules.items() for rule in rules}
        left = {
            key: _without(sums, out.get(key, []), is_count=not rules[key.meter_id][1].value_path) for key, sums in now.items()
        }
        unsure = {key for key, sums in left.items() if sums is None and now[key].event_count > len(out.get(key, []))}
        left |= _recounted(unsure, rules, meaning.timezones)
        for key in out:
            sums = left[key]
            if sums is None:
                cursor.execute(_DELETE, key)
            else:
                cursor.execute(_SET, [*sums, *key])
    return [Moved(key, dimensions[key], before[key], left[key]) for key in sorted(dimensions)]


def _without(sums: Sums, values: list[Decimal], *, is_count: bool) -> Sums | None:
    """Return what is left without these values; None where nothing is, or where the largest has gone and the next is unknown."""
    if not values:
        return sums
    if sums.event_count == len(values) or (max(values) >= sums.value_max and not is_count):
        return None
    # Every event of a count has the value 1, which is also the largest, as long as one is left.
    return Sums(sums.event_count - len(values), sums.value_sum - sum(values), sums.value_max)


# What still counts of one customer and type in a span. By usage_event_by_customer, and the unique index on the correction.
_COUNTING: Final = """
SELECT e.occurred_at, e.data::text FROM usage_event e
WHERE e.customer_id = %s AND e.event_type = %s AND e.occurred_at >= %s AND e.occurred_at < %s
  AND NOT EXISTS (SELECT 1 FROM usage_correction c WHERE c.event_key = e.key)
"""
_FETCHED_AT_ONCE: Final = 2000
# More than any change of clocks moves a midnight; what is read too much is left out by its own day.
_SLACK: Final = timedelta(hours=3)


def _recounted(
    keys: set[RollupKey], rules: Mapping[int, tuple[str, Rule]], timezones: Mapping[int, str]
) -> dict[RollupKey, Sums | None]:
    """
    Count these rollups anew from the events that still count; each day of a customer and meter is read once.

    :raises CorrectionError: put_away, while events that were put away with a month are being counted
    """
    found: dict[RollupKey, Sums | None]
    try:
        found = {RollupKey(*key): Sums(*sums) for key, sums in put_away.totals_of(keys).items()}
    except put_away.BeingPutAway as error:
        raise CorrectionError("put_away", str(error)) from None
    days: dict[tuple[int, int, str], set[str]] = defaultdict(set)
    for key in keys:
        days[key[:3]].add(key.dimensions_key)
    for (customer_id, meter_id, day), wanted in days.items():
        event_type, rule = rules[meter_id]
        timezone = timezones[customer_id]
        midnight = datetime.combine(date.fromisoformat(day), time(), ZoneInfo(timezone)).astimezone(UTC)
        with connection.chunked_cursor() as cursor:
            span = [midnight - _SLACK, midnight + timedelta(days=1) + _SLACK]
            cursor.execute(_COUNTING, [customer_id, event_type, *span])
            while rows := cursor.fetchmany(_FETCHED_AT_ONCE):
                for occurred_at, data in rows:
                    if local_day(occurred_at, timezone) != day:
                        continue
                    try:
                        one = rule.contribution(exact_json.decode(data), day)
                    except Unusable:
                        continue
                    if one.dimensions_key in wanted:
                        key = RollupKey(customer_id, meter_id, day, one.dimensions_key)
                        found[key] = _plus(found.get(key), Decimal(one.value))
    return found


def _plus(sums: Sums | None, value: Decimal) -> Sums:
    if sums is None:
        return Sums(1, value, value)
    return Sums(sums.event_count + 1, sums.value_sum + value, max(sums.value_max, value))
