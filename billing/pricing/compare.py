"""The difference between two charges in words, as `describe` puts a charge into words."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from billing.pricing.charge import Charge, charge_members
from billing.pricing.charge_models.tiers import Tier
from billing.pricing.describe import describe_charge, number

# What one number of a price is counted in, where its name alone does not say it. Amounts not named here read "499 → 549".
_UNITS: Final = {
    "unit_amount": "{currency} each",
    "flat_amount": "{currency} flat",
    "rate": "%",
    "percentage_discount": "%",
}
# The number that is the price of its model: it needs no name.
_PRICES: Final = {"flat": "amount", "per_unit": "unit_amount", "percentage": "rate"}
_NAMES: Final = {
    "round": "packages rounded",
    "package_amount": "price of a package",
    "divide_by": "units in a priced unit",
    "divide_round": "priced units rounded",
    "usage_discount": "units taken off",
    "percentage_discount": "discount",
    "per_transaction_min": "least for an event",
    "per_transaction_max": "most for an event",
    "fixed_amount": "for each event",
    "charge_when_unused": "charged when unused",
}
# What a member says that is left out, where that is neither nothing nor none.
_DEFAULTS: Final[Mapping[str, object]] = {"round": "up", "charge_when_unused": True}


def compare_charges(before: Charge, after: Charge, *, currency: str) -> list[tuple[str, str]]:
    """
    Say what differs: pairs of what it is about (empty for the price itself, or "tier 2") and how it changed.

    Equal charges give none, others at least one.

    >>> from billing.pricing.charge import parse_charge
    >>> dear, cheap = ({"model": "per_unit", "unit_amount": amount} for amount in ("0.0004", "0.00035"))
    >>> compare_charges(parse_charge(dear), parse_charge(cheap), currency="EUR")
    [('', '0.0004 → 0.00035 EUR each')]
    """
    if before.model.name != after.model.name:
        old, new = ("; ".join(describe_charge(charge, currency=currency)) for charge in (before, after))
        return [("price", f"{old} → {new}")]
    old_members, new_members = charge_members(before), charge_members(after)
    said: list[tuple[str, str]] = []
    for name in dict.fromkeys([*old_members, *new_members]):
        old_value, new_value = old_members.get(name), new_members.get(name)
        if name == "tiers":
            said += _tier_changes(before, after, currency)
        elif old_value != new_value:
            subject = "" if _PRICES.get(before.model.name) == name else _NAMES.get(name, name.replace("_", " "))
            unit = _UNITS.get(name, "").format(currency=currency)
            said.append((subject, _change(_words(name, old_value), _words(name, new_value), unit)))
    return said


def _tier_changes(before: Charge, after: Charge, currency: str) -> Iterator[tuple[str, str]]:
    old_tiers, new_tiers = _tiers(before), _tiers(after)
    for index in range(max(len(old_tiers), len(new_tiers))):
        subject = f"tier {index + 1}"
        if index >= len(old_tiers):
            yield f"{subject} added", describe_charge(after, currency=currency)[index]
        elif index >= len(new_tiers):
            yield f"{subject} removed", describe_charge(before, currency=currency)[index]
        else:
            for change in _within_tier(old_tiers[index], new_tiers[index], currency):
                yield subject, change


def _within_tier(old: Tier[Decimal], new: Tier[Decimal], currency: str) -> Iterator[str]:
    if old.up_to != new.up_to:
        yield f"{_bound(old)} → {_bound(new)}"
    for name in ("unit_amount", "flat_amount", "rate"):
        old_price, new_price = getattr(old, name), getattr(new, name)
        if old_price != new_price:
            yield _change(number(old_price), number(new_price), _UNITS[name].format(currency=currency))


def _tiers(charge: Charge) -> Sequence[Tier[Decimal]]:
    tiers: Sequence[Tier[Decimal]] = getattr(charge.model, "tiers", ())
    return tiers


def _bound(tier: Tier[Decimal]) -> str:
    return "no upper bound" if tier.up_to is None else f"up to {number(tier.up_to)}"


def _change(old: str, new: str, unit: str) -> str:
    return f"{old} → {new} {unit}".rstrip()


def _words(name: str, value: Any) -> str:
    if value is None:
        value = _DEFAULTS.get(name)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if value in ("up", "down") else number(Decimal(value))
