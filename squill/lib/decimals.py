"""Decimal numbers: exact arithmetic that refuses to round, rounding that is asked for, and the one spelling as text."""

from contextlib import AbstractContextManager
from decimal import (
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)
from fractions import Fraction
from typing import Final

# Sixty digits hold the product of any quantity and price that Squill accepts (15 + 12 digits each) with room to add.
EXACT: Final = Context(prec=60, traps=[FloatOperation, Inexact, InvalidOperation, DivisionByZero, Overflow])


def exact() -> AbstractContextManager[Context]:
    """Run the block under EXACT: a float or a result that does not fit into sixty digits raises instead of drifting."""
    return localcontext(EXACT)


def nearest(number: Decimal | Fraction, *, places: int) -> int:
    """
    Return the number in units of its last place, rounded to `places` decimals, a half away from zero.

    The only rounding in Squill (ADR-0003). The number must be finite.

    >>> nearest(Fraction(2, 3), places=4), nearest(Decimal("-0.125"), places=2)
    (6667, -13)
    """
    scaled = Fraction(number) * 10**places
    magnitude: int = (2 * abs(scaled.numerator) + scaled.denominator) // (2 * scaled.denominator)
    return magnitude if scaled >= 0 else -magnitude


def rounded(number: Decimal | Fraction, *, places: int) -> Decimal:
    """
    Return the number rounded to `places` decimals, a half away from zero.

    >>> rounded(Fraction(2, 3), places=4)
    Decimal('0.6667')
    """
    return Decimal(f"{nearest(number, places=places)}E-{places}")


def plain(number: Decimal) -> str:
    """
    Write a number in plain notation: no exponent, no trailing zeros, no negative zero.

    Two equal numbers always give the same text, so texts can be compared and hashed.

    :raises ValueError: if the number is not finite

    >>> plain(Decimal("1.500")), plain(Decimal("1E+3")), plain(Decimal("-0.00"))
    ('1.5', '1000', '0')
    """
    if not number.is_finite():
        raise ValueError(f"a number must be finite, got {number}")
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
