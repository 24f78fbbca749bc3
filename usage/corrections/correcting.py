"""Void an event, or put another in its place: one transaction that writes the correction and moves the rollups."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from customers import audit
from customers.models import Customer
from squill.lib.actor import Actor
from usage.corrections.errors import CorrectionError
from usage.corrections.finding import StoredEvent, corrections_of, find_event, stored_events
from usage.corrections.moving import Meaning, Moved, move_rollups
from usage.ingestion import IncomingEvent, partitions
from usage.ingestion.resolving import Directory, directory
from usage.ingestion.storing import CONTENT_DIGITS, contents_of
from usage.models import Correction
from usage.models.event import UTC_DAY

LONGEST_REASON: Final = 500  # characters


@dataclass(frozen=True, slots=True)
class Corrected:
    """A correction, and the rollups it moved: none where it was made before."""

    correction: Correction
    moved: tuple[Moved, ...]
    is_new: bool


@transaction.atomic
def void_event(
    *, source: str, event_id: str, reason: str, actor: Actor, now: datetime, customer_id: int | None = None
) -> Corrected:
    """
    Take an event out of every count. Idempotent: what was voided or replaced before stays as it is and is returned.

    `customer_id` is the customer that the caller is narrowed to. Audited as event.voided.

    :raises CorrectionError: not_found, quarantined or bad_reason
    """
    check_reason(reason)
    event = find_event(source=source, event_id=event_id, customer_id=customer_id)
    written, moved = void_stored([event], reason=reason, actor=actor, now=now)
    correction = corrections_of([event.key])[event.key]
    if written:
        _audit("event.voided", correction, moved, actor=actor, now=now)
    return Corrected(correction, tuple(moved), is_new=bool(written))


def void_stored(
    events: Sequence[StoredEvent], *, reason: str, actor: Actor, now: datetime, batch: str = ""
) -> tuple[set[str], list[Moved]]:
    """
    Void events that are stored, in a transaction of the caller; return the keys that were not corrected before, and what moved.

    Writes no audit. Locks the events' corrections and then their rollups, each in sorted order.
    """
    known = directory(subjects=set(), event_types={event.event_type for event in events})
    written = _write(sorted(events, key=lambda event: event.key), reason=reason, actor=actor, now=now, batch=batch)
    voided = [event for event in events if event.key in written]
    if not voided:
        return written, []
    return written, move_rollups(voided=voided, added=None, meaning=_meaning(known, voided))


@transaction.atomic
def void_chosen(names: Sequence[tuple[str, str]], *, reason: str, actor: Actor, now: datetime) -> tuple[Moved, ...]:
    """
    Void the stored events with these sources and ids, all or none; return the rollups that moved.

    Those that were corrected before stay as they are. Each is audited as event.voided.

    :raises CorrectionError: bad_reason
    """
    check_reason(reason)
    written, moved = void_stored(stored_events(names), reason=reason, actor=actor, now=now)
    for correction in corrections_of(sorted(written)).values():
        _audit("event.voided", correction, moved, actor=actor, now=now)
    return tuple(moved)


@transaction.atomic
def replace_event(
    *,
    source: str,
    event_id: str,
    replacement: IncomingEvent,
    reason: str,
    actor: Actor,
    now: datetime,
    customer_id: int | None = None,
) -> Corrected:
    """
    Void an event and count another of the same customer in its place; without a time, it happened when the first did.

    Idempotent: the same replacement again is returned as it is. Audited as event.replaced.

    :raises CorrectionError: as void_event; already_corrected, if the event was voided or replaced otherwise; id_taken, if the
        replacement's source and id belong to an event; unusable, if it would not count for the same customer
    """
    check_reason(reason)
    event = find_event(source=source, event_id=event_id, customer_id=customer_id)
    known = directory(subjects={replacement.subject}, event_types={event.event_type, replacement.event_type})
    added = _counting(replacement, event, known)
    partitions.make_missing({partitions.month_of(added.occurred_at)})
    # The key before the correction: who asks for the same at the same time waits here, and then finds both.
    if not _claim(added, replacement.content):
        return Corrected(_same(event, replacement), (), is_new=False)
    if not _write([event], reason=reason, actor=actor, now=now, replacement=added):
        raise _corrected_before(corrections_of([event.key])[event.key])
    _store(added, now=now)
    moved = move_rollups(voided=[event], added=added, meaning=_meaning(known, [event]))
    correction = corrections_of([event.key])[event.key]
    _audit("event.replaced", correction, moved, actor=actor, now=now)
    return Corrected(correction, tuple(moved), is_new=True)


def check_reason(reason: str) -> None:
    """
    Refuse a reason that says nothing, or too much.

    :raises CorrectionError: bad_reason
    """
    if not reason.strip() or len(reason) > LONGEST_REASON or "\0" in reason:
        raise CorrectionError("bad_reason", _("Say why, in 1 to %(most)d characters.") % {"most": LONGEST_REASON})


def _counting(replacement: IncomingEvent, event: StoredEvent, known: Directory) -> StoredEvent:
    occurred_at = replacement.occurred_at or event.occurred_at
    if replacement.key == event.key:
        raise CorrectionError("id_taken", _("The replacement needs a source and id of its own."))
    resolution = known.resolve(replacement, occurred_at, replacement.data)
    if resolution.reason:
        raise CorrectionError("unusable", _("The replacement would not count: %(why)s.") % {"why": resolution.detail})
    if resolution.customer is None or resolution.customer.customer_id != event.customer_id:
        raise CorrectionError(
            "unusable", _("The replacement's subject is another customer's: void the event and send a new one.")
        )
    return StoredEvent(
        event.customer_id,
        occurred_at,
        replacement.source,
        replacement.event_id,
        replacement.event_type,
        replacement.subject,
        replacement.data_json,
    )


def _same(event: StoredEvent, replacement: IncomingEvent) -> Correction:
    """Return the correction that was made before, if it is the one that is asked for. The replacement's key is taken."""
    earlier = corrections_of([event.key]).get(event.key)
    if earlier is None:
        named = {"source": replacement.source, "id": replacement.event_id}
        raise CorrectionError("id_taken", _("Another event of %(source)s has the id %(id)s already.") % named)
    is_same = earlier.replacement_key is not None and earlier.replacement_key.hex == replacement.key
    if is_same and contents_of({replacement.key})[replacement.key] == replacement.content[:CONTENT_DIGITS]:
        return earlier
    raise _corrected_before(earlier)


def _corrected_before(earlier: Correction) -> CorrectionError:
    named = {"source": earlier.source, "id": earlier.event_id, "reason": earlier.reason}
    if earlier.replacement_key is None:
        message = _("The event %(id)s of %(source)s was voided before (%(reason)s): send a new event instead.") % named
    else:
        named["replacement"] = earlier.replacement_id
        message = _("The event %(id)s of %(source)s was replaced by %(replacement)s before: correct that one.") % named
    return CorrectionError("already_corrected", message)


def _meaning(known: Directory, events: Sequence[StoredEvent]) -> Meaning:
    """What the events count for. To be read while `directory` holds it still."""
    customers = Customer.objects.filter(pk__in={event.customer_id for event in events})
    return Meaning(known.rules, dict(customers.values_list("pk", "timezone")))


# Waits for whoever corrects the same event just now, and then writes nothing.
_WRITE: Final = """
INSERT INTO usage_correction
  (event_key, customer_id, source, event_id, event_type, subject, occurred_at, replacement_key, replacement_source,
   replacement_id, reason, actor_kind, actor_label, corrected_at, batch)
SELECT t.key, t.customer_id, t.source, t.event_id, t.event_type, t.subject, t.occurred_at, %(replacement_key)s::uuid,
       %(replacement_source)s, %(replacement_id)s, %(reason)s, %(actor_kind)s, %(actor_label)s, %(now)s, %(batch)s
FROM unnest(%(key)s::uuid[], %(customer_id)s::bigint[], %(source)s::text[], %(event_id)s::text[], %(event_type)s::text[],
            %(subject)s::text[], %(occurred_at)s::timestamptz[])
  AS t(key, customer_id, source, event_id, event_type, subject, occurred_at)
ORDER BY t.key ON CONFLICT (event_key) DO NOTHING RETURNING replace(event_key::text, '-', '')
"""


def _write(
    events: Sequence[StoredEvent],
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    batch: str = "",
    replacement: StoredEvent | None = None,
) -> set[str]:
    """Write the corrections; return the keys of the events that had none."""
    parameters: dict[str, Any] = {
        "key": [event.key for event in events],
        "customer_id": [event.customer_id for event in events],
        "source": [event.source for event in events],
        "event_id": [event.event_id for event in events],
        "event_type": [event.event_type for event in events],
        "subject": [event.subject for event in events],
        "occurred_at": [event.occurred_at for event in events],
        "replacement_key": replacement.key if replacement else None,
        "replacement_source": replacement.source if replacement else "",
        "replacement_id": replacement.event_id if replacement else "",
        "reason": reason,
        "actor_kind": actor.kind,
        "actor_label": actor.label,
        "now": now,
        "batch": batch,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, parameters)
        return {key for (key,) in cursor.fetchall()}


_CLAIM: Final = f"""
INSERT INTO usage_eventkey (key, content, customer_id, day)
SELECT key, ('x' || content)::bit(64)::bigint, customer_id, {UTC_DAY}
FROM (VALUES (%s::uuid, %s::text, %s::int, %s::timestamptz)) AS e(key, content, customer_id, occurred_at)
ON CONFLICT (key) DO NOTHING RETURNING key
"""  # noqa: S608 (constants only)
_STORE: Final = """
INSERT INTO usage_event (customer_id, occurred_at, source, event_id, event_type, subject, data, received_at)
SELECT c.id, %s, %s, %s, %s, nullif(%s, c.external_id), %s, %s FROM customers_customer c WHERE c.id = %s
"""


def _claim(added: StoredEvent, content: str) -> bool:
    """Take the identity of a new event, as ingestion does; False where somebody has it. Waits for who takes it just now."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [added.key, content[:CONTENT_DIGITS], added.customer_id, added.occurred_at])
        return cursor.fetchone() is not None


def _store(added: StoredEvent, *, now: datetime) -> None:
    facts: list[Any] = [added.occurred_at, added.source, added.event_id, added.event_type, added.subject, added.data]
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [*facts, now, added.customer_id])


def _audit(action: str, correction: Correction, moved: Sequence[Moved], *, actor: Actor, now: datetime) -> None:
    replacement = {"source": correction.replacement_source, "id": correction.replacement_id}
    audit.record(
        action=action,
        object_type="event",
        object_id=correction.event_key.hex,
        actor=actor,
        now=now,
        customer_id=correction.customer_id,
        before={"source": correction.source, "id": correction.event_id, "occurred_at": correction.occurred_at.isoformat()},
        after={"reason": correction.reason, "rollups": len(moved)} | ({"replacement": replacement} if replacement["id"] else {}),
    )
