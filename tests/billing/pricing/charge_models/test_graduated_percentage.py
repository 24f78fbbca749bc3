from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing.charge import parse_charge, price, price_events
from squill.lib.decimals import plain
from tests.billing.pricing.pricing_tools import amount, amount_of_events, cells
from tests.billing.pricing.strategies import EVENTS, tiers

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


@given(tiers("rate"), EVENTS)
def test_events_cost_what_their_sum_costs_in_any_order(table: list[dict[str, Any]], events: list[Decimal]) -> None:
    charge = parse_charge({"model": "graduated_percentage", "tiers": table})
    assert price_events(charge, events).exact == price_events(charge, events[::-1]).exact
    assert price_events(charge, events).exact == price(charge, sum(events, Decimal(0))).exact


@given(tiers("rate"), st.decimals(0, 3000, places=3))
def test_a_rate_is_the_hundredth_part_for_each_unit_of_money(table: list[dict[str, Any]], quantity: Decimal) -> None:
    units = [{**tier, "unit_amount": plain(Decimal(tier["rate"]) / 100)} for tier in table]
    graduated = [{name: value for name, value in tier.items() if name != "rate"} for tier in units]
    as_rates = price(parse_charge({"model": "graduated_percentage", "tiers": table}), quantity)
    assert as_rates.exact == price(parse_charge({"model": "graduated", "tiers": graduated}), quantity).exact
