import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.usage.builders import NOW
from usage.ingestion import IncomingEvent
from usage.ingestion.checking import Limits, MalformedEvents
from usage.ingestion.decoding import TooMuch, UnsupportedBody, decode_request

LIMITS = Limits(
    max_bytes=100_000, max_count=20, max_depth=3, max_keys=5, max_text=255, max_name=20, future_seconds=3600, past_days=40
)
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "app",
    "type": "api.call",
    "subject": "acme",
    "time": "2026-03-10T13:00:00+02:00",
    "data": {"bytes": 3},
}
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


def _decode(body: Any, content_type: str = "application/json", **headers: str) -> list[IncomingEvent]:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {"content-type": content_type} if content_type else {}
    return decode_request(
        sent, headers=names | {name.replace("_", "-"): value for name, value in headers.items()}, limits=LIMITS, now=NOW
    )


def _problems(body: Any, content_type: str = "application/json", **headers: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(MalformedEvents) as caught:
        _decode(body, content_type, **headers)
    return [(problem.index, problem.field, problem.message) for problem in caught.value.problems]


def _with(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (EVENT | changes).items() if value != "absent"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (EVENT, STRUCTURED),
        (EVENT, "application/cloudevents+json; charset=UTF-8"),
        ([EVENT], BATCH),
        (EVENT, "application/json"),
        ([EVENT], "Application/JSON"),
        (_with(specversion="absent"), "application/json"),
        (json.dumps(EVENT).encode() + b"\r\n\n", "application/x-ndjson"),
        (json.dumps(EVENT | {"traceparent": "00-1", "datacontenttype": "application/json"}).encode(), "application/json"),
    ],
)
def test_one_event_reads_the_same_in_every_form(body: Any, content_type: str) -> None:
    [event] = _decode(body, content_type)

    assert (event.source, event.event_id, event.event_type, event.subject) == ("app", "1", "api.call", "acme")
    assert event.occurred_at == datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
    assert (event.data, event.data_json) == ({"bytes": 3}, '{"bytes":3}')


@pytest.mark.parametrize("content_type", ["", "application/json", "application/json; charset=utf-8"])
def test_binary_mode_takes_the_event_from_headers(content_type: str) -> None:
    [event] = _decode(
        {"bytes": 3},
        content_type,
        ce_specversion="1.0",
        ce_id="1",
        ce_source="app",
        ce_type="api.call",
        ce_subject="Z%C3%BCrich%20%25",
        ce_time="2026-03-10T11:00:00Z",
    )

    assert (event.subject, event.data) == ("Zürich %", {"bytes": 3})
    assert event.occurred_at == datetime(2026, 3, 10, 11, 0, tzinfo=UTC)


def test_binary_mode_without_body_has_no_data() -> None:
    [event] = _decode(b"", "", ce_specversion="1.0", ce_id="1", ce_source="app", ce_type="t", ce_subject="acme")

    assert (event.data, event.occurred_at) == ({}, None)


def test_binary_mode_names_missing_headers() -> None:
    missing = "is missing: write a text of 1 to 255 characters"
    assert _problems(b"", "", ce_specversion="1.0", ce_source="app", ce_type="t") == [(0, "id", missing), (0, "subject", missing)]


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("", {}),
        ("text/plain", {}),
        ("application/xml", {}),
        ("application/json; charset=latin-1", {}),
        ("text/plain", {"ce_specversion": "1.0", "ce_id": "1"}),
    ],
)
def test_other_types_of_body_are_refused(content_type: str, headers: dict[str, str]) -> None:
    with pytest.raises(UnsupportedBody):
        _decode(EVENT, content_type, **headers)


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"id": "absent"}, "id", "is missing: write a text of 1 to 255 characters"),
        ({"source": None}, "source", "is missing: write a text of 1 to 255 characters"),
        ({"type": 5}, "type", "must be a text in quotes"),
        ({"subject": ""}, "subject", "must not be empty"),
        ({"subject": "s" * 256}, "subject", "has 256 characters: at most 255 (SQUILL_EVENTS_MAX_TEXT)"),
        ({"id": "a\0"}, "id", "holds a character that cannot be printed: leave it out"),
        ({"id": "a\n"}, "id", "holds a character that cannot be printed: leave it out"),
        ({"specversion": "0.3"}, "specversion", 'must be "1.0"'),
        ({"specversion": 1}, "specversion", 'must be "1.0"'),
        ({"time": "2026-03-10T11:00:00"}, "time", "must be an instant with its offset, such as 2026-03-01T12:30:00Z"),
        ({"time": "2026-03-10"}, "time", "must be an instant with its offset, such as 2026-03-01T12:30:00Z"),
        ({"time": "yesterday"}, "time", "must be an instant with its offset, such as 2026-03-01T12:30:00Z"),
        ({"time": 1773140400}, "time", "must be an instant with its offset, such as 2026-03-01T12:30:00Z"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "time", "must be an instant with its offset, such as 2026-03-01T12:30:00Z"),
        ({"time": "1970-01-01T00:00:00Z"}, "time", "lies before the year 2000: check the clock"),
        ({"data": []}, "data", "must be a JSON object"),
        ({"data": "text"}, "data", "must be a JSON object"),
        ({"data_base64": "AA=="}, "data_base64", "binary data cannot be metered: send a JSON object in data"),
        ({"datacontenttype": "text/xml"}, "datacontenttype", "must be application/json, or left out"),
        ({"data": {"a": "x\0"}}, "data.a", "holds the character NUL, which cannot be stored: leave it out"),
        ({"data": {"a": [{"b": "\0"}]}}, "data.a[0].b", "holds the character NUL, which cannot be stored: leave it out"),
        ({"data": {"a": 10**60}}, "data.a", "is a number of more than 60 digits: send it as a text"),
        ({"data": {"a\x01": 1}}, "data.a\x01", "a name in data holds a character that cannot be printed: leave it out"),
        ({"data": {"a": {"b": {"c": {"d": 1}}}}}, "data.a.b.c.d", "is nested more than 3 deep (SQUILL_EVENTS_MAX_DEPTH)"),
        ({"data": {str(n): n for n in range(6)}}, "data", "has 6 members: at most 5 (SQUILL_EVENTS_MAX_KEYS)"),
    ],
)
def test_bad_field_is_named_with_what_to_do(changes: dict[str, Any], field: str, message: str) -> None:
    good = _with(id="other")
    assert _problems([good, _with(**changes)]) == [(1, field, message)]


def test_specversion_is_required_of_cloudevents() -> None:
    assert _problems(_with(specversion="absent"), STRUCTURED) == [(0, "specversion", 'must be "1.0"')]


def test_future_is_refused_beyond_the_allowance_only() -> None:
    at_limit = (NOW + timedelta(hours=1)).isoformat()
    beyond = (NOW + timedelta(hours=1, microseconds=1)).isoformat()

    assert len(_decode(_with(time=at_limit))) == 1
    message = "lies more than 3600 seconds in the future (SQUILL_EVENTS_FUTURE_SECONDS): check the clock"
    assert _problems(_with(time=beyond)) == [(0, "time", message)]


def test_every_bad_event_and_field_is_listed() -> None:
    problems = _problems([_with(id="", type=""), EVENT, "text", _with(data=1)])

    assert [problem[:2] for problem in problems] == [(0, "id"), (0, "type"), (2, ""), (3, "data")]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not valid JSON: Input data was truncated"),
        (b'{"id": "1"', "not valid JSON: Input data was truncated"),
        (b"[NaN]", "not valid JSON: invalid character (byte 1)"),
        (b'{"data": {"a": Infinity}}', "not valid JSON: invalid character (byte 15)"),
        (b'{"id": "\\ud800x"}', "not valid JSON: half of a surrogate pair (\\ud800 to \\udfff) is not a character"),
        (b'{"id": "\\udc00"}', "not valid JSON: half of a surrogate pair (\\ud800 to \\udfff) is not a character"),
        (b'{"id": "\xff"}', "the text is not UTF-8"),
        (b"[" * 100_000, "the JSON is nested too deeply"),
        (b"5", "the body must be a JSON object or an array of them"),
        (b"[]", "the request holds no event"),
        (b"1" * 5000, "not valid JSON: Integer value out of range"),
    ],
)
def test_what_is_no_json_or_no_event_is_refused_whole(body: bytes, message: str) -> None:
    assert _problems(body) == [(None, "", message)]


def test_array_is_no_structured_event_and_object_no_batch() -> None:
    assert _problems([EVENT], STRUCTURED)[0][2] == f"the body must be one JSON object; send arrays as {BATCH}"
    assert _problems(EVENT, BATCH)[0][2] == "the body must be a JSON array of events"


@pytest.mark.parametrize(
    ("body", "index", "field"),
    [
        (b'{"id": "1", "id": "1"}', None, "id"),
        (b'[{"id": "1"}, {"data": {"a": 1, "b": 2, "a": 1}}]', 1, "data.a"),
        (b'[{"data": {"x": [{"a": ":", "\\u0061": 1}]}}]', 0, "data.x[0].a"),
    ],
)
def test_member_given_twice_is_refused(body: bytes, index: int | None, field: str) -> None:
    assert _problems(body) == [(index, field, "is given twice: leave one out")]


def test_colons_and_escapes_in_texts_are_no_doubled_members() -> None:
    body = json.dumps(_with(data={"a": 'x":y', "b": "é\n:", "c:d": ":"}), ensure_ascii=True).encode()

    assert _decode(body)[0].data == {"a": 'x":y', "b": "é\n:", "c:d": ":"}


def test_bad_lines_of_ndjson_are_named() -> None:
    lines = b"\n".join([json.dumps(EVENT).encode(), b"{broken", json.dumps(_with(id="")).encode()])

    assert [problem[:2] for problem in _problems(lines, "application/x-ndjson")] == [(1, ""), (2, "id")]


def test_numbers_are_exact_and_their_spelling_does_not_matter() -> None:
    template = json.dumps(EVENT | {"data": {"n": "N"}})

    def decoded(number: str) -> IncomingEvent:
        return _decode(template.replace('"N"', number).encode())[0]

    assert decoded("0.1").data == {"n": Decimal("0.1")}
    assert decoded("123456789012345.123456789012").data_json == '{"n":123456789012345.123456789012}'
    assert type(decoded("1.0").data["n"]) is int
    for one, other in (("1", "1.0"), ("100", "1e2"), ("0.5", "5E-1"), ("0", "-0.0"), ("1.50", "1.5")):
        assert decoded(one).content == decoded(other).content
    assert decoded("1").content != decoded('"1"').content
    assert decoded("1").content != decoded("true").content


@pytest.mark.parametrize("number", ["1e400", "1e-400", "1e999999999", "0." + "1" * 61])
def test_absurd_numbers_are_refused_before_they_cost_anything(number: str) -> None:
    body = json.dumps(EVENT | {"data": {"n": "N"}}).replace('"N"', number).encode()

    assert _problems(body) == [(0, "data.n", "is a number of more than 60 digits: send it as a text")]


def test_order_of_members_does_not_make_another_event() -> None:
    one = _decode(_with(data={"a": 1, "b": {"c": 1, "d": 2}}))[0]
    other = _decode(_with(data={"b": {"d": 2, "c": 1}, "a": 1}))[0]

    assert (one.key, one.content) == (other.key, other.content)


def test_offset_of_the_time_does_not_make_another_event() -> None:
    assert _decode(EVENT)[0].content == _decode(_with(time="2026-03-10T11:00:00.000Z"))[0].content


def test_too_many_events_and_bytes_name_their_setting() -> None:
    with pytest.raises(TooMuch, match="more than 20 events \\(SQUILL_EVENTS_MAX_COUNT\\)"):
        _decode([EVENT] * 21)
    with pytest.raises(TooMuch, match="more than 20 events"):
        _decode(b"{}\n" * 21, "application/x-ndjson")
    with pytest.raises(TooMuch, match="more than 100000 bytes \\(SQUILL_EVENTS_MAX_BYTES\\)"):
        _decode(b" " * 100_001)
    assert len(_decode([_with(id=str(number)) for number in range(20)])) == 20
