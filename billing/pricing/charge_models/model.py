"""What every charge model is: a few numbers, and the rows that they make of a quantity."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, cast

from billing.pricing.breakdown import Row
from billing.pricing.members import Members

# Writes an amount of money, or a plain number, for people.
type Words = Callable[[Decimal], str]


class ChargeModel[N: (Decimal, Fraction)](ABC):
    """
    One way of pricing a quantity.

    Models are written once for both kinds of exact number: decimals, which are fast, and fractions, which price what
    decimals cannot say (a third of a unit). `in_fractions` turns one into the other.
    """

    __slots__ = ()

    name: ClassVar[str]
    prices_events: ClassVar[bool] = False

    @property
    def needs_events(self) -> bool:
        """Whether the sum of the events alone does not tell the price."""
        return False

    @staticmethod
    @abstractmethod
    def read(members: Members) -> "ChargeModel[Decimal]":
        """Take the members of this model (not the adjustments that every charge may have)."""

    @abstractmethod
    def write(self: "ChargeModel[Decimal]") -> dict[str, object]:
        """Return the members that `read` takes, without those that say the default."""

    @abstractmethod
    def rows(self, quantity: N) -> list[Row[N]]:
        """Price a quantity of zero or more. At zero there is a row too, if only of the amount zero."""

    @abstractmethod
    def words(self: "ChargeModel[Decimal]", money: Words, number: Words) -> list[str]:
        """Say the price in plain English, a row per tier or step."""

    def event_rows(self, amounts: Sequence[N], zero: N) -> list[Row[N]]:
        """Price events in their order; models that do not look at single events price their sum."""
        return self.rows(sum(amounts, zero))


def in_fractions(model: ChargeModel[Decimal]) -> ChargeModel[Fraction]:
    """Return the same model with every number as a fraction."""
    return cast(ChargeModel[Fraction], fractions_of(model))


def fractions_of(value: Any) -> Any:
    """Replace every Decimal in a dataclass of numbers, tuples and dataclasses by the equal Fraction."""
    if isinstance(value, Decimal):
        return Fraction(value)
    if isinstance(value, tuple):
        return tuple(fractions_of(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{field.name: fractions_of(getattr(value, field.name)) for field in fields(value)})
    return value
