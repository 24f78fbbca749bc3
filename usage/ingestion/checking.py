"""Tell a well-formed event from a malformed one, naming every bad field and what to write instead."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from django.conf import settings
from django.utils.translation import gettext as _

from usage.ingestion.events import IncomingEvent, incoming_event
from usage.rollups import numbers

LONGEST_TEXT: Final = 255  # characters of source, id, type and subject
# Usage may be as old as it likes, but a clock that says 1970 is broken, and each month of events is a partition.
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request and one event may hold. Each refusal names the setting."""

    max_bytes: int
    max_count: int
    max_depth: int  # objects and lists inside one another; data itself is the first
    max_keys: int  # members of data, nested ones included
    future_seconds: int  # how far ahead of our clock a sender's may be


def limits() -> Limits:
    """Return the limits that the settings SQUILL_EVENTS_… give."""
    return Limits(
        max_bytes=settings.SQUILL_EVENTS_MAX_BYTES,
        max_count=settings.SQUILL_EVENTS_MAX_COUNT,
        max_depth=settings.SQUILL_EVENTS_MAX_DEPTH,
        max_keys=settings.SQUILL_EVENTS_MAX_KEYS,
        future_seconds=settings.SQUILL_EVENTS_FUTURE_SECONDS,
    )


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one event. `index` counts from 0; None means the request as a whole."""

    index: int | None
    field: str  # the member, with dots into data; empty for the event as a whole
    message: str  # what is wrong and what to write instead

    def __str__(self) -> str:
        where = [] if self.index is None else [_("event %(index)d") % {"index": self.index}]
        return ": ".join([" ".join([*where, *([self.field] if self.field else [])]), self.message]).removeprefix(": ")


class MalformedEvents(Exception):
    """The request cannot be taken, and nothing of it was stored. `problems` names every bad event and field."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


class EventChecker:
    """Reads decoded JSON objects as events, collecting what is wrong with them. One per request."""

    def __init__(self, *, limits: Limits, now: datetime, specversion_required: bool) -> None:
        self.problems: list[Problem] = []
        self._limits = limits
        self._latest = now + timedelta(seconds=limits.future_seconds)
        self._specversion_required = specversion_required

    def read(self, index: int, sent: Any) -> IncomingEvent | None:
        """Return the event, or None after noting its problems."""
        if type(sent) is not dict:
            self._note(index, "", _("must be a JSON object"))
            return None
        before = len(self.problems)
        source, event_id = self._text(index, sent, "source"), self._text(index, sent, "id")
        event_type, subject = self._text(index, sent, "type"), self._text(index, sent, "subject")
        self._check_envelope(index, sent)
        occurred_at = self._time(index, sent.get("time"))
        data = self._data(index, sent.get("data"))
        if len(self.problems) > before:
            return None
        return incoming_event(
            source=source, event_id=event_id, event_type=event_type, subject=subject, occurred_at=occurred_at, data=data
        )

    def _note(self, index: int, field: str, message: str) -> None:
        self.problems.append(Problem(index, field, message))

    def _text(self, index: int, sent: dict[str, Any], field: str) -> str:
        value = sent.get(field)
        if type(value) is str and 0 < len(value) <= LONGEST_TEXT and value.isprintable():
            return value
        if value is None:
            self._note(index, field, _("is missing: write a text of 1 to %(most)d characters") % {"most": LONGEST_TEXT})
        elif type(value) is not str:
            self._note(index, field, _("must be a text in quotes"))
        elif not value:
            self._note(index, field, _("must not be empty"))
        elif len(value) > LONGEST_TEXT:
            message = _("has %(length)d characters: at most %(most)d")
            self._note(index, field, message % {"length": len(value), "most": LONGEST_TEXT})
        else:
            self._note(index, field, _("holds a character that cannot be printed: leave it out"))
        return ""

    def _check_envelope(self, index: int, sent: dict[str, Any]) -> None:
        version = sent.get("specversion")
        if version != "1.0" and (version is not None or self._specversion_required):
            self._note(index, "specversion", _('must be "1.0"'))
        if sent.get("data_base64") is not None:
            self._note(index, "data_base64", _("binary data cannot be metered: send a JSON object in data"))
        content_type = sent.get("datacontenttype")
        if content_type is not None and not is_json(content_type):
            self._note(index, "datacontenttype", _("must be application/json, or left out"))

    def _time(self, index: int, value: Any) -> datetime | None:
        if value is None:
            return None
        try:
            if type(value) is not str:
                raise ValueError("not a text")
            instant = msgspec.convert(value, _Instant)
            if instant.tzinfo is not UTC:
                instant = instant.astimezone(UTC)
        except (ValueError, OverflowError):  # msgspec.ValidationError is a ValueError
            self._note(index, "time", _("must be an instant with its offset, such as 2026-03-01T12:30:00Z"))
            return None
        if instant > self._latest:
            self._note(
                index,
                "time",
                _("lies more than %(seconds)d seconds in the future (SQUILL_EVENTS_FUTURE_SECONDS): check the clock")
                % {"seconds": self._limits.future_seconds},
            )
        elif instant < EARLIEST:
            self._note(index, "time", _("lies before the year %(year)d: check the clock") % {"year": EARLIEST.year})
        return instant

    def _data(self, index: int, value: Any) -> dict[str, Any]:
        if value is None:
            return {}
        if type(value) is not dict:
            self._note(index, "data", _("must be a JSON object"))
            return {}
        if len(value) <= self._limits.max_keys and all(map(_is_plain, value, value.values())):
            return value
        keys = 0
        for depth, path, key, member in _members(value):
            if depth > self._limits.max_depth:
                self._note(
                    index,
                    path,
                    _("is nested more than %(most)d deep (SQUILL_EVENTS_MAX_DEPTH)") % {"most": self._limits.max_depth},
                )
                break
            if key is not None:
                keys += 1
                if not key.isprintable():
                    self._note(index, path, _("a name in data holds a character that cannot be printed: leave it out"))
            kind = type(member)
            if kind is str:
                if "\0" in member:
                    self._note(index, path, _("holds the character NUL, which cannot be stored: leave it out"))
            elif kind is numbers.BadNumber or (kind is int and not numbers.fits(member)):
                self._note(index, path, _("is a number of more than 60 digits: send it as a text"))
        if keys > self._limits.max_keys:
            message = _("has %(count)d members: at most %(most)d (SQUILL_EVENTS_MAX_KEYS)")
            self._note(index, "data", message % {"count": keys, "most": self._limits.max_keys})
        return value


def is_json(content_type: Any) -> bool:
    """Say whether a media type is JSON: application/json, or any …+json, with or without parameters."""
    if type(content_type) is not str:
        return False
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type in ("application/json", "text/json") or media_type.endswith("+json")


def _is_plain(key: str, member: Any) -> bool:
    """Say whether a member is beyond doubt, as nearly all are; the others are looked at closely."""
    if not key.isprintable():
        return False
    kind = type(member)
    if kind is str:
        return "\0" not in member
    return kind is Decimal or kind is bool or member is None or (kind is int and numbers.fits(member))


def _members(data: dict[str, Any]) -> Iterator[tuple[int, str, str | None, Any]]:
    """Yield (depth, path, name or None in a list, value) of everything in data, without recursion."""
    pending: list[tuple[int, str, dict[str, Any] | list[Any]]] = [(1, "data", data)]
    while pending:
        depth, path, holder = pending.pop()
        if isinstance(holder, dict):
            for key, member in holder.items():
                here = f"{path}.{key}"
                yield depth, here, key, member
                if isinstance(member, dict | list):
                    pending.append((depth + 1, here, member))
        else:
            for position, member in enumerate(holder):
                here = f"{path}[{position}]"
                yield depth, here, None, member
                if isinstance(member, dict | list):
                    pending.append((depth + 1, here, member))
