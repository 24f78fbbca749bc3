"""What a price is made of: rows that add up, to the last digit, to the exact amount."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from typing import Final, NamedTuple

from billing.pricing.money import check_exact, decimal_of, exact

# Two decimals of sixty digits each differ by at most 120 digits: their difference is always exact here.
_DIFFERENCE: Final = Context(prec=150, traps=[Inexact])


class Row[N: (Decimal, Fraction)](NamedTuple):
    """
    One step of a price. Steps: docs/tariffs.md, "Reading a breakdown".

    In decimals or, while a price is worked out that those cannot say, in fractions. A row of a tier always has `above`;
    its `up_to` is None only if the tier is open. Every price makes a row or more, so it is a tuple: the quickest to make.
    """

    step: str
    amount: N  # major units, exact; negative where the step takes something off
    above: N | None = None  # lower bound of the tier, exclusive
    up_to: N | None = None  # upper bound of the tier, inclusive; None = open
    quantity: N | None = None  # units, packages, events or money that the step prices or takes off
    unit_amount: N | None = None  # major units for each of `quantity`
    flat_amount: N | None = None  # major units, once
    rate: N | None = None  # per cent


# A row as it is shown and kept.
BreakdownRow = Row[Decimal]


@dataclass(frozen=True, slots=True)
class Priced:
    """
    An exact price. The amounts of the breakdown sum exactly to `exact_amount`.

    `exact_amount` is the price itself wherever a decimal can say it; where it cannot (a third), it is rounded to
    twelve decimals for showing and keeping, and `exact` still holds the price, which is what gets rounded to money.
    """

    quantity: Decimal  # as given, before any conversion
    exact_amount: Decimal  # major units
    breakdown: tuple[BreakdownRow, ...]
    fraction: Fraction | None = None  # the price, where exact_amount is rounded

    @property
    def exact(self) -> Fraction:
        """The price in major units, never rounded."""
        return Fraction(self.exact_amount) if self.fraction is None else self.fraction


def priced_from_decimals(quantity: Decimal, rows: Sequence[Row[Decimal]]) -> Priced:
    """
    Add rows of decimals up.

    :raises decimal.Inexact: if the sum needs more digits than the context has
    """
    return Priced(quantity, sum([row.amount for row in rows], Decimal(0)), tuple(rows))


def priced_from_fractions(quantity: Decimal, rows: Sequence[Row[Fraction]]) -> Priced:
    """
    Add rows of fractions up and write them as decimals that still sum exactly.

    Each row shows the growth of the running total as written, so no residue is left over and a row of zero shows zero.
    """
    running = Fraction(0)
    written = Decimal(0)
    shown = []
    for row in rows:
        running += row.amount
        total = decimal_of(running)
        amount = _DIFFERENCE.subtract(total, written)
        numbers = (None if number is None else decimal_of(number) for number in row[2:])
        shown.append(Row(row.step, amount, *numbers))
        written = total
    return Priced(quantity, written, tuple(shown), fraction=None if Fraction(written) == running else running)


def prorate(priced: Priced, factor: Fraction) -> Priced:
    """
    Return the price for a part of a period, with one more row that says what the missing part takes off.

    :param factor: the part that is charged, usually from proration_factor; one or more leaves or raises the price
    :raises ValueError: if the factor is negative
    """
    if factor < 0:
        raise ValueError(f"a price is prorated by zero or more, got {factor}")
    price = priced.exact * factor
    total = decimal_of(price)
    taken = _DIFFERENCE.subtract(total, priced.exact_amount)
    row = Row("proration", taken, rate=decimal_of(factor * 100))
    return replace(
        priced, exact_amount=total, breakdown=(*priced.breakdown, row), fraction=None if Fraction(total) == price else price
    )


def combine(parts: Sequence[Priced], *, quantity: Decimal) -> Priced:
    """
    Add prices of parts of a period up to one; their breakdowns follow one another and still sum exactly.

    :param quantity: what the whole is said to be of
    :raises TypeError: if the quantity is not exact
    """
    check_exact(quantity)
    price = Fraction(0)
    written = Decimal(0)
    rows: list[BreakdownRow] = []
    for part in parts:
        price += part.exact
        total = decimal_of(price)
        # Where a part is rounded for showing, its last row carries the digit that makes the sum right.
        off = _DIFFERENCE.subtract(_DIFFERENCE.subtract(total, written), part.exact_amount)
        *first, last = part.breakdown
        rows += [*first, last._replace(amount=_DIFFERENCE.add(last.amount, off)) if off else last]
        written = total
    return Priced(quantity, written, tuple(rows), fraction=None if Fraction(written) == price else price)


def sum_of(rows: Sequence[BreakdownRow]) -> Decimal:
    """Add the amounts of a breakdown up, exactly."""
    with exact():
        return sum((row.amount for row in rows), Decimal(0))
