"""What credit notes take back of an invoice, exact in the end whatever the steps: amounts, discounts and tax (ADR 0025)."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from billing.pricing.money import check_exact, check_minor, round_to_minor


class Taken(NamedTuple):
    """What is taken back of a line, in minor units: its amount before discounts, and the discount that goes back with it."""

    amount_minor: int
    discount_minor: int

    @property
    def net_minor(self) -> int:
        """What the customer gets of the line, before tax."""
        return self.amount_minor - self.discount_minor


NOTHING: Final = Taken(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditableLine:
    """
    A line of an invoice, and what was taken back of it so far, all in minor units and zero or more.

    :raises TypeError: if an amount is not an int
    :raises ValueError: if more was taken back than the line says
    """

    amount_minor: int
    discount_minor: int
    taken: Taken = NOTHING

    def __post_init__(self) -> None:
        check_minor(self.amount_minor, self.discount_minor, *self.taken)
        within = 0 <= self.taken.amount_minor <= self.amount_minor and 0 <= self.taken.discount_minor <= self.discount_minor
        if not within or self.discount_minor > self.amount_minor or not 0 <= self.taken.net_minor <= self.net_minor:
            raise ValueError(f"more is taken back than the line says: {self}")

    @property
    def net_minor(self) -> int:
        """What the line was billed for, before tax."""
        return self.amount_minor - self.discount_minor

    @property
    def left(self) -> Taken:
        """What can still be taken back."""
        return Taken(self.amount_minor - self.taken.amount_minor, self.discount_minor - self.taken.discount_minor)

    def take_net(self, net_minor: int) -> Taken:
        """
        Take an amount after discounts back.

        The discount taken back so far is always the line's discount in proportion to the net amount taken back so far, rounded
        once; so whatever the steps were, the last one leaves nothing.

        :raises ValueError: unless the amount is above zero and at most what is left
        """
        check_minor(net_minor)
        if not 0 < net_minor <= self.left.net_minor:
            raise ValueError(f"{net_minor} is not within the {self.left.net_minor} that are left")
        reached = self.taken.net_minor + net_minor
        discount = self._step(Fraction(self.discount_minor * reached, self.net_minor))
        return Taken(net_minor + discount, discount)

    def take_amount(self, amount_minor: int) -> Taken:
        """
        Take an amount before discounts back, the discount in proportion to it by the same rule.

        :raises ValueError: unless the amount is above zero and at most what is left
        """
        check_minor(amount_minor)
        if not 0 < amount_minor <= self.left.amount_minor:
            raise ValueError(f"{amount_minor} is not within the {self.left.amount_minor} that are left")
        reached = self.taken.amount_minor + amount_minor
        discount = self._step(Fraction(self.discount_minor * reached, self.amount_minor))
        # Amounts taken net before may have moved the last coin the other way: neither bound is ever passed.
        return Taken(amount_minor, max(min(discount, amount_minor), amount_minor - self.left.net_minor))

    def _step(self, reached: Fraction) -> int:
        """Return how far the discount still is from where it should be; what was taken back never comes again."""
        return min(max(round_to_minor(reached, exponent=0) - self.taken.discount_minor, 0), self.left.discount_minor)


def tax_taken_back(rate: Decimal, *, base_before_minor: int, base_minor: int) -> int:
    """
    Return the tax that goes back with a base at a rate (per cent), where `base_before_minor` went back already.

    It is the rounded tax of all that went back less the rounded tax of what went back before: the invoice's tax once all of its
    base is back, however many the steps. Minor units.

    :raises TypeError: if a number is not exact

    >>> [tax_taken_back(Decimal(19), base_before_minor=before, base_minor=333) for before in (0, 333, 666)]
    [63, 64, 63]
    """
    check_minor(base_before_minor, base_minor)
    check_exact(rate)

    def tax(base: int) -> int:
        return round_to_minor(base * Fraction(rate) / 100, exponent=0)

    return tax(base_before_minor + base_minor) - tax(base_before_minor)
