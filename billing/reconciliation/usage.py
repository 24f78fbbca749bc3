"""I1 and I2: identities and corrections of events; rollups recomputed from raw events in SQL, by other code than what counts."""

from collections.abc import Iterator

from django.db import connection

# Every stored event has its identity, no identity stands twice, and none is without what it is the identity of (once months
# are put away, check_put_away counts instead).
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
  AND NOT EXISTS (SELECT 1 FROM usage_putawaymonth)
"""

# Grain: customer, meter, local day, dimension values. `raw` reads every event once for each meter of its type; a number is
# what a meter takes (zero or more, below 10^15, at most 12 decimals). What it cannot take was counted for nothing, and so was
# an event with a dimension that is no short text. What was corrected counts no more. What was put away counts as what it added
# up to; the days of a month that is not counted yet are left out. MATERIALIZED, since the planner would take the tests of the
# text for so rare that it loops over all customers.
_ROLLUPS = r"""
WITH raw AS MATERIALIZED (
  SELECT e.customer_id, m.id AS meter_id, (e.occurred_at AT TIME ZONE c.timezone)::date AS day,
         (SELECT coalesce(jsonb_object_agg(d, coalesce(e.data ->> d, e.data #>> string_to_array(d, '.'))), '{}')
          FROM unnest(m.dimensions) AS d) AS dimensions,
         CASE WHEN m.value_path = '' THEN '1'
              ELSE coalesce(e.data ->> m.value_path, e.data #>> string_to_array(m.value_path, '.')) END AS text
  FROM usage_event e
  JOIN usage_meter m ON m.event_type = e.event_type
  JOIN customers_customer c ON c.id = e.customer_id
  WHERE NOT EXISTS (SELECT 1 FROM usage_correction v WHERE v.event_key = e.key)
  AND NOT EXISTS (
    SELECT 1 FROM unnest(m.dimensions) AS d, coalesce(e.data -> d, e.data #> string_to_array(d, '.')) AS sent
    WHERE jsonb_typeof(sent) IN ('object', 'array') OR length(sent #>> '{}') > 255
  )
),
valued AS (
  SELECT *, text::numeric AS value FROM raw WHERE text ~ '^[+-]?[0-9]{1,60}([.][0-9]*)?([eE][+-]?[0-9]{1,2})?$'
),
counted AS (
  SELECT customer_id, meter_id, day, dimensions, count(*) AS n, sum(value) AS s, max(value) AS x
  FROM valued WHERE value >= 0 AND value < 1e15 AND scale(trim_scale(value)) <= 12 GROUP BY 1, 2, 3, 4
  UNION ALL SELECT customer_id, meter_id, day, dimensions, event_count, value_sum, value_max FROM usage_putawayrollup
),
again AS (
  SELECT customer_id, meter_id, day, dimensions, sum(n)::bigint AS n, sum(s) AS s, max(x) AS x FROM counted GROUP BY 1, 2, 3, 4
)
SELECT c.external_id, m.code, coalesce(a.day, r.day), coalesce(a.dimensions, r.dimensions)::text,
       r.event_count, r.value_sum, r.value_max, a.n, a.s, a.x
FROM again a
FULL JOIN usage_rollup r
  ON (r.customer_id, r.meter_id, r.day, r.dimensions) = (a.customer_id, a.meter_id, a.day, a.dimensions)
JOIN customers_customer c ON c.id = coalesce(a.customer_id, r.customer_id)
JOIN usage_meter m ON m.id = coalesce(a.meter_id, r.meter_id)
WHERE (r.event_count, r.value_sum, r.value_max) IS DISTINCT FROM (a.n, a.s, a.x)
AND NOT EXISTS (
  SELECT 1 FROM usage_putawaymonth p WHERE p.counted_at IS NULL
  AND coalesce(a.day, r.day) BETWEEN p.month - 1 AND (p.month + interval '1 month')::date
)
ORDER BY 1, 2, 3, 4
"""


# Every correction is of an event that is stored as the correction says, and what replaces it is stored, of the same customer.
# Events of months that were put away are not looked for: their keys prove that they were taken in.
_CORRECTIONS = """
SELECT v.source, v.event_id, 'is of an event that was never taken in' FROM usage_correction v
WHERE NOT EXISTS (SELECT 1 FROM usage_eventkey k WHERE k.key = v.event_key)
UNION ALL
SELECT v.source, v.event_id, 'differs from the event that it is of' FROM usage_correction v
JOIN usage_event e ON e.key = v.event_key
WHERE (e.customer_id, e.source, e.event_id, e.event_type, e.subject, e.occurred_at)
   <> (v.customer_id, v.source, v.event_id, v.event_type, v.subject, v.occurred_at)
UNION ALL
SELECT v.source, v.event_id, 'is replaced by ' || v.replacement_id || ', which was never taken in' FROM usage_correction v
WHERE v.replacement_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM usage_eventkey k WHERE k.key = v.replacement_key)
UNION ALL
SELECT v.source, v.event_id, 'is replaced by ' || v.replacement_id || ' of another customer' FROM usage_correction v
JOIN usage_event e ON e.key = v.replacement_key
WHERE (e.customer_id, e.source, e.event_id) <> (v.customer_id, v.replacement_source, v.replacement_id)
UNION ALL
SELECT v.source, v.event_id, 'is not in the audit trail' FROM usage_correction v
WHERE v.batch = '' AND NOT EXISTS (
  SELECT 1 FROM customers_auditevent a
  WHERE a.object_type = 'event' AND a.object_id = replace(v.event_key::text, '-', ''))
UNION ALL
SELECT 'bulk void', v.batch, 'is not in the audit trail' FROM (SELECT DISTINCT batch FROM usage_correction WHERE batch <> '') v
WHERE NOT EXISTS (SELECT 1 FROM customers_auditevent a WHERE a.object_type = 'events' AND a.object_id = v.batch)
"""


def check_corrections() -> Iterator[str]:
    """I1, I9: name every correction that is of no event, or whose replacement or author is missing. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_CORRECTIONS)
        for source, event_id, what in cursor.fetchall():
            yield f"I1 correction {source} {event_id} {what}"


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
