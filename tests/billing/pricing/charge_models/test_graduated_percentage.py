from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from billing.pricing.charge import parse_charge, price, price_events
from tests.billing.pricing.pricing_tools import amount, amount_of_events, cells
from tests.billing.pricing.strategies import EVENTS

MARKETPLACE: dict[str, Any] = {
    "model": "graduated_percentage",
    "tiers": [
        {"up_to": "1000", "rate": "5"},
        {"up_to": "10000", "rate": "3", "flat_amount": "10"},
        {"up_to": None, "rate": "1.5"},
    ],
}


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("0", "0"),
        ("1000", "50"),
        ("1000.50", "60.015"),  # 50 + 0.5 x 3 % + 10
        ("10000", "330"),  # 50 + 9,000 x 3 % + 10
        ("20000", "480"),  # 330 + 10,000 x 1.5 %
    ],
)
def test_each_part_of_the_amount_costs_the_rate_of_its_tier(quantity: str, expected: str) -> None:
    assert amount(MARKETPLACE, quantity) == Decimal(expected)


def test_events_are_priced_against_the_running_sum() -> None:
    # 800 at 5 % = 40; of the next 400, 200 at 5 % = 10 and 200 at 3 % = 6, + 10 for the tier entered
    assert amount_of_events(MARKETPLACE, "800", "400") == 66


def test_the_breakdown_is_tier_by_tier() -> None:
    priced = price(parse_charge(MARKETPLACE), Decimal(1200))
    assert cells(priced, "above", "up_to", "quantity", "rate", "flat_amount", "amount") == [
        (0, 1000, 1000, 5, None, 50),
        (1000, 10000, 200, 3, 10, 16),
    ]


@given(EVENTS)
def test_events_cost_what_their_sum_costs(events: list[Decimal]) -> None:
    charge = parse_charge(MARKETPLACE)
    assert price_events(charge, events).exact == price(charge, sum(events, Decimal(0))).exact
