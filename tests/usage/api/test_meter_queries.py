import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from customers.models import Customer
from tests.usage.api.conftest import Client
from tests.usage.builders import NOW, a_customer, a_meter, an_event, counts
from usage.ingestion import ingest
from usage.querying import query, reading

pytestmark = pytest.mark.django_db

URL = "/api/v1/meters/tokens/query"


@pytest.fixture
def acme() -> Customer:
    customer = a_customer("acme", timezone="Europe/Paris", keys=["acme-eu"])
    a_customer("beta")
    a_meter("tokens", aggregation="sum", value_path="n", dimensions=["model"])
    at = datetime(2026, 3, 10, 10, 15, tzinfo=UTC)
    events = [
        an_event("1", {"n": "1.10", "model": "a"}, occurred_at=at),
        an_event("2", {"n": 2, "model": "b, or =1+1"}, occurred_at=at, subject="acme-eu"),
        an_event("3", {"n": "999999999999999.000000000001"}, occurred_at=at, subject="beta"),
    ]
    ingest(events, now=NOW)
    return customer


def test_json_is_that_of_openmeter_with_exact_numbers(client_with: Client, acme: Customer) -> None:
    response = client_with().get(
        URL
        + "?from=2026-03-10T00:00:00%2B01:00&to=2026-03-11T00:00:00%2B01:00&windowSize=DAY&windowTimeZone=Europe/Paris"
        + "&subject=acme&subject=acme-eu&groupBy=model&filterGroupBy[model]=a"
    )

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response.json() == {
        "from": "2026-03-09T23:00:00Z",
        "to": "2026-03-10T23:00:00Z",
        "windowSize": "DAY",
        "data": [
            {
                "value": 1.1,
                "windowStart": "2026-03-09T23:00:00Z",
                "windowEnd": "2026-03-10T23:00:00Z",
                "subject": None,
                "groupBy": {"model": "a"},
            }
        ],
    }


def test_value_keeps_all_its_digits(client_with: Client, acme: Customer) -> None:
    content = client_with().get(URL, {"subject": "beta"}).content
    [row] = json.loads(content, parse_float=Decimal)["data"]
    assert row["value"] == Decimal("999999999999999.000000000001")


def test_post_answers_the_same_and_needs_only_reading(client_with: Client, acme: Customer) -> None:
    client = client_with("read")
    before = counts()
    body = {
        "from": "2026-03-10T00:00:00Z",
        "to": "2026-03-11T00:00:00Z",
        "windowSize": "HOUR",
        "subject": ["acme", "acme-eu"],
        "groupBy": ["subject"],
        "filterGroupBy": {"model": ["a", "b, or =1+1"]},
    }

    posted = client.post(URL, body)

    assert [(row["subject"], row["value"]) for row in posted.json()["data"]] == [("acme", 1.1), ("acme-eu", 2)]
    got = client.get(
        URL + "?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z&windowSize=HOUR&subject=acme&subject=acme-eu&groupBy=subject"
        "&filterGroupBy[model]=a&filterGroupBy[model]=b, or %3D1%2B1"
    )
    assert got.content == posted.content
    assert counts() == before
    assert client_with("write").post(URL, body).status_code == 403


def test_csv_for_who_accepts_it(client_with: Client, acme: Customer) -> None:
    response = client_with().get(
        URL, {"filterCustomerId": "acme", "groupBy": ["subject", "model"]}, headers={"Accept": "text/csv"}
    )

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(io.StringIO(response.content.decode()))) == [
        ["window_start", "window_end", "subject", "model", "value"],
        ["2026-03-09T23:00:00Z", "2026-03-10T23:00:00Z", "acme", "a", "1.1"],
        ["2026-03-09T23:00:00Z", "2026-03-10T23:00:00Z", "acme-eu", "b, or =1+1", "2"],
    ]


def test_narrowed_key_sees_its_own_usage_alone(client_with: Client, acme: Customer) -> None:
    client = client_with(customer=acme)

    assert [row["value"] for row in client.get(URL).json()["data"]] == [3.1]
    assert client.get(URL, {"subject": "beta"}).json()["data"] == []
    assert client.get(URL, {"filterCustomerId": "beta"}).json()["data"] == []
    assert [row["subject"] for row in client.get(URL, {"groupBy": "subject"}).json()["data"]] == ["acme", "acme-eu"]


@pytest.mark.parametrize(
    ("parameters", "fields"),
    [
        ({"from": "yesterday", "to": "2026-03-01"}, ["from", "to"]),
        ({"from": "2026-03-02T00:00:00Z", "to": "2026-03-02T00:00:00Z"}, ["to"]),
        ({"windowSize": "WEEK", "windowTimeZone": "Mars/Base"}, ["windowSize", "windowTimeZone"]),
        ({"windowTimeZone": "../../etc/passwd"}, ["windowTimeZone"]),
        ({"windowTimeZone": "Europe"}, ["windowTimeZone"]),
        ({"windowTimeZone": ""}, ["windowTimeZone"]),
        ({"windowTimeZone": "A" * 300}, ["windowTimeZone"]),
        ({"groupBy": "region"}, ["groupBy"]),
        ({"filterGroupBy[region]": "eu", "limit": "5"}, ["filterGroupBy", "limit"]),
        ({"filterGroupBy": "{'model': 'a'}"}, ["filterGroupBy"]),
        ({"subject": "a\0b"}, ["subject"]),
        ({"filterGroupBy[model]": "a\0b"}, ["filterGroupBy"]),
        ({"subject": [str(number) for number in range(101)]}, ["subject"]),
    ],
)
def test_refusal_names_every_parameter(
    client_with: Client, acme: Customer, parameters: dict[str, Any], fields: list[str]
) -> None:
    response = client_with().get(URL, parameters)
    assert response.status_code == 400
    assert sorted({error["field"] for error in response.json()["errors"]}) == fields


@pytest.mark.parametrize("body", [[], "x", {"from": 5}, {"subject": [1]}, {"windowSize": ["DAY"]}, {"groupBy": {}}])
def test_body_that_is_no_question_is_refused(client_with: Client, acme: Customer, body: Any) -> None:
    assert client_with().post(URL, body).status_code == 400


def test_too_large_an_answer_says_what_to_narrow(client_with: Client, acme: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_with()
    monkeypatch.setattr(reading, "MOST_EVENTS", 2)
    response = client.get(URL, {"windowSize": "MINUTE"})
    assert response.status_code == 400
    assert "Ask for less time" in response.json()["detail"]
    # Totals are no matter of events.
    assert client.get(URL).status_code == 200

    monkeypatch.setattr(query, "MOST_ROWS", 1)
    assert "fewer groups" in client.get(URL, {"groupBy": "model"}).json()["detail"]


def test_unknown_meter_is_404(client_with: Client) -> None:
    assert client_with().get("/api/v1/meters/none/query").status_code == 404
