from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing.charge import parse_charge, price
from tests.billing.pricing.pricing_tools import amount, cells
from tests.billing.pricing.strategies import tiers

STAIRSTEP: dict[str, Any] = {
    "model": "stairstep",
    "tiers": [
        {"up_to": "1000", "flat_amount": "0"},
        {"up_to": "5000", "flat_amount": "20"},
        {"up_to": None, "flat_amount": "75"},
    ],
}


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("0", 0), ("1000", 0), ("1000.5", 20), ("1001", 20), ("5000", 20), ("5001", 75), ("999999999999999", 75)],
)
def test_one_amount_for_the_tier_that_the_quantity_ends_in(quantity: str, expected: int) -> None:
    assert amount(STAIRSTEP, quantity) == expected


def test_the_first_amount_is_due_at_zero() -> None:
    assert amount({"model": "stairstep", "tiers": [{"up_to": None, "flat_amount": "9"}]}, "0") == 9


def test_the_breakdown_names_the_tier() -> None:
    priced = price(parse_charge(STAIRSTEP), Decimal(5000))
    assert cells(priced, "step", "above", "up_to", "quantity", "flat_amount", "amount") == [("tier", 1000, 5000, 5000, 20, 20)]
    assert cells(priced, "unit_amount") == [(None,)]


@given(tiers("flat_amount"), st.decimals(0, 3000, places=3))
def test_the_amount_is_always_one_of_the_table(table: list[dict[str, Any]], quantity: Decimal) -> None:
    charge = parse_charge({"model": "stairstep", "tiers": table})
    assert price(charge, quantity).exact_amount in {Decimal(tier["flat_amount"]) for tier in table}
