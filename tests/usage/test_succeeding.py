"""A meter whose meaning is fixed is succeeded by another, which counts the past by its own meaning."""

from decimal import Decimal
from typing import Any

import pytest

from customers.models import AuditEvent
from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event, kept, recomputed, rollups
from usage.ingestion import ingest
from usage.models import Meter
from usage.services import MeterError, MeterInUse, delete_meter, succeed_meter

pytestmark = pytest.mark.django_db


def succeed(meter: Meter, code: str = "calls-2", **changes: Any) -> Meter:
    return succeed_meter(meter_id=meter.pk, code=code, changes=changes, actor=ACTOR, now=NOW)


@pytest.fixture
def calls() -> Meter:
    a_customer()
    made = a_meter(aggregation="sum", value_path="n", dimensions=["region"], unit="calls")
    ingest([an_event("1", {"n": 2, "region": "eu"}), an_event("2", {"n": 5, "region": "us"})], now=NOW)
    return made


def test_successor_has_all_that_is_not_changed_and_counts_the_past(calls: Meter) -> None:
    made = succeed(calls, filters={"region": {"equals": "eu"}}, name="EU calls")

    assert (made.predecessor, made.aggregation, made.value_path, made.dimensions, made.unit, made.name) == (
        calls, "sum", "n", ["region"], "calls", "EU calls"
    )  # fmt: skip
    assert [row[1:] for row in rollups() if row[1] == "calls-2"] == [("calls-2", "2026-03-10", {"region": "eu"}, 1, Decimal(2))]
    trail = AuditEvent.objects.get(action="meter.succeeded")
    assert (trail.object_id, trail.after) == ("calls", {"successor": "calls-2"})
    assert AuditEvent.objects.filter(action="meter.created", object_id="calls-2").exists()


def test_both_go_on_counting(calls: Meter) -> None:
    succeed(calls, filters={"region": {"equals": "eu"}})

    ingest([an_event("3", {"n": 1, "region": "eu"}), an_event("4", {"n": 1, "region": "us"})], now=NOW)

    totals = {(row[1], row[3]["region"]): row[5] for row in rollups()}
    # 2 + 1 of the EU, 5 + 1 of the US
    assert totals == {("calls", "eu"): 3, ("calls", "us"): 6, ("calls-2", "eu"): 3}
    assert kept() == recomputed()


@pytest.mark.parametrize(
    ("code", "changes", "field", "message"),
    [
        ("calls-2", {}, "", "Nothing that the meter means would change: change its name or unit instead."),
        ("calls-2", {"name": "New", "unit": "x"}, "", "Nothing that the meter means would change"),
        ("calls-2", {"aggregation": "sum", "dimensions": ["region"]}, "", "Nothing that the meter means would change"),
        ("calls", {"aggregation": "max"}, "code", "is taken by another meter"),
        ("a b", {"aggregation": "max"}, "code", "must be 1 to 64 letters"),
        ("calls-2", {"aggregation": "count"}, "value_path", "must be empty: a count takes no value"),
        ("calls-2", {"filters": {"m": {"eq": 1}}}, "filters", "m: eq is none of"),
        ("calls-2", {"predecessor": None, "aggregation": "max"}, "predecessor", "is not a field of a successor"),
    ],
)
def test_refusal_names_the_field_and_writes_nothing(
    calls: Meter, code: str, changes: dict[str, Any], field: str, message: str
) -> None:
    before, trail = kept(), AuditEvent.objects.count()

    with pytest.raises(MeterError) as caught:
        succeed(calls, code, **changes)

    assert list(caught.value.errors) == [field]
    assert caught.value.errors[field].startswith(message)
    assert (kept(), AuditEvent.objects.count(), Meter.objects.count()) == (before, trail, 1)


def test_same_filters_spelled_otherwise_mean_the_same(calls: Meter) -> None:
    made = succeed(calls, filters={"n": {"gte": "1000"}})
    with pytest.raises(MeterError, match="Nothing that the meter means"):
        succeed(made, "calls-3", filters={"n": {"gte": "1e3"}})
    assert Meter.objects.count() == 2


def test_meter_is_succeeded_once_and_its_successor_may_be_too(calls: Meter) -> None:
    second = succeed(calls, aggregation="max")
    with pytest.raises(MeterError, match="calls-2 succeeds this meter already: let another meter succeed that one"):
        succeed(calls, "other", aggregation="min")
    third = succeed(second, "calls-3", aggregation="min")

    assert third.predecessor == second
    assert Meter.objects.count() == 3


def test_meter_that_is_succeeded_stays() -> None:
    calls = a_meter(aggregation="sum", value_path="n")
    succeed(calls, aggregation="max")
    with pytest.raises(MeterInUse, match="priced by a plan, or succeeded"):
        delete_meter(meter_id=calls.pk, actor=ACTOR, now=NOW)
    assert Meter.objects.count() == 2
