import pytest

from billing.invoicing.unit_codes import unit_code


@pytest.mark.parametrize(
    ("unit", "code"),
    [
        ("hour", "HUR"),
        ("Hours", "HUR"),
        ("minute", "MIN"),
        ("seconds", "SEC"),
        ("day", "DAY"),
        ("month", "MON"),
        ("year", "ANN"),
        ("GB", "E34"),
        ("gigabytes", "E34"),
        ("MB", "4L"),
        ("TB", "E35"),
        ("GiB", "E62"),
        ("kWh", "KWH"),
        ("  watt   hour ", "WHR"),
        ("messages", "NF"),
    ],
)
def test_unit_of_the_recommendation_has_its_code(unit: str, code: str) -> None:
    assert unit_code(unit) == code


@pytest.mark.parametrize("unit", ["", "request", "seats", "token", "GBs per month", "s s"])
def test_unit_of_ones_own_is_counted(unit: str) -> None:
    assert unit_code(unit) == "C62"


def test_plural_is_not_heard_in_two_letters() -> None:
    # "gs" and "ls" are nobody's plural of gram and litre; "ms" is a millisecond, not metres.
    assert [unit_code(unit) for unit in ("gs", "ms", "kms")] == ["C62", "C62", "C62"]
