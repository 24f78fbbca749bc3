import json
from datetime import timedelta
from typing import Any

import pytest

from customers.models import Scope
from tests.usage.api.conftest import Client
from tests.usage.builders import NOW, a_customer, a_meter, counts, rollups

pytestmark = pytest.mark.django_db

URL = "/api/v1/events"
NOTHING = {"event": 0, "eventkey": 0, "rollup": 0, "quarantinedevent": 0}


@pytest.fixture(autouse=True)
def _calls(db: None) -> None:
    a_customer()
    a_meter()


def sent(*times: str) -> bytes:
    events = [
        {"specversion": "1.0", "id": str(n), "source": "app", "type": "api.call", "subject": "acme", "time": time}
        for n, time in enumerate(times)
    ]
    return json.dumps(events).encode()


def post(client: Any, body: bytes) -> Any:
    return client.generic("POST", URL, body, content_type="application/json")


OLDEST = (NOW - timedelta(days=40)).isoformat()
OLDER = (NOW - timedelta(days=40, microseconds=1)).isoformat()


def test_old_usage_without_the_scope_is_refused_by_name_and_nothing_is_stored(client_with: Client) -> None:
    others = [scope for scope in Scope.values if scope != Scope.EVENTS_BACKFILL]

    response = post(client_with(*others), sent("2026-03-10T11:00:00Z", OLDER))

    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert (error["index"], error["field"]) == (1, "time")
    assert "40 days in the past (SQUILL_EVENTS_PAST_DAYS)" in error["message"]
    assert "events:backfill" in error["message"]
    assert counts() == NOTHING


def test_usage_at_the_limit_needs_no_scope(client_with: Client) -> None:
    assert post(client_with("events:write"), sent(OLDEST)).status_code == 204
    assert counts()["event"] == 1


def test_old_usage_with_the_scope_is_counted_on_its_day(client_with: Client) -> None:
    response = post(client_with("events:write", "events:backfill"), sent("2000-01-01T00:00:00Z", "2025-06-30T23:59:59Z"))

    assert response.status_code == 204
    assert [row[2] for row in rollups()] == ["2000-01-01", "2025-06-30"]


def test_no_scope_reaches_beyond_the_year_2000(client_with: Client) -> None:
    response = post(client_with("events:write", "events:backfill"), sent("1999-12-31T23:59:59Z"))
    assert response.status_code == 400
    assert "before the year 2000" in response.json()["errors"][0]["message"]
    assert counts() == NOTHING


def test_scope_to_backfill_alone_sends_nothing(client_with: Client) -> None:
    assert post(client_with("events:backfill"), sent(OLDEST)).status_code == 403
    assert counts() == NOTHING


def test_without_a_limit_usage_may_be_old(client_with: Client, settings: Any) -> None:
    settings.SQUILL_EVENTS_PAST_DAYS = 0
    assert post(client_with("events:write"), sent("2001-01-01T00:00:00Z")).status_code == 204
    assert counts()["event"] == 1
