"""package: units are sold in whole packages."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.pricing.breakdown import Row
from billing.pricing.charge_models.model import ChargeModel, Words
from billing.pricing.members import Members
from squill.lib.decimals import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Package[N: (Decimal, Fraction)](ChargeModel[N]):
    """A package that is begun is due, unless the charge says `round: down`: then only full ones are."""

    name = "package"
    package_size: N  # units in a package, more than zero
    package_amount: N  # major units for each package
    rounds_up: bool

    @staticmethod
    def read(members: Members) -> "Package[Decimal]":
        return Package(
            package_size=members.number("package_size", above_zero=True),
            package_amount=members.number("package_amount"),
            rounds_up=members.choice("round", ("up", "down")) != "down",
        )

    def write(self: "Package[Decimal]") -> dict[str, object]:
        written: dict[str, object] = {
            "package_size": plain(self.package_size),
            "package_amount": plain(self.package_amount),
        }
        return written if self.rounds_up else {**written, "round": "down"}

    def rows(self, quantity: N) -> list[Row[N]]:
        count = int(quantity // self.package_size)  # full packages
        if self.rounds_up and count * self.package_size < quantity:
            count += 1
        amount = count * self.package_amount
        packages = type(quantity)(count)
        return [Row("packages", amount, quantity=packages, unit_amount=self.package_amount)]

    def words(self: "Package[Decimal]", money: Words, number: Words) -> list[str]:
        begun = "begun" if self.rounds_up else "full"
        return [f"{money(self.package_amount)} for every {begun} {number(self.package_size)}"]
