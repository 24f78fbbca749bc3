"""
Store events: one set-based statement per request, in a transaction that then moves the rollups of what was fresh.

Keys are claimed in sorted order, and rollups moved in the order of theirs, after them. Two requests with the same events in
different orders would otherwise wait for each other (deadlock), so the ORDER BYs are not ornaments.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from django.db import connection

from squill.lib.decimals import exact
from usage.encoding import exact_json
from usage.encoding.columns import SEPARATOR, column, numbers
from usage.ingestion.events import IncomingEvent
from usage.ingestion.resolving import Customer, Resolution
from usage.models import QuarantinedEvent
from usage.models.event import UTC_DAY
from usage.rollups import writing
from usage.rollups.totals import Totals

# Claims the keys; what is fresh becomes an event or, with a reason, a row in quarantine. Returns the keys that were not fresh.
# A subject that is the customer's external id comes as null.
_STORE: Final = f"""
WITH incoming AS MATERIALIZED (
  SELECT * FROM unnest(
    string_to_array(%(key)s, chr(30))::uuid[], string_to_array(%(content)s, chr(30)),
    string_to_array(%(occurred_at)s, chr(30))::timestamptz[], string_to_array(%(customer_id)s, chr(30), '')::int[],
    string_to_array(%(subject)s, chr(30), ''), string_to_array(%(event_type)s, chr(30)),
    string_to_array(%(source)s, chr(30)), string_to_array(%(event_id)s, chr(30)), string_to_array(%(data)s, chr(30)),
    string_to_array(%(reason)s, chr(30), ''), string_to_array(%(detail)s, chr(30), '')
  ) AS t(key, content, occurred_at, customer_id, subject, event_type, source, event_id, data, reason, detail)
),
fresh AS (
  INSERT INTO usage_eventkey (key, content, customer_id, day)
  SELECT key, ('x' || content)::bit(64)::bigint, customer_id, CASE WHEN customer_id IS NOT NULL THEN {UTC_DAY} END
  FROM incoming e ORDER BY key
  ON CONFLICT (key) DO NOTHING RETURNING key
),
stored AS (
  INSERT INTO usage_event (occurred_at, received_at, customer_id, subject, event_type, source, event_id, data)
  SELECT occurred_at, %(received_at)s, customer_id, subject, event_type, source, event_id, data
  FROM incoming JOIN fresh USING (key) WHERE reason IS NULL
),
waiting AS (
  INSERT INTO usage_quarantinedevent
    (key, content, occurred_at, received_at, subject, event_type, source, event_id, data, reason, detail, status)
  SELECT i.key, w.content, i.occurred_at, %(received_at)s, i.subject, i.event_type, i.source, i.event_id, i.data::jsonb,
         i.reason, coalesce(i.detail, ''), 'waiting'
  FROM incoming i JOIN fresh USING (key)
  JOIN unnest(string_to_array(%(waiting_key)s, chr(30))::uuid[], string_to_array(%(waiting_content)s, chr(30))::uuid[])
    AS w(key, content) USING (key)
)
SELECT replace(i.key::text, '-', '') FROM incoming i LEFT JOIN fresh USING (key) WHERE fresh.key IS NULL
"""  # noqa: S608 (constants only)
CONTENT_DIGITS: Final = 16  # of the content that a key keeps


def store(events: Sequence[IncomingEvent], resolutions: Sequence[Resolution], *, now: datetime) -> set[str]:
    """
    Claim the keys of these events (each key once) and store what is fresh, as was decided about each, moving its rollups.

    Return the keys that were claimed before, whose events this call has not stored. Must run in a transaction.
    """
    waiting = [event for event, resolution in zip(events, resolutions, strict=True) if resolution.reason]
    customers = [resolution.customer or _NOBODY for resolution in resolutions]
    parameters: dict[str, Any] = {
        "received_at": now,
        "key": column([event.key for event in events]),
        "content": column([event.content[:CONTENT_DIGITS] for event in events]),
        "occurred_at": instants([resolution.occurred_at for resolution in resolutions]),
        "customer_id": column([str(customer.customer_id or "") for customer in customers]),
        # Empty for null, which stands for the customer's external id.
        "subject": column(
            [
                "" if event.subject == customer.external_id else event.subject
                for event, customer in zip(events, customers, strict=True)
            ]
        ),
        "event_type": column([event.event_type for event in events]),
        "source": column([event.source for event in events]),
        "event_id": column([event.event_id for event in events]),
        "data": column([event.data_json for event in events]),
        "reason": column([resolution.reason for resolution in resolutions]) if waiting else "",
        "detail": column([resolution.detail for resolution in resolutions]) if waiting else "",
        "waiting_key": column([event.key for event in waiting]),
        "waiting_content": column([event.content for event in waiting]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_STORE, parameters)
        taken = {key for (key,) in cursor.fetchall()}
    if taken:
        resolutions = [each for event, each in zip(events, resolutions, strict=True) if event.key not in taken]
    move_rollups(resolutions)
    return taken


_NOBODY: Final = Customer(0, "", "")


def instants(values: Sequence[datetime]) -> str:
    """Return a column of instants. One call writes them all: isoformat costs more than all else that is done to an event."""
    return b"".join(exact_json.encode_lines(values)).decode().replace('""', SEPARATOR).replace('"', "")


def move_rollups(resolutions: Sequence[Resolution]) -> None:
    """Add events that were stored in this transaction to their rollups. One statement."""
    totals = Totals()
    with exact():
        for resolution in resolutions:
            if resolution.customer is not None and resolution.moment is not None:
                totals.add(resolution.customer.customer_id, resolution.moment, resolution.readings)
    writing.add(totals)


_CONTENTS: Final = """
SELECT replace(key::text, '-', ''), lpad(to_hex(content), 16, '0') FROM usage_eventkey
WHERE key = ANY(string_to_array(%s, chr(30))::uuid[])
"""


def contents_of(keys: set[str]) -> dict[str, str]:
    """
    Return what claimed keys keep of the content: its first 16 hex digits.

    Needs a statement of its own, to see what others have just committed.
    """
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
        "occurred_at": instants([event.occurred_at or now for event in events]),
        "subject": column([event.subject for event in events]),
        "event_type": column([event.event_type for event in events]),
        "source": column([event.source for event in events]),
        "event_id": column([event.event_id for event in events]),
        "data": column([event.data_json for event in events]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CONFLICTS, parameters)


# Grain: one row of the quarantine, which the caller has locked. The identity was claimed when the event came.
_REPLAY: Final = f"""
WITH e AS (
  UPDATE usage_quarantinedevent q SET status = 'replayed', resolved_at = %(now)s
  FROM unnest(%(id)s::bigint[], %(customer)s::int[], string_to_array(%(data)s, chr(30))) AS r(id, customer_id, data)
  WHERE q.id = r.id AND q.status = 'waiting'
  RETURNING q.key, q.occurred_at, q.received_at, r.customer_id, q.subject, q.event_type, q.source, q.event_id, r.data
),
placed AS (
  UPDATE usage_eventkey k SET customer_id = e.customer_id, day = {UTC_DAY} FROM e WHERE k.key = e.key
)
INSERT INTO usage_event (occurred_at, received_at, customer_id, subject, event_type, source, event_id, data)
SELECT e.occurred_at, e.received_at, e.customer_id, nullif(e.subject, c.external_id), e.event_type, e.source, e.event_id, e.data
FROM e JOIN customers_customer c ON c.id = e.customer_id
"""  # noqa: S608 (constants only)


class Replayed(msgspec.Struct, frozen=True):
    """A row of the quarantine that can be counted now."""

    row_id: int
    data_json: str  # canonical
    resolution: Resolution


def store_replayed(decided: Sequence[Replayed], *, now: datetime) -> None:
    """
    Turn quarantined rows into events, moving their rollups.

    The rows must be waiting and locked by this transaction; each becomes an event once at most.
    """
    parameters: dict[str, Any] = {
        "now": now,
        "id": numbers([each.row_id for each in decided]),
        "customer": numbers([each.resolution.customer.customer_id for each in decided if each.resolution.customer]),
        "data": column([each.data_json for each in decided]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_REPLAY, parameters)
    move_rollups([each.resolution for each in decided])
