"""Tax of an invoice: per rate, on the rounded and discounted subtotal of that rate."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.pricing.money import check_exact, check_minor, round_to_minor


@dataclass(frozen=True, slots=True)
class TaxAmount:
    """One rate of an invoice: its base, which may be negative, and the tax on it."""

    rate: Decimal  # per cent
    base_minor: int
    amount_minor: int


def tax_amounts(nets: Iterable[tuple[tuple[Decimal, ...], int]]) -> tuple[TaxAmount, ...]:
    """
    Sum net amounts up by tax rate and tax each sum, rounded once. Rates come in rising order.

    A line with two rates counts to the base of both; a rate of zero is listed, with a tax of zero.

    :param nets: the tax rates and the net amount in minor units of each line
    :raises TypeError: if a number is not exact
    """
    bases: dict[Decimal, int] = {}
    for rates, net_minor in nets:
        check_minor(net_minor)
        check_exact(*rates)
        for rate in rates:
            bases[rate] = bases.get(rate, 0) + net_minor
    return tuple(
        TaxAmount(rate, base, round_to_minor(base * Fraction(rate) / 100, exponent=0)) for rate, base in sorted(bases.items())
    )
