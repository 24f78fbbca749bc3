from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from customers.models import AuditEvent
from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event, counts, kept, recomputed, rollups
from usage.corrections import CorrectionError, replace_event, void_event
from usage.corrections.correcting import Corrected
from usage.ingestion import IncomingEvent, Outcome, ingest
from usage.models import Correction, Event
from usage.rollups.totals import Total

pytestmark = pytest.mark.django_db


def void(event_id: str, **fields: object) -> Corrected:
    values = {"source": "test", "event_id": event_id, "reason": "sent by mistake", "actor": ACTOR, "now": NOW} | fields
    return void_event(**values)  # type: ignore[arg-type]


def replace(event_id: str, by: IncomingEvent, **fields: object) -> Corrected:
    values = {"source": "test", "event_id": event_id, "reason": "wrong size", "actor": ACTOR, "now": NOW} | fields
    return replace_event(replacement=by, **values)  # type: ignore[arg-type]


def sums() -> list[tuple[int, Decimal]]:
    """The events and the sum of each rollup."""
    return [row[4:] for row in rollups()]


@pytest.fixture
def bytes_sent() -> None:
    """Three events of 5, 9 and 2 bytes in one rollup."""
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes", dimensions=["region"])
    ingest([an_event(str(size), {"bytes": size, "region": "eu"}) for size in (5, 9, 2)], now=NOW)


@pytest.mark.usefixtures("bytes_sent")
def test_void_takes_count_and_sum_back() -> None:
    assert sums() == [(3, Decimal(16))]  # 5 + 9 + 2

    assert void("2").is_new
    assert sums() == [(2, Decimal(14))]  # 5 + 9
    void("9")
    assert sums() == [(1, Decimal(5))]
    void("5")
    assert sums() == []
    assert kept() == recomputed()
    assert Event.objects.count() == 3  # they stay readable


@pytest.mark.usefixtures("bytes_sent")
def test_late_event_counts_in_the_rollup_that_was_emptied() -> None:
    for event_id in ("5", "9", "2"):
        void(event_id)

    ingest([an_event("late", {"bytes": 4, "region": "eu"})], now=NOW)

    assert sums() == [(1, Decimal(4))]


@pytest.mark.usefixtures("bytes_sent")
def test_void_twice_is_one_correction() -> None:
    first = void("9")
    again = void("9", reason="another reason")

    assert (again.correction, again.is_new, again.moved) == (first.correction, False, ())
    assert sums() == [(2, Decimal(7))]  # 5 + 2
    correction = Correction.objects.get()
    assert (correction.reason, correction.actor_label, correction.corrected_at) == ("sent by mistake", "tests", NOW)
    audit = AuditEvent.objects.get(action="event.voided")
    assert audit.object_id == correction.event_key.hex
    assert audit.before == {"source": "test", "id": "9", "occurred_at": "2026-03-10T12:00:00+00:00"}
    assert audit.after == {"reason": "sent by mistake", "rollups": 1}


@pytest.mark.usefixtures("bytes_sent")
def test_voided_event_sent_again_is_a_duplicate() -> None:
    void("9")

    [fate] = ingest([an_event("9", {"bytes": 9, "region": "eu"})], now=NOW)

    assert fate.outcome == Outcome.DUPLICATE
    assert sums() == [(2, Decimal(7))]


@pytest.mark.usefixtures("bytes_sent")
def test_replacement_counts_in_place_of_the_event() -> None:
    corrected = replace("9", an_event("9b", {"bytes": 7, "region": "us"}, occurred_at=None))

    # eu keeps 5 + 2; us has 7, on the day of the first event, whose time it takes.
    assert [(row[2], row[3], *row[4:]) for row in rollups()] == [
        ("2026-03-10", {"region": "eu"}, 2, Decimal(7)),
        ("2026-03-10", {"region": "us"}, 1, Decimal(7)),
    ]
    assert kept() == recomputed()
    assert (corrected.correction.replacement_source, corrected.correction.replacement_id) == ("test", "9b")
    assert AuditEvent.objects.get(action="event.replaced").after["replacement"] == {"source": "test", "id": "9b"}


@pytest.mark.usefixtures("bytes_sent")
def test_replacement_in_the_same_rollup_moves_it_once() -> None:
    [moved] = replace("9", an_event("9b", {"bytes": 3, "region": "eu"})).moved

    assert moved.before == Total(3, Decimal(16))
    assert moved.after == Total(3, Decimal(10))  # 5 + 2 + 3
    assert kept() == recomputed()


@pytest.mark.usefixtures("bytes_sent")
def test_replacement_may_be_corrected_in_turn_and_asked_for_twice() -> None:
    first = replace("9", an_event("9b", {"bytes": 3}))
    again = replace("9", an_event("9b", {"bytes": 3}))
    assert (again.correction, again.is_new) == (first.correction, False)

    replace("9b", an_event("9c", {"bytes": 4}))
    void("9c")

    assert sums() == [(2, Decimal(7))]
    assert kept() == recomputed()


@pytest.mark.usefixtures("bytes_sent")
@pytest.mark.parametrize(
    ("fields", "by", "code"),
    [
        ({}, an_event("5", {"bytes": 1}), "id_taken"),  # another event has it
        ({}, an_event("9", {"bytes": 1}), "id_taken"),  # its own
        ({}, an_event("n", {"bytes": -1}), "unusable"),
        ({}, an_event("n", {"bytes": 1}, subject="bolt"), "unusable"),
        ({}, an_event("n", {"bytes": 1}, subject="nobody"), "unusable"),
        ({}, an_event("n", {"bytes": 1}, event_type="other"), "unusable"),
        ({"reason": " "}, an_event("n", {"bytes": 1}), "bad_reason"),
        ({"reason": "x" * 501}, an_event("n", {"bytes": 1}), "bad_reason"),
        ({"event_id": "nothing"}, an_event("n", {"bytes": 1}), "not_found"),
        ({"event_id": "waiting"}, an_event("n", {"bytes": 1}), "quarantined"),
        ({"customer_id": -1}, an_event("n", {"bytes": 1}), "not_found"),
        ({"event_id": "2"}, an_event("n", {"bytes": 1}), "already_corrected"),
    ],
)
def test_refusals_write_nothing(fields: dict[str, object], by: IncomingEvent, code: str) -> None:
    a_customer("bolt")
    ingest([an_event("waiting", {"bytes": 1}, subject="nobody")], now=NOW)
    void("2")
    before = rollups(), counts(), Correction.objects.count(), AuditEvent.objects.count()

    with pytest.raises(CorrectionError) as refused:
        replace(**{"event_id": "9", "by": by} | fields)  # type: ignore[arg-type]

    assert refused.value.code == code
    assert (rollups(), counts(), Correction.objects.count(), AuditEvent.objects.count()) == before


@pytest.mark.usefixtures("bytes_sent")
def test_largest_is_recounted_from_the_local_day_alone() -> None:
    a_customer("tokyo", timezone="Asia/Tokyo")
    # 15:00 UTC is midnight in Tokyo.
    times = [(9, 14, 59), (9, 15, 0), (10, 14, 59), (10, 15, 0)]
    events = [
        an_event(f"t{n}", {"bytes": n}, subject="tokyo", occurred_at=datetime(2026, 3, day, hour, minute, tzinfo=UTC))
        for n, (day, hour, minute) in enumerate(times, start=20)
    ]
    ingest(events, now=NOW)

    void("t22")

    assert [(row[2], *row[4:]) for row in rollups() if row[0] == "tokyo"] == [
        ("2026-03-09", 1, Decimal(20)),
        ("2026-03-10", 1, Decimal(21)),
        ("2026-03-11", 1, Decimal(23)),
    ]
    assert kept() == recomputed()


@pytest.mark.usefixtures("bytes_sent")
def test_meter_that_is_made_later_leaves_voided_events_out() -> None:
    void("9")

    a_meter("calls")

    assert [row[4:] for row in rollups() if row[1] == "calls"] == [(2, Decimal(2))]
    void("5")  # counts in two meters
    assert kept() == recomputed()
    assert [row[4:] for row in rollups() if row[1] == "calls"] == [(1, Decimal(1))]


def test_event_that_a_later_meter_cannot_use_is_voided_where_it_counted() -> None:
    a_customer()
    a_meter("calls")
    ingest([an_event("1", {"bytes": "many"})], now=NOW)
    a_meter("bytes", aggregation="sum", value_path="bytes")

    void("1")

    assert rollups() == []


@pytest.mark.usefixtures("bytes_sent")
@pytest.mark.parametrize(
    "change", ["UPDATE usage_correction SET reason = 'x'", "DELETE FROM usage_correction", "TRUNCATE usage_correction"]
)
def test_correction_is_append_only(change: str) -> None:
    void("9")

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)

    assert Correction.objects.get().reason == "sent by mistake"
