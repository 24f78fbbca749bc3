"""Bring quarantined events back once the reason that held them is gone."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection, transaction

from usage.encoding import exact_json
from usage.encoding.columns import column, numbers
from usage.ingestion import partitions, storing
from usage.ingestion.resolving import Resolution, directory
from usage.models import QuarantinedEvent

_BATCH: Final = 1000


class _Waiting(NamedTuple):
    row_id: int
    source: str
    event_id: str
    subject: str
    event_type: str
    occurred_at: datetime
    data: str  # JSON
    reason: str
    detail: str


# What another transaction replays is left to it. By the partial index quarantine_waiting.
_SELECT: Final = """
SELECT q.id, q.source, q.event_id, q.subject, q.event_type, q.occurred_at, q.data::text, q.reason, q.detail
FROM usage_quarantinedevent q WHERE q.status = 'waiting' AND q.id > %(after)s AND ({condition})
ORDER BY q.id LIMIT %(limit)s FOR UPDATE OF q SKIP LOCKED
"""
_REASON_GONE: Final = _SELECT.format(
    condition="""
  (q.reason = 'unknown_subject' AND EXISTS (
     SELECT 1 FROM customers_subject s JOIN customers_customer c ON c.id = s.customer_id
     WHERE s.key = q.subject AND c.archived_at IS NULL))
  OR (q.reason = 'unknown_type' AND EXISTS (SELECT 1 FROM usage_meter m WHERE m.event_type = q.event_type))
"""
)
_CHOSEN: Final = _SELECT.format(condition="q.id = ANY(%(ids)s::bigint[]) AND q.reason <> 'conflict'")
_OF_TYPE: Final = _SELECT.format(condition="q.event_type = %(event_type)s AND q.reason = 'unusable_value'")


def waiting_count() -> int:
    """Return how many events wait in quarantine. One query."""
    return QuarantinedEvent.objects.filter(status=QuarantinedEvent.Status.WAITING).count()


def replay_waiting(*, now: datetime, deadline: Callable[[], bool] = lambda: False) -> int:
    """
    Replay every quarantined event whose subject or type has become known; return how many now count.

    In batches of their own transactions, so that it can be stopped and run again, also twice at once. An event that then
    turns out to be unusable for another reason waits on, under that reason. Takes up no batch after the deadline.
    """
    return _replay(_REASON_GONE, {}, now=now, deadline=deadline)


def replay_chosen(row_ids: Sequence[int], *, now: datetime) -> int:
    """Try these rows of the quarantine again, whatever holds them (conflicts excepted); return how many now count."""
    return _replay(_CHOSEN, {"ids": numbers(row_ids)}, now=now)


def replay_unusable(event_type: str, *, now: datetime) -> int:
    """Try again the events of a type whose value was unusable, after a meter has changed; return how many now count."""
    return _replay(_OF_TYPE, {"event_type": event_type}, now=now)


def _replay(statement: str, parameters: dict[str, Any], *, now: datetime, deadline: Callable[[], bool] = lambda: False) -> int:
    replayed = after = 0
    while not deadline():
        with transaction.atomic():
            rows = _lock_batch(statement, parameters | {"after": after, "limit": _BATCH})
            replayed += _replay_batch(rows, now=now)
        if len(rows) < _BATCH:
            return replayed
        after = rows[-1].row_id
    return replayed


def _lock_batch(statement: str, parameters: dict[str, Any]) -> list[_Waiting]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [_Waiting(*row) for row in cursor.fetchall()]


def _replay_batch(rows: list[_Waiting], *, now: datetime) -> int:
    if not rows:
        return 0
    event_types = {row.event_type for row in rows}
    known = directory(subjects={row.subject for row in rows}, event_types=event_types)
    decided: list[tuple[_Waiting, str, Resolution]] = []
    for row in rows:
        data = exact_json.decode(row.data)
        resolution = known.resolve(row, row.occurred_at, data)
        decided.append((row, exact_json.encode(data).decode(), resolution))
    usable = [
        storing.Replayed(row.row_id, canonical, resolution) for row, canonical, resolution in decided if not resolution.reason
    ]
    _write_reasons(
        [(row, new) for row, _text, new in decided if new.reason and (new.reason, new.detail) != (row.reason, row.detail)]
    )
    if not usable:
        return 0
    partitions.make_missing(partitions.months_of([each.resolution.occurred_at for each in usable]))
    storing.store_replayed(usable, now=now)
    return len(usable)


_WRITE_REASONS: Final = """
UPDATE usage_quarantinedevent q SET reason = r.reason, detail = r.detail
FROM unnest(%s::bigint[], string_to_array(%s, chr(30)), string_to_array(%s, chr(30))) AS r(id, reason, detail)
WHERE q.id = r.id
"""


def _write_reasons(changed: list[tuple[_Waiting, Resolution]]) -> None:
    if not changed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE_REASONS,
            [
                numbers([row.row_id for row, _new in changed]),
                column([new.reason for _row, new in changed]),
                column([new.detail for _row, new in changed]),
            ],
        )
