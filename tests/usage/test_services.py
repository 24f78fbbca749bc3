from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from customers.models import AuditEvent
from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event, counts, kept, recomputed, rollups
from tests.usage.months import a_january_put_away, send
from usage.corrections import CorrectionError
from usage.ingestion import ingest, replay_waiting
from usage.models import Meter, QuarantinedEvent
from usage.services import MeterError, create_meter, discard_quarantined, update_meter

pytestmark = pytest.mark.django_db

GOOD: dict[str, Any] = {"code": "bytes", "name": "Bytes", "event_type": "api.call", "aggregation": "sum", "value_path": "bytes"}


def test_new_meter_counts_the_past() -> None:
    a_customer("acme", timezone="Asia/Tokyo")
    a_customer("bolt")
    a_meter("calls")
    late = datetime(2026, 2, 28, 15, 0, tzinfo=UTC)  # midnight of 1 March in Tokyo
    ingest(
        [
            an_event("1", {"bytes": "1.5", "route": "/a"}, occurred_at=late),
            an_event("2", {"bytes": 2, "route": "/a"}, occurred_at=late),
            an_event("3", {"bytes": 4}, subject="bolt", occurred_at=late),
            an_event("4", {"bytes": "much"}, subject="bolt"),
        ],
        now=NOW,
    )

    a_meter("bytes", aggregation="sum", value_path="bytes", dimensions=["route"])

    assert [rollup for rollup in rollups() if rollup[1] == "bytes"] == [
        ("acme", "bytes", "2026-03-01", {"route": "/a"}, 2, Decimal("3.5")),  # 1.5 + 2
        ("bolt", "bytes", "2026-02-28", {"route": None}, 1, Decimal(4)),
    ]
    after = AuditEvent.objects.get(action="meter.created", object_id="bytes").after
    assert (after["past_events"], after["unusable_past_events"]) == (3, 1)


def test_new_meter_counts_the_events_that_are_kept_and_its_audit_says_since_when(settings: Settings) -> None:
    a_january_put_away(settings)
    send("late", 3, "2026-01-10T06:00")

    meter = a_meter("calls")

    # Event 4 of 1 February in Tokyo, and the late one, which is stored like any other
    assert [rollup[2:5] for rollup in rollups() if rollup[1] == "calls"] == [("2026-01-10", {}, 1), ("2026-02-01", {}, 1)]
    after = AuditEvent.objects.get(action="meter.created", object_id="calls").after
    assert (after["past_events"], after["complete_since"]) == (2, "2026-02-01")
    unused = a_meter("other", event_type="other")
    update_meter(meter_id=unused.pk, changes={"event_type": "another"}, actor=ACTOR, now=NOW)
    assert AuditEvent.objects.get(action="meter.changed").after == {"event_type": "another", "complete_since": "2026-02-01"}
    update_meter(meter_id=meter.pk, changes={"unit": "calls"}, actor=ACTOR, now=NOW)
    assert AuditEvent.objects.filter(action="meter.changed").latest("pk").after == {"unit": "calls"}


def test_rebuilt_and_streamed_rollups_are_the_same() -> None:
    a_customer()
    events = [an_event(str(number), {"bytes": f"{number}.5", "route": f"/{number % 3}"}) for number in range(50)]
    fields = {"aggregation": "max", "value_path": "bytes", "dimensions": ["route"]}
    a_meter("before", **fields)
    ingest(events, now=NOW)

    a_meter("after", **fields)

    assert [rollup[2:] for rollup in rollups() if rollup[1] == "before"] == [
        rollup[2:] for rollup in rollups() if rollup[1] == "after"
    ]
    assert kept() == recomputed()


def test_events_that_waited_for_the_meter_come_back_by_replay() -> None:
    a_customer()
    ingest([an_event("1", {"bytes": 1})], now=NOW)
    a_meter("bytes", aggregation="sum", value_path="bytes")
    assert rollups() == []

    assert replay_waiting(now=NOW) == 1

    assert rollups() == [("acme", "bytes", "2026-03-10", {}, 1, Decimal(1))]


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ({"code": ""}, "code", "must be 1 to 64 letters"),
        ({"code": "a b"}, "code", "must be 1 to 64 letters"),
        ({"code": "a" * 65}, "code", "must be 1 to 64 letters"),
        ({"name": " "}, "name", "must not be empty"),
        ({"name": "a" * 256}, "name", "at most 255"),
        ({"name": "a\x00"}, "name", "printable"),
        ({"event_type": ""}, "event_type", "must not be empty"),
        ({"aggregation": "median"}, "aggregation", "one of count, sum, min, max, latest, unique_count, average, weighted_sum"),
        ({"aggregation": "count"}, "value_path", "a count takes no value"),
        ({"value_path": ""}, "value_path", "must name the member"),
        ({"value_path": "a" * 256}, "value_path", "at most 255"),
        ({"dimensions": [""]}, "dimensions", "1 to 64"),
        ({"dimensions": ["a", "a"]}, "dimensions", "twice"),
        ({"dimensions": [str(number) for number in range(11)]}, "dimensions", "at most 10"),
        ({"dimensions": [1]}, "dimensions", "list of texts"),
        ({"unit": "u" * 33}, "unit", "at most 32"),
    ],
)
def test_wrong_meter_is_refused_by_field_and_nothing_is_written(wrong: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(MeterError) as caught:
        create_meter(**(GOOD | wrong), actor=ACTOR, now=NOW)

    assert list(caught.value.errors) == [field]
    assert message in caught.value.errors[field]
    assert not Meter.objects.exists()
    assert not AuditEvent.objects.exists()


def test_code_that_is_taken_is_refused() -> None:
    a_meter("calls")

    with pytest.raises(MeterError, match="code: is taken by another meter"):
        a_meter("calls", event_type="other")

    assert Meter.objects.get().event_type == "api.call"


def test_name_and_unit_change_any_time() -> None:
    a_customer()
    meter = a_meter()
    ingest([an_event("1")], now=NOW)

    changed = update_meter(meter_id=meter.pk, changes={"name": "Calls", "unit": "requests"}, actor=ACTOR, now=NOW)

    assert (changed.name, changed.unit) == ("Calls", "requests")
    audit = AuditEvent.objects.get(action="meter.changed")
    assert (audit.before, audit.after) == ({"name": "calls", "unit": ""}, {"name": "Calls", "unit": "requests"})


def test_change_to_what_it_is_already_writes_nothing() -> None:
    meter = a_meter()

    update_meter(meter_id=meter.pk, changes={"name": "calls", "dimensions": ()}, actor=ACTOR, now=NOW)

    assert not AuditEvent.objects.filter(action="meter.changed").exists()


def test_meaning_of_a_used_meter_is_fixed() -> None:
    a_customer()
    meter = a_meter()
    ingest([an_event("1", {"bytes": 1})], now=NOW)

    with pytest.raises(MeterError, match="aggregation: is fixed") as caught:
        update_meter(meter_id=meter.pk, changes={"aggregation": "sum", "value_path": "bytes", "name": "B"}, actor=ACTOR, now=NOW)

    assert sorted(caught.value.errors) == ["aggregation", "value_path"]
    meter.refresh_from_db()
    assert (meter.aggregation, meter.name) == ("count", "calls")


def test_unknown_field_is_refused() -> None:
    meter = a_meter()

    with pytest.raises(MeterError, match="created_at: is not a field"):
        update_meter(meter_id=meter.pk, changes={"created_at": NOW}, actor=ACTOR, now=NOW)


def test_corrected_meter_takes_what_the_wrong_one_could_not() -> None:
    a_customer()
    meter = a_meter("bytes", aggregation="sum", value_path="byte")
    ingest([an_event("1", {"bytes": 7})], now=NOW)
    assert counts()["quarantinedevent"] == 1

    update_meter(meter_id=meter.pk, changes={"value_path": "bytes"}, actor=ACTOR, now=NOW)

    assert rollups() == [("acme", "bytes", "2026-03-10", {}, 1, Decimal(7))]


def test_unused_meter_that_changes_its_type_counts_the_past_of_the_new_one() -> None:
    a_customer()
    a_meter("others", event_type="other")
    ingest([an_event("1", event_type="other")], now=NOW)
    meter = a_meter("calls")

    update_meter(meter_id=meter.pk, changes={"event_type": "other"}, actor=ACTOR, now=NOW)

    assert kept() == recomputed()
    assert len(rollups()) == 2


def test_discarded_events_keep_the_reason_and_never_count() -> None:
    ingest([an_event("1"), an_event("2")], now=NOW)
    row = QuarantinedEvent.objects.get(event_id="1")

    assert discard_quarantined(row_ids=[row.pk], reason="a test run", actor=ACTOR, now=NOW) == 1

    row.refresh_from_db()
    assert (row.status, row.discard_reason, row.resolved_at) == ("discarded", "a test run", NOW)
    audit = AuditEvent.objects.get(action="quarantine.discarded")
    assert audit.before == {"reason": "unknown_subject", "source": "test", "id": "1"}
    assert audit.after == {"discard_reason": "a test run"}
    a_customer()
    a_meter()
    assert replay_waiting(now=NOW) == 1
    assert [rollup[4] for rollup in rollups()] == [1]


def test_discarding_again_changes_nothing() -> None:
    ingest([an_event("1")], now=NOW)
    row_ids = list(QuarantinedEvent.objects.values_list("pk", flat=True))
    discard_quarantined(row_ids=row_ids, reason="a test run", actor=ACTOR, now=NOW)

    assert discard_quarantined(row_ids=row_ids, reason="another", actor=ACTOR, now=NOW) == 0

    assert QuarantinedEvent.objects.get().discard_reason == "a test run"
    assert AuditEvent.objects.filter(action="quarantine.discarded").count() == 1


@pytest.mark.parametrize("reason", ["", " ", "x" * 501, "nul\0"])
def test_discarding_needs_a_reason(reason: str) -> None:
    ingest([an_event("1")], now=NOW)
    row = QuarantinedEvent.objects.get()

    with pytest.raises(CorrectionError, match="Say why, in 1 to 500 characters") as refused:
        discard_quarantined(row_ids=[row.pk], reason=reason, actor=ACTOR, now=NOW)

    assert refused.value.code == "bad_reason"
    row.refresh_from_db()
    assert (row.status, row.discard_reason) == ("waiting", "")
    assert AuditEvent.objects.filter(action="quarantine.discarded").count() == 0
