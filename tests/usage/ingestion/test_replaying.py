from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from tests.usage.builders import NOW, a_customer, a_meter, an_event, counts, rollups
from usage.ingestion import ingest, replay_waiting, replaying
from usage.models import Event, QuarantinedEvent

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=1)


def test_event_counts_once_its_customer_appears_at_the_time_it_happened() -> None:
    a_meter("bytes", aggregation="sum", value_path="bytes")
    ingest([an_event("1", {"bytes": Decimal("0.1")}, occurred_at=datetime(2026, 2, 28, 15, 30, tzinfo=UTC))], now=NOW)
    a_customer(timezone="Asia/Tokyo")

    assert replay_waiting(now=LATER) == 1
    assert replay_waiting(now=LATER) == 0

    assert rollups() == [("acme", "bytes", "2026-03-01", {}, 1, Decimal("0.1"))]
    event = Event.objects.get()
    assert (event.occurred_at, event.received_at) == (datetime(2026, 2, 28, 15, 30, tzinfo=UTC), NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::jsonb->>'bytes' FROM usage_event")
        assert cursor.fetchone() == ("0.1",)
    row = QuarantinedEvent.objects.get()
    assert (row.status, row.resolved_at) == ("replayed", LATER)


def test_what_is_still_unknown_waits_on() -> None:
    a_meter()
    ingest([an_event("1", subject="nobody"), an_event("2", event_type="nothing")], now=NOW)

    assert replay_waiting(now=LATER) == 0
    assert counts()["event"] == 0


def test_reason_is_corrected_when_another_one_remains() -> None:
    ingest([an_event("1", {}), an_event("2", {}, event_type="other")], now=NOW)
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes")

    assert replay_waiting(now=LATER) == 0

    assert list(QuarantinedEvent.objects.order_by("event_id").values_list("reason", "detail", "status")) == [
        ("unusable_value", "data.bytes is missing", "waiting"),
        ("unknown_type", "no meter counts the type other", "waiting"),
    ]


def test_conflicts_and_discarded_events_are_never_replayed() -> None:
    a_meter()
    ingest([an_event("1"), an_event("1", {"n": 2}), an_event("2")], now=NOW)
    QuarantinedEvent.objects.filter(event_id="2").update(status="discarded")
    a_customer()
    everything = list(QuarantinedEvent.objects.values_list("pk", flat=True))

    assert replaying.replay_chosen(everything, now=LATER) == 1  # the first of the two with id 1
    assert [event.data for event in Event.objects.all()] == ["{}"]


def test_chosen_rows_alone_are_tried() -> None:
    a_meter()
    ingest([an_event("1"), an_event("2")], now=NOW)
    a_customer()

    assert replaying.replay_chosen([QuarantinedEvent.objects.get(event_id="2").pk], now=LATER) == 1
    assert [event.event_id for event in Event.objects.all()] == ["2"]


def test_many_rows_are_replayed_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "_BATCH", 10)
    a_meter()
    ingest([an_event(f"{number:02d}") for number in range(25)], now=NOW)
    a_customer()

    assert replay_waiting(now=LATER) == 25
    assert rollups() == [("acme", "calls", "2026-03-10", {}, 25, Decimal(25))]
