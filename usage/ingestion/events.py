"""What goes into ingestion and what comes out: an event as it was sent, its identity, and its fate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

import msgspec

from usage.encoding import exact_json


class IncomingEvent(msgspec.Struct, frozen=True, gc=False):
    """
    One well-formed event, as its sender wrote it. Made by `incoming_event` and `incoming_events`.

    `key` and `content` are BLAKE2b-128 digests (32 hex digits): `key` of (source, id), which is the event's identity;
    `content` of all else that was sent, so that a retry can be told from a conflict (ADR-0006).
    """

    source: str
    event_id: str
    event_type: str
    subject: str
    occurred_at: datetime | None  # UTC; None where the sender gave no time: the time of receipt then stands in
    data: dict[str, Any]  # JSON values; numbers are int or Decimal, never float
    data_json: str  # the same, canonical
    key: str
    content: str


class SentEvent(msgspec.Struct, kw_only=True, gc=False, rename={"event_id": "id", "event_type": "type", "occurred_at": "time"}):
    """The members of a CloudEvent that Squill keeps, checked or to be checked, before it has an identity."""

    source: str
    event_id: str
    event_type: str
    subject: str
    occurred_at: datetime | None = None
    data: dict[str, Any] = {}


def incoming_event(
    *, source: str, event_id: str, event_type: str, subject: str, occurred_at: datetime | None, data: dict[str, Any]
) -> IncomingEvent:
    """
    Make an event with its identity. `occurred_at` must be aware; numbers in `data` must be int, Decimal or strings.

    Texts and data are taken as they are: `usage.ingestion.checking` is what refuses bad ones.
    """
    sent = SentEvent(source=source, event_id=event_id, event_type=event_type, subject=subject, occurred_at=occurred_at, data=data)
    return incoming_events([sent])[0]


def incoming_events(sent: Sequence[SentEvent], data_lines: bytes | None = None) -> list[IncomingEvent]:
    """
    Give events their identities, many at once: what one call can do for all of them, one call does.

    `data_lines` is their data as exact_json.encode_text writes it, where that is at hand.
    """
    if data_lines is None:
        data_lines = exact_json.encode_text([event.data for event in sent])
    instants = [_utc(event.occurred_at) for event in sent]
    texts = data_lines.decode().split("\n")[:-1]
    times = exact_json.encode_lines(instants)  # "2026-03-01T12:00:00Z" or null
    names = exact_json.encode_lines([(event.source, event.event_id) for event in sent])
    kinds = exact_json.encode_lines([(event.event_type, event.subject) for event in sent])
    return [
        IncomingEvent(
            event.source,
            event.event_id,
            event.event_type,
            event.subject,
            instant,
            event.data,
            text,
            _digest(name),
            # The JSON list [type, subject, time, data]; the time as Python writes it, with +00:00.
            _digest(b"%b,%b,%b]" % (kind[:-1], time if instant is None else time[:-2] + b'+00:00"', line)),
        )
        for event, instant, line, text, time, name, kind in zip(
            sent, instants, data_lines.splitlines(), texts, times, names, kinds, strict=True
        )
    ]


_BLANK: Final = blake2b(digest_size=16)


def _digest(text: bytes) -> str:
    # Copied, which takes half the time of making one.
    digest = _BLANK.copy()
    digest.update(text)
    return digest.hexdigest()


def _utc(instant: datetime | None) -> datetime | None:
    return instant if instant is None or instant.tzinfo is UTC else instant.astimezone(UTC)


class Outcome(StrEnum):
    """What became of an event. In each case it is kept durably, and sending it again does no harm."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one event of a request; `reason` is a QuarantinedEvent.Reason, empty unless quarantined."""

    outcome: Outcome
    reason: str = ""
    detail: str = ""  # one sentence for the sender
