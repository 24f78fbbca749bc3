from typing import Any

import pytest

from tests.usage.api.conftest import Client
from tests.usage.builders import NOW, a_customer, a_meter, an_event, rollups
from usage.ingestion import ingest
from usage.models import Meter

pytestmark = pytest.mark.django_db

URL = "/api/v1/meters/calls/succeed"


@pytest.fixture(autouse=True)
def _calls(db: None) -> None:
    a_customer()
    a_meter(aggregation="sum", value_path="n")
    ingest([an_event("1", {"n": 2}), an_event("2", {"n": 5})], now=NOW)


def test_successor_is_answered_and_both_name_each_other(client_with: Client) -> None:
    client = client_with()

    response = client.post(URL, {"code": "calls-2", "filters": {"n": {"gte": 2.5}}}, format="json")

    assert response.status_code == 201
    assert response.json() == {
        "code": "calls-2",
        "name": "calls",
        "event_type": "api.call",
        "aggregation": "sum",
        "value": "n",
        "dimensions": [],
        "filters": {"n": {"gte": "2.5"}},
        "unit": "",
        "succeeds": "calls",
        "succeeded_by": None,
        "created_at": "2026-03-10T12:00:00Z",
    }
    earlier = client.get("/api/v1/meters/calls").json()
    assert (earlier["succeeds"], earlier["succeeded_by"]) == (None, "calls-2")
    assert [(row[1], row[4]) for row in rollups()] == [("calls", 2), ("calls-2", 1)]
    assert [meter["code"] for meter in client.get("/api/v1/meters").json()["items"]] == ["calls-2", "calls"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"aggregation": "max"}, ["code"]),
        ({"code": "calls-2", "aggregation": "median"}, ["aggregation"]),
        ({"code": "calls-2", "value": ""}, ["value"]),
        ({"code": "calls-2", "filters": {"m": {"eq": "1"}}}, ["filters"]),
        ({"code": "calls", "value": "m"}, ["code"]),
        ({"code": "calls-2", "succeeds": "x", "value": "m"}, ["succeeds"]),
    ],
)
def test_refusal_names_the_member_and_makes_no_meter(client_with: Client, body: dict[str, Any], fields: list[str]) -> None:
    response = client_with().post(URL, body, format="json")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == fields
    assert Meter.objects.count() == 1


def test_nothing_new_is_refused_with_what_to_do(client_with: Client) -> None:
    response = client_with().post(URL, {"code": "calls-2", "name": "New"}, format="json")
    assert response.status_code == 400
    assert "change its name or unit instead" in response.content.decode()
    assert Meter.objects.count() == 1


def test_scope_and_meter_must_be_there(client_with: Client) -> None:
    body = {"code": "calls-2", "value": "m"}
    assert client_with("read").post(URL, body, format="json").status_code == 403
    assert client_with().post("/api/v1/meters/nothing/succeed", body, format="json").status_code == 404
    assert Meter.objects.count() == 1
