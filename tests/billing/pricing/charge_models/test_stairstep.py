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


@given(tiers("flat_amount"), st.decimals(0, 3000, places=3), st.decimals(0, 3000, places=3))
def test_it_never_falls_where_the_amounts_rise(table: list[dict[str, Any]], quantity: Decimal, more: Decimal) -> None:
    amounts = sorted((tier["flat_amount"] for tier in table), key=Decimal)
    rising = [{**tier, "flat_amount": flat} for tier, flat in zip(table, amounts, strict=True)]
    charge = parse_charge({"model": "stairstep", "tiers": rising})
    assert price(charge, quantity).exact <= price(charge, quantity + more).exact


def test_within_a_step_it_is_level_and_splitting_can_cost_more_or_less() -> None:
    assert amount(STAIRSTEP, "1000.000000000001") == amount(STAIRSTEP, "5000") == 20
    # 2,000 + 2,000 cost 20 each and 20 together; 1,000 + 1,000 cost nothing each and 20 together
    assert [amount(STAIRSTEP, "2000") * 2, amount(STAIRSTEP, "4000")] == [40, 20]
    assert [amount(STAIRSTEP, "1000") * 2, amount(STAIRSTEP, "2000")] == [0, 20]
