import pytest

from customers.models import AuditEvent
from tests.usage.api.conftest import Client
from tests.usage.builders import NOW, a_customer, a_meter, an_event
from usage.ingestion import ingest
from usage.models import Meter

pytestmark = pytest.mark.django_db

URL = "/api/v1/meters"
BODY = {
    "code": "storage",
    "name": "Storage",
    "event_type": "storage.sample",
    "aggregation": "max",
    "value": "gigabytes",
    "dimensions": ["region"],
    "filters": {},
    "unit": "GB",
}


def test_meter_is_created_read_and_listed(client_with: Client) -> None:
    client = client_with()

    response = client.post(URL, BODY)

    assert response.status_code == 201
    expected = BODY | {"succeeds": None, "succeeded_by": None, "created_at": "2026-03-10T12:00:00Z"}
    assert response.json() == expected
    assert client.get(f"{URL}/storage").json() == expected
    assert client.get(URL).json() == {"items": [expected], "nextCursor": None}
    assert AuditEvent.objects.get(action="meter.created").actor_kind == "api_key"


def test_refusal_names_members_of_the_json(client_with: Client) -> None:
    response = client_with().post(URL, BODY | {"value": "", "code": "a b"})

    assert response.status_code == 400
    assert sorted(error["field"] for error in response.json()["errors"]) == ["code", "value"]
    assert not Meter.objects.exists()


def test_unknown_member_and_aggregation_are_refused(client_with: Client) -> None:
    response = client_with().post(URL, BODY | {"aggregation": "median", "valueProperty": "$.x"})

    assert sorted(error["field"] for error in response.json()["errors"]) == ["aggregation", "valueProperty"]
    assert not Meter.objects.exists()


def test_name_changes_but_not_the_meaning_of_a_used_meter(client_with: Client) -> None:
    a_customer()
    a_meter()
    ingest([an_event("1")], now=NOW)
    client = client_with()

    assert client.patch(f"{URL}/calls", {"name": "Calls"}).json()["name"] == "Calls"
    response = client.patch(f"{URL}/calls", {"event_type": "other"})

    assert response.status_code == 400
    assert response.json()["errors"] == [
        {"field": "event_type", "message": "is fixed: the meter has counted usage. Make a meter that succeeds it instead"}
    ]
    assert Meter.objects.get().event_type == "api.call"


def test_unknown_meter_is_404(client_with: Client) -> None:
    assert client_with().get(f"{URL}/none").status_code == 404
    assert client_with().patch(f"{URL}/none", {}).status_code == 404


def test_narrowed_key_reads_meters_and_changes_none(client_with: Client) -> None:
    client = client_with(customer=a_customer())
    a_meter()

    assert client.get(f"{URL}/calls").status_code == 200
    assert client.post(URL, BODY).status_code == 403
    assert client.patch(f"{URL}/calls", {"name": "x"}).status_code == 403
    assert [meter.name for meter in Meter.objects.all()] == ["calls"]


def test_writing_needs_its_scope(client_with: Client) -> None:
    assert client_with("read", "events:write").post(URL, BODY).status_code == 403
    assert not Meter.objects.exists()
