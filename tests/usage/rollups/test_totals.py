from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from msgspec import structs

from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event, kept, recomputed, rollups
from usage.corrections import replace_event, void_event
from usage.ingestion import ingest
from usage.models import Meter
from usage.rollups.rebuild import rebuild_meter
from usage.rollups.rules import Reading, rule_of
from usage.rollups.totals import Latest, Moment, Place, Total, Totals, merge, without

DAY = date(2026, 3, 10)
NOON = Moment(datetime(2026, 3, 10, 12, tzinfo=UTC), DAY, "UTC", "test", "1")


def _reading(aggregation: str, data: dict[str, object], *, meter_id: int = 1, dimensions: tuple[str, ...] = ()) -> Reading:
    reading = rule_of(meter_id, aggregation, "" if aggregation == "count" else "v", dimensions, "{}").read(data)
    assert reading is not None
    return reading


def _total(aggregation: str, *values: object) -> Total:
    totals = Totals()
    for number, value in enumerate(values):
        totals.add(1, structs.replace(NOON, event_id=str(number)), (_reading(aggregation, {"v": value}),))
    [total] = totals.values()
    return total


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        ("count", Total(3)),
        ("sum", Total(3, value_sum=10)),  # 5 + 2 + 3
        ("average", Total(3, value_sum=10)),
        ("min", Total(3, value_min=2)),
        ("max", Total(3, value_max=5)),
        ("latest", Total(3, latest=Latest(NOON.occurred_at, "2\x1ftest", 3))),  # at one time: the id that sorts last
        ("weighted_sum", Total(3, value_sum=10, value_weight=10 * 43_200_000_000)),  # twelve hours of the day are left
    ],
)
def test_each_aggregation_keeps_what_it_needs(aggregation: str, expected: Total) -> None:
    assert _total(aggregation, 5, 2, 3) == expected


def test_groups_of_two_meters_with_one_value_under_two_names_stay_apart() -> None:
    totals = Totals()
    data: dict[str, object] = {"region": "x", "model": "x"}
    for meter_id, name in ((1, "region"), (2, "model")):
        totals.add(7, NOON, (_reading("count", data, meter_id=meter_id, dimensions=(name,)),))

    assert {place.meter_id: group.dimensions for place, group in totals.groups.items()} == {
        1: '{"region":"x"}',
        2: '{"model":"x"}',
    }


@pytest.mark.django_db
def test_meters_split_by_other_members_keep_their_own_names_where_the_values_are_the_same() -> None:
    a_customer()
    a_meter("by-region", dimensions=["region"])
    a_meter("by-model", aggregation="sum", value_path="n", dimensions=["model"])
    a_meter("items", aggregation="unique_count", value_path="model")

    ingest([an_event("1", {"region": "x", "model": "x", "n": 2}), an_event("2", {"n": 3, "model": "y"})], now=NOW)

    expected = [
        ("acme", "by-model", "2026-03-10", {"model": "x"}, 1, Decimal(2)),
        ("acme", "by-model", "2026-03-10", {"model": "y"}, 1, Decimal(3)),
        ("acme", "by-region", "2026-03-10", {"region": "x"}, 1, Decimal(1)),
        ("acme", "by-region", "2026-03-10", {"region": None}, 1, Decimal(1)),
        ("acme", "items", "2026-03-10", {}, 1, Decimal(1)),
        ("acme", "items", "2026-03-10", {}, 1, Decimal(1)),
    ]
    assert rollups() == expected
    assert kept() == recomputed()

    for meter in Meter.objects.all():
        rebuild_meter(meter)
    assert kept() == recomputed()

    by = an_event("3", {"region": "y", "model": "y", "n": 1})
    moved = replace_event(source="test", event_id="1", replacement=by, reason="wrong", actor=ACTOR, now=NOW).moved
    assert sorted(each.dimensions for each in moved if each.dimensions != "{}") == [
        '{"model":"x"}', '{"model":"y"}', '{"region":"x"}', '{"region":"y"}'
    ]  # fmt: skip
    void_event(source="test", event_id="2", reason="wrong", actor=ACTOR, now=NOW)
    assert kept() == recomputed()


@pytest.mark.parametrize("aggregation", ["count", "sum", "min", "max", "latest", "weighted_sum"])
def test_two_totals_merge_to_that_of_all_events(aggregation: str) -> None:
    total, other = _total(aggregation, 5), Totals()
    other.add(1, structs.replace(NOON, event_id="9"), (_reading(aggregation, {"v": 3}),))

    merge(total, next(iter(other.values())))

    expected = Totals()
    for event_id, value in (("0", 5), ("9", 3)):
        expected.add(1, structs.replace(NOON, event_id=event_id), (_reading(aggregation, {"v": value}),))
    assert total == next(iter(expected.values()))


@pytest.mark.parametrize(
    ("aggregation", "taken", "left"),
    [
        ("count", 2, Total(2)),
        ("sum", 2, Total(2, value_sum=8)),  # 10 - 2
        ("min", 2, None),  # the smallest has gone: only the events know the next
        ("min", 3, Total(2, value_min=2)),
        ("max", 5, None),
        ("max", 2, Total(2, value_max=5)),
    ],
)
def test_taking_out_is_exact_or_says_that_it_cannot_tell(aggregation: str, taken: int, left: Total | None) -> None:
    assert without(_total(aggregation, 5, 2, 3), _total(aggregation, taken)) == left


def test_taking_out_all_leaves_nothing() -> None:
    assert without(_total("max", 5, 2), _total("max", 5, 2)) == Total()


def test_place_sorts_by_customer_meter_day_and_group() -> None:
    places = [Place(1, 2, DAY, "b"), Place(1, 1, DAY, "b"), Place(1, 2, date(2026, 3, 9), "b"), Place(1, 2, DAY, "a")]

    assert sorted(places) == [places[1], places[2], places[3], places[0]]
