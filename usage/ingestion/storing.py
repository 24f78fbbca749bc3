"""
Store events and move their rollups: one set-based statement per request, in one transaction.

Every statement here inserts in sorted key order. Two requests with the same events in different orders would otherwise
wait for each other (deadlock), so the ORDER BYs are not ornaments.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from django.db import connection

from usage.ingestion.events import IncomingEvent
from usage.ingestion.resolving import Resolution
from usage.models import QuarantinedEvent
from usage.rollups.columns import column, numbers
from usage.rollups.rules import Contribution


class Resolved(msgspec.Struct, frozen=True):
    """An event with the time it counts at and what was decided about it."""

    event: IncomingEvent
    occurred_at: datetime
    resolution: Resolution


# Adds what the `fresh` events contribute to their rollups. Grain: one contribution per event and meter; `bundle` numbers the
# rollups that this statement moves. The primary key of usage_rollup is both the conflict target and the order of locking.
_ROLL_UP: Final = """
moved AS (
  SELECT c.bundle, count(*) AS event_count, sum(c.value) AS value_sum, max(c.value) AS value_max
  FROM unnest(string_to_array(%(contribution_key)s, chr(30))::uuid[], %(contribution_bundle)s::int[],
              string_to_array(%(contribution_value)s, chr(30))::numeric[]) AS c(key, bundle, value)
  JOIN fresh USING (key)
  GROUP BY c.bundle
),
rolled AS (
  INSERT INTO usage_rollup AS r
    (customer_id, meter_id, day, dimensions_key, dimensions, event_count, value_sum, value_max)
  SELECT b.customer_id, b.meter_id, b.day, b.dimensions_key, b.dimensions, m.event_count, m.value_sum, m.value_max
  FROM moved m
  JOIN unnest(%(bundle)s::int[], %(bundle_customer)s::bigint[], %(bundle_meter)s::bigint[],
              string_to_array(%(bundle_day)s, chr(30))::date[],
              string_to_array(%(bundle_dimensions_key)s, chr(30))::uuid[],
              string_to_array(%(bundle_dimensions)s, chr(30))::jsonb[])
    AS b(bundle, customer_id, meter_id, day, dimensions_key, dimensions) USING (bundle)
  ORDER BY b.customer_id, b.meter_id, b.day, b.dimensions_key
  ON CONFLICT (customer_id, meter_id, day, dimensions_key) DO UPDATE SET
    event_count = r.event_count + excluded.event_count,
    value_sum = r.value_sum + excluded.value_sum,
    value_max = greatest(r.value_max, excluded.value_max)
)
"""

# Claims the keys; what is fresh becomes an event or, with a reason, a row in quarantine. Returns the keys that were not fresh.
_STORE: Final = f"""
WITH incoming AS MATERIALIZED (
  SELECT * FROM unnest(
    string_to_array(%(key)s, chr(30))::uuid[], string_to_array(%(content)s, chr(30))::uuid[],
    string_to_array(%(occurred_at)s, chr(30))::timestamptz[], string_to_array(%(customer_id)s, chr(30), '')::bigint[],
    string_to_array(%(subject)s, chr(30)), string_to_array(%(event_type)s, chr(30)),
    string_to_array(%(source)s, chr(30)), string_to_array(%(event_id)s, chr(30)),
    string_to_array(%(data)s, chr(30))::jsonb[],
    string_to_array(%(reason)s, chr(30), ''), string_to_array(%(detail)s, chr(30), '')
  ) AS t(key, content, occurred_at, customer_id, subject, event_type, source, event_id, data, reason, detail)
),
fresh AS (
  INSERT INTO usage_eventkey (key, content) SELECT key, content FROM incoming ORDER BY key
  ON CONFLICT (key) DO NOTHING RETURNING key
),
stored AS (
  INSERT INTO usage_event (key, occurred_at, received_at, customer_id, subject, event_type, source, event_id, data)
  SELECT key, occurred_at, %(received_at)s, customer_id, subject, event_type, source, event_id, data
  FROM incoming JOIN fresh USING (key) WHERE reason IS NULL
),
waiting AS (
  INSERT INTO usage_quarantinedevent
    (key, content, occurred_at, received_at, subject, event_type, source, event_id, data, reason, detail, status)
  SELECT key, content, occurred_at, %(received_at)s, subject, event_type, source, event_id, data, reason,
         coalesce(detail, ''), 'waiting'
  FROM incoming JOIN fresh USING (key) WHERE reason IS NOT NULL
),
{_ROLL_UP}
SELECT replace(i.key::text, '-', '') FROM incoming i LEFT JOIN fresh USING (key) WHERE fresh.key IS NULL
"""  # noqa: S608 (constants only)


def store(resolved: Sequence[Resolved], *, now: datetime) -> set[str]:
    """
    Claim the keys of these events (each key once) and store what is fresh, moving its rollups.

    Return the keys that were claimed before, whose events this call has not stored. Must run in a transaction.
    """
    ordered = sorted(resolved, key=lambda each: each.event.key)
    events = [each.event for each in ordered]
    parameters: dict[str, Any] = {
        "received_at": now,
        "key": column([event.key for event in events]),
        "content": column([event.content for event in events]),
        "occurred_at": column([each.occurred_at.isoformat() for each in ordered]),
        "customer_id": column([str(each.resolution.customer_id or "") for each in ordered]),
        "subject": column([event.subject for event in events]),
        "event_type": column([event.event_type for event in events]),
        "source": column([event.source for event in events]),
        "event_id": column([event.event_id for event in events]),
        "data": column([event.data_json for event in events]),
        "reason": column([each.resolution.reason for each in ordered]),
        "detail": column([each.resolution.detail for each in ordered]),
    }
    parameters |= contribution_columns([(each.event.key, each.resolution) for each in ordered])
    with connection.cursor() as cursor:
        cursor.execute(_STORE, parameters)
        return {key for (key,) in cursor.fetchall()}


def contribution_columns(decided: Sequence[tuple[str, Resolution]]) -> dict[str, Any]:
    """Return the parameters of the part that moves rollups, for (key, resolution) pairs."""
    bundles: dict[tuple[int, int, str, str], int] = {}
    dimensions: list[str] = []
    keys: list[str] = []
    numbered: list[int] = []
    values: list[str] = []
    for key, resolution in decided:
        for contribution in resolution.contributions:
            rollup = _rollup_key(resolution, contribution)
            bundle = bundles.get(rollup)
            if bundle is None:
                bundle = bundles[rollup] = len(bundles)
                dimensions.append(contribution.dimensions)
            keys.append(key)
            numbered.append(bundle)
            values.append(contribution.value)
    return {
        "contribution_key": column(keys),
        "contribution_bundle": numbers(numbered),
        "contribution_value": column(values),
        "bundle": numbers(range(len(bundles))),
        "bundle_customer": numbers([rollup[0] for rollup in bundles]),
        "bundle_meter": numbers([rollup[1] for rollup in bundles]),
        "bundle_day": column([rollup[2] for rollup in bundles]),
        "bundle_dimensions_key": column([rollup[3] for rollup in bundles]),
        "bundle_dimensions": column(dimensions),
    }


def _rollup_key(resolution: Resolution, contribution: Contribution) -> tuple[int, int, str, str]:
    if resolution.customer_id is None:
        raise ValueError("an event that belongs to nobody contributes nothing")
    return resolution.customer_id, contribution.meter_id, contribution.day, contribution.dimensions_key


_CONTENTS: Final = """
SELECT replace(key::text, '-', ''), replace(content::text, '-', '') FROM usage_eventkey
WHERE key = ANY(string_to_array(%s, chr(30))::uuid[])
"""


def contents_of(keys: set[str]) -> dict[str, str]:
    """Return the content digest of claimed keys. Needs a statement of its own, to see what others have just committed."""
    with connection.cursor() as cursor:
        cursor.execute(_CONTENTS, [column(sorted(keys))])
        return dict(cursor.fetchall())


_CONFLICTS: Final = """
INSERT INTO usage_quarantinedevent
  (key, content, occurred_at, received_at, subject, event_type, source, event_id, data, reason, detail, status)
SELECT key, content, occurred_at, %(received_at)s, subject, event_type, source, event_id, data, %(reason)s, %(detail)s, 'waiting'
FROM unnest(
  string_to_array(%(key)s, chr(30))::uuid[], string_to_array(%(content)s, chr(30))::uuid[],
  string_to_array(%(occurred_at)s, chr(30))::timestamptz[], string_to_array(%(subject)s, chr(30)),
  string_to_array(%(event_type)s, chr(30)), string_to_array(%(source)s, chr(30)), string_to_array(%(event_id)s, chr(30)),
  string_to_array(%(data)s, chr(30))::jsonb[]
) AS t(key, content, occurred_at, subject, event_type, source, event_id, data)
ORDER BY key, content
ON CONFLICT (key, content) DO NOTHING
"""


def keep_conflicts(events: Sequence[IncomingEvent], *, detail: str, now: datetime) -> None:
    """Put events whose id was taken by other content into quarantine, once per content."""
    parameters: dict[str, Any] = {
        "received_at": now,
        "reason": QuarantinedEvent.Reason.CONFLICT.value,
        "detail": detail,
        "key": column([event.key for event in events]),
        "content": column([event.content for event in events]),
        "occurred_at": column([(event.occurred_at or now).isoformat() for event in events]),
        "subject": column([event.subject for event in events]),
        "event_type": column([event.event_type for event in events]),
        "source": column([event.source for event in events]),
        "event_id": column([event.event_id for event in events]),
        "data": column([event.data_json for event in events]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CONFLICTS, parameters)


# Grain: one row of the quarantine. `fresh` takes part in _ROLL_UP, as above.
_REPLAY: Final = f"""
WITH fresh AS (
  UPDATE usage_quarantinedevent q SET status = 'replayed', resolved_at = %(now)s
  FROM unnest(%(id)s::bigint[], %(customer)s::bigint[]) AS r(id, customer_id)
  WHERE q.id = r.id AND q.status = 'waiting'
  RETURNING q.key, q.occurred_at, q.received_at, r.customer_id, q.subject, q.event_type, q.source, q.event_id, q.data
),
stored AS (
  INSERT INTO usage_event (key, occurred_at, received_at, customer_id, subject, event_type, source, event_id, data)
  SELECT * FROM fresh
),
{_ROLL_UP}
SELECT count(*) FROM fresh
"""  # noqa: S608 (constants only)


def store_replayed(decided: Sequence[tuple[int, str, Resolution]], *, now: datetime) -> int:
    """
    Turn quarantined rows (row id, event key, resolution) into events, moving their rollups; return how many.

    The rows must be locked by this transaction; each becomes an event once at most.
    """
    parameters: dict[str, Any] = {
        "now": now,
        "id": numbers([row_id for row_id, _key, _resolution in decided]),
        "customer": numbers([resolution.customer_id or 0 for _row_id, _key, resolution in decided]),
    }
    parameters |= contribution_columns([(key, resolution) for _row_id, key, resolution in decided])
    with connection.cursor() as cursor:
        cursor.execute(_REPLAY, parameters)
        return int(cursor.fetchone()[0])
