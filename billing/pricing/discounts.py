"""Discounts of an invoice: one after the other on what remains, shared pro rata over the lines they apply to."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.pricing.money import allocate, check_exact, check_minor, round_to_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """
    An amount or a percentage off some lines, or off all.

    :raises ValueError: unless exactly one of amount and percent is given, and that is in bounds
    :raises TypeError: if it is not exact
    """

    amount_minor: int | None = None  # minor units, zero or more
    percent: Decimal | None = None  # 0 to 100
    applies_to: frozenset[str] | None = None  # ids of lines and commitments; None = every line

    def __post_init__(self) -> None:
        if (self.amount_minor is None) == (self.percent is None):
            raise ValueError("a discount takes either an amount or a percentage")
        if self.amount_minor is not None:
            check_minor(self.amount_minor)
            if self.amount_minor < 0:
                raise ValueError(f"a discount must be zero or more, got {self.amount_minor}")
        if self.percent is not None:
            check_exact(self.percent)
            if not 0 <= self.percent <= 100:
                raise ValueError(f"a discount must be 0 to 100 per cent, got {self.percent}")


def share_discount(discount: Discount, ids: Sequence[str], remaining_minor: Sequence[int]) -> list[int]:
    """
    Return what a discount takes off each line, in minor units.

    A percentage is rounded once, on the sum of what remains of its lines; an amount never takes more than that sum.
    The total is shared in proportion to what remains, by largest remainder. Lines that sum to zero or less get nothing.
    """
    weights = [
        remaining if discount.applies_to is None or line_id in discount.applies_to else 0
        for line_id, remaining in zip(ids, remaining_minor, strict=True)
    ]
    whole = sum(weights)
    if whole <= 0:
        return [0] * len(weights)
    if discount.percent is not None:
        off = round_to_minor(whole * Fraction(discount.percent) / 100, exponent=0)
    else:
        off = min(discount.amount_minor or 0, whole)
    return allocate(off, weights)
