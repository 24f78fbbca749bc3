"""
A second, slow pricing of the simple charge models, in fractions, from the members as they are written.

It shares no code with billing.pricing, so that an error there shows as a difference. A charge with adjustments or of another
model is outside of it.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

_KNOWN = {
    "flat": {"model", "amount"},
    "per_unit": {"model", "unit_amount"},
    "graduated": {"model", "tiers", "charge_when_unused"},
    "volume": {"model", "tiers", "charge_when_unused"},
    # A share of the sum; with a fee, free events or bounds the single events count, and a line does not tell them.
    "percentage": {"model", "rate"},
}


def reference_price(terms: Mapping[str, Any], quantity: Fraction) -> Fraction | None:
    """Return the exact price in major units, None where the charge is outside of what this reference knows."""
    model = terms["model"]
    if not set(terms) <= _KNOWN.get(model, set()):
        return None
    if model == "flat":
        return Fraction(terms["amount"])
    if model == "per_unit":
        return quantity * Fraction(terms["unit_amount"])
    if model == "percentage":
        return quantity * Fraction(terms["rate"]) / 100
    if quantity == 0 and terms.get("charge_when_unused") is False:
        return Fraction(0)
    tiers = terms["tiers"]
    reached = [tier for index, tier in enumerate(tiers) if index == 0 or quantity > Fraction(tiers[index - 1]["up_to"])]
    if model == "volume":
        tier = reached[-1]
        return quantity * _number(tier, "unit_amount") + _number(tier, "flat_amount")
    total, lower = Fraction(0), Fraction(0)
    for tier in reached:
        upper = quantity if tier.get("up_to") is None else min(quantity, Fraction(tier["up_to"]))
        total += (upper - lower) * _number(tier, "unit_amount") + _number(tier, "flat_amount")
        lower = upper
    return total


def reference_sum(rows: Sequence[Mapping[str, Any]]) -> Fraction | None:
    """
    Add the steps of a price of single events up again; None where they hold a step that this reference does not know.

    What they say of the events (how many, their sum) is believed, since only the events could tell.
    """
    total = Fraction(0)
    for row in rows:
        step, amount = row["step"], Fraction(row["amount"])
        if step == "rate":
            amount = Fraction(row["quantity"]) * Fraction(row["rate"]) / 100
        elif step == "fixed_amount":
            amount = Fraction(row["quantity"]) * Fraction(row["unit_amount"])
        elif step not in ("free_events", "free_amount", "per_transaction_min", "per_transaction_max"):
            return None
        total += amount
    return total


def half_up(amount: Fraction) -> int:
    """Round to a whole number, half away from zero: other code than billing.pricing.money."""
    rounded = (abs(amount.numerator) * 2 + amount.denominator) // (2 * amount.denominator)
    return rounded if amount >= 0 else -rounded


def _number(tier: Mapping[str, Any], name: str) -> Fraction:
    return Fraction(tier.get(name) or 0)
