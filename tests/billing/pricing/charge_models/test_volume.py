from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing.charge import parse_charge, price
from tests.billing.pricing.pricing_tools import amount, cells
from tests.billing.pricing.strategies import tiers

VOLUME: dict[str, Any] = {
    "model": "volume",
    "tiers": [
        {"up_to": "10", "unit_amount": "1", "flat_amount": "2"},
        {"up_to": "100", "unit_amount": "0.5"},
        {"up_to": None, "unit_amount": "0.25", "flat_amount": "3"},
    ],
}


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("0", "2"),
        ("10", "12"),  # 10 x 1 + 2
        ("10.5", "5.25"),  # all of it at 0.5
        ("11", "5.5"),
        ("100", "50"),
        ("100.4", "28.1"),  # 100.4 x 0.25 + 3
        ("1000000", "250003"),
    ],
)
def test_one_tier_prices_the_whole_quantity(quantity: str, expected: str) -> None:
    assert amount(VOLUME, quantity) == Decimal(expected)


def test_it_is_neither_monotone_nor_continuous() -> None:
    # 10 cost 12; a millionth more costs 5.0000005: less, and by a jump.
    assert amount(VOLUME, "10.000001") == Decimal("5.0000005")
    assert amount(VOLUME, "10.000001") < amount(VOLUME, "10")


def test_splitting_a_quantity_can_cost_more_or_less() -> None:
    # 10 + 10 cost 24 on two lines and 20 x 0.5 = 10 on one
    assert [amount(VOLUME, "10") * 2, amount(VOLUME, "20")] == [24, 10]
    # Where prices rise it is the other way round: 10 + 10 cost 20, and 20 x 3 = 60
    rising = {"model": "volume", "tiers": [{"up_to": "10", "unit_amount": "1"}, {"up_to": None, "unit_amount": "3"}]}
    assert [amount(rising, "10") * 2, amount(rising, "20")] == [20, 60]


@given(tiers("unit_amount", flats=False), st.decimals(Decimal("0.001"), 3000, places=3))
def test_it_costs_what_the_last_unit_costs_for_all(table: list[dict[str, Any]], quantity: Decimal) -> None:
    graduated = price(parse_charge({"model": "graduated", "tiers": table}), quantity)
    last = graduated.breakdown[-1]  # the tier that the last part of a unit falls in
    assert last.unit_amount is not None
    assert price(parse_charge({"model": "volume", "tiers": table}), quantity).exact_amount == quantity * last.unit_amount


def test_the_breakdown_names_the_tier() -> None:
    priced = price(parse_charge(VOLUME), Decimal(100))
    assert cells(priced, "step", "above", "up_to", "quantity", "unit_amount", "amount") == [
        (
            "tier",
            10,
            100,
            100,
            Decimal("0.5"),
            50,
        )
    ]


@given(tiers("unit_amount"), st.decimals(0, 3000, places=3))
def test_within_its_tier_it_is_a_straight_line(table: list[dict[str, Any]], quantity: Decimal) -> None:
    charge = parse_charge({"model": "volume", "tiers": table})
    (row,) = price(charge, quantity).breakdown
    assert row.above is not None
    assert row.unit_amount is not None
    assert row.above < quantity or quantity == row.above == 0
    assert row.up_to is None or quantity <= row.up_to
    assert row.amount == quantity * row.unit_amount + (row.flat_amount or 0)
