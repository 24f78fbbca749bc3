"""flat: one amount, whatever the quantity."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.pricing.breakdown import Row
from billing.pricing.charge_models.model import ChargeModel, Words
from billing.pricing.members import Members
from squill.lib.decimals import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat[N: (Decimal, Fraction)](ChargeModel[N]):
    """The amount is due once in each period, used or not."""

    name = "flat"
    amount: N  # major units

    @staticmethod
    def read(members: Members) -> "Flat[Decimal]":
        return Flat(amount=members.number("amount"))

    def write(self: "Flat[Decimal]") -> dict[str, object]:
        return {"amount": plain(self.amount)}

    def rows(self, quantity: N) -> list[Row[N]]:
        return [Row("flat", self.amount, flat_amount=self.amount)]

    def words(self: "Flat[Decimal]", money: Words, number: Words) -> list[str]:
        return [f"{money(self.amount)} flat"]
