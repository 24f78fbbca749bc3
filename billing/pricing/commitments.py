"""Minimum commitments: what lines fall short of a promised amount is added, as a line of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.pricing.money import check_exact, check_minor, round_to_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """
    A promise to spend at least an amount in a period, on some lines or on all.

    :raises ValueError: if the amount is negative or the factor is not 0 to 1
    :raises TypeError: if a number is not exact
    """

    id: str
    amount_minor: int  # minor units, for a whole period
    factor: Fraction = Fraction(1)  # the part of the period that is charged
    applies_to: frozenset[str] | None = None  # ids of lines; None = every line
    tax_rates: tuple[Decimal, ...] = ()  # per cent, on the true-up

    def __post_init__(self) -> None:
        check_minor(self.amount_minor)
        check_exact(self.factor, *self.tax_rates)
        if self.amount_minor < 0:
            raise ValueError(f"a commitment must be zero or more, got {self.amount_minor}")
        if not 0 <= self.factor <= 1:
            raise ValueError(f"a commitment is prorated by 0 to 1, got {self.factor}")


@dataclass(frozen=True, slots=True)
class TrueUp:
    """What a commitment adds to the invoice; zero if the lines reach it."""

    id: str  # of the commitment
    amount_minor: int
    tax_rates: tuple[Decimal, ...]


def true_up(commitment: Commitment, amounts_minor: Mapping[str, int]) -> TrueUp:
    """
    Compare the commitment, prorated and rounded once, with its lines before any discount.

    :raises TypeError: if an amount is not an int
    """
    promised = round_to_minor(commitment.amount_minor * commitment.factor, exponent=0)
    spent = sum(
        amount for line_id, amount in amounts_minor.items() if commitment.applies_to is None or line_id in commitment.applies_to
    )
    check_minor(spent)  # a float among the lines makes it one
    return TrueUp(commitment.id, max(promised - spent, 0), commitment.tax_rates)
