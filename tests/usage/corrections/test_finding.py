from datetime import UTC, datetime

import pytest
from django.db import connection

from tests.usage.builders import NOW, a_customer, a_meter, an_event
from usage.corrections.finding import _BY_NAME, stored_events
from usage.ingestion import ingest

pytestmark = pytest.mark.django_db


def test_events_of_any_month_are_found_by_source_and_id_in_order() -> None:
    a_customer()
    a_meter()
    events = [an_event(str(month), {"n": month}, occurred_at=datetime(2026, month, 1, tzinfo=UTC)) for month in (1, 2, 3)]
    ingest(events, now=NOW)

    found = stored_events([("test", "3"), ("test", "1"), ("other", "2")])

    assert [(event.event_id, event.subject, event.data) for event in found] == [
        ("1", "acme", '{"n":1}'),
        ("3", "acme", '{"n":3}'),
    ]
    assert [event.key for event in found] == [events[0].key, events[2].key]


def test_one_event_is_found_by_the_indexes_on_its_key_and_place() -> None:
    a_customer()
    a_meter()
    event = an_event("1")
    ingest([event], now=NOW)

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + _BY_NAME, {"key": event.key, "source": "test", "event_id": "1"})
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "Index Cond: (key = " in plan
    assert "Index Cond: ((customer_id = k.customer_id) AND (((occurred_at AT TIME ZONE 'UTC'::text))::date = k.day))" in plan
    assert "Seq Scan" not in plan
