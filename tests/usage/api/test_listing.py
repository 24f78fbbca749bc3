"""The list of events over months, sources and customers, and which meters count each."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.usage.api.conftest import Client
from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event
from usage.corrections import void_event
from usage.ingestion import ingest

pytestmark = pytest.mark.django_db

URL = "/api/v1/events"
BORDER = datetime(2026, 3, 1, tzinfo=UTC)


def listed(client: APIClient, **query: str) -> list[str]:
    response = client.get(URL, query)
    assert response.status_code == 200, response.content
    return [item["event"]["id"] for item in response.json()["items"]]


def paged(client: APIClient, limit: int, **query: str) -> list[str]:
    found: list[str] = []
    asked: dict[str, Any] = query | {"limit": str(limit)}
    for _page in range(50):
        page = client.get(URL, asked).json()
        found += [item["event"]["id"] for item in page["items"]]
        if page["nextCursor"] is None:
            return found
        assert len(page["items"]) == limit
        asked["cursor"] = page["nextCursor"]
    raise AssertionError("the pages never end")


def test_source_leaves_others_out(client_with: Client) -> None:
    a_customer()
    a_customer("beta")
    a_meter()
    named = [("1", "app", "acme"), ("1", "app2", "acme"), ("2", "app", "beta"), ("3", "App", "acme")]
    ingest([an_event(event_id, source=source, subject=subject) for event_id, source, subject in named], now=NOW)
    client = client_with("read")

    assert listed(client, source="app") == ["2", "1"]
    assert listed(client, source="app", subject="acme") == ["1"]
    assert listed(client, source="app2") == ["1"]
    assert listed(client, source="nothing") == []
    assert client.get(URL, {"source": "\0"}).status_code == 400


def test_meters_tell_which_count_the_event(client_with: Client) -> None:
    a_customer()
    a_meter("all")
    a_meter("eu", filters={"region": {"equals": "eu"}})
    a_meter("big", filters={"n": {"gt": "10"}})
    a_meter("other", event_type="other")
    ingest(
        [
            an_event("none-but-all", {"n": 1}, occurred_at=NOW - timedelta(minutes=4)),
            an_event("eu", {"region": "eu", "n": "many"}, occurred_at=NOW - timedelta(minutes=3)),
            an_event("both", {"region": "eu", "n": 11}, occurred_at=NOW - timedelta(minutes=2)),
            an_event("other", event_type="other", occurred_at=NOW - timedelta(minutes=1)),
        ],
        now=NOW,
    )
    a_meter("later", aggregation="sum", value_path="n")  # cannot use what it was made after
    void_event(source="test", event_id="both", reason="wrong", actor=ACTOR, now=NOW)

    items = client_with("read").get(URL).json()["items"]

    assert {item["event"]["id"]: item["meters"] for item in items} == {
        "none-but-all": ["all", "later"],
        "eu": ["all", "eu"],
        "both": ["all", "big", "eu", "later"],  # it counted until it was voided
        "other": ["other"],
    }
    assert [item["fate"] for item in items] == ["accepted", "voided", "accepted", "accepted"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
@pytest.mark.parametrize("query", [{}, {"subject": "acme"}, {"source": "test"}, {"type": "api.call"}])
def test_pages_go_on_across_the_border_of_a_month(client_with: Client, limit: int, query: dict[str, str]) -> None:
    a_customer()
    a_meter()
    a_microsecond = timedelta(microseconds=1)
    instants = [
        BORDER - timedelta(days=29), BORDER - timedelta(hours=2), BORDER - a_microsecond, BORDER - a_microsecond,
        BORDER, BORDER, BORDER + a_microsecond, BORDER + timedelta(days=8),
    ]  # fmt: skip
    ingest([an_event(str(number), occurred_at=at) for number, at in enumerate(instants)], now=NOW)
    client = client_with("read")

    assert paged(client, limit, **query) == ["7", "6", "5", "4", "3", "2", "1", "0"]
    bounds = {"from": (BORDER - a_microsecond).isoformat(), "to": (BORDER + a_microsecond).isoformat()}
    assert paged(client, limit, **query, **bounds) == ["5", "4", "3", "2"]


def test_pages_without_a_customer_hold_events_of_all_in_one_order(client_with: Client) -> None:
    a_customer()
    beta = a_customer("beta", timezone="Asia/Tokyo")
    a_meter()
    for number in range(12):
        subject, source = ("acme", "beta")[number % 2], ("s1", "s2")[number // 6]
        at = BORDER + timedelta(minutes=number // 4 - 1)
        ingest([an_event(f"{number:02}", subject=subject, source=source, occurred_at=at)], now=NOW)

    expected = [f"{number:02}" for number in reversed(range(12))]
    assert paged(client_with("read"), 5) == expected
    assert paged(client_with("read", customer=beta), 2) == [name for name in expected if int(name) % 2]


def test_event_from_ahead_of_our_clock_is_listed_too(client_with: Client) -> None:
    a_customer()
    a_meter("n", aggregation="sum", value_path="n")
    ingest([an_event("ahead", {"n": Decimal("0.5")}, occurred_at=NOW + timedelta(minutes=30))], now=NOW)
    assert listed(client_with("read")) == ["ahead"]
