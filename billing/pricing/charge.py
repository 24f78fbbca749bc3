"""A charge: a model with its adjustments, read from and written to its JSON members, and the one way to price it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, Inexact, getcontext, setcontext
from fractions import Fraction
from typing import cast

from billing.pricing.adjustments import Adjustments, adjustment_members, read_adjustments
from billing.pricing.breakdown import (
    Priced,
    Row,
    priced_from_decimals,
    priced_from_fractions,
    prorate,
)
from billing.pricing.charge_models import MODELS
from billing.pricing.charge_models.model import ChargeModel, fractions_of, in_fractions
from billing.pricing.members import InvalidMember, Members
from billing.pricing.money import EXACT, exact

__all__ = ["Charge", "ChargeError", "charge_members", "parse_charge", "price", "price_events", "prorate", "read_charge"]

_NO_EVENTS = "this charge prices a quantity: give `quantity` instead of events"
_NO_QUANTITY = "this charge prices single events: give the amount of each in `events` instead of a quantity"


class ChargeError(InvalidMember):
    """A charge cannot be used as written; `path` and `message` say where and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A price on a quantity (or on single events) in one period."""

    model: ChargeModel[Decimal]
    adjustments: Adjustments[Decimal]
    charge_when_unused: bool  # False: nothing at all is due for a quantity of zero, no flat amount and no minimum

    @property
    def prices_events(self) -> bool:
        """Whether the model takes the amounts of single events, in order, rather than one quantity."""
        return self.model.prices_events

    @property
    def needs_events(self) -> bool:
        """Whether it can be priced from nothing but single events."""
        return self.model.needs_events


def parse_charge(members: Mapping[str, object]) -> Charge:
    """
    Read a charge from the members that design and catalogue name.

    Strict: unknown members, floats, numbers that are not finite, negative, 10^15 or more, or have more than 12 decimals,
    and tiers that do not rise or are not open at the end, are refused.

    :raises ChargeError: naming the member and what to do
    """
    return read_charge(Members(members, path="", error=ChargeError))


def read_charge(members: Members) -> Charge:
    """
    Read a charge that is part of something larger, which gives the error and the path.

    :raises InvalidMember: naming the member and what to do
    """
    name = members.choice("model", tuple(MODELS))
    if name is None:
        raise members.fail("model", f"is missing: give one of {', '.join(MODELS)}")
    charge = Charge(
        model=MODELS[name].read(members),
        adjustments=read_adjustments(members),
        charge_when_unused=members.flag("charge_when_unused", default=True),
    )
    members.close(known=f"a {name} charge")
    return charge


def charge_members(charge: Charge) -> dict[str, object]:
    """
    Write a charge as the members that `parse_charge` reads, in their canonical form.

    Numbers are decimal strings without trailing zeros; members that say the default are left out. Equal charges give
    equal members, and reading them back gives an equal charge.
    """
    written = {"model": charge.model.name, **charge.model.write(), **adjustment_members(charge.adjustments)}
    return written if charge.charge_when_unused else {**written, "charge_when_unused": False}


def price(charge: Charge, quantity: Decimal) -> Priced:
    """
    Price a quantity of zero or more, exactly.

    :raises ChargeError: if the charge can only price single events
    :raises ValueError: if the quantity is negative or not finite (corrections are lines of their own)
    :raises TypeError: if it is not a Decimal
    """
    _check(quantity)
    if charge.needs_events:
        raise ChargeError("quantity", _NO_QUANTITY)
    if not quantity and not charge.charge_when_unused:
        return _unused(quantity)
    return _exactly(
        quantity,
        lambda: _quantity_rows(charge.model, charge.adjustments, quantity),
        lambda: _quantity_rows(*_in_fractions(charge), Fraction(quantity)),
    )


def price_events(charge: Charge, amounts: Sequence[Decimal]) -> Priced:
    """
    Price single events, given by their amounts in the order in which they happened.

    The quantity of the answer is the sum of the amounts.

    :raises ChargeError: if the charge does not price events
    :raises ValueError: if an amount is negative or not finite
    :raises TypeError: if one is not a Decimal
    """
    if not charge.prices_events:
        raise ChargeError("events", _NO_EVENTS)
    for amount in amounts:
        _check(amount)
    with exact():
        quantity = sum(amounts, Decimal(0))
    if not amounts and not charge.charge_when_unused:
        return _unused(quantity)
    return _exactly(
        quantity,
        lambda: _event_rows(charge.model, charge.adjustments, amounts, Decimal(0)),
        lambda: _event_rows(*_in_fractions(charge), [Fraction(amount) for amount in amounts], Fraction(0)),
    )


def _check(quantity: Decimal) -> None:
    if not isinstance(quantity, Decimal):
        raise TypeError(f"a quantity must be a Decimal, got {type(quantity).__name__}")
    if not quantity.is_finite() or quantity < 0:
        raise ValueError(f"a quantity must be zero or more, got {quantity}")


def _unused(quantity: Decimal) -> Priced:
    return Priced(quantity, Decimal(0), (Row("unused", Decimal(0)),))


def _exactly(
    quantity: Decimal,
    decimals: Callable[[], list[Row[Decimal]]],
    fractions: Callable[[], list[Row[Fraction]]],
) -> Priced:
    """Price in decimals, which is fast; where a step has no exact decimal (a quotient, too many digits), in fractions."""
    outside = getcontext()
    setcontext(EXACT)  # Itself, not a copy as in exact(), which takes longer than pricing by the unit: nothing here changes it.
    try:
        return priced_from_decimals(quantity, decimals())
    except Inexact:
        return priced_from_fractions(quantity, fractions())
    finally:
        setcontext(outside)


def _in_fractions(charge: Charge) -> tuple[ChargeModel[Fraction], Adjustments[Fraction]]:
    return in_fractions(charge.model), cast(Adjustments[Fraction], fractions_of(charge.adjustments))


def _quantity_rows[N: (Decimal, Fraction)](model: ChargeModel[N], adjustments: Adjustments[N], quantity: N) -> list[Row[N]]:
    units, rows = adjustments.priced_quantity(quantity)
    rows.extend(model.rows(units))
    rows.extend(adjustments.amount_rows(rows, quantity - quantity))
    return rows


def _event_rows[N: (Decimal, Fraction)](
    model: ChargeModel[N], adjustments: Adjustments[N], amounts: Sequence[N], zero: N
) -> list[Row[N]]:
    remaining, rows = adjustments.priced_events(amounts, zero)
    rows.extend(model.event_rows(remaining, zero))
    rows.extend(adjustments.amount_rows(rows, zero))
    return rows
