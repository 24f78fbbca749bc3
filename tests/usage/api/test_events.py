import gzip
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import override_settings
from rest_framework.test import APIClient

from tests.usage.api.conftest import Client
from tests.usage.builders import NOW, a_customer, a_meter, an_event, counts, rollups
from usage.ingestion import ingest

pytestmark = pytest.mark.django_db

URL = "/api/v1/events"
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "app",
    "type": "api.call",
    "subject": "acme",
    "data": {"bytes": 0.1},
}
NOTHING = {"event": 0, "eventkey": 0, "rollup": 0, "quarantinedevent": 0}
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


def _post(client: APIClient, body: Any, content_type: str = "application/json", **extra: Any) -> Any:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.generic("POST", URL, sent, content_type=content_type, **extra)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "content_type", "headers"),
    [
        (EVENT, STRUCTURED, {}),
        ([EVENT], BATCH, {}),
        (EVENT, "application/json", {}),
        ([EVENT], "application/json; charset=utf-8", {}),
        (json.dumps(EVENT).encode() + b"\n", "application/x-ndjson", {}),
        (gzip.compress(json.dumps(EVENT).encode()), "application/json", {"HTTP_CONTENT_ENCODING": "gzip"}),
        (EVENT, "application/json", {"HTTP_ACCEPT": "application/problem+json"}),
        (
            {"bytes": 0.1},
            "",
            {f"HTTP_CE_{name}": str(EVENT[name.lower()]) for name in ("SPECVERSION", "ID", "SOURCE", "TYPE", "SUBJECT")},
        ),
    ],
    ids=["structured", "batch", "object", "array", "ndjson", "gzip", "problem accepted", "binary"],
)
def test_success_is_204_with_an_empty_body(client_with: Client, body: Any, content_type: str, headers: dict[str, str]) -> None:
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes")

    response = _post(client_with("events:write"), body, content_type, **headers)

    assert (response.status_code, response.content) == (204, b"")
    assert rollups() == [("acme", "bytes", "2026-03-10", {}, 1, Decimal("0.1"))]


def test_representation_tells_the_fate_of_each_event(client_with: Client) -> None:
    a_customer()
    a_meter()
    sent = [EVENT, EVENT, EVENT | {"data": {}}, EVENT | {"id": "2", "subject": "nobody"}]

    response = _post(client_with(), sent, HTTP_PREFER="respond-async, return=representation")

    assert response.status_code == 200
    assert response["Preference-Applied"] == "return=representation"
    conflict = "another event with this source and id was received before, with other content"
    told = [(event["index"], event["id"], event["fate"], event["reason"], event["detail"]) for event in response.json()["events"]]
    assert told == [
        (0, "1", "accepted", "", ""),
        (1, "1", "duplicate", "", ""),
        (2, "1", "quarantined", "conflict", conflict),
        (3, "2", "quarantined", "unknown_subject", "no customer has the subject nobody"),
    ]


def test_malformed_events_are_named_and_nothing_is_stored(client_with: Client) -> None:
    a_customer()
    a_meter()

    response = _post(client_with(), [EVENT, EVENT | {"id": "2", "time": "yesterday"}, EVENT | {"id": ""}])

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    time_message = "must be an instant with its offset, such as 2026-03-01T12:30:00Z"
    assert problem["detail"] == f"Nothing was stored. event 1 time: {time_message}; event 2 id: must not be empty"
    assert problem["errors"] == [
        {"index": 1, "field": "time", "message": time_message},
        {"index": 2, "field": "id", "message": "must not be empty"},
    ]
    assert counts() == NOTHING


def test_detail_stays_short_while_errors_are_complete(client_with: Client) -> None:
    problem = _post(client_with(), [{"id": str(number)} for number in range(10)]).json()

    assert problem["detail"].endswith("; and 25 more")  # 10 events lack 3 members each, 5 are told
    assert len(problem["errors"]) == 30


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b'{"id": "\\u0000"}', "application/json", 400),
        (b'{"id": "\\ud800"}', "application/json", 400),
        (b'{"a": 1, "a": 2}', "application/json", 400),
        (b"NaN", "application/json", 400),
        (b"id=1", "application/x-www-form-urlencoded", 415),
        (b"{}", "", 415),
        (b"x" * 2000, "application/json", 413),
        (b"[" + b",".join([b"{}"] * 6) + b"]", "application/json", 413),
    ],
)
@override_settings(SQUILL_EVENTS_MAX_BYTES=1500, SQUILL_EVENTS_MAX_COUNT=5)
def test_what_cannot_be_taken_is_a_problem_with_a_detail(
    client_with: Client, body: bytes, content_type: str, status: int
) -> None:
    response = _post(client_with(), body, content_type)

    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert response.json()["detail"]
    assert counts() == NOTHING


def test_keys_without_scope_or_none_at_all_are_refused(client_with: Client) -> None:
    assert _post(APIClient(), EVENT).status_code == 401
    assert _post(client_with("read", "write"), EVENT).status_code == 403
    assert client_with("events:write").get(URL).status_code == 403
    assert counts() == NOTHING


def test_narrowed_key_sends_events_of_its_own_customer_only(client_with: Client) -> None:
    acme = a_customer("acme", keys=["acme-2"])
    a_customer("bolt")
    a_meter()
    client = client_with(customer=acme)

    response = _post(client, [EVENT, EVENT | {"id": "2", "subject": "bolt"}, EVENT | {"id": "3", "subject": "nobody"}])

    assert response.status_code == 403
    assert [(error["index"], error["field"]) for error in response.json()["errors"]] == [(1, "subject"), (2, "subject")]
    assert counts() == NOTHING
    assert _post(client, [EVENT, EVENT | {"id": "2", "subject": "acme-2"}]).status_code == 204


def _listed(client: APIClient, **query: str) -> list[str]:
    response = client.get(URL, query)
    assert response.status_code == 200, response.content
    return [item["event"]["id"] for item in response.json()["items"]]


def test_list_is_newest_first_filtered_and_exact(client_with: Client) -> None:
    a_customer("acme", keys=["acme-2"])
    bolt = a_customer("bolt")
    a_meter()
    a_meter("others", event_type="other")
    a_minute = timedelta(minutes=1)
    ingest(
        [
            an_event("1", {"n": Decimal("0.10000000000000000001")}, occurred_at=NOW - 3 * a_minute),
            an_event("2", subject="acme-2", occurred_at=NOW - 2 * a_minute),
            an_event("3", event_type="other", occurred_at=NOW - a_minute),
            an_event("4", subject="bolt"),
            an_event("5", subject="nobody"),
        ],
        now=NOW,
    )
    client = client_with("read")

    assert _listed(client) == ["4", "3", "2", "1"]
    assert _listed(client, subject="acme") == ["3", "1"]
    assert _listed(client, type="other") == ["3"]
    assert _listed(client, **{"from": "2026-03-10T11:58:00Z", "to": "2026-03-10T12:00:00Z"}) == ["3", "2"]
    assert _listed(client_with("read", customer=bolt)) == ["4"]
    assert _listed(client_with("read", customer=bolt), subject="acme") == []
    assert b'"data":{"n":0.10000000000000000001}' in client.get(URL, {"subject": "acme"}).content
    assert client.get(URL, {"subject": "bolt"}).json()["items"] == [
        {
            "event": {
                "specversion": "1.0",
                "id": "4",
                "source": "test",
                "type": "api.call",
                "subject": "bolt",
                "time": "2026-03-10T12:00:00Z",
                "data": {},
            },
            "customer": "bolt",
            "received_at": "2026-03-10T12:00:00Z",
            "fate": "accepted",
            "meters": ["calls"],
            "correction": None,
        }
    ]


def test_pages_hold_every_event_once_also_at_equal_times(client_with: Client) -> None:
    a_customer()
    a_meter()
    ingest([an_event(str(number), occurred_at=NOW - timedelta(minutes=number // 3)) for number in range(10)], now=NOW)
    client = client_with("read")

    found: list[str] = []
    query = {"limit": "4"}
    for _page in range(3):
        page = client.get(URL, query).json()
        found += [item["event"]["id"] for item in page["items"]]
        query["cursor"] = page["nextCursor"]

    assert page["nextCursor"] is None
    assert sorted(found) == [str(number) for number in range(10)]
    assert [int(event_id) // 3 for event_id in found] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"from": "2026-03-10"}, "from"),
        ({"to": "soon"}, "to"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "MjAyNi0wMy0xMFQxMjowMDowMFogeHg"}, "cursor"),
        ({"subject": "\0"}, "subject"),
        ({"customers": "acme"}, "customers"),
        ({"customer": "\0"}, "customer"),
    ],
)
def test_bad_parameter_is_named(client_with: Client, query: dict[str, str], field: str) -> None:
    response = client_with("read").get(URL, query)

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]
