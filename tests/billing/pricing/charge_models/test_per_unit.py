from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing.charge import parse_charge, price
from tests.billing.pricing.pricing_tools import amount, cells
from tests.billing.pricing.strategies import PRICES

PER_UNIT: dict[str, Any] = {"model": "per_unit", "unit_amount": "0.0004"}


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("0", "0"),
        ("1", "0.0004"),
        ("2.5", "0.001"),  # 2.5 x 0.0004
        ("1234567", "493.8268"),  # 1,234,567 x 4 = 4,938,268 ten-thousandths
        ("0.000000000001", "0.0000000000000004"),
    ],
)
def test_parts_of_a_unit_cost_the_same_part_of_the_price(quantity: str, expected: str) -> None:
    assert amount(PER_UNIT, quantity) == Decimal(expected)


@given(PRICES, st.decimals(0, 10**6, places=6), st.decimals(0, 10**6, places=6))
def test_splitting_a_quantity_changes_nothing(unit_amount: str, first: Decimal, second: Decimal) -> None:
    charge = parse_charge({"model": "per_unit", "unit_amount": unit_amount})
    assert price(charge, first + second).exact == price(charge, first).exact + price(charge, second).exact


def test_the_breakdown_says_quantity_and_price() -> None:
    priced = price(parse_charge(PER_UNIT), Decimal(10))
    assert cells(priced, "step", "quantity", "unit_amount", "amount") == [("units", 10, Decimal("0.0004"), Decimal("0.004"))]
