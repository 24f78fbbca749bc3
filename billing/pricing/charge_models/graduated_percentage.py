"""graduated_percentage: each part of an amount costs the per cent of the tier it falls in."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.pricing.breakdown import Row
from billing.pricing.charge_models.model import ChargeModel, Words
from billing.pricing.charge_models.tiers import Tier, read_tiers, spans, tier_words, with_flat, write_tiers
from billing.pricing.members import Members


@dataclass(frozen=True, slots=True, kw_only=True)
class GraduatedPercentage[N: (Decimal, Fraction)](ChargeModel[N]):
    """
    The quantity is money. Every tier that its sum enters charges a rate on its own part and adds its flat amount.

    Events are priced in order against the running sum, which gives the same as pricing the sum.
    """

    name = "graduated_percentage"
    prices_events = True
    tiers: tuple[Tier[N], ...]

    @staticmethod
    def read(members: Members) -> "GraduatedPercentage[Decimal]":
        return GraduatedPercentage(tiers=read_tiers(members, prices=("rate", "flat_amount")))

    def write(self: "GraduatedPercentage[Decimal]") -> dict[str, object]:
        return {"tiers": write_tiers(self.tiers, always="rate")}

    def rows(self, quantity: N) -> list[Row[N]]:
        rows = []
        for tier, above, part in spans(self.tiers, quantity):
            amount = part * tier.rate / 100 + tier.flat_amount
            flat = tier.flat_amount or None
            rows.append(Row("tier", amount, above, tier.up_to, part, flat_amount=flat, rate=tier.rate))
        return rows

    def words(self: "GraduatedPercentage[Decimal]", money: Words, number: Words) -> list[str]:
        prices = [with_flat(f"{number(tier.rate)} %", tier, money) for tier in self.tiers]
        return tier_words(self.tiers, prices, money)
