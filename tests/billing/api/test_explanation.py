import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import RequestFactory

from billing.models import Invoice
from customers.api_keys import issue_api_key
from tests.billing.api.calling import Caller
from tests.billing.builders import ACTOR, NOW, bill, invoices, make_catalog, make_customer, send_usage, subscribe
from usage.api.events import EventsView

pytestmark = pytest.mark.django_db


def key_of(*scopes: str) -> dict[str, str]:
    _key, secret = issue_api_key(name="tests", scopes=scopes, actor=ACTOR, now=NOW, customer=None)
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def invoice() -> Invoice:
    """January of a customer in Tokyo who made 1200 calls on the 10th and 300 on the 20th."""
    make_catalog()
    customer = make_customer(timezone="Asia/Tokyo")
    subscribe(customer)
    send_usage(customer, "call", 1200, "2026-01-10", {"region": "eu"})
    send_usage(customer, "call", 300, "2026-01-20", {"region": "us"})
    bill("2026-02-01")
    return invoices(customer=customer)[0]


def test_a_line_leads_over_its_steps_and_days_to_its_events(invoice: Invoice) -> None:
    caller = Caller("read")

    answer = caller.get(f"/invoices/{invoice.number}/lines/2").json

    assert (answer["invoice"], answer["event_type"], answer["filter"]) == ("INV-000001", "call", {})
    assert answer["line"]["quantity"] == "1500"
    assert [(day["day"], day["quantity"]) for day in answer["days"]] == [("2026-01-10", "1200"), ("2026-01-20", "300")]
    listed = urlsplit(answer["days"][0]["events"])
    assert listed.path == "/api/v1/events"
    assert dict(parse_qsl(listed.query)) == {
        "customer": "acme",
        "type": "call",
        "from": "2026-01-09T15:00:00Z",  # midnight in Tokyo
        "to": "2026-01-10T15:00:00Z",
    }
    asked = RequestFactory().get("/api/v1/events", dict(parse_qsl(listed.query)), headers=key_of("read"))
    events = json.loads(EventsView.as_view()(asked).content)["items"]
    assert [item["event"]["data"] for item in events] == [{"n": 1200, "region": "eu"}]


def test_a_fee_has_no_days(invoice: Invoice) -> None:
    answer = Caller("read").get(f"/invoices/{invoice.number}/lines/1").json
    assert (answer["line"]["charge"], answer["event_type"], answer["days"]) == ("fee", "", [])


def test_others_and_lines_that_are_not_there_are_not_found(invoice: Invoice) -> None:
    assert Caller("read").get(f"/invoices/{invoice.number}/lines/3").status == 404
    stranger = Caller("read", customer=make_customer("bert"))
    assert stranger.get(f"/invoices/{invoice.number}/lines/1").status == 404
    assert stranger.get("/events?customer=acme").json == {"items": [], "nextCursor": None}
