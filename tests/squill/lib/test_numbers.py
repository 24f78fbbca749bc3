"""Decimals as text, and the decimals of currencies."""

from decimal import Decimal
from fractions import Fraction

import pytest

from squill.lib.currency import CODES, exponent
from squill.lib.decimals import nearest, plain, rounded


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1.500", "1.5"),
        ("1E+3", "1000"),
        ("100", "100"),
        ("-0.00", "0"),
        ("0E-12", "0"),
        ("-0.10", "-0.1"),
        ("1E-12", "0.000000000001"),
        ("123456789012345.123456789012000000000000", "123456789012345.123456789012"),
    ],
)
def test_a_number_has_one_spelling(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_finite_has_none(number: str) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        plain(Decimal(number))


@pytest.mark.parametrize(
    ("number", "places", "units"),
    [
        (Decimal("0.125"), 2, 13),  # half-even would give 12
        (Decimal("-0.125"), 2, -13),
        (Decimal("0.1249"), 2, 12),
        (Fraction(2, 3), 4, 6667),
        (Fraction(-1, 3), 0, 0),
        (Decimal(7), 0, 7),
    ],
)
def test_a_half_goes_away_from_zero(number: Decimal | Fraction, places: int, units: int) -> None:
    assert nearest(number, places=places) == units
    assert rounded(number, places=places) == Decimal(units).scaleb(-places)
    assert rounded(number, places=places).as_tuple().exponent == -places


def test_currencies_have_their_decimals() -> None:
    assert {code: exponent(code) for code in ("EUR", "JPY", "KWD", "CLF", "HUF")} == {
        "EUR": 2,
        "JPY": 0,
        "KWD": 3,
        "CLF": 4,
        "HUF": 2,
    }
    assert all(len(code) == 3 and code.isupper() for code in CODES)


@pytest.mark.parametrize("code", ["eur", "XXX", "XAU", "EURO", ""])
def test_what_nobody_can_be_billed_in_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="unknown currency"):
        exponent(code)
