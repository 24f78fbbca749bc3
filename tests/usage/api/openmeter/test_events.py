import gzip
import json

import pytest

from tests.usage.api.conftest import Client
from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event
from usage.corrections import void_event
from usage.ingestion import ingest

pytestmark = pytest.mark.django_db

URL = "/openmeter/api/v1/events"


def test_events_are_an_array_newest_first(client_with: Client) -> None:
    acme = a_customer()
    a_customer("beta")
    a_meter()
    ingest([an_event("1", {"n": 1}), an_event("2", subject="beta")], now=NOW)

    answer = client_with().get(URL, {"subject": "acme", "limit": "10"}).json()

    assert answer == [
        {
            "event": {
                "specversion": "1.0",
                "id": "1",
                "source": "test",
                "type": "api.call",
                "subject": "acme",
                "time": "2026-03-10T12:00:00Z",
                "data": {"n": 1},
            },
            "customerId": "acme",
            "ingestedAt": "2026-03-10T12:00:00Z",
            "storedAt": "2026-03-10T12:00:00Z",
        }
    ]
    assert [item["customerId"] for item in client_with(customer=acme).get(URL).json()] == ["acme"]
    assert len(client_with().get(URL).json()) == 2
    assert client_with().get(URL, {"hasError": "true"}).status_code == 400


def test_gzipped_events_come_in_here_too(client_with: Client) -> None:
    a_customer()
    a_meter()
    body = gzip.compress(json.dumps([{"id": "1", "source": "app", "type": "api.call", "subject": "acme"}]).encode())

    response = client_with().post(
        URL, body, content_type="application/cloudevents-batch+json", headers={"Content-Encoding": "gzip"}
    )

    # A batch of CloudEvents needs specversion; the body was unpacked and read.
    assert response.status_code == 400
    assert "specversion" in response.json()["detail"]
    assert client_with().post(URL, body, content_type="application/json", headers={"Content-Encoding": "gzip"}).status_code == 204
    assert len(client_with().get(URL).json()) == 1


def test_voided_event_says_why_it_does_not_count(client_with: Client) -> None:
    a_customer()
    a_meter()
    ingest([an_event("1")], now=NOW)
    void_event(source="test", event_id="1", reason="a test run", actor=ACTOR, now=NOW)

    [item] = client_with().get(URL).json()

    assert item["validationError"] == "The event does not count any more: a test run"
