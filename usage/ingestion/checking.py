"""Tell a well-formed event from a malformed one, naming every bad field and what to write instead."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from django.conf import settings
from django.utils.translation import gettext as _

from usage.encoding import numbers
from usage.ingestion.events import IncomingEvent, SentEvent, incoming_events

LONGEST_TEXT: Final = 255  # characters of source, id, type and subject that SQUILL_EVENTS_MAX_TEXT may allow at most
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
    max_text: int  # characters of source, id, type and subject
    max_name: int  # characters of the name of a member of data
    future_seconds: int  # how far ahead of our clock a sender's may be
    past_days: int | None  # how old usage may be; None: as old as EARLIEST


def limits(*, backfill: bool = False) -> Limits:
    """Return the limits that the settings SQUILL_EVENTS_… give; what is backfilled may be older than SQUILL_EVENTS_PAST_DAYS."""
    return Limits(
        max_bytes=settings.SQUILL_EVENTS_MAX_BYTES,
        max_count=settings.SQUILL_EVENTS_MAX_COUNT,
        max_depth=settings.SQUILL_EVENTS_MAX_DEPTH,
        max_keys=settings.SQUILL_EVENTS_MAX_KEYS,
        max_text=settings.SQUILL_EVENTS_MAX_TEXT,
        max_name=settings.SQUILL_EVENTS_MAX_NAME,
        future_seconds=settings.SQUILL_EVENTS_FUTURE_SECONDS,
        past_days=None if backfill else settings.SQUILL_EVENTS_PAST_DAYS or None,
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


def window(limits: Limits, now: datetime) -> tuple[datetime, datetime]:
    """Return the first and the last instant, both included, at which usage may have happened."""
    oldest = EARLIEST if limits.past_days is None else max(EARLIEST, now - timedelta(days=limits.past_days))
    return oldest, now + timedelta(seconds=limits.future_seconds)


class EventChecker:
    """Reads decoded JSON objects as events, collecting what is wrong with them. One per request."""

    def __init__(self, *, limits: Limits, now: datetime, specversion_required: bool) -> None:
        self.problems: list[Problem] = []
        self._limits = limits
        self._earliest, self._latest = window(limits, now)
        self._specversion_required = specversion_required

    def read(self, index: int, sent: Any) -> IncomingEvent | None:
        """Return the event with its identity, or None after noting its problems."""
        event = self.check(index, sent)
        return None if event is None else incoming_events([event])[0]

    def check(self, index: int, sent: Any) -> SentEvent | None:
        """Return the event, or None after noting its problems."""
        if type(sent) is not dict:
            self._note(index, "", _("must be a JSON object"))
            return None
        before = len(self.problems)
        source, event_id = self._text(index, sent, "source"), self._text(index, sent, "id")
        event_type, subject = self._text(index, sent, "type"), self._text(index, sent, "subject")
        self._check_envelope(index, sent)
        occurred_at = self._time(index, sent.get("time"))
        data = self.check_data(index, sent.get("data"))
        if len(self.problems) > before:
            return None
        return SentEvent(
            source=source, event_id=event_id, event_type=event_type, subject=subject, occurred_at=occurred_at, data=data
        )

    def _note(self, index: int, field: str, message: str) -> None:
        self.problems.append(Problem(index, field, message))

    def _text(self, index: int, sent: dict[str, Any], field: str) -> str:
        value, most = sent.get(field), self._limits.max_text
        if type(value) is str and 0 < len(value) <= most and value.isprintable():
            return value
        if value is None:
            self._note(index, field, _("is missing: write a text of 1 to %(most)d characters") % {"most": most})
        elif type(value) is not str:
            self._note(index, field, _("must be a text in quotes"))
        elif not value:
            self._note(index, field, _("must not be empty"))
        elif len(value) > most:
            message = _("has %(length)d characters: at most %(most)d (SQUILL_EVENTS_MAX_TEXT)")
            self._note(index, field, message % {"length": len(value), "most": most})
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
        elif instant < self._earliest:
            message = _(
                "lies more than %(days)d days in the past (SQUILL_EVENTS_PAST_DAYS): send older usage with a key that has the "
                "scope events:backfill, or by load_events"
            )
            self._note(index, "time", message % {"days": self._limits.past_days})
        return instant

    def check_data(self, index: int, value: Any) -> dict[str, Any]:
        """Return the data of an event, after noting what is wrong with it."""
        if value is None:
            return {}
        if type(value) is not dict:
            self._note(index, "data", _("must be a JSON object"))
            return {}
        if len(value) <= self._limits.max_keys and all(_is_plain(name, each, self._limits) for name, each in value.items()):
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
                if len(key) > self._limits.max_name:
                    message = _("a name in data has more than %(most)d characters (SQUILL_EVENTS_MAX_NAME)")
                    self._note(index, "data", message % {"most": self._limits.max_name})
                elif not key.isprintable():
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


def _is_plain(key: str, member: Any, limits: Limits) -> bool:
    """Say whether a member is beyond doubt, as nearly all are; the others are looked at closely."""
    if len(key) > limits.max_name or not key.isprintable():
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
