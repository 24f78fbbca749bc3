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
    a_meter()
    for number in range(20):
        a_customer(f"c{number}")
    days = [datetime(2026, 3, day, 12, tzinfo=UTC) for day in range(1, 11)]
    events = [
        an_event(str(number), subject=f"c{number % 20}", occurred_at=days[number // 20 % len(days)]) for number in range(4000)
    ]
    ingest(events, now=NOW)

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE usage_eventkey, usage_event, customers_customer")
        cursor.execute("EXPLAIN " + _BY_NAME, {"key": events[7].key, "source": "test", "event_id": "7"})
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "Index Cond: (key = " in plan
    assert "((customer_id = k.customer_id) AND (((occurred_at AT TIME ZONE 'UTC'::text))::date = k.day))" in plan
    assert "Seq Scan on usage_event" not in plan
