from decimal import Decimal
from typing import Any

import pytest

from usage.rollups.rules import Rule, Unusable


def _value(sent: Any) -> str:
    return Rule(1, "v", ()).contribution({"v": sent}, "2026-03-10").value


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        (0, "0"),
        (7, "7"),
        ("7", "7"),
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("-0", "0"),
        ("0.000000000001", "0.000000000001"),
        ("0.0000000000010", "0.000000000001"),
        (Decimal("0.1"), "0.1"),
        (10**15 - 1, "999999999999999"),
        ("999999999999999.999999999999", "999999999999999.999999999999"),
    ],
)
def test_value_is_read_exactly(sent: Any, value: str) -> None:
    assert _value(sent) == value


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
        ("0.0000000000001", "data.v has more than 12 decimals"),
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
        (True, '{"d":"true"}'),
    ],
)
def test_dimension_is_a_text_or_null(sent: Any, dimensions: str) -> None:
    assert Rule(1, "", ("d",)).contribution({"d": sent}, "2026-03-10").dimensions == dimensions


@pytest.mark.parametrize("sent", [{}, [], ["eu"], "x" * 256])
def test_dimension_that_is_no_short_text_is_unusable(sent: Any) -> None:
    with pytest.raises(Unusable, match=r"^data\.d "):
        Rule(1, "", ("d",)).contribution({"d": sent}, "2026-03-10")


def test_values_in_other_order_are_another_key() -> None:
    rule = Rule(1, "", ("a", "b"))
    one, other = (rule.contribution(data, "2026-03-10") for data in ({"a": "x", "b": None}, {"a": None, "b": "x"}))

    assert one.dimensions_key != other.dimensions_key


def test_path_leads_into_objects_and_a_name_with_dots_goes_first() -> None:
    rule = Rule(1, "a.b", ())

    assert rule.contribution({"a": {"b": 1}}, "2026-03-10").value == "1"
    assert rule.contribution({"a": {"b": 1}, "a.b": 2}, "2026-03-10").value == "2"
    with pytest.raises(Unusable, match="missing"):
        rule.contribution({"a": 5}, "2026-03-10")
