"""
The quick way through a body of events: a few calls read and check all of them at once.

It decides nothing. What it takes, the careful way (decoding, checking) would take, and would make the same of it; where it
is in doubt about anything it returns None, and the careful way finds the words for it.
"""

from datetime import datetime
from itertools import chain
from typing import Annotated, Any, Final, Literal

import msgspec

from usage.encoding import exact_json, numbers
from usage.ingestion.checking import EventChecker, Limits, window
from usage.ingestion.events import SentEvent

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_DIGITS_TO_ZERO: Final = bytes.maketrans(b"123456789", b"000000000")
_TOO_MANY_DIGITS: Final = b"0" * (numbers.MOST_DIGITS + 1)


class _Envelope(SentEvent, kw_only=True, gc=False, rename={"event_id": "id", "event_type": "type", "occurred_at": "time"}):
    """A CloudEvent as it comes; its extension members are read over."""

    source: _Text
    event_id: _Text
    event_type: _Text
    subject: _Text
    occurred_at: _Instant | None = None
    specversion: Literal["1.0"] | None = None
    datacontenttype: Literal["application/json"] | None = None
    data_base64: None = None


class Read(msgspec.Struct, frozen=True):
    """Events that are beyond doubt, but for members that an object may hold twice."""

    events: list[_Envelope]
    data_lines: bytes  # of all events, as exact_json.encode_text writes it
    may_have_twins: bool


_one: Final = msgspec.json.Decoder(_Envelope, float_hook=numbers.from_json)
_many: Final = msgspec.json.Decoder(list[_Envelope], float_hook=numbers.from_json)


def read(body: bytes, *, form: str, limits: Limits, now: datetime) -> Read | None:
    """
    Read a JSON body: an `object`, an `array`, or `either`. Only the last may leave specversion out.

    Return None where anything may be wrong.
    """
    is_array = form == "array" or (form == "either" and body.lstrip()[:1] == b"[")
    try:
        events = _many.decode(body) if is_array else [_one.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # a ValidationError is a DecodeError
        return None
    if not 0 < len(events) <= limits.max_count:
        return None
    if form != "either" and any([event.specversion is None for event in events]):
        return None
    if not (_texts_are_fine(events, limits) and _times_are_fine(events, limits, now)):
        return None
    datas = [event.data for event in events]
    text = exact_json.encode_text(datas)
    if not _datas_are_fine(datas, text, limits, now):
        return None
    return Read(events, text, may_have_twins=b"\\" in body or body.count(b'"') != _quotes(events, text))


def _texts_are_fine(events: list[_Envelope], limits: Limits) -> bool:
    texts = [text for event in events for text in (event.source, event.event_id, event.event_type, event.subject)]
    return max(map(len, texts)) <= limits.max_text and "".join(texts).isprintable()


def _times_are_fine(events: list[_Envelope], limits: Limits, now: datetime) -> bool:
    times = [event.occurred_at for event in events if event.occurred_at is not None]
    earliest, latest = window(limits, now)
    return not times or (earliest <= min(times) and max(times) <= latest)


def _datas_are_fine(datas: list[dict[str, Any]], text: bytes, limits: Limits, now: datetime) -> bool:
    names = list(chain.from_iterable(datas))
    is_flat = text.count(b"{") == len(datas) and b"[" not in text
    if (
        is_flat
        and max(map(len, datas)) <= limits.max_keys
        and "".join(names).isprintable()
        and (not names or max(map(len, names)) <= limits.max_name)
        and b"\\u0000" not in text
        and _TOO_MANY_DIGITS not in text.translate(_DIGITS_TO_ZERO)
    ):
        return True
    checker = EventChecker(limits=limits, now=now, specversion_required=False)
    for index, data in enumerate(datas):
        checker.check_data(index, data)
    return not checker.problems


def _quotes(events: list[_Envelope], text: bytes) -> int:
    """
    Count the quotation marks of what was read, whose data is `text`.

    A body without escapes has just as many, unless it holds members that were read over: the first of two with one name, or
    extensions. Those only ever add.
    """
    strings = 8 * len(events)  # source, id, type and subject, with their names
    strings += 2 * sum([event.occurred_at is not None for event in events])
    strings += 2 * sum([event.specversion is not None for event in events])
    strings += 2 * sum([event.datacontenttype is not None for event in events])
    strings += sum([bool(event.data) for event in events])
    return 2 * strings + text.count(b'"')
