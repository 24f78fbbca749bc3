"""Exact arithmetic with money: amounts and minor units, one function that rounds, one that shares out."""

from collections.abc import Sequence
from decimal import Decimal, Inexact
from fractions import Fraction

from squill.lib.decimals import EXACT, exact, nearest

__all__ = ["EXACT", "allocate", "check_exact", "check_minor", "decimal_of", "exact", "from_minor", "round_to_minor"]


def check_minor(*amounts: int) -> None:
    """
    Refuse amounts in minor units that are not whole numbers.

    :raises TypeError: for a float, a Decimal or anything else that is not an int
    """
    for amount in amounts:
        if not isinstance(amount, int):
            raise TypeError(f"minor units must be an int, got {type(amount).__name__}")


def check_exact(*numbers: Decimal | Fraction) -> None:
    """
    Refuse what is not an exact number of any kind.

    :raises TypeError: for a float or anything else that is not a Decimal or a Fraction
    """
    for number in numbers:
        if not isinstance(number, Decimal | Fraction):
            raise TypeError(f"money must be a Decimal or a Fraction, got {type(number).__name__}")


def round_to_minor(amount: Decimal | Fraction, *, exponent: int) -> int:
    """
    Round an amount in major units to whole minor units, a half away from zero (ADR-0003).

    :param exponent: decimals of the currency's smallest unit (USD 2, JPY 0)
    :raises TypeError: for a float or anything else that is not a Decimal or a Fraction
    :raises ValueError: if the amount is not finite

    >>> round_to_minor(Decimal("0.125"), exponent=2), round_to_minor(Decimal("-0.125"), exponent=2)
    (13, -13)
    """
    check_exact(amount)
    if isinstance(amount, Decimal) and not amount.is_finite():
        raise ValueError(f"an amount must be finite, got {amount}")
    return nearest(amount, places=exponent)


def from_minor(minor: int, *, exponent: int) -> Decimal:
    """
    Return minor units as an amount in major units.

    :raises TypeError: if they are not an int

    >>> from_minor(1050, exponent=2), from_minor(7, exponent=0)
    (Decimal('10.50'), Decimal('7'))
    """
    check_minor(minor)
    return Decimal(f"{minor}E-{exponent}")


def decimal_of(value: Fraction, *, places: int = 12) -> Decimal:
    """
    Return the fraction as a decimal: exact if sixty digits hold it, else rounded half away from zero to `places`.

    :raises TypeError: if it is not a Fraction

    >>> decimal_of(Fraction(1, 8)), decimal_of(Fraction(2, 3), places=4)
    (Decimal('0.125'), Decimal('0.6667'))
    """
    if not isinstance(value, Fraction):
        raise TypeError(f"a fraction is wanted, got {type(value).__name__}")
    try:
        return EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
    except Inexact:
        return from_minor(round_to_minor(value, exponent=places), exponent=places)


def allocate(total_minor: int, weights: Sequence[int | Fraction]) -> list[int]:
    """
    Share a total out in proportion to the weights, by largest remainder. The shares always sum to the total.

    What is left over after rounding down goes, a unit each, to the largest remainders; of equal ones to the earliest.
    A weight of zero gets nothing. A weight may be negative where the sum of all is not zero.

    :raises ValueError: if the weights sum to zero while there is something to share
    :raises TypeError: if the total is not an int, or a weight is neither an int nor a Fraction

    >>> allocate(100, [1, 1, 1])
    [34, 33, 33]
    """
    check_minor(total_minor)
    if total_minor < 0:
        return [-share for share in allocate(-total_minor, weights)]
    whole = Fraction(0) + sum(weights)
    check_exact(whole)  # a float among the weights makes it one
    if whole == 0:
        if total_minor == 0:
            return [0] * len(weights)
        raise ValueError(f"cannot share {total_minor} over weights that sum to zero")
    wanted = [total_minor * Fraction(weight) / whole for weight in weights]
    shares = [share.numerator // share.denominator for share in wanted]
    by_remainder = sorted(range(len(wanted)), key=lambda index: (shares[index] - wanted[index], index))
    for index in by_remainder[: total_minor - sum(shares)]:
        shares[index] += 1
    return shares
