"""What the quick way through a body takes, the careful way takes too, and makes the same events of."""

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.usage.builders import NOW
from usage.ingestion import IncomingEvent, quick
from usage.ingestion.checking import EventChecker, Limits, MalformedEvents
from usage.ingestion.decoding import decode_request, read_json
from usage.ingestion.events import incoming_events

LIMITS = Limits(
    max_bytes=100_000, max_count=4, max_depth=3, max_keys=5, max_text=20, max_name=10, future_seconds=3600, past_days=40
)
HEAD = '"specversion":"1.0","id":"1","source":"app","type":"api.call","subject":"acme"'


def quickly(body: bytes, form: str = "either", limits: Limits = LIMITS) -> list[IncomingEvent] | None:
    """The events by the quick way as decoding takes it; None where it hands over."""
    found = quick.read(body, form=form, limits=limits, now=NOW)
    if found is None:
        return None
    if found.may_have_twins:
        read_json(body)
    return incoming_events(found.events, found.data_lines)


def carefully(body: bytes, form: str = "either", limits: Limits = LIMITS) -> list[IncomingEvent]:
    sent = read_json(body)
    listed = sent if isinstance(sent, list) else [sent]
    assert form != "array" or isinstance(sent, list)
    assert form != "object" or isinstance(sent, dict)
    assert 0 < len(listed) <= limits.max_count
    checker = EventChecker(limits=limits, now=NOW, specversion_required=form != "either")
    events = [checker.check(index, each) for index, each in enumerate(listed)]
    if checker.problems:
        raise MalformedEvents(checker.problems)
    return incoming_events([event for event in events if event is not None])


def agree(body: bytes, form: str = "either", limits: Limits = LIMITS) -> bool:
    """Compare both ways; say whether the quick one took the body."""
    try:
        quick_events = quickly(body, form, limits)
    except MalformedEvents:
        with pytest.raises(MalformedEvents):
            read_json(body)
        return False
    if quick_events is None:
        return False
    assert quick_events == carefully(body, form, limits)
    return True


def body_of(*members: str) -> bytes:
    return ("{" + ",".join([HEAD, *members]) + "}").encode()


@pytest.mark.parametrize(
    "body",
    [
        body_of(),
        body_of('"data":{}'),
        body_of('"time":"2026-03-10T11:00:00Z"'),
        body_of('"time":"2026-03-10T13:00:00.123456+02:00"', '"data":{"n":1}'),
        body_of('"time":"2026-03-10T06:30:00-03:30"', '"data":{"n":"1"}'),
        body_of('"time":null'),
        body_of('"datacontenttype":"application/json"', '"data_base64":null'),
        body_of('"traceparent":"00-1"', '"extension":{"a":[1,{"b":2}]}', '"data":{"n":1}'),
        body_of('"data":{"n":1.50,"m":1e3,"o":0.10,"p":-0.0,"q":12345678901234567890.5}'),
        body_of('"data":{"n":' + "9" * 60 + ',"m":-' + "9" * 60 + "}"),
        body_of('"data":{"n":{"m":{"o":1}}}'),
        body_of('"data":{"n":[1,"a",null,true]}'),
        body_of('"data":{"a":":x","b":"{","c":"a:b","d":"\\"e\\":1"}'),
        body_of('"data" : {"n" :1,"m"\n:\t2}'),
        body_of('"data":{"n":"' + "9" * 70 + '"}'),
        b" [" + body_of('"data":{"n":1}') + b"," + body_of('"data":{"n":2}') + b"] ",
    ],
)
def test_good_body_is_taken_and_gives_what_the_careful_way_gives(body: bytes) -> None:
    assert agree(body)


@pytest.mark.parametrize(
    "body",
    [
        body_of('"data":{"n":' + "9" * 61 + "}"),
        body_of('"data":{"n":-' + "9" * 61 + "}"),
        body_of('"data":{"n":' + "9" * 61 + ".5}"),
        body_of('"data":{"n":0.' + "0" * 60 + "1}"),
        body_of('"data":{"n":1e400}'),
        body_of('"data":{"n":[1e99999]}'),
        body_of('"data":{"n":"a\\u0000b"}'),
        body_of('"data":{"n\\u0000":1}'),
        body_of('"data":{"n":{"m":"\\u0000"}}'),
        body_of('"data":{"a":{"b":{"c":{"d":1}}}}'),
        body_of('"data":{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}'),
        body_of('"data":{"a":1,"b":2,"c":3,"d":{"e":5,"f":6}}'),
        body_of('"data":{"elevenchars":1}'),
        body_of('"data":[]'),
        body_of('"data":"text"'),
        body_of('"data":{"n":NaN}'),
        body_of('"data":{"n":"\\ud800"}'),
        body_of('"time":"2026-03-10T11:00:00"'),
        body_of('"time":1773140400'),
        body_of('"time":""'),
        body_of('"time":"2026-03-10T13:00:00.000001Z"'),  # an hour and more ahead
        body_of('"time":"2026-01-29T11:59:59.999999Z"'),  # 40 days and more ago
        body_of('"time":"0001-01-01T00:00:00+10:00"'),
        body_of('"data_base64":"AAAA"'),
        body_of('"datacontenttype":"text/plain"'),
        b"{" + HEAD.replace('"1.0"', '"1.1"').encode() + b"}",
        b"{" + HEAD.replace('"1"', '""').encode() + b"}",
        b"{" + HEAD.replace('"1"', '"123456789012345678901"').encode() + b"}",
        b"{" + HEAD.replace('"1"', "1").encode() + b"}",
        b"{" + HEAD.replace('"acme"', '"a\\u200bb"').encode() + b"}",
        b"{" + HEAD.replace('"acme"', "null").encode() + b"}",
        b"{" + HEAD.replace('"subject":"acme"', '"other":1').encode() + b"}",
        b"[]",
        b"[" + b",".join([body_of()] * 5) + b"]",
        b"",
        b"null",
        b'{"id":"\xff"}',
        b"[" * 100_000,
        body_of('"data":{"n":' + "[" * 50_000 + "]" * 50_000 + "}"),
    ],
)
def test_what_the_careful_way_refuses_is_handed_over(body: bytes) -> None:
    assert quickly(body) is None


@pytest.mark.parametrize(
    "body",
    [
        body_of('"id":"2"'),
        body_of('"id":"1"'),
        body_of('"specversion":"1.0"'),
        body_of('"time":"2026-03-10T11:00:00Z"', '"time":"2026-03-10T11:00:00Z"'),
        body_of('"time":"2026-03-10T11:00:00Z"', '"time":null'),
        body_of('"data":{"n":1}', '"data":{"n":1}'),
        body_of('"data":{"n":1,"m":2}', '"data":{}'),
        body_of('"data":{}', '"data":{}'),
        body_of('"data":{"n":1,"n":2}'),
        body_of('"data":{"n":1,"\\u006e":2}'),
        body_of('"data":{"a":{"n":1,"n":1}}'),
        body_of('"data":{"a":[{"n":1,"n":1}]}'),
        body_of('"extension":1', '"extension":1'),
        body_of('"extension":{"n":1,"n":1}'),
        body_of('"i\\u0064":"2"'),
        body_of('"id" :"2"'),
        # One member is given twice, another has a space before its colon: there are as many `":` as members.
        body_of('"id":"2"').replace(b'"source":', b'"source" :'),
        body_of('"data":{"n":1,"n":2,"m" :3}'),
        body_of('"data":{"n":1,"n":2,"m"\t:3}'),
        body_of('"data":{"n":1,"n":2,"m"\n:3}'),
        body_of('"data":{"n":1,"n":2,"m"\r\n:3}'),
        body_of('"data"  :{"n":1,"n":2}'),
        b"[" + body_of('"data":{"n":1,"n":2}') + b"," + body_of('"data" :{"n":1}') + b"]",
    ],
)
def test_member_given_twice_is_found_wherever_it_stands(body: bytes) -> None:
    with pytest.raises(MalformedEvents, match="twice"):
        carefully(body)
    with pytest.raises(MalformedEvents, match="twice"):
        assert quickly(body) is None


@pytest.mark.parametrize("member", [b'"extension":"\xff"', b'"exten\xff":1', b'"extension":[{"a":"\xff"}]'])
def test_what_is_read_over_must_be_utf8_too(member: bytes) -> None:
    body = body_of()[:-1] + b"," + member + b"}"
    for each in (body, body.replace(b'"source":', b'"source" :')):
        with pytest.raises(MalformedEvents, match="the text is not UTF-8"):
            decode_request(each, headers={"content-type": "application/json"}, limits=LIMITS, now=NOW)


@pytest.mark.parametrize(("form", "is_taken"), [("either", True), ("object", False)])
def test_only_plain_json_may_leave_specversion_out(form: str, is_taken: bool) -> None:
    body = body_of().replace(b'"specversion":"1.0",', b"")
    assert agree(body, form) is is_taken
    assert agree(body.replace(b"{", b'{"specversion":null,', 1), form) is is_taken


@pytest.mark.parametrize(
    ("body", "form", "is_taken"),
    [
        (body_of(), "object", True),
        (body_of(), "array", False),
        (b"[" + body_of() + b"]", "object", False),
        (b"[" + body_of() + b"]", "array", True),
    ],
)
def test_object_is_no_batch_and_an_array_no_single_event(body: bytes, form: str, is_taken: bool) -> None:
    assert (quickly(body, form) is not None) is is_taken


def test_data_that_is_null_is_left_to_the_careful_way() -> None:
    body = body_of('"data":null')
    assert quickly(body) is None
    assert [event.data for event in carefully(body)] == [{}]


def test_texts_and_times_at_their_limits_are_taken_and_beyond_them_are_not() -> None:
    for length, is_taken in ((20, True), (21, False)):
        assert agree(body_of().replace(b'"acme"', b'"' + b"a" * length + b'"')) is is_taken
        assert agree(body_of().replace(b'"acme"', ('"' + "é" * length + '"').encode())) is is_taken
    a_microsecond = timedelta(microseconds=1)
    last, first = NOW + timedelta(hours=1), NOW - timedelta(days=40)
    for instant, is_taken in (
        (last, True), (last + a_microsecond, False), (first, True), (first - a_microsecond, False)
    ):  # fmt: skip
        assert agree(body_of(f'"time":"{instant.isoformat()}"')) is is_taken


def test_backfilled_event_may_be_as_old_as_the_year_2000() -> None:
    backfill = dataclasses.replace(LIMITS, past_days=None)
    assert agree(body_of('"time":"2000-01-01T00:00:00Z"'), limits=backfill)
    assert not agree(body_of('"time":"1999-12-31T23:59:59.999999Z"'), limits=backfill)


def test_spelling_of_a_number_makes_no_other_event() -> None:
    bodies = [body_of('"data":{"n":%s}' % number) for number in ("1.5", "1.50", "15e-1", "0.15E1")]  # noqa: UP031
    events = [quickly(body) for body in bodies]
    assert events[0] is not None
    assert events == [events[0]] * 4


texts = st.sampled_from(["a", "", ":", '":', "{", "[", "é", "\0", "\u200b", "x" * 21, "1", "\\u0000", "null", '"a":'])
numbers = st.sampled_from([0, 1, -1, 1.5, 10**59, 10**60, 2**63, 2**64, True, False, None])
values = st.recursive(
    st.one_of(texts, numbers),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
events = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["1", "2", ":"]),
        "source": st.sampled_from(["app", ":app"]),
        "type": st.just("api.call"),
        "subject": st.sampled_from(["acme", "a:b"]),
    },
    optional={
        "specversion": st.sampled_from(["1.0", None]),
        "time": st.sampled_from(["2026-03-10T11:00:00Z", "2026-03-10T11:00:00.5+05:30", "2020-01-01T00:00:00Z", None, ""]),
        "data": st.one_of(st.dictionaries(st.sampled_from(["a", "b", "a.b", ":"]), values, max_size=4), st.none()),
        "datacontenttype": st.sampled_from(["application/json", "application/json; charset=utf-8", None]),
        "extension": values,
    },
)
# What is put in the place of a piece of the body, so that most stay JSON and some give a member twice.
PIECES = (
    b'":', b'" :', b'"\n:', b'"id":"1",', b'"data":{"a":1},', b'{"a":1,"a" :2}', b"{}", b"1.50", b"1e3",
    b"\\u0061", b'"', b"", b"[", b"\xff",
)  # fmt: skip


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    sent: Any = draw(st.one_of(events, st.lists(events, max_size=5)))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :")]))
    body = json.dumps(sent, separators=separators, ensure_ascii=draw(st.booleans())).encode()
    for _mutation in range(draw(st.integers(0, 3))):
        found = draw(st.sampled_from([b'":', b'"id"', b"{", b"}", b"1", b"a"]))
        places = [place for place in range(len(body)) if body.startswith(found, place)]
        if places:
            place = draw(st.sampled_from(places))
            piece = draw(st.sampled_from(PIECES))
            body = body[:place] + piece + body[place + draw(st.sampled_from([0, len(found)])) :]
    return body


@settings(max_examples=600, deadline=None, derandomize=True)
@given(body=bodies(), form=st.sampled_from(["either", "object", "array"]))
def test_whatever_is_taken_quickly_is_what_the_careful_way_makes_of_it(body: bytes, form: str) -> None:
    agree(body, form)
