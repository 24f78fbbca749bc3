"""I1 and I2: identities and corrections of events; rollups recomputed from raw events in SQL, by other code than what counts."""

from collections.abc import Iterator, Sequence

from django.db import connection, transaction

from usage.encoding.identity import event_key
from usage.models import Correction
from usage.models.event import UTC_DAY
from usage.rollups.recounting import COLUMNS, recounted

_NAMES = ("events", "sum", "min", "max", "weight", "latest at", "latest event", "latest")

# No identity stands for two events, and none is without what it is the identity of. That the keys are those of the events is
# checked by `_events_without_key`; of months that were put away, check_put_away counts instead.
_KEYS = f"""
SELECT e.source, e.event_id, 'is stored ' || count(*) || ' times' FROM usage_event e
GROUP BY e.source, e.event_id HAVING count(*) > 1
UNION ALL
SELECT q.source, q.event_id, 'waits in quarantine without an identity'
FROM usage_quarantinedevent q LEFT JOIN usage_eventkey k USING (key) WHERE q.status = 'waiting' AND k.key IS NULL
UNION ALL
SELECT 'with identity', k.key::text, 'was taken in and is gone' FROM usage_eventkey k
WHERE k.customer_id IS NULL AND NOT EXISTS (SELECT 1 FROM usage_quarantinedevent q WHERE q.key = k.key)
UNION ALL
SELECT 'of ' || c.external_id, 'on ' || coalesce(e.day, k.day),
       'and others: ' || coalesce(e.n, 0) || ' are stored, with ' || coalesce(k.n, 0) || ' identities'
FROM (SELECT e.customer_id, {UTC_DAY} AS day, count(*) AS n FROM usage_event e GROUP BY 1, 2) e
FULL JOIN (SELECT customer_id, day, count(*) AS n FROM usage_eventkey WHERE customer_id IS NOT NULL GROUP BY 1, 2) k
  USING (customer_id, day)
JOIN customers_customer c ON c.id = customer_id
WHERE e.n IS DISTINCT FROM k.n
  AND NOT EXISTS (SELECT 1 FROM usage_putawaymonth p WHERE p.month = date_trunc('month', coalesce(e.day, k.day))::date)
"""  # noqa: S608 (constants only)
# One after the other, since SQL cannot work out a key.
_EVENTS = f"SELECT e.source, e.event_id, e.customer_id, {UTC_DAY} FROM usage_event e"  # noqa: S608
_PLACES = "SELECT replace(key::text, '-', ''), customer_id, day FROM usage_eventkey WHERE key = ANY(%s::uuid[])"
_AT_ONCE = 5000

# Grain: customer, meter, local day, dimension values, item. What was put away counts as what it added up to; the days of a month
# that is not counted yet are left out.
_KEPT = "r.event_count, r.value_sum, r.value_min, r.value_max, r.value_weight, r.latest_at, r.latest_event, r.value_latest"
_ROLLUPS = f"""
WITH counted AS MATERIALIZED (
  SELECT {COLUMNS} FROM ({recounted("usage_event")}) AS now_there
  UNION ALL SELECT {COLUMNS} FROM usage_putawayrollup
),
again AS (
  SELECT customer_id, meter_id, day, dimensions, item, sum(event_count)::bigint AS event_count, sum(value_sum) AS value_sum,
         min(value_min) AS value_min, max(value_max) AS value_max, sum(value_weight) AS value_weight,
         max(latest_at) AS latest_at,
         (array_agg(latest_event ORDER BY latest_at DESC, latest_event COLLATE "C" DESC))[1] AS latest_event,
         (array_agg(value_latest ORDER BY latest_at DESC, latest_event COLLATE "C" DESC))[1] AS value_latest
  FROM counted GROUP BY customer_id, meter_id, day, dimensions, item
)
SELECT c.external_id, m.code, coalesce(a.day, r.day), coalesce(a.dimensions, r.dimensions)::text, {_KEPT},
       {_KEPT.replace("r.", "a.")}
FROM again a
FULL JOIN usage_rollup r
  ON (r.customer_id, r.meter_id, r.day, r.dimensions, coalesce(r.item, ''))
   = (a.customer_id, a.meter_id, a.day, a.dimensions, coalesce(a.item, ''))
JOIN customers_customer c ON c.id = coalesce(a.customer_id, r.customer_id)
JOIN usage_meter m ON m.id = coalesce(a.meter_id, r.meter_id)
WHERE ({_KEPT}) IS DISTINCT FROM ({_KEPT.replace("r.", "a.")})
AND NOT EXISTS (
  SELECT 1 FROM usage_putawaymonth p WHERE p.counted_at IS NULL
  AND coalesce(a.day, r.day) BETWEEN p.month - 1 AND (p.month + interval '1 month')::date
)
ORDER BY 1, 2, 3, 4
"""  # noqa: S608 (constants only)


# Every correction is of an event that is stored as the correction says, and what replaces it is stored, of the same customer.
# Events of months that were put away are not looked for: their keys prove that they were taken in.
_CORRECTIONS = """
SELECT v.source, v.event_id, 'is of an event that was never taken in' FROM usage_correction v
WHERE NOT EXISTS (SELECT 1 FROM usage_eventkey k WHERE k.key = v.event_key)
UNION ALL
SELECT v.source, v.event_id, 'differs from the event that it is of' FROM usage_correction v
JOIN usage_eventkey k ON k.key = v.event_key
JOIN usage_event e ON e.source = v.source AND e.event_id = v.event_id
JOIN customers_customer c ON c.id = e.customer_id
WHERE (e.customer_id, e.event_type, coalesce(e.subject, c.external_id), e.occurred_at)
   <> (v.customer_id, v.event_type, v.subject, v.occurred_at)
UNION ALL
SELECT v.source, v.event_id, 'is replaced by ' || v.replacement_id || ', which was never taken in' FROM usage_correction v
WHERE v.replacement_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM usage_eventkey k WHERE k.key = v.replacement_key)
UNION ALL
SELECT v.source, v.event_id, 'is replaced by ' || v.replacement_id || ' of another customer' FROM usage_correction v
JOIN usage_eventkey k ON k.key = v.replacement_key
WHERE k.customer_id IS DISTINCT FROM v.customer_id
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
    """I1, I9: name every correction that is of no event, or whose replacement or author is missing. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_CORRECTIONS)
        for source, event_id, what in cursor.fetchall():
            yield f"I1 correction {source} {event_id} {what}"
    for made in Correction.objects.iterator():
        if event_key(made.source, made.event_id) != made.event_key.hex:
            yield f"I1 correction {made.source} {made.event_id} differs from the event that it is of"
        if made.replacement_key and event_key(made.replacement_source, made.replacement_id) != made.replacement_key.hex:
            yield f"I1 correction {made.source} {made.event_id} differs from the event that replaces it"


def check_events() -> Iterator[str]:
    """I1: name every event whose identity is missing, doubled or elsewhere. Reads all events."""
    with connection.cursor() as cursor:
        cursor.execute(_KEYS)
        for source, event_id, what in cursor.fetchall():
            yield f"I1 event {source} {event_id} {what}"
    yield from _events_without_key()


def _events_without_key() -> Iterator[str]:
    with transaction.atomic(), connection.chunked_cursor() as events, connection.cursor() as keys:
        events.execute(_EVENTS)
        while rows := events.fetchmany(_AT_ONCE):
            wanted = {event_key(source, event_id): (source, event_id, *place) for source, event_id, *place in rows}
            keys.execute(_PLACES, [list(wanted)])
            found = {key: place for key, *place in keys.fetchall()}
            for key, (source, event_id, *place) in wanted.items():
                if key not in found:
                    yield f"I1 event {source} {event_id} has no identity"
                elif found[key] != place:
                    yield f"I1 event {source} {event_id} is not where its identity says"


def check_rollups() -> Iterator[str]:
    """I2: name every rollup that differs from a recomputation. One query over all events."""
    with connection.cursor() as cursor:
        cursor.execute(_ROLLUPS)
        for customer, meter, day, dimensions, *sums in cursor.fetchall():
            what = f"kept {_shown(sums[:8])}; counted again {_shown(sums[8:])}"
            yield f"I2 rollup {customer} {meter} {day} {dimensions}: {what}"


def _shown(values: Sequence[object]) -> str:
    known = [f"{name} {value}" for name, value in zip(_NAMES, values, strict=True) if value is not None]
    return ", ".join(known) or "nothing"
