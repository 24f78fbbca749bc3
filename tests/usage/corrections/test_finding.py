from datetime import UTC, datetime

import pytest
from django.db import connection

from tests.usage.builders import NOW, a_customer, a_meter, an_event
from usage.corrections.finding import _BY_KEY, stored_events
from usage.ingestion import ingest

pytestmark = pytest.mark.django_db


def test_events_of_any_month_are_found_by_their_keys_in_order() -> None:
    a_customer()
    a_meter()
    events = [an_event(str(month), {"n": month}, occurred_at=datetime(2026, month, 1, tzinfo=UTC)) for month in (1, 2, 3)]
    ingest(events, now=NOW)

    found = stored_events([events[0].key, events[2].key, "0" * 32])

    assert [event.key for event in found] == sorted([events[0].key, events[2].key])
    assert {(event.event_id, event.data) for event in found} == {("1", '{"n": 1}'), ("3", '{"n": 3}')}


def test_one_event_is_found_by_the_index_on_its_key() -> None:
    a_customer()
    a_meter()
    event = an_event("1")
    ingest([event], now=NOW)

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + _BY_KEY, [[event.key]] * 2)
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "uuid_hash" in plan.replace("Filter", "")
    assert "Index Cond: (uuid_hash(key) = ANY" in plan
    assert "Seq Scan" not in plan
