"""Rollups as rows: added to, set, read and locked, always in the order of their primary key (other orders deadlock)."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from django.db import connection

from usage.encoding import exact_json
from usage.encoding.columns import column, numbers
from usage.rollups.totals import Latest, Place, Total, Totals

_SUMS: Final = "event_count, value_sum, value_min, value_max, value_weight, latest_at, latest_event, value_latest"
# Grain: one rollup. The primary key is both the conflict target and the order of locking. What an aggregation does not keep is
# null on both sides, and stays so. Groups are few where rollups are many: each comes once, and rollups name it by its position.
_ADD: Final = f"""
INSERT INTO usage_rollup AS r (customer_id, meter_id, day, dimensions_key, dimensions, item, {_SUMS})
SELECT customer_id, meter_id, day, dimensions_key, dimensions, item #>> '{{}}', {_SUMS}
FROM unnest(%(customer_id)s::bigint[], string_to_array(%(day)s, chr(30))::date[], %(position)s::int[], %(event_count)s::bigint[],
            string_to_array(%(value_sum)s, chr(30), '')::numeric[], string_to_array(%(value_min)s, chr(30), '')::numeric[],
            string_to_array(%(value_max)s, chr(30), '')::numeric[], string_to_array(%(value_weight)s, chr(30), '')::numeric[],
            string_to_array(%(latest_at)s, chr(30), '')::timestamptz[], string_to_array(%(latest_event)s, chr(30), ''),
            string_to_array(%(value_latest)s, chr(30), '')::numeric[])
  AS t(customer_id, day, position, {_SUMS})
JOIN unnest(%(meter_id)s::bigint[], string_to_array(%(dimensions_key)s, chr(30))::uuid[],
            string_to_array(%(dimensions)s, chr(30))::jsonb[], string_to_array(%(item)s, chr(30), '')::jsonb[])
  WITH ORDINALITY AS g(meter_id, dimensions_key, dimensions, item, position) USING (position)
ORDER BY customer_id, meter_id, day, dimensions_key
ON CONFLICT (customer_id, meter_id, day, dimensions_key) DO UPDATE SET
  event_count = r.event_count + excluded.event_count,
  value_sum = r.value_sum + excluded.value_sum,
  value_min = least(r.value_min, excluded.value_min),
  value_max = greatest(r.value_max, excluded.value_max),
  value_weight = r.value_weight + excluded.value_weight,
  value_latest = CASE WHEN (excluded.latest_at, excluded.latest_event) > (r.latest_at, r.latest_event)
                      THEN excluded.value_latest ELSE r.value_latest END,
  latest_event = CASE WHEN (excluded.latest_at, excluded.latest_event) > (r.latest_at, r.latest_event)
                    THEN excluded.latest_event ELSE r.latest_event END,
  latest_at = greatest(r.latest_at, excluded.latest_at)
"""  # noqa: S608 (constants only)
_ADD_ONE: Final = f"{_ADD} RETURNING {', '.join('r.' + name for name in _SUMS.split(', '))}"
_PLACE: Final = "(customer_id, meter_id, day, dimensions_key) = (%s, %s, %s, %s)"
_LOCK: Final = f"SELECT {_SUMS} FROM usage_rollup WHERE {_PLACE} FOR UPDATE"  # noqa: S608
_SET: Final = f"UPDATE usage_rollup SET ({_SUMS}) = (%s, %s, %s, %s, %s, %s, %s, %s) WHERE {_PLACE}"  # noqa: S608
_DELETE: Final = f"DELETE FROM usage_rollup WHERE {_PLACE}"  # noqa: S608


def add(totals: Totals) -> None:
    """Add totals to their rollups, making those that are missing. One statement; locks the rollups in order."""
    if totals:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, _columns(totals))


def add_one(place: Place, totals: Totals) -> Total:
    """Add the total of one place to its rollup, and return what that holds then. Locks the rollup."""
    one = Totals()
    one[place], one.groups[place] = totals[place], totals.groups[place]
    with connection.cursor() as cursor:
        cursor.execute(_ADD_ONE, _columns(one))
        return _total(cursor.fetchone())


def locked(place: Place) -> Total | None:
    """Lock a rollup and return what it holds, None if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, place)
        row = cursor.fetchone()
    return None if row is None else _total(row)


def put(place: Place, total: Total) -> None:
    """Set what a rollup that is locked holds; one that counts nothing is deleted."""
    with connection.cursor() as cursor:
        if total.event_count:
            latest = total.latest or (None, None, None)
            sums = [total.event_count, total.value_sum, total.value_min, total.value_max, total.value_weight, *latest]
            cursor.execute(_SET, [*sums, *place])
        else:
            cursor.execute(_DELETE, place)


def _total(row: Sequence[Any]) -> Total:
    count, total, least, most, weight, latest_at, latest_event, value = row
    latest = None if latest_at is None else Latest(latest_at, latest_event, value)
    return Total(count, total, least, most, weight, latest)


def _columns(totals: Totals) -> dict[str, Any]:
    customer_ids, _meter_ids, days, _keys = zip(*totals, strict=True)
    texts = {day: day.isoformat() for day in set(days)}
    # Told apart by id, which takes no hashing; that two are equal does no harm.
    ids = list(map(id, totals.groups.values()))
    groups = dict(zip(ids, totals.groups.values(), strict=True))
    positions = dict(zip(groups, range(1, len(groups) + 1), strict=True))
    found = list(totals.values())
    latest = [total.latest for total in found]
    return {
        "customer_id": numbers(customer_ids),
        "day": column([texts[day] for day in days]),
        "meter_id": numbers([group.meter_id for group in groups.values()]),
        "position": numbers(map(positions.__getitem__, ids)),
        "dimensions_key": column([group.key for group in groups.values()]),
        "dimensions": column([group.dimensions for group in groups.values()]),
        # As JSON: an item may be empty, or hold any character.
        "item": _values([group.item for group in groups.values()], lambda item: exact_json.encode(item).decode()),
        "event_count": numbers([total.event_count for total in found]),
        "value_sum": _values([total.value_sum for total in found]),
        "value_min": _values([total.value_min for total in found]),
        "value_max": _values([total.value_max for total in found]),
        "value_weight": _values([total.value_weight for total in found]),
        "latest_at": _values([each and each.at for each in latest]),
        "latest_event": _values([each and each.event for each in latest]),
        "value_latest": _values([each and each.value for each in latest]),
    }


def _values(values: Sequence[object], spelled: Callable[[Any], str] = str) -> str:
    """Return a column in which None is null; empty where all are None, since unnest fills up with nulls."""
    if values.count(None) == len(values):
        return ""
    return column(["" if value is None else spelled(value) for value in values])
