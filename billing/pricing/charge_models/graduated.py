"""graduated: each unit costs what the tier says that it falls in."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.pricing.breakdown import Row
from billing.pricing.charge_models.model import ChargeModel, Words
from billing.pricing.charge_models.tiers import Tier, read_tiers, spans, tier_row, tier_words, unit_words, write_tiers
from billing.pricing.members import Members


@dataclass(frozen=True, slots=True, kw_only=True)
class Graduated[N: (Decimal, Fraction)](ChargeModel[N]):
    """
    Every tier that the quantity enters prices its own units and adds its flat amount.

    A tier is entered above its lower bound; the first one always, so its flat amount is due at zero too. Without flat
    amounts the price is continuous and never falls as the quantity grows. Same meaning as Stripe's tiers_mode=graduated.

    The 10.5 below is the case that integer ranges such as 0-10, 11+ get wrong (ADR-0002): 10 x 1.00 + 0.5 x 0.50.

    >>> one, half = Decimal("1.00"), Decimal("0.50")
    >>> tiers = (Tier(up_to=Decimal(10), unit_amount=one, flat_amount=Decimal(0), rate=Decimal(0)),
    ...          Tier(up_to=None, unit_amount=half, flat_amount=Decimal(0), rate=Decimal(0)))
    >>> sum(row.amount for row in Graduated(tiers=tiers).rows(Decimal("10.5")))
    Decimal('10.250')
    """

    name = "graduated"
    tiers: tuple[Tier[N], ...]

    @staticmethod
    def read(members: Members) -> "Graduated[Decimal]":
        return Graduated(tiers=read_tiers(members, prices=("unit_amount", "flat_amount")))

    def write(self: "Graduated[Decimal]") -> dict[str, object]:
        return {"tiers": write_tiers(self.tiers, always="unit_amount")}

    def rows(self, quantity: N) -> list[Row[N]]:
        return [tier_row(tier, above, units) for tier, above, units in spans(self.tiers, quantity)]

    def words(self: "Graduated[Decimal]", money: Words, number: Words) -> list[str]:
        return tier_words(self.tiers, [unit_words(tier, money) for tier in self.tiers], number)
