"""What any charge may have around its model, always in the same order (ADR-0005)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from billing.pricing.breakdown import Row
from billing.pricing.charge_models.model import Words
from billing.pricing.charge_models.percentage import take_off
from billing.pricing.members import Members
from squill.lib.decimals import plain

_ROUNDINGS: Final = ("up", "down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustments[N: (Decimal, Fraction)]:
    """
    Before the model: unit conversion, then free units. After it: percentage discount, then minimum, then maximum.

    None (or zero, for free units) leaves a step out.
    """

    divide_by: N | None  # metered units in one priced unit, more than zero
    divide_round: str | None  # "up" or "down" to whole priced units; None keeps the exact quotient
    free_units: N  # priced units that cost nothing, in each period
    usage_discount: N  # priced units taken off after the free ones, shown apart from them
    percentage_discount: N | None  # per cent of what the model charges, 0 to 100
    minimum_amount: N | None  # major units, in each period
    maximum_amount: N | None  # major units, in each period; not below the minimum

    def priced_quantity(self, quantity: N) -> tuple[N, list[Row[N]]]:
        """Return the quantity that the model prices, and rows that say how it came about."""
        rows: list[Row[N]] = []
        zero = quantity - quantity
        if self.divide_by is not None:
            quantity = self._converted(quantity, self.divide_by)
            rows.append(Row("unit_conversion", zero, quantity=quantity))
        for step, free in (("free_units", self.free_units), ("usage_discount", self.usage_discount)):
            if free:
                taken = min(free, quantity)
                quantity = quantity - taken
                rows.append(Row(step, zero, quantity=taken))
        return quantity, rows

    def priced_events(self, amounts: Sequence[N], zero: N) -> tuple[list[N], list[Row[N]]]:
        """Do the same to single events, in their order; an event that is covered whole drops out."""
        rows: list[Row[N]] = []
        remaining = list(amounts)
        if self.divide_by is not None:
            remaining = [self._converted(amount, self.divide_by) for amount in remaining]
            rows.append(Row("unit_conversion", zero, quantity=sum(remaining, zero)))
        for step, free in (("free_units", self.free_units), ("usage_discount", self.usage_discount)):
            if free:
                remaining, taken = take_off(remaining, free)
                rows.append(Row(step, zero, quantity=taken))
        return remaining, rows

    def _converted(self, quantity: N, divide_by: N) -> N:
        if self.divide_round is None:
            return quantity / divide_by
        count = int(quantity // divide_by)
        if self.divide_round == "up" and count * divide_by < quantity:
            count += 1
        return type(quantity)(count)

    def amount_rows(self, rows: Sequence[Row[N]], zero: N) -> list[Row[N]]:
        """Return the rows that follow the model's: what the discount takes off, what the bounds add or take off."""
        if self.percentage_discount is None and self.minimum_amount is None and self.maximum_amount is None:
            return []
        amount = sum((row.amount for row in rows), zero)
        added: list[Row[N]] = []
        if self.percentage_discount is not None:
            off = -(amount * self.percentage_discount / 100)
            amount += off
            added.append(Row("percentage_discount", off, rate=self.percentage_discount))
        if self.minimum_amount is not None and amount < self.minimum_amount:
            added.append(Row("minimum_amount", self.minimum_amount - amount, flat_amount=self.minimum_amount))
            amount = self.minimum_amount
        if self.maximum_amount is not None and amount > self.maximum_amount:
            added.append(Row("maximum_amount", self.maximum_amount - amount, flat_amount=self.maximum_amount))
        return added


def read_adjustments(members: Members) -> Adjustments[Decimal]:
    """
    Take the members of every adjustment.

    :raises InvalidMember: if one is out of bounds or does not fit another
    """
    read = Adjustments(
        divide_by=members.optional_number("divide_by", above_zero=True),
        divide_round=members.choice("divide_round", _ROUNDINGS),
        free_units=members.optional_number("free_units") or Decimal(0),
        usage_discount=members.optional_number("usage_discount") or Decimal(0),
        percentage_discount=members.optional_number("percentage_discount", at_most=Decimal(100)),
        minimum_amount=members.optional_number("minimum_amount"),
        maximum_amount=members.optional_number("maximum_amount"),
    )
    if read.divide_round is not None and read.divide_by is None:
        raise members.fail("divide_round", "has nothing to round: give divide_by too, or leave it out")
    if read.minimum_amount is not None and read.maximum_amount is not None and read.minimum_amount > read.maximum_amount:
        raise members.fail("maximum_amount", f"must be at least minimum_amount, {read.minimum_amount}")
    return read


def adjustment_members(adjustments: Adjustments[Decimal]) -> dict[str, object]:
    """Return the members that `read_adjustments` takes, without those that change nothing."""
    numbers = {
        "divide_by": adjustments.divide_by,
        "free_units": adjustments.free_units or None,
        "usage_discount": adjustments.usage_discount or None,
        "percentage_discount": adjustments.percentage_discount,
        "minimum_amount": adjustments.minimum_amount,
        "maximum_amount": adjustments.maximum_amount,
    }
    written: dict[str, object] = {name: plain(number) for name, number in numbers.items() if number is not None}
    if adjustments.divide_round is not None:
        written["divide_round"] = adjustments.divide_round
    return written


def adjustment_words(adjustments: Adjustments[Decimal], money: Words, number: Words) -> list[str]:
    """Say each adjustment in plain English, in the order in which they apply."""
    said = []
    if adjustments.divide_by is not None:
        rounded = f", rounded {adjustments.divide_round}" if adjustments.divide_round else ""
        said.append(f"priced by {number(adjustments.divide_by)} units{rounded}")
    if adjustments.free_units:
        said.append(f"first {number(adjustments.free_units)} free")
    if adjustments.usage_discount:
        said.append(f"{number(adjustments.usage_discount)} taken off the usage")
    if adjustments.percentage_discount is not None:
        said.append(f"{number(adjustments.percentage_discount)} % off")
    if adjustments.minimum_amount is not None:
        said.append(f"at least {money(adjustments.minimum_amount)}")
    if adjustments.maximum_amount is not None:
        said.append(f"at most {money(adjustments.maximum_amount)}")
    return said
