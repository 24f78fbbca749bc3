"""volume: the whole quantity costs what the tier says that it ends in."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.pricing.breakdown import Row
from billing.pricing.charge_models.model import ChargeModel, Words
from billing.pricing.charge_models.tiers import Tier, read_tiers, tier_of, tier_row, tier_words, unit_words, write_tiers
from billing.pricing.members import Members


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume[N: (Decimal, Fraction)](ChargeModel[N]):
    """
    One tier, found by the whole quantity, prices all of it and adds its flat amount.

    Neither continuous nor rising: one unit more can make everything cheaper. Same meaning as Stripe's tiers_mode=volume.
    """

    name = "volume"
    tiers: tuple[Tier[N], ...]

    @staticmethod
    def read(members: Members) -> "Volume[Decimal]":
        return Volume(tiers=read_tiers(members, prices=("unit_amount", "flat_amount")))

    def write(self: "Volume[Decimal]") -> dict[str, object]:
        return {"tiers": write_tiers(self.tiers, always="unit_amount")}

    def rows(self, quantity: N) -> list[Row[N]]:
        tier, above = tier_of(self.tiers, quantity)
        return [tier_row(tier, above, quantity)]

    def words(self: "Volume[Decimal]", money: Words, number: Words) -> list[str]:
        prices = [f"{unit_words(tier, money)}, for the whole quantity" for tier in self.tiers]
        return tier_words(self.tiers, prices, number, ends=True)
