from decimal import Decimal
from typing import Any

import pytest

from customers.models import Scope
from tests.usage.api.conftest import Client
from tests.usage.builders import NOW, a_customer, a_meter, an_event, rollups
from usage.ingestion import ingest
from usage.models import Correction

pytestmark = pytest.mark.django_db

VOID = {"source": "test", "id": "1", "reason": "sent twice"}


@pytest.fixture(autouse=True)
def events() -> None:
    a_customer()
    a_customer("bolt")
    a_meter("bytes", aggregation="sum", value_path="bytes", unit="B", dimensions=["region"])
    ingest([an_event("1", {"bytes": 5}), an_event("2", {"bytes": 9})], now=NOW)


def _post(client_with: Client, path: str, body: dict[str, Any], *scopes: str, customer: Any = None) -> Any:
    client = client_with(*(scopes or (Scope.WRITE,)), customer=customer)
    return client.post(f"/api/v1/events/{path}", body, format="json")


def test_void_answers_the_correction_and_again_the_same(client_with: Client) -> None:
    first = _post(client_with, "void", VOID)
    assert first.status_code == 200, first.content
    assert first.json()["actor"].startswith("sq_live_")
    assert first.json() | {"actor": ""} == {
        "event": {"source": "test", "id": "1"},
        "fate": "voided",
        "replacement": None,
        "reason": "sent twice",
        "actor": "",
        "corrected_at": "2026-03-10T12:00:00Z",
    }
    assert _post(client_with, "void", VOID | {"reason": "other"}).json() == first.json()
    assert [row[4:] for row in rollups()] == [(1, Decimal(9))]


def test_preview_says_what_changes_and_writes_nothing(client_with: Client) -> None:
    answer = _post(client_with, "void?preview=true", VOID).json()

    # 5 + 9 = 14
    assert answer["changes"] == [
        {"meter": "bytes", "unit": "B", "day": "2026-03-10", "dimensions": {"region": None}, "before": "14", "after": "9"}
    ]
    assert answer["adjustments"] == []
    assert [row[4] for row in rollups()] == [2]
    assert Correction.objects.count() == 0


def test_replace_reads_the_event_as_ingestion_does(client_with: Client) -> None:
    event = {"id": "1b", "source": "test", "type": "api.call", "subject": "acme", "data": {"bytes": 7.50}}

    answer = _post(client_with, "replace", VOID | {"event": event}).json()

    assert (answer["fate"], answer["replacement"]) == ("replaced", {"source": "test", "id": "1b"})
    assert [f"{row[5].normalize()}" for row in rollups()] == ["16.5"]  # 9 + 7.50
    # The new event is known by its id from now on.
    client = client_with(*Scope.values)
    sent = event | {"time": "2026-03-10T12:00:00Z"}
    client.post("/api/v1/events", sent, format="json")
    assert [row[4] for row in rollups()] == [2]


def test_list_shows_the_fate_of_each_event(client_with: Client) -> None:
    _post(client_with, "void", VOID)
    event = {"id": "2b", "source": "test", "type": "api.call", "subject": "acme", "data": {"bytes": 1}}
    _post(client_with, "replace", {"source": "test", "id": "2", "reason": "wrong", "event": event})

    items = client_with(Scope.READ).get("/api/v1/events").json()["items"]

    fates = {item["event"]["id"]: (item["fate"], (item["correction"] or {}).get("reason")) for item in items}
    assert fates == {"1": ("voided", "sent twice"), "2": ("replaced", "wrong"), "2b": ("accepted", None)}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("void", VOID | {"id": "none"}, 404),
        ("void", VOID | {"reason": ""}, 400),
        ("void", VOID | {"more": 1}, 400),
        ("void?preview=perhaps", VOID, 400),
        ("void?other=1", VOID, 400),
        ("void", VOID | {"id": "waiting"}, 409),
        ("replace", VOID, 400),
        ("replace", VOID | {"event": {"id": "n"}}, 400),
        ("replace", VOID | {"event": [1]}, 400),
        (
            "replace",
            VOID | {"event": {"id": "2", "source": "test", "type": "api.call", "subject": "acme", "data": {"bytes": 1}}},
            409,
        ),
        (
            "replace",
            VOID | {"event": {"id": "n", "source": "test", "type": "api.call", "subject": "bolt", "data": {"bytes": 1}}},
            400,
        ),
        ("void-many", {"source": "test", "from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}, 400),
        ("void-many", {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "dry_run": True}, 400),
        ("void-many", {"source": "test", "from": "x", "to": "2026-04-01T00:00:00Z", "dry_run": True}, 400),
        (
            "void-many",
            {"source": "test", "from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "token": "0" * 32, "reason": "x"},
            409,
        ),
    ],
)
def test_refusals_correct_nothing(client_with: Client, path: str, body: dict[str, Any], status: int) -> None:
    ingest([an_event("waiting", {"bytes": 1}, subject="nobody")], now=NOW)
    before = rollups()

    response = _post(client_with, path, body)

    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert (rollups(), Correction.objects.count()) == (before, 0)


def test_key_of_another_customer_finds_no_event(client_with: Client) -> None:
    bolt = a_customer("bolt-2")
    many = {"source": "test", "from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "dry_run": True}

    assert _post(client_with, "void", VOID, customer=bolt).status_code == 404
    assert _post(client_with, "void?preview=true", VOID, customer=bolt).status_code == 404
    assert _post(client_with, "void-many", many, customer=bolt).json()["event_count"] == 0
    assert Correction.objects.count() == 0


def test_key_that_only_sends_events_corrects_none(client_with: Client) -> None:
    assert _post(client_with, "void", VOID, Scope.EVENTS_WRITE).status_code == 403
    assert Correction.objects.count() == 0


def test_many_are_voided_as_they_were_shown(client_with: Client) -> None:
    many = {"source": "test", "subject": "acme", "from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}

    shown = _post(client_with, "void-many", many | {"dry_run": True}).json()
    # 5 + 9 = 14
    assert (shown["event_count"], shown["meters"]) == (2, [{"meter": "bytes", "event_count": 2, "value_sum": "14"}])
    done = _post(client_with, "void-many", many | {"token": shown["token"], "reason": "a test run"})

    assert done.json() == {"voided": 2, "left": 0}
    assert rollups() == []
