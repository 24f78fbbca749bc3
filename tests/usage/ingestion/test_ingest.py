import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from tests.usage.builders import NOW, a_customer, a_meter, an_event, counts, kept, recomputed, rollups
from usage.ingestion import Fate, Outcome, ingest
from usage.models import Event, QuarantinedEvent

pytestmark = pytest.mark.django_db

ACCEPTED = Fate(Outcome.ACCEPTED)
DUPLICATE = Fate(Outcome.DUPLICATE)
CONFLICT_DETAIL = "another event with this source and id was received before, with other content"
CONFLICT = Fate(Outcome.QUARANTINED, "conflict", CONFLICT_DETAIL)


def test_event_is_stored_and_counted_in_one_step() -> None:
    a_customer()
    a_meter("storage", aggregation="sum", value_path="gigabytes", dimensions=["region"])

    fates = ingest([an_event("1", {"gigabytes": Decimal("1.25"), "region": "eu"}), an_event("2", {"gigabytes": "2"})], now=NOW)

    assert fates == [ACCEPTED, ACCEPTED]
    assert rollups() == [
        ("acme", "storage", "2026-03-10", {"region": "eu"}, 1, Decimal("1.25")),
        ("acme", "storage", "2026-03-10", {"region": None}, 1, Decimal("2")),
    ]
    event = Event.objects.get(event_id="2")
    assert (event.source, event.event_type, event.data) == ("test", "api.call", '{"gigabytes":"2"}')
    assert event.subject is None  # the customer's external id
    assert (event.occurred_at, event.received_at) == (NOW, NOW)


def test_nothing_to_ingest_is_no_work() -> None:
    assert ingest([], now=NOW) == []


def test_same_event_again_is_a_duplicate_and_moves_nothing() -> None:
    a_customer()
    a_meter("storage", aggregation="sum", value_path="gigabytes")
    ingest([an_event("1", {"gigabytes": 5})], now=NOW)

    assert ingest([an_event("1", {"gigabytes": 5}), an_event("2", {"gigabytes": 7})], now=NOW) == [DUPLICATE, ACCEPTED]

    # 5 once + 7
    assert rollups() == [("acme", "storage", "2026-03-10", {}, 2, Decimal(12))]
    assert counts() == {"event": 2, "eventkey": 2, "rollup": 1, "quarantinedevent": 0}


def test_number_written_otherwise_is_still_the_same_event() -> None:
    a_customer()
    a_meter()
    ingest([an_event("1", {"n": 1})], now=NOW)

    assert an_event("1", {"n": 1}).content != an_event("1", {"n": "1"}).content
    assert ingest([an_event("1", {"n": 1})], now=NOW) == [DUPLICATE]


def test_retry_without_a_time_is_the_same_event_later() -> None:
    a_customer()
    a_meter()
    later = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)

    assert ingest([an_event("1", occurred_at=None)], now=NOW) == [ACCEPTED]
    assert ingest([an_event("1", occurred_at=None)], now=later) == [DUPLICATE]

    assert Event.objects.get().occurred_at == NOW
    assert rollups() == [("acme", "calls", "2026-03-10", {}, 1, Decimal(1))]


def test_same_id_with_other_content_is_a_conflict_that_is_kept_once_and_overwrites_nothing() -> None:
    a_customer()
    a_meter("storage", aggregation="sum", value_path="gigabytes")
    ingest([an_event("1", {"gigabytes": 5})], now=NOW)

    for _attempt in range(2):
        assert ingest([an_event("1", {"gigabytes": 6})], now=NOW) == [CONFLICT]

    assert rollups() == [("acme", "storage", "2026-03-10", {}, 1, Decimal(5))]
    kept = QuarantinedEvent.objects.get()
    assert (kept.reason, kept.status, kept.data, kept.detail) == ("conflict", "waiting", {"gigabytes": 6}, CONFLICT_DETAIL)
    assert Event.objects.get().data == '{"gigabytes":5}'


@pytest.mark.parametrize(
    "change", [{"event_type": "other"}, {"subject": "acme-2"}, {"occurred_at": datetime(2026, 3, 10, 12, 0, 1, tzinfo=UTC)}]
)
def test_type_subject_and_time_are_content_too(change: dict[str, Any]) -> None:
    a_customer(keys=["acme-2"])
    a_meter()
    a_meter("others", event_type="other")
    ingest([an_event("1")], now=NOW)

    assert ingest([an_event("1", **change)], now=NOW) == [CONFLICT]
    assert counts()["event"] == 1


def test_same_id_of_another_source_is_another_event() -> None:
    a_customer()
    a_meter()

    # Joined without a boundary, ("a", "bc") and ("ab", "c") would be one key.
    events = [an_event("bc", source="a"), an_event("c", source="ab"), an_event("bc", source="ab")]
    assert ingest(events, now=NOW) == [ACCEPTED, ACCEPTED, ACCEPTED]


def test_repeats_inside_a_request_are_told_apart() -> None:
    a_customer()
    a_meter("storage", aggregation="sum", value_path="gigabytes")
    first, other = an_event("1", {"gigabytes": 5}), an_event("1", {"gigabytes": 6})

    assert ingest([first, first, other, other], now=NOW) == [ACCEPTED, DUPLICATE, CONFLICT, CONFLICT]
    assert rollups() == [("acme", "storage", "2026-03-10", {}, 1, Decimal(5))]
    assert counts()["quarantinedevent"] == 1


def test_repeats_inside_a_request_are_held_against_what_is_stored() -> None:
    a_customer()
    a_meter()
    stored, other = an_event("1", {"n": 1}), an_event("1", {"n": 2})
    ingest([stored], now=NOW)

    assert ingest([other, stored, other], now=NOW) == [CONFLICT, DUPLICATE, CONFLICT]


def test_all_meters_of_a_type_move_together() -> None:
    a_customer()
    a_meter("calls")
    a_meter("bytes", aggregation="sum", value_path="response.bytes")
    a_meter("largest", aggregation="max", value_path="response.bytes", dimensions=["route"])

    ingest(
        [an_event("1", {"response": {"bytes": 10}, "route": "/a"}), an_event("2", {"response": {"bytes": 4}, "route": "/a"})],
        now=NOW,
    )

    assert rollups() == [
        ("acme", "bytes", "2026-03-10", {}, 2, Decimal(14)),
        ("acme", "calls", "2026-03-10", {}, 2, Decimal(2)),
        ("acme", "largest", "2026-03-10", {"route": "/a"}, 2, Decimal(10)),
    ]


def test_event_that_one_meter_cannot_use_waits_whole() -> None:
    a_customer()
    a_meter("calls")
    a_meter("bytes", aggregation="sum", value_path="bytes")

    assert ingest([an_event("1", {})], now=NOW) == [Fate(Outcome.QUARANTINED, "unusable_value", "data.bytes is missing")]
    assert rollups() == []
    assert counts() == {"event": 0, "eventkey": 1, "rollup": 0, "quarantinedevent": 1}


def test_unknown_subject_and_type_wait_and_are_duplicates_when_sent_again() -> None:
    a_customer()
    a_meter()
    events = [an_event("1", subject="nobody"), an_event("2", event_type="nothing"), an_event("3")]

    assert ingest(events, now=NOW) == [
        Fate(Outcome.QUARANTINED, "unknown_subject", "no customer has the subject nobody"),
        Fate(Outcome.QUARANTINED, "unknown_type", "no meter counts the type nothing"),
        ACCEPTED,
    ]
    assert ingest(events, now=NOW) == [DUPLICATE, DUPLICATE, DUPLICATE]
    assert counts() == {"event": 1, "eventkey": 3, "rollup": 1, "quarantinedevent": 2}


def test_archived_customer_is_no_subject_any_more() -> None:
    customer = a_customer()
    a_meter()
    customer.archived_at = NOW
    customer.save()

    assert ingest([an_event("1")], now=NOW)[0].reason == "unknown_subject"


@pytest.mark.parametrize(
    ("timezone", "instant", "day"),
    [
        ("Asia/Tokyo", datetime(2026, 2, 28, 14, 59, 59, 999999, tzinfo=UTC), "2026-02-28"),  # 23:59:59.999999
        ("Asia/Tokyo", datetime(2026, 2, 28, 15, 0, tzinfo=UTC), "2026-03-01"),  # midnight in Tokyo
        ("America/New_York", datetime(2026, 3, 8, 4, 59, 59, tzinfo=UTC), "2026-03-07"),  # still UTC-5
        ("America/New_York", datetime(2026, 3, 8, 5, 0, tzinfo=UTC), "2026-03-08"),
        ("America/New_York", datetime(2026, 3, 9, 3, 59, 59, tzinfo=UTC), "2026-03-08"),  # UTC-4 since 2:00: a day of 23 hours
        ("America/New_York", datetime(2026, 3, 9, 4, 0, tzinfo=UTC), "2026-03-09"),
        ("Pacific/Kiritimati", datetime(2025, 12, 31, 10, 0, tzinfo=UTC), "2026-01-01"),  # UTC+14
        ("UTC", datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC), "2026-02-28"),
    ],
)
def test_day_is_the_local_one_of_the_customer(timezone: str, instant: datetime, day: str) -> None:
    a_customer(timezone=timezone)
    a_meter()

    ingest([an_event("1", occurred_at=instant)], now=NOW)

    assert [rollup[2] for rollup in rollups()] == [day]


def test_texts_and_data_come_back_as_they_were_sent() -> None:
    a_customer(keys=['quote " backslash \\ brace } comma , {NULL}'])
    a_meter(event_type="NULL", dimensions=["region"])
    data = {"region": "Zürich \\ \" ' {a,b} %s\n\t", "nested": {"list": [1, None, True, "x"]}, "exact": "0.0000001453"}

    event = an_event("NULL", data, subject='quote " backslash \\ brace } comma , {NULL}', event_type="NULL", source="'; --")
    assert ingest([event], now=NOW) == [ACCEPTED]

    stored = Event.objects.get()
    assert (stored.source, stored.event_id, stored.event_type, stored.subject) == ("'; --", "NULL", "NULL", event.subject)
    assert json.loads(stored.data) == data
    assert rollups()[0][3] == {"region": data["region"]}


def test_numbers_keep_every_digit() -> None:
    a_customer()
    a_meter("exact", aggregation="sum", value_path="n")

    ingest([an_event("1", {"n": Decimal("123456789012345.123456789012")}), an_event("2", {"n": "0.000000000001"})], now=NOW)

    # 123456789012345.123456789012 + 0.000000000001
    assert rollups()[0][5] == Decimal("123456789012345.123456789013")
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::jsonb->>'n' FROM usage_event WHERE event_id = '1'")
        assert cursor.fetchone() == ("123456789012345.123456789012",)


def test_many_events_of_many_customers_days_and_dimensions_add_up() -> None:
    for number in range(5):
        a_customer(f"c{number}", timezone=["UTC", "Asia/Tokyo", "America/New_York"][number % 3])
    a_meter("calls")
    a_meter("bytes", aggregation="sum", value_path="bytes", dimensions=["region", "tier"])
    events = [
        an_event(
            str(number),
            {
                "bytes": f"{number % 7}.{number:03d}",
                "region": ["eu", "us", "ap"][number % 3],
                "tier": "a" if number % 2 else None,
            },
            subject=f"c{number % 5}",
            occurred_at=datetime(2026, 1 + number % 3, 1 + number % 28, number % 24, tzinfo=UTC),
        )
        for number in range(500)
    ]

    assert set(ingest(events, now=NOW)) == {ACCEPTED}

    assert kept() == recomputed()
    assert sum(rollup[4] for rollup in rollups() if rollup[1] == "calls") == 500
