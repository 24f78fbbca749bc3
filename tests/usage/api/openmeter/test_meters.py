from datetime import timedelta
from typing import Any

import pytest

from customers.models import AuditEvent
from tests.usage.api.conftest import Client
from tests.usage.builders import NOW, a_customer, a_meter, an_event
from usage.ingestion import ingest
from usage.models import Meter

pytestmark = pytest.mark.django_db

URL = "/openmeter/api/v1/meters"
BODY = {
    "slug": "tokens",
    "name": "Tokens",
    "aggregation": "SUM",
    "eventType": "prompt",
    "valueProperty": "$.usage.tokens",
    "groupBy": {"model": "$.model"},
}
SHOWN = BODY | {"id": "tokens", "createdAt": "2026-03-10T12:00:00Z", "updatedAt": "2026-03-10T12:00:00Z"}


def test_meter_of_openmeter_is_one_of_squill(client_with: Client) -> None:
    client = client_with()

    response = client.post(URL, BODY)

    assert response.status_code == 201
    assert response.json() == SHOWN
    assert client.get(f"{URL}/tokens").json() == SHOWN
    assert client.get(URL).json() == [SHOWN]
    meter = Meter.objects.get()
    assert (meter.aggregation, meter.value_path, meter.dimensions) == ("sum", "usage.tokens", ["model"])


def test_name_is_the_slug_and_a_count_reads_no_value(client_with: Client) -> None:
    body = {"slug": "calls", "aggregation": "COUNT", "eventType": "call", "valueProperty": "$.n", "metadata": {}}
    answer = client_with().post(URL, body).json()
    assert (answer["name"], answer["groupBy"], "valueProperty" in answer) == ("calls", {}, False)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"aggregation": "UNIQUE"}, ["aggregation"]),
        ({"valueProperty": "tokens"}, ["valueProperty"]),
        ({"valueProperty": "$.a[0]"}, ["valueProperty"]),
        ({"groupBy": {"kind": "$.model"}}, ["groupBy"]),
        ({"groupBy": ["model"]}, ["groupBy"]),
        ({"slug": "a b", "eventType": 5}, ["eventType"]),
        ({"slug": "a b"}, ["slug"]),
        ({"slug": None, "eventType": None}, ["eventType", "slug"]),
        ({"description": "kept nowhere", "windowSize": "DAY"}, ["description", "windowSize"]),
    ],
)
def test_what_squill_cannot_keep_is_refused_by_openmeters_names(
    client_with: Client, changes: dict[str, Any], fields: list[str]
) -> None:
    response = client_with().post(URL, BODY | changes)
    assert response.status_code == 400
    assert response["Content-Type"].startswith("application/problem+json")
    assert sorted(error["field"] for error in response.json()["errors"]) == fields
    assert not Meter.objects.exists()


def test_name_is_changed_by_put(client_with: Client) -> None:
    client = client_with()
    client.post(URL, BODY)
    assert client.put(f"{URL}/tokens", {"name": "All tokens"}).json()["name"] == "All tokens"
    assert Meter.objects.get().name == "All tokens"


@pytest.mark.parametrize("url", [URL, "/api/v1/meters"])
def test_unused_meter_is_deleted(client_with: Client, url: str) -> None:
    client = client_with()
    client.post(URL, BODY)

    assert client.delete(f"{url}/tokens").status_code == 204

    assert not Meter.objects.exists()
    assert AuditEvent.objects.get(action="meter.deleted").before["code"] == "tokens"
    assert client.delete(f"{url}/tokens").status_code == 404


def test_meter_that_counted_something_stays(client_with: Client) -> None:
    a_customer()
    a_meter()
    ingest([an_event("1")], now=NOW)

    response = client_with().delete(f"{URL}/calls")

    assert response.status_code == 409
    assert response.json()["detail"] == "The meter calls has counted usage, which stays readable."
    assert Meter.objects.exists()


def test_narrowed_key_changes_no_meter(client_with: Client) -> None:
    client = client_with(customer=a_customer())
    a_meter()

    assert client.post(URL, BODY).status_code == 403
    assert client.put(f"{URL}/calls", {"name": "x"}).status_code == 403
    assert client.delete(f"{URL}/calls").status_code == 403
    assert [meter.name for meter in Meter.objects.all()] == ["calls"]


def test_unknown_address_is_a_problem_too(client_with: Client) -> None:
    response = client_with().get("/openmeter/api/v1/notifications")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("application/problem+json")


def test_values_of_a_dimension_are_those_that_the_key_may_see(client_with: Client) -> None:
    acme = a_customer()
    a_customer("beta")
    a_meter(dimensions=["model"])
    events = [an_event("1", {"model": "b"}), an_event("2", {}), an_event("3", {"model": "a"}, subject="beta")]
    ingest(events, now=NOW)

    assert client_with().get(f"{URL}/calls/group-by/model/values").json() == ["a", "b"]
    assert client_with(customer=acme).get(f"{URL}/calls/group-by/model/values").json() == ["b"]
    assert client_with().get(f"{URL}/calls/group-by/region/values").status_code == 404


@pytest.mark.parametrize(
    ("aggregation", "ours", "value"),
    [
        ("AVG", "average", 7.5),  # (9 + 4 + 4 + 13) / 4
        ("MIN", "min", 4),
        ("MAX", "max", 13),
        ("SUM", "sum", 30),
        ("LATEST", "latest", 4),
        ("UNIQUE_COUNT", "unique_count", 3),  # 9, 4 and 13
    ],
)
def test_aggregation_of_openmeter_is_kept_shown_and_answered(
    client_with: Client, aggregation: str, ours: str, value: float
) -> None:
    client = client_with()
    a_customer()
    body = BODY | {"aggregation": aggregation, "groupBy": {}}

    response = client.post(URL, body)

    assert response.status_code == 201
    assert response.json()["aggregation"] == aggregation
    assert client.get(f"{URL}/tokens").json()["aggregation"] == aggregation
    assert Meter.objects.get().aggregation == ours
    for number, tokens in enumerate((9, 4, 13, 4)):
        at = NOW - timedelta(minutes=9 - number)
        ingest([an_event(str(number), {"usage": {"tokens": tokens}}, event_type="prompt", occurred_at=at)], now=NOW)
    (row,) = client.get(f"{URL}/tokens/query").json()["data"]
    assert row["value"] == value


def test_aggregation_that_reads_a_value_must_name_it(client_with: Client) -> None:
    for aggregation in ("AVG", "MIN", "LATEST", "UNIQUE_COUNT"):
        body = {name: value for name, value in BODY.items() if name != "valueProperty"} | {"aggregation": aggregation}
        response = client_with().post(URL, body)
        assert (response.status_code, [error["field"] for error in response.json()["errors"]]) == (400, ["valueProperty"])
    assert not Meter.objects.exists()
