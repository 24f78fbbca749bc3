"""Short ways of pricing in tests."""

from decimal import Decimal
from typing import Any

from billing.pricing.breakdown import Priced
from billing.pricing.charge import parse_charge, price, price_events


def amount(members: dict[str, Any], quantity: str) -> Decimal:
    """Return the exact amount of a quantity."""
    return price(parse_charge(members), Decimal(quantity)).exact_amount


def amount_of_events(members: dict[str, Any], *events: str) -> Decimal:
    """Return the exact amount of events."""
    return price_events(parse_charge(members), [Decimal(event) for event in events]).exact_amount


def cells(priced: Priced, *names: str) -> list[tuple[object, ...]]:
    """Return some columns of a breakdown."""
    return [tuple(getattr(row, name) for name in names) for row in priced.breakdown]
