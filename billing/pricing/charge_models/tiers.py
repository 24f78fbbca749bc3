"""Tiers: upper bounds are inclusive, lower bounds are never stored, so no table can have a gap (ADR-0002)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.pricing.breakdown import Row
from billing.pricing.charge_models.model import Words
from billing.pricing.members import Members
from squill.lib.decimals import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier[N: (Decimal, Fraction)]:
    """A span of quantities and what it costs. It begins above the tier before it, the first one at zero."""

    up_to: N | None  # inclusive; None = open, only ever the last tier
    unit_amount: N  # major units for each unit
    flat_amount: N  # major units, once
    rate: N  # per cent of the amount (percentage models only)


def read_tiers(members: Members, *, prices: Sequence[str]) -> tuple[Tier[Decimal], ...]:
    """
    Read `tiers`. Each takes `up_to` and at least one of the `prices` (unit_amount, flat_amount, rate).

    :raises InvalidMember: if there is none, if bounds do not rise, or if the last tier, and only that, is not open
    """
    objects = members.objects("tiers")
    if not objects:
        raise members.fail("tiers", "is missing: give a list of at least one tier, the last with up_to null")
    tiers: list[Tier[Decimal]] = []
    lower = Decimal(0)
    for index, item in enumerate(objects):
        up_to = item.optional_number("up_to")
        if index == len(objects) - 1:
            if up_to is not None:
                raise item.fail("up_to", "must be null: the last tier has to be open, so that every quantity has a price")
        elif up_to is None:
            raise item.fail("up_to", "is missing: only the last tier may be open")
        elif up_to <= lower:
            raise item.fail("up_to", f"must be more than {lower}, where this tier begins: put the tiers in rising order")
        else:
            lower = up_to
        tiers.append(_read_prices(item, up_to, prices))
    return tuple(tiers)


def _read_prices(item: Members, up_to: Decimal | None, prices: Sequence[str]) -> Tier[Decimal]:
    if not any(item.has(name) for name in prices):
        raise item.fail(prices[0], f"is missing: a tier needs {' or '.join(prices)}")
    given = {name: item.optional_number(name, at_most=Decimal(100) if name == "rate" else None) for name in prices}
    item.close(known="a tier of this model")
    zero = Decimal(0)
    return Tier(
        up_to=up_to,
        unit_amount=given.get("unit_amount") or zero,
        flat_amount=given.get("flat_amount") or zero,
        rate=given.get("rate") or zero,
    )


def spans[N: (Decimal, Fraction)](tiers: Sequence[Tier[N]], quantity: N) -> list[tuple[Tier[N], N, N]]:
    """Return each tier that the quantity enters, its lower bound (exclusive) and the units in it; the first always."""
    entered = []
    lower = quantity - quantity
    for tier in tiers:
        up_to = tier.up_to
        if up_to is None or quantity <= up_to:
            entered.append((tier, lower, quantity - lower))
            break
        entered.append((tier, lower, up_to - lower))
        lower = up_to
    return entered


def tier_of[N: (Decimal, Fraction)](tiers: Sequence[Tier[N]], quantity: N) -> tuple[Tier[N], N]:
    """Return the tier that holds the quantity and its lower bound (exclusive)."""
    tier, lower, _ = spans(tiers, quantity)[-1]
    return tier, lower


def tier_row[N: (Decimal, Fraction)](tier: Tier[N], above: N, units: N) -> Row[N]:
    """Price units by one tier: so many times the unit amount, and the flat amount once."""
    amount = units * tier.unit_amount + tier.flat_amount
    flat = tier.flat_amount or None
    return Row("tier", amount, above, tier.up_to, units, tier.unit_amount, flat)


def write_tiers(tiers: Sequence[Tier[Decimal]], *, always: str) -> list[dict[str, object]]:
    """Return the members of `tiers`: `always` is written even if it is zero, other prices if they are not."""
    written = []
    for tier in tiers:
        item: dict[str, object] = {"up_to": None if tier.up_to is None else plain(tier.up_to)}
        for name in ("unit_amount", "flat_amount", "rate"):
            price: Decimal = getattr(tier, name)
            if price or name == always:
                item[name] = plain(price)
        written.append(item)
    return written


def with_flat(price: str, tier: Tier[Decimal], money: Words) -> str:
    """Add the flat amount of a tier, if it has one, to a price in words."""
    return f"{price} + {money(tier.flat_amount)} flat" if tier.flat_amount else price


def unit_words(tier: Tier[Decimal], money: Words) -> str:
    """Say the price of a unit and the flat amount of a tier."""
    return with_flat(f"{money(tier.unit_amount)} each" if tier.unit_amount else "free", tier, money)


def tier_words(tiers: Sequence[Tier[Decimal]], prices: Sequence[str], number: Words, *, ends: bool = False) -> list[str]:
    """
    Put the bounds of each tier before its price in words: "first 10", "above 10 up to 90", "above 90".

    :param ends: the tier is the one that the whole quantity ends in, so the first reads "up to 10"
    """
    said = []
    lower = Decimal(0)
    for tier, price in zip(tiers, prices, strict=True):
        if tier.up_to is None:
            bounds = f"above {number(lower)}" if lower else "any quantity"
        elif lower:
            bounds = f"above {number(lower)} up to {number(tier.up_to)}"
        else:
            bounds = f"{'up to' if ends else 'first'} {number(tier.up_to)}"
        said.append(f"{bounds}: {price}")
        lower = tier.up_to or lower
    return said
