"""What goes into ingestion and what comes out: an event as it was sent, its identity, and its fate."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from usage.rollups import exact_json


class IncomingEvent(msgspec.Struct, frozen=True, kw_only=True):
    """
    One well-formed event, as its sender wrote it. Made by `incoming_event`.

    `key` and `content` are BLAKE2b-128 digests (32 hex digits, stored as uuid): `key` of (source, id), which is the
    event's identity; `content` of all else that was sent, so that a retry can be told from a conflict (ADR-0006).
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


def incoming_event(
    *, source: str, event_id: str, event_type: str, subject: str, occurred_at: datetime | None, data: dict[str, Any]
) -> IncomingEvent:
    """
    Make an event with its identity. `occurred_at` must be aware; numbers in `data` must be int, Decimal or strings.

    Texts and data are taken as they are: `usage.ingestion.checking` is what refuses bad ones.
    """
    instant = occurred_at if occurred_at is None or occurred_at.tzinfo is UTC else occurred_at.astimezone(UTC)
    data_json = exact_json.encode(data)
    sent = [event_type, subject, None if instant is None else instant.isoformat(), msgspec.Raw(data_json)]
    return IncomingEvent(
        source=source,
        event_id=event_id,
        event_type=event_type,
        subject=subject,
        occurred_at=instant,
        data=data,
        data_json=data_json.decode(),
        key=exact_json.digest([source, event_id]),
        content=exact_json.digest(sent),
    )


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
