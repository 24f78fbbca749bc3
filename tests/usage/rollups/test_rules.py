from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from squill.lib.decimals import plain
from usage.rollups.rules import Group, Number, Rule, Unusable, end_of_day, rule_of


def _rule(value_path: str = "", dimensions: tuple[str, ...] = (), aggregation: str = "sum", filters: str = "{}") -> Rule:
    return rule_of(1, aggregation, value_path, dimensions, filters)


def _value(sent: Any, aggregation: str = "sum") -> Number:
    reading = _rule("v", aggregation=aggregation).read({"v": sent})
    assert reading is not None
    return reading[2]


def _group(rule: Rule, data: dict[str, Any]) -> Group:
    reading = rule.read(data)
    assert reading is not None
    return reading[1]


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        (0, "0"),
        (7, "7"),
        ("7", "7"),
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("-0", "0"),
        ("0e99", "0"),
        ("0.000000000001", "0.000000000001"),
        ("0.0000000000010", "0.000000000001"),
        (Decimal("0.1"), "0.1"),
        (10**15 - 1, "999999999999999"),
        ("999999999999999.999999999999", "999999999999999.999999999999"),
    ],
)
def test_value_is_read_exactly(sent: Any, value: str) -> None:
    assert plain(Decimal(_value(sent))) == value


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (None, "data.v is missing"),
        ("", "data.v is not a number"),
        ("many", "data.v is not a number"),
        (" 1", "data.v is not a number"),
        ("1_000", "data.v is not a number"),
        ("٣", "data.v is not a number"),
        ("NaN", "data.v is not a number"),
        ("Infinity", "data.v is not a number"),
        ("1e400", "data.v is not a number"),
        (True, "data.v is not a number"),
        ([1], "data.v is not a number"),
        (-1, "data.v is negative"),
        ("-0.5", "data.v is negative"),
        (10**15, "data.v is 10^15 or more"),
        ("1e15", "data.v is 10^15 or more"),
        ("0.0000000000001", "data.v has more than 12 decimals (SQUILL_EVENTS_MAX_DECIMALS)"),
    ],
)
def test_value_that_cannot_be_counted_is_said_to_be(sent: Any, message: str) -> None:
    with pytest.raises(Unusable) as caught:
        _value(sent)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("sent", "dimensions"),
    [
        ("eu", '{"d":"eu"}'),
        ("", '{"d":""}'),
        (None, '{"d":null}'),
        (5, '{"d":"5"}'),
        (Decimal("0.5"), '{"d":"0.5"}'),
        (Decimal("0.0000001"), '{"d":"0.0000001"}'),
        (True, '{"d":"true"}'),
    ],
)
def test_dimension_is_a_text_or_null(sent: Any, dimensions: str) -> None:
    assert _group(_rule("", ("d",), "count"), {"d": sent}).dimensions == dimensions


@pytest.mark.parametrize("sent", [{}, [], ["eu"], "x" * 256])
def test_dimension_that_is_no_short_text_is_unusable(sent: Any) -> None:
    with pytest.raises(Unusable, match=r"^data\.d "):
        _rule("", ("d",), "count").read({"d": sent})


def test_values_in_other_order_are_another_key() -> None:
    rule = _rule("", ("a", "b"), "count")

    assert _group(rule, {"a": "x", "b": None}).key != _group(rule, {"a": None, "b": "x"}).key


def test_path_leads_into_objects_and_a_name_with_dots_goes_first() -> None:
    rule = _rule("a.b")

    assert [reading[2] for data in ({"a": {"b": 1}}, {"a": {"b": 1}, "a.b": 2}) if (reading := rule.read(data))] == [1, 2]
    with pytest.raises(Unusable, match="missing"):
        rule.read({"a": 5})


def test_only_a_weighted_sum_takes_values_below_zero() -> None:
    assert _value(-5, "weighted_sum") == -5
    assert _value("-0.5", "weighted_sum") == Decimal("-0.5")
    for aggregation in ("sum", "min", "max", "latest", "average"):
        with pytest.raises(Unusable, match=r"^data\.v is negative$"):
            _value(-5, aggregation)
    with pytest.raises(Unusable, match="10\\^15 or more"):
        _value(-(10**15), "weighted_sum")


@pytest.mark.parametrize(("sent", "item"), [("ann", "ann"), ("", ""), (7, "7"), (Decimal("0.5"), "0.5"), (True, "true")])
def test_item_of_a_unique_count_is_a_text(sent: Any, item: str) -> None:
    rule = _rule("user", ("region",), "unique_count")
    group = _group(rule, {"user": sent, "region": "eu"})

    assert (group.item, group.dimensions) == (item, '{"region":"eu"}')
    assert group.key != _group(rule, {"user": "someone else", "region": "eu"}).key


@pytest.mark.parametrize("sent", [None, {}, ["ann"], "x" * 256])
def test_item_that_is_no_short_text_is_unusable(sent: Any) -> None:
    with pytest.raises(Unusable, match=r"^data\.user "):
        _rule("user", (), "unique_count").read({"user": sent})


def test_event_that_the_filters_leave_out_is_not_read() -> None:
    rule = _rule("v", filters='{"status": {"in": ["200", "204"]}}')

    assert rule.read({"v": 1, "status": 404}) is None
    assert rule.read({"v": "no number", "status": 404}) is None  # what does not count need not be usable
    reading = rule.read({"v": 1, "status": 200})
    assert reading is not None
    assert reading[2] == 1


@pytest.mark.parametrize(
    ("day", "timezone", "end"),
    [
        (date(2026, 3, 10), "UTC", datetime(2026, 3, 11, tzinfo=UTC)),
        (date(2026, 3, 29), "Europe/Berlin", datetime(2026, 3, 29, 22, tzinfo=UTC)),  # 23 hours long
        (date(2026, 9, 5), "America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC)),  # the next midnight is skipped
    ],
)
def test_day_ends_where_the_next_begins(day: date, timezone: str, end: datetime) -> None:
    assert end_of_day(day, timezone) == end


def test_decimals_may_be_limited(settings: Settings) -> None:
    settings.SQUILL_EVENTS_MAX_DECIMALS = 2

    assert _value("1.25") == Decimal("1.25")
    with pytest.raises(Unusable, match="more than 2 decimals"):
        _value("1.125")
