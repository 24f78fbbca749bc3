"""Who asks the API for events that were put away is told so, by month."""

from typing import Any

import pytest
from pytest_django import Settings

from tests.usage.api.conftest import Client
from tests.usage.months import a_january_put_away
from usage.models import Correction

pytestmark = pytest.mark.django_db

REASON = "The events of 2026-01 were put away: only the totals of their days are left."


@pytest.fixture(autouse=True)
def _january(settings: Settings) -> None:
    a_january_put_away(settings)


def refusal(response: Any, status: int = 400) -> dict[str, Any]:
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    told: dict[str, Any] = response.json()
    return told


def test_meter_query_that_needs_single_events_is_a_problem_that_names_the_month(client_with: Client) -> None:
    told = refusal(client_with().get("/api/v1/meters/bytes/query", {"windowSize": "HOUR"}))

    hint = "Ask for whole days of a customer (filterCustomerId) in its own windowTimeZone, and not by subject."
    assert told["errors"] == [{"field": "from", "message": f"{REASON} {hint}"}]
    answer = client_with().get("/api/v1/meters/bytes/query", {"windowSize": "DAY", "windowTimeZone": "Asia/Tokyo"})
    assert [row["value"] for row in answer.json()["data"]] == [6.5, 8]


@pytest.mark.parametrize("url", ["/api/v1/events", "/openmeter/api/v1/events"])
def test_list_of_events_since_a_month_put_away_is_a_problem(client_with: Client, url: str) -> None:
    client = client_with()

    told = refusal(client.get(url, {"from": "2026-01-31T23:59:59Z"}))

    assert told["errors"] == [{"field": "from", "message": f"{REASON} Those that are kept are complete from 2026-02-01 on."}]
    assert client.get(url, {"from": "2026-02-01T00:00:00Z"}).status_code == 200
    assert client.get(url, {"from": "2025-12-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}).status_code == 200
    assert client.get(url).status_code == 200  # the newest, as far as they go


def test_correction_of_an_event_put_away_is_a_conflict(client_with: Client) -> None:
    before = Correction.objects.count()

    told = refusal(
        client_with().post("/api/v1/events/void", {"source": "test", "id": "1", "reason": "mistake"}, format="json"), 409
    )

    assert told["detail"] == "The event 1 of test was put away with its month, and cannot be corrected any more."
    assert Correction.objects.count() == before
