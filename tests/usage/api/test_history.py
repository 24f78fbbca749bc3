from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from customers.models import Customer
from tests.usage.api.conftest import Client
from tests.usage.builders import NOW, a_customer, a_meter, an_event
from usage.api import history
from usage.ingestion import ingest

pytestmark = pytest.mark.django_db

URL = "/api/v1/customers/acme/usage"


@pytest.fixture(autouse=True)
def _usage(db: None) -> None:
    a_customer("acme", timezone="Asia/Tokyo")
    a_customer("bolt/eu")
    a_meter("calls")
    a_meter("storage", event_type="storage", aggregation="sum", value_path="gb", dimensions=["region", "tier"])
    instant = datetime(2026, 3, 8, 15, 0, tzinfo=UTC)  # midnight of the 9th in Tokyo
    ingest(
        [
            an_event("1", occurred_at=instant),
            an_event("2"),
            an_event("3", {"gb": "1.50", "region": "eu", "tier": "hot"}, event_type="storage", occurred_at=instant),
            an_event("4", {"gb": "2", "region": "eu"}, event_type="storage", occurred_at=instant),
            an_event("5", {"gb": "4"}, event_type="storage", occurred_at=instant),
            an_event("6", subject="bolt/eu"),
        ],
        now=NOW,
    )


def _row(day: str, meter: str, dimensions: dict[str, Any], count: int, quantity: str) -> dict[str, Any]:
    end_day = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    return {
        "day": day, "end_day": end_day, "meter": meter, "dimensions": dimensions, "event_count": count, "quantity": quantity
    }  # fmt: skip


def test_usage_is_told_by_local_day_and_meter(client_with: Client) -> None:
    answer = client_with("read").get(URL).json()

    assert answer == {
        "customer": "acme",
        "timezone": "Asia/Tokyo",
        "first_day": "2026-02-09",  # 30 days before tomorrow, 11 March
        "end_day": "2026-03-11",
        "items": [
            _row("2026-03-09", "calls", {}, 1, "1"),
            _row("2026-03-09", "storage", {}, 3, "7.5"),  # 1.5 + 2 + 4
            _row("2026-03-10", "calls", {}, 1, "1"),
        ],
    }


def test_usage_splits_by_the_dimensions_asked_for(client_with: Client) -> None:
    answer = client_with("read").get(URL, {"meter": "storage", "group_by": "region"}).json()

    assert answer["items"] == [
        _row("2026-03-09", "storage", {"region": "eu"}, 2, "3.5"),  # 1.5 + 2
        _row("2026-03-09", "storage", {"region": None}, 1, "4"),
    ]


def test_days_are_half_open(client_with: Client) -> None:
    client = client_with("read")

    assert len(client.get(URL, {"meter": "calls", "from": "2026-03-09", "to": "2026-03-10"}).json()["items"]) == 1
    assert client.get(URL, {"meter": "calls", "from": "2026-03-11", "to": "2026-03-12"}).json()["items"] == []


def test_external_id_may_hold_a_slash(client_with: Client) -> None:
    assert client_with("read").get("/api/v1/customers/bolt/eu/usage").json()["customer"] == "bolt/eu"


def test_other_customer_is_404_for_a_narrowed_key(client_with: Client) -> None:

    client = client_with("read", customer=Customer.objects.get(external_id="bolt/eu"))

    assert client.get(URL).status_code == 404
    assert client.get("/api/v1/customers/bolt/eu/usage").status_code == 200
    assert client.get("/api/v1/customers/nobody/usage").status_code == 404


def test_reading_needs_its_scope(client_with: Client) -> None:
    assert client_with("events:write").get(URL).status_code == 403


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-03-09", "to": "2026-03-09"}, "to"),
        ({"from": "2020-01-01", "to": "2026-01-01"}, "to"),
        ({"from": "9 March"}, "from"),
        ({"to": "20260309"}, "to"),
        ({"meter": "none"}, "meter"),
        ({"meter": ["\0", "calls"]}, "meter"),
        ({"group_by": "colour"}, "group_by"),
        ({"by": "region"}, "by"),
    ],
)
def test_bad_parameter_is_named(client_with: Client, query: dict[str, Any], field: str) -> None:
    response = client_with("read").get(URL, query)

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_too_many_rows_are_refused(client_with: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_ROWS", 2)

    response = client_with("read").get(URL)

    assert response.status_code == 400
    assert "more than 2 rows" in response.json()["detail"]


def _march(client_with: Client, **query: str) -> list[tuple[str, str, str, int, str]]:
    bounds = {"from": "2026-02-01", "to": "2026-03-11"}
    answer = client_with("read").get(URL, bounds | query)
    assert answer.status_code == 200, answer.content
    return [(row["day"], row["end_day"], row["meter"], row["event_count"], row["quantity"]) for row in answer.json()["items"]]


def test_usage_by_month_is_cut_to_what_is_asked_and_in_total_is_one_row(client_with: Client) -> None:
    february = datetime(2026, 2, 28, 14, 59, tzinfo=UTC)  # 23:59 in Tokyo
    ingest([an_event("7", occurred_at=february), an_event("8", occurred_at=february + timedelta(minutes=1))], now=NOW)

    assert _march(client_with, by="month", meter="calls") == [
        ("2026-02-01", "2026-03-01", "calls", 1, "1"),
        ("2026-03-01", "2026-03-11", "calls", 3, "3"),
    ]
    assert _march(client_with, by="total", meter="calls") == [("2026-02-01", "2026-03-11", "calls", 4, "4")]
    assert len(_march(client_with, by="day", meter="calls")) == 4


def test_what_does_not_add_up_is_worked_out_over_the_whole_span(client_with: Client) -> None:
    a_meter("average", event_type="gauge", aggregation="average", value_path="n")
    a_meter("users", event_type="gauge", aggregation="unique_count", value_path="user")
    a_meter("lowest", event_type="gauge", aggregation="min", value_path="n")
    a_meter("latest", event_type="gauge", aggregation="latest", value_path="n")
    a_meter("level", event_type="gauge", aggregation="weighted_sum", value_path="n")
    for number, (day, n, user) in enumerate([(8, 10, "ann"), (8, 20, "ben"), (9, 40, "ann")]):
        instant = datetime(2026, 3, day, 15, tzinfo=UTC)  # midnight of the next day in Tokyo
        at = instant + timedelta(hours=number)
        ingest([an_event(f"g{number}", {"n": n, "user": user}, event_type="gauge", occurred_at=at)], now=NOW)

    rows = {meter: (count, quantity) for _day, _end, meter, count, quantity in _march(client_with, by="total")}

    assert rows["average"] == (3, "23.333333333333")  # (10 + 20 + 40) / 3
    assert rows["users"] == (3, "2")
    assert rows["lowest"] == (3, "10")
    assert rows["latest"] == (3, "40")
    # Of the 38 days to 11 March: 10 for the last 48 hours, 20 for 47, 40 for 22: (480 + 940 + 880) / 912
    assert rows["level"] == (3, "2.521929824561")


def test_unknown_span_is_refused(client_with: Client) -> None:
    response = client_with("read").get(URL, {"by": "week"})
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["by"]
