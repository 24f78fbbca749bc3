"""stairstep: one amount for the tier that the quantity ends in."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.pricing.breakdown import Row
from billing.pricing.charge_models.model import ChargeModel, Words
from billing.pricing.charge_models.tiers import Tier, read_tiers, tier_of, tier_words, write_tiers
from billing.pricing.members import Members


@dataclass(frozen=True, slots=True, kw_only=True)
class Stairstep[N: (Decimal, Fraction)](ChargeModel[N]):
    """The flat amount of the tier that holds the whole quantity is due, and nothing for single units."""

    name = "stairstep"
    tiers: tuple[Tier[N], ...]

    @staticmethod
    def read(members: Members) -> "Stairstep[Decimal]":
        return Stairstep(tiers=read_tiers(members, prices=("flat_amount",)))

    def write(self: "Stairstep[Decimal]") -> dict[str, object]:
        return {"tiers": write_tiers(self.tiers, always="flat_amount")}

    def rows(self, quantity: N) -> list[Row[N]]:
        tier, above = tier_of(self.tiers, quantity)
        return [Row("tier", tier.flat_amount, above, tier.up_to, quantity, flat_amount=tier.flat_amount)]

    def words(self: "Stairstep[Decimal]", money: Words, number: Words) -> list[str]:
        return tier_words(self.tiers, [f"{money(tier.flat_amount)} flat" for tier in self.tiers], number, ends=True)
