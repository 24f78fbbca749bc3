"""
A second way of pricing, for tests only: slow, in fractions, straight from the JSON members, sharing no code.

It is written as the rules are said in docs/tariffs.md, not as billing.pricing computes them.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Any


def fraction(value: Any, default: int = 0) -> Fraction:
    return Fraction(default) if value is None else Fraction(value)


def graduated(tiers: Sequence[Mapping[str, Any]], quantity: Fraction, price: str, scale: int = 1) -> Fraction:
    """Go down from the quantity: what lies above the last bound below it costs that tier's price; then the rest."""
    below = [index for index, tier in enumerate(tiers[:-1]) if Fraction(tier["up_to"]) < quantity]
    if not below:
        return quantity * fraction(tiers[0].get(price)) / scale + fraction(tiers[0].get("flat_amount"))
    bound, tier = Fraction(tiers[below[-1]]["up_to"]), tiers[below[-1] + 1]
    here = (quantity - bound) * fraction(tier.get(price)) / scale + fraction(tier.get("flat_amount"))
    return here + graduated(tiers, bound, price, scale)


def tier_holding(tiers: Sequence[Mapping[str, Any]], quantity: Fraction) -> Mapping[str, Any]:
    return next(tier for tier in tiers if tier["up_to"] is None or quantity <= Fraction(tier["up_to"]))


def percentage(charge: Mapping[str, Any], events: Sequence[Fraction]) -> Fraction:
    """Walk over the events one by one with two counters, as somebody with a pencil would."""
    total = Fraction(0)
    free_events, free_amount = int(charge.get("free_events", 0)), fraction(charge.get("free_amount"))
    for amount in events:
        if free_events:
            free_events -= 1
            continue
        covered = min(amount, free_amount)
        if free_amount and covered == amount:
            free_amount -= covered
            continue
        free_amount -= covered
        fee = (amount - covered) * Fraction(charge["rate"]) / 100 + fraction(charge.get("fixed_amount"))
        if charge.get("per_transaction_min") is not None:
            fee = max(fee, Fraction(charge["per_transaction_min"]))
        if charge.get("per_transaction_max") is not None:
            fee = min(fee, Fraction(charge["per_transaction_max"]))
        total += fee
    return total


def model_amount(charge: Mapping[str, Any], quantity: Fraction) -> Fraction:
    match charge["model"]:
        case "flat":
            return Fraction(charge["amount"])
        case "per_unit":
            return quantity * Fraction(charge["unit_amount"])
        case "graduated":
            return graduated(charge["tiers"], quantity, "unit_amount")
        case "graduated_percentage":
            return graduated(charge["tiers"], quantity, "rate", 100)
        case "volume":
            tier = tier_holding(charge["tiers"], quantity)
            return quantity * fraction(tier.get("unit_amount")) + fraction(tier.get("flat_amount"))
        case "stairstep":
            return fraction(tier_holding(charge["tiers"], quantity)["flat_amount"])
        case "package":
            whole = floor if charge.get("round") == "down" else ceil
            return whole(quantity / Fraction(charge["package_size"])) * Fraction(charge["package_amount"])
        case "percentage":
            return percentage(charge, [quantity])
    raise AssertionError(charge["model"])


def converted(charge: Mapping[str, Any], quantity: Fraction) -> Fraction:
    quantity /= fraction(charge.get("divide_by"), 1)
    match charge.get("divide_round"):
        case "up":
            return Fraction(ceil(quantity))
        case "down":
            return Fraction(floor(quantity))
    return quantity


def adjusted(charge: Mapping[str, Any], amount: Fraction) -> Fraction:
    amount *= 1 - fraction(charge.get("percentage_discount")) / 100
    amount = max(amount, fraction(charge.get("minimum_amount")))
    if charge.get("maximum_amount") is not None:
        amount = min(amount, Fraction(charge["maximum_amount"]))
    return amount


def reference_price(charge: Mapping[str, Any], quantity: Fraction) -> Fraction:
    """Price a quantity by the rules."""
    if quantity == 0 and charge.get("charge_when_unused") is False:
        return Fraction(0)
    free = fraction(charge.get("free_units")) + fraction(charge.get("usage_discount"))
    return adjusted(charge, model_amount(charge, max(converted(charge, quantity) - free, Fraction(0))))


def uncovered(amounts: Sequence[Fraction], free: Fraction) -> list[Fraction]:
    """Strike events out from the first on until what is free is used up; of the one in which it runs out the rest stays."""
    if not amounts or not free:
        return list(amounts)
    first, rest = amounts[0], amounts[1:]
    return uncovered(rest, free - first) if first <= free else [first - free, *rest]


def reference_price_events(charge: Mapping[str, Any], events: Sequence[Fraction]) -> Fraction:
    """Price single events by the rules."""
    if not events and charge.get("charge_when_unused") is False:
        return Fraction(0)
    free = fraction(charge.get("free_units")) + fraction(charge.get("usage_discount"))
    amounts = uncovered([converted(charge, amount) for amount in events], free)
    if charge["model"] == "percentage":
        return adjusted(charge, percentage(charge, amounts))
    return adjusted(charge, model_amount(charge, sum(amounts, Fraction(0))))
