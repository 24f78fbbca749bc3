"""I1 and I2: identities of events, and rollups recomputed from raw events in SQL, by other code than the one that counts."""

from collections.abc import Iterator

from django.db import connection

# Every stored event has its identity, no identity stands twice, and none is without what it is the identity of.
_KEYS = """
SELECT e.source, e.event_id, 'has no identity' FROM usage_event e LEFT JOIN usage_eventkey k USING (key) WHERE k.key IS NULL
UNION ALL
SELECT min(source), min(event_id), 'is stored ' || count(*) || ' times' FROM usage_event GROUP BY key HAVING count(*) > 1
UNION ALL
SELECT q.source, q.event_id, 'waits in quarantine without an identity'
FROM usage_quarantinedevent q LEFT JOIN usage_eventkey k USING (key) WHERE q.status = 'waiting' AND k.key IS NULL
UNION ALL
SELECT 'with identity', k.key::text, 'was taken in and is gone' FROM usage_eventkey k
WHERE NOT EXISTS (SELECT 1 FROM usage_event e WHERE e.key = k.key)
  AND NOT EXISTS (SELECT 1 FROM usage_quarantinedevent q WHERE q.key = k.key)
"""

# Grain: customer, meter, local day, dimension values. `raw` reads every event once for each meter of its type; a number is
# what a meter takes (zero or more, below 10^15, at most 12 decimals). What it cannot take was counted for nothing, and so was
# an event with a dimension that is no short text.
_ROLLUPS = r"""
WITH raw AS (
  SELECT e.customer_id, m.id AS meter_id, (e.occurred_at AT TIME ZONE c.timezone)::date AS day,
         (SELECT coalesce(jsonb_object_agg(d, coalesce(e.data ->> d, e.data #>> string_to_array(d, '.'))), '{}')
          FROM unnest(m.dimensions) AS d) AS dimensions,
         CASE WHEN m.value_path = '' THEN '1'
              ELSE coalesce(e.data ->> m.value_path, e.data #>> string_to_array(m.value_path, '.')) END AS text
  FROM usage_event e
  JOIN usage_meter m ON m.event_type = e.event_type
  JOIN customers_customer c ON c.id = e.customer_id
  WHERE NOT EXISTS (
    SELECT 1 FROM unnest(m.dimensions) AS d, coalesce(e.data -> d, e.data #> string_to_array(d, '.')) AS sent
    WHERE jsonb_typeof(sent) IN ('object', 'array') OR length(sent #>> '{}') > 255
  )
),
valued AS (
  SELECT *, text::numeric AS value FROM raw WHERE text ~ '^[+-]?[0-9]{1,60}([.][0-9]*)?([eE][+-]?[0-9]{1,2})?$'
),
again AS (
  SELECT customer_id, meter_id, day, dimensions, count(*) AS n, sum(value) AS s, max(value) AS x
  FROM valued WHERE value >= 0 AND value < 1e15 AND scale(trim_scale(value)) <= 12 GROUP BY 1, 2, 3, 4
)
SELECT c.external_id, m.code, coalesce(a.day, r.day), coalesce(a.dimensions, r.dimensions)::text,
       r.event_count, r.value_sum, r.value_max, a.n, a.s, a.x
FROM again a
FULL JOIN usage_rollup r
  ON (r.customer_id, r.meter_id, r.day, r.dimensions) = (a.customer_id, a.meter_id, a.day, a.dimensions)
JOIN customers_customer c ON c.id = coalesce(a.customer_id, r.customer_id)
JOIN usage_meter m ON m.id = coalesce(a.meter_id, r.meter_id)
WHERE (r.event_count, r.value_sum, r.value_max) IS DISTINCT FROM (a.n, a.s, a.x)
ORDER BY 1, 2, 3, 4
"""


def check_events() -> Iterator[str]:
    """I1: name every event whose identity is missing or doubled. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_KEYS)
        for source, event_id, what in cursor.fetchall():
            yield f"I1 event {source} {event_id} {what}"


def check_rollups() -> Iterator[str]:
    """I2: name every rollup that differs from a recomputation. One query over all events."""
    with connection.cursor() as cursor:
        cursor.execute(_ROLLUPS)
        for customer, meter, day, dimensions, *sums in cursor.fetchall():
            kept, again = tuple(sums[:3]), tuple(sums[3:])
            what = f"kept (events, sum, max) {_shown(kept)}, from events {_shown(again)}"
            yield f"I2 rollup {customer} {meter} {day} {dimensions}: {what}"


def _shown(values: tuple[object, ...]) -> str:
    return "nothing" if values[0] is None else ", ".join(str(value) for value in values)
