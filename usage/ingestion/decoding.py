"""
Read the body of a request as events: CloudEvents 1.0 over HTTP in its three modes, plain JSON of the same shape, NDJSON.

Everything is read and checked before anything is stored; all bad events are named at once.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from django.utils.translation import gettext as _

from usage.encoding import exact_json
from usage.ingestion import quick
from usage.ingestion.checking import EventChecker, Limits, MalformedEvents, Problem, is_json
from usage.ingestion.events import IncomingEvent, incoming_events

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
PLAIN: Final = "application/json"
LINES: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl")
# A high surrogate without a low one after it, or a low one without a high one before.
_HALF_PAIR: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class UnsupportedBody(Exception):
    """The Content-Type is none that events come in (415)."""


class TooMuch(Exception):
    """The request is larger than the settings allow (413)."""


def decode_request(body: bytes, *, headers: Mapping[str, str], limits: Limits, now: datetime) -> list[IncomingEvent]:
    """
    Read a request body by its Content-Type; `headers` are looked up in lower case.

    Binary mode is told by ce-… headers and needs no Content-Type. Members of an event that Squill does not know (CloudEvents
    extensions) are allowed and not kept.

    :raises MalformedEvents: if any event is malformed; it names all of them
    :raises UnsupportedBody: if the Content-Type is none of these
    :raises TooMuch: if there are more bytes or events than the limits allow
    """
    if len(body) > limits.max_bytes:
        message = _("the body has more than %(most)d bytes (SQUILL_EVENTS_MAX_BYTES): send smaller batches")
        raise TooMuch(message % {"most": limits.max_bytes})
    content_type = headers.get("content-type", "")
    media_type, _semicolon, parameters = content_type.partition(";")
    media_type = media_type.strip().lower()
    _require_utf8(parameters)
    if media_type == STRUCTURED:
        return _decode_json_body(body, form="object", limits=limits, now=now)
    if media_type == BATCH:
        return _decode_json_body(body, form="array", limits=limits, now=now)
    if "ce-specversion" in headers or "ce-id" in headers:
        return _decode_binary(body, content_type=content_type, headers=headers, limits=limits, now=now)
    if media_type == PLAIN:
        return _decode_json_body(body, form="either", limits=limits, now=now)
    if media_type in LINES:
        return _decode_lines(body, limits=limits, now=now)
    raise UnsupportedBody(
        _("Content-Type %(type)r carries no events: use %(structured)s, %(batch)s, %(plain)s or %(lines)s")
        % {"type": content_type, "structured": STRUCTURED, "batch": BATCH, "plain": PLAIN, "lines": LINES[0]}
    )


def _require_utf8(parameters: str) -> None:
    for parameter in parameters.split(";"):
        name, _equals, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedBody(_("the charset must be utf-8"))


def _decode_json_body(body: bytes, *, form: str, limits: Limits, now: datetime) -> list[IncomingEvent]:
    quickly = quick.read(body, form=form, limits=limits, now=now)
    if quickly is not None:
        if quickly.may_have_twins:
            read_json(body)  # whole, since the quick way reads over what is no member of an event
        return incoming_events(quickly.events, quickly.data_lines)
    sent = read_json(body)
    if form == "object" and type(sent) is not dict:
        message = _("the body must be one JSON object; send arrays as %(type)s")
        raise MalformedEvents([Problem(None, "", message % {"type": BATCH})])
    if form == "array" and type(sent) is not list:
        raise MalformedEvents([Problem(None, "", _("the body must be a JSON array of events"))])
    if type(sent) not in (dict, list):
        raise MalformedEvents([Problem(None, "", _("the body must be a JSON object or an array of them"))])
    listed: list[Any] = sent if type(sent) is list else [sent]
    return _check(listed, limits=limits, now=now, specversion_required=form != "either")


def _decode_lines(body: bytes, *, limits: Limits, now: datetime) -> list[IncomingEvent]:
    listed: list[Any] = []
    problems: list[Problem] = []
    for line in body.splitlines():
        if not line.strip():
            continue
        try:
            listed.append(read_json(line))
        except MalformedEvents as error:
            problems += [Problem(len(listed), problem.field, problem.message) for problem in error.problems]
            listed.append(None)
        if len(listed) > limits.max_count:
            break
    unread = {problem.index for problem in problems}
    return _check(listed, limits=limits, now=now, specversion_required=False, problems=problems, skipped=unread)


def _decode_binary(
    body: bytes, *, content_type: str, headers: Mapping[str, str], limits: Limits, now: datetime
) -> list[IncomingEvent]:
    if content_type and not is_json(content_type):
        raise UnsupportedBody(_("Content-Type %(type)r: the data of an event must be JSON") % {"type": content_type})
    event: dict[str, Any] = {
        name: unquote(headers[f"ce-{name}"])
        for name in ("specversion", "id", "source", "type", "subject", "time")
        if f"ce-{name}" in headers
    }
    if body.strip():
        event["data"] = read_json(body)
    return _check([event], limits=limits, now=now, specversion_required=True)


def _check(
    listed: list[Any],
    *,
    limits: Limits,
    now: datetime,
    specversion_required: bool,
    problems: list[Problem] | None = None,
    skipped: set[int | None] | None = None,
) -> list[IncomingEvent]:
    if len(listed) > limits.max_count:
        raise TooMuch(
            _("the request holds more than %(most)d events (SQUILL_EVENTS_MAX_COUNT): send smaller batches")
            % {"most": limits.max_count}
        )
    if not listed:
        raise MalformedEvents([Problem(None, "", _("the request holds no event"))])
    checker = EventChecker(limits=limits, now=now, specversion_required=specversion_required)
    checker.problems += problems or []
    events = [checker.check(index, sent) for index, sent in enumerate(listed) if not skipped or index not in skipped]
    if checker.problems:
        raise MalformedEvents(sorted(checker.problems, key=lambda problem: problem.index or 0))
    return incoming_events([event for event in events if event is not None])


def read_json(text: bytes) -> Any:
    """
    Read JSON strictly: exact numbers, UTF-8, and no member given twice.

    :raises MalformedEvents: if it is not such JSON; the place is named
    """
    try:
        value = exact_json.decode(text)
    except _UNREADABLE as error:
        raise MalformedEvents([Problem(None, "", _why_unreadable(error, text))]) from None
    # A member that was given twice is missing from the value, and its colon with it. Counting colons is exact as long as
    # nothing is escaped (an escape may hide a colon), and costs a thousandth of reading twice.
    if b"\\" in text or exact_json.encode(value).count(b":") != text.count(b":"):
        _refuse_duplicates(text)
    return value


def _why_unreadable(error: Exception, text: bytes) -> str:
    if isinstance(error, RecursionError):
        return _("the JSON is nested too deeply")
    if isinstance(error, UnicodeDecodeError):
        return _("the text is not UTF-8")
    if _HALF_PAIR.search(text):
        return _("not valid JSON: half of a surrogate pair (\\ud800 to \\udfff) is not a character")
    return _("not valid JSON: %(why)s") % {"why": str(error).removeprefix("JSON is malformed: ")}


class _DuplicateMember(Exception):
    """Carries the name of a member that an object gives twice."""


def _refuse_duplicates(text: bytes) -> None:
    """
    Read the JSON again, slowly, to find members that are given twice.

    :raises MalformedEvents: naming the event (where the body is an array) and the member
    """
    try:
        json.loads(text, object_pairs_hook=_marked, parse_float=str, parse_int=str)
    except RecursionError as error:
        raise MalformedEvents([Problem(None, "", _why_unreadable(error, text))]) from None
    except _DuplicateMember:
        tree = json.loads(text, object_pairs_hook=_Pairs, parse_float=str, parse_int=str)
        tops = list(enumerate(tree)) if type(tree) is list else [(None, tree)]
        problems = [Problem(index, name, _("is given twice: leave one out")) for index, top in tops for name in _twice(top, "")]
        raise MalformedEvents(problems) from None


class _Pairs(list[tuple[str, Any]]):
    """The members of an object in their order, doubled ones included."""


def _marked(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _value in pairs}) < len(pairs):
        raise _DuplicateMember
    return


def _twice(value: Any, path: str) -> list[str]:
    found: list[str] = []
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for name, member in value:
            here = f"{path}.{name}" if path else name
            if name in seen:
                found.append(here)
            seen.add(name)
            found += _twice(member, here)
    elif isinstance(value, list):
        for position, member in enumerate(value):
            found += _twice(member, f"{path}[{position}]")
    return found
