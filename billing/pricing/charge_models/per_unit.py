"""per_unit: one price for every unit."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.pricing.breakdown import Row
from billing.pricing.charge_models.model import ChargeModel, Words
from billing.pricing.members import Members
from squill.lib.decimals import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class PerUnit[N: (Decimal, Fraction)](ChargeModel[N]):
    """Parts of a unit cost the same part of its price."""

    name = "per_unit"
    unit_amount: N  # major units for each unit

    @staticmethod
    def read(members: Members) -> "PerUnit[Decimal]":
        return PerUnit(unit_amount=members.number("unit_amount"))

    def write(self: "PerUnit[Decimal]") -> dict[str, object]:
        return {"unit_amount": plain(self.unit_amount)}

    def rows(self, quantity: N) -> list[Row[N]]:
        return [Row("units", quantity * self.unit_amount, quantity=quantity, unit_amount=self.unit_amount)]

    def words(self: "PerUnit[Decimal]", money: Words, number: Words) -> list[str]:
        return [f"{money(self.unit_amount)} each"]
