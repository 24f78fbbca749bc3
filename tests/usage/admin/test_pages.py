from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import AuditEvent, User
from tests.usage.builders import NOW, a_customer, a_meter, an_event, rollups
from usage.ingestion import ingest
from usage.models import Meter, QuarantinedEvent

pytestmark = pytest.mark.django_db


def _page(client: Client, name: str, *arguments: object, **query: str) -> str:
    response = client.get(reverse(f"admin:usage_{name}", args=arguments), query)
    assert response.status_code == 200
    return response.content.decode()


FORM = {"code": "bytes", "name": "Bytes", "event_type": "api.call", "aggregation": "sum", "value_path": "bytes", "unit": "B"}


def test_meter_is_made_by_its_service_and_counts_the_past(finance: Client) -> None:
    a_customer()
    a_meter()
    ingest([an_event("1", {"bytes": 5, "region": "eu"})], now=NOW)

    response = finance.post(reverse("admin:usage_meter_add"), FORM | {"dimensions": "region, tier"})

    assert response.status_code == 302, response.content.decode()
    assert Meter.objects.get(code="bytes").dimensions == ["region", "tier"]
    assert rollups()[0] == ("acme", "bytes", "2026-03-10", {"region": "eu", "tier": None}, 1, Decimal(5))
    audit = AuditEvent.objects.get(action="meter.created", object_id="bytes")
    assert (audit.actor_kind, audit.actor_label) == ("user", "finance@squill.example")


@pytest.mark.parametrize(
    ("wrong", "message"), [({"value_path": ""}, "must name the member"), ({"code": "calls"}, "already exists")]
)
def test_wrong_meter_is_refused_beside_its_field(finance: Client, wrong: dict[str, str], message: str) -> None:
    a_meter("calls")

    response = finance.post(reverse("admin:usage_meter_add"), FORM | wrong)

    assert response.status_code == 200
    assert message in response.content.decode()
    assert Meter.objects.count() == 1


def test_used_meter_changes_its_name_only(finance: Client) -> None:
    a_customer()
    meter = a_meter("calls")
    ingest([an_event("1")], now=NOW)

    url = reverse("admin:usage_meter_change", args=[meter.pk])
    response = finance.post(url, {"name": "Calls", "unit": "requests", "event_type": "other", "code": "x"})

    assert response.status_code == 302
    meter.refresh_from_db()
    assert (meter.name, meter.unit, meter.event_type, meter.code) == ("Calls", "requests", "api.call", "calls")
    assert "Calls" in _page(finance, "meter_changelist")


def test_meters_are_never_deleted(finance: Client) -> None:
    meter = a_meter()

    assert finance.post(reverse("admin:usage_meter_delete", args=[meter.pk]), {"post": "yes"}).status_code == 403
    assert Meter.objects.count() == 1


def test_events_are_listed_exactly_and_read_only(finance: Client) -> None:
    a_customer()
    a_customer("bolt")
    a_meter()
    a_meter("others", event_type="other")
    ingest(
        [
            an_event("event-one", {"n": Decimal("0.10000000000000000001")}),
            an_event("event-two", subject="bolt", event_type="other"),
        ],
        now=NOW,
    )

    page = _page(finance, "event_changelist")
    assert "0.10000000000000000001" in page
    assert "event-two" in page
    assert "event-two" not in _page(finance, "event_changelist", q="acme")
    assert "event-one" not in _page(finance, "event_changelist", type="other")
    assert finance.get(reverse("admin:usage_event_add")).status_code == 403


def test_quarantine_filters_and_shows_the_payload(finance: Client) -> None:
    ingest([an_event("q-1", {"n": Decimal("1.10000000000000000001")}), an_event("q-2")], now=NOW)

    assert "q-1" not in _page(finance, "quarantinedevent_changelist", reason="conflict")
    row = QuarantinedEvent.objects.get(event_id="q-1")
    assert "&quot;n&quot;: 1.10000000000000000001" in _page(finance, "quarantinedevent_change", row.pk)


def test_replay_asks_and_then_counts_the_event(finance: Client) -> None:
    ingest([an_event("1"), an_event("2")], now=NOW)
    a_customer()
    a_meter()
    row = QuarantinedEvent.objects.get(event_id="1")
    url = reverse("admin:usage_quarantinedevent_replay", args=[row.pk])

    assert "Try to count" in finance.get(url).content.decode()
    assert rollups() == []
    assert finance.post(url).status_code == 302

    assert rollups()[0][4] == 1
    audit = AuditEvent.objects.get(action="quarantine.replayed")
    assert audit.after == {"tried": 1, "replayed": 1}


def test_selected_rows_are_replayed(finance: Client) -> None:
    ingest([an_event("1"), an_event("2")], now=NOW)
    a_customer()
    a_meter()
    rows = QuarantinedEvent.objects.values_list("pk", flat=True)

    url = reverse("admin:usage_quarantinedevent_changelist")
    finance.post(url, {"action": "replay_selected", "_selected_action": [str(row) for row in rows]})

    assert rollups()[0][4] == 2


def test_staff_without_permission_sees_no_replay(client: Client) -> None:
    client.force_login(User.objects.create_user("clerk@squill.example", is_staff=True))
    ingest([an_event("1")], now=NOW)
    row = QuarantinedEvent.objects.get()
    a_customer()
    a_meter()

    assert client.post(reverse("admin:usage_quarantinedevent_replay", args=[row.pk])).status_code == 403
    assert rollups() == []
