"""What no sender should send: each is refused with a problem of its own, stores nothing, and costs little memory."""

import gzip
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from customers.api_keys import issue_api_key
from squill.lib import clock
from tests.faults import FULL
from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, counts, rollups

pytestmark = pytest.mark.django_db

NOTHING = {"event": 0, "eventkey": 0, "rollup": 0, "quarantinedevent": 0}
HEAD = b'{"id": "1", "source": "app", "type": "api.call", "subject": "acme"'


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> APIClient:
    monkeypatch.setenv(clock.PINNED_CLOCK_VARIABLE, NOW.isoformat())
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes", dimensions=["region"])
    _key, secret = issue_api_key(name="test", scopes=["events:write"], actor=ACTOR, now=NOW)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def _send(client: APIClient, body: bytes, content_type: str = "application/json", **extra: Any) -> Any:
    return client.generic("POST", "/api/v1/events", body, content_type=content_type, **extra)  # type: ignore[arg-type]


def _data(text: bytes) -> bytes:
    return HEAD + b', "data": ' + text + b"}"


POISON = {
    "NaN": (_data(b'{"bytes": NaN}'), "not valid JSON"),
    "Infinity": (_data(b'{"bytes": Infinity}'), "not valid JSON"),
    "minus Infinity": (_data(b'{"bytes": -Infinity}'), "not valid JSON"),
    "1e400": (_data(b'{"bytes": 1e400}'), "more than 60 digits"),
    "1e999999999": (_data(b'{"bytes": 1e999999999}'), "more than 60 digits"),
    "a whole number of a million digits": (_data(b'{"bytes": ' + b"9" * 1_000_000 + b"}"), ""),
    "NUL in a value": (_data(b'{"note": "\\u0000"}'), "NUL"),
    "NUL in a name": (_data(b'{"\\u0000": 1}'), "cannot be printed"),
    "NUL in the subject": (HEAD.replace(b"acme", b"ac\\u0000me") + b"}", "cannot be printed"),
    "bare NUL": (HEAD + b"\0}", "not valid JSON"),
    "lone high surrogate": (_data(b'{"note": "\\ud800"}'), "surrogate"),
    "lone low surrogate": (_data(b'{"note": "\\udc00"}'), "surrogate"),
    "surrogate in UTF-8": (_data(b'{"note": "\xed\xa0\x80"}'), ""),
    "deep data": (_data(b'{"a":' * 50 + b"1" + b"}" * 50), "nested more than 8 deep"),
    "very deep lists": (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
    "very deep and cut off": (b"[" * 1_000_000, ""),
    "member given twice": (_data(b'{"bytes": 1, "bytes": 2}'), "given twice"),
    "id given twice": (HEAD + b', "id": "2"}', "given twice"),
    "id given twice, once escaped": (HEAD + b', "\\u0069d": "2"}', "given twice"),
    "year 9999": (HEAD + b', "time": "9999-12-31T23:59:59.999999Z"}', "in the future"),
    "year 10000": (HEAD + b', "time": "10000-01-01T00:00:00Z"}', "must be an instant"),
    "year 1": (HEAD + b', "time": "0001-01-01T00:00:00+14:00"}', ""),
    "year 0": (HEAD + b', "time": "0000-01-01T00:00:00Z"}', "must be an instant"),
    "invalid UTF-8": (_data(b'{"note": "\xff"}'), "UTF-8"),
    "UTF-16": (HEAD.decode().encode("utf-16"), ""),
    "not an object": (b'"event"', "JSON object or an array"),
    "empty": (b"", ""),
    "an array of nothing": (b"[]", "no event"),
    "an array of arrays": (b"[[]]", "must be a JSON object"),
}


@pytest.mark.parametrize(("body", "why"), POISON.values(), ids=POISON)
def test_poison_is_refused_with_a_reason_and_nothing_is_stored(client: APIClient, body: bytes, why: str) -> None:
    response = _send(client, body)
    assert response.status_code == 400, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert why in json.loads(response.content)["detail"]
    assert counts() == NOTHING


@pytest.mark.parametrize(("body", "why"), POISON.values(), ids=POISON)
def test_poison_among_good_events_refuses_the_whole_batch(client: APIClient, body: bytes, why: str) -> None:
    good = HEAD.replace(b'"1"', b'"good"') + b"}"
    response = _send(client, b"[" + good + b"," + body + b"]")
    assert response.status_code == 400, response.content
    assert counts() == NOTHING


def test_minus_zero_is_zero(client: APIClient) -> None:
    for number, text in enumerate([b"-0", b"-0.0", b"-0e5", b'"-0"']):
        body = _data(b'{"bytes": ' + text + b"}").replace(b'"1"', str(f'"{number}"').encode())
        assert _send(client, body).status_code == 204
    assert [(rollup[4], str(rollup[5])) for rollup in rollups()] == [(4, "0")]


def test_gzip_that_unpacks_to_a_hundred_megabytes_is_refused_in_little_memory(client: APIClient) -> None:
    packed = gzip.compress(b" " * 100_000_000)
    assert len(packed) < 100_000
    tracemalloc.start()
    try:
        response = _send(client, packed, HTTP_CONTENT_ENCODING="gzip")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert response.status_code == 413
    assert response["Content-Type"] == "application/problem+json"
    assert peak < 20_000_000  # four times SQUILL_EVENTS_MAX_BYTES
    assert counts() == NOTHING


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(lambda at: at.isoformat() + "Z"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from(["specversion", "id", "source", "type", "subject", "time", "data", "datacontenttype", "data_base64"])
_EVENTS = st.dictionaries(_NAMES, _VALUES, max_size=9).map(
    lambda odd: {"id": "1", "source": "app", "type": "api.call", "subject": "acme"} | odd
)
_BODIES = st.one_of(
    st.binary(max_size=200),
    _VALUES.map(lambda value: json.dumps(value).encode()),
    _EVENTS.map(lambda event: json.dumps(event).encode()),
    st.lists(_EVENTS, max_size=5).map(lambda events: json.dumps(events).encode()),
    _VALUES.map(lambda value: _data(json.dumps({"bytes": value, "region": value}).encode())),
)
_TYPES = st.sampled_from(
    [
        "application/json",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/x-ndjson",
        "",
        "text/plain",
    ]
)


@settings(
    max_examples=2_000 if FULL else 150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=not FULL,
)
@given(body=_BODIES, content_type=_TYPES)
def test_whatever_is_sent_is_taken_or_refused_and_never_breaks_the_server(
    client: APIClient, body: bytes, content_type: str
) -> None:
    response = _send(client, body, content_type)  # the test client raises what would be a 500
    assert response.status_code in (204, 400, 413, 415), response.content
    if response.status_code != 204:
        assert response["Content-Type"] == "application/problem+json"
        assert json.loads(response.content)["detail"]
