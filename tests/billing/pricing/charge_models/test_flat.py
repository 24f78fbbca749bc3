from decimal import Decimal

import pytest
from hypothesis import given

from billing.pricing.charge import parse_charge, price
from tests.billing.pricing.pricing_tools import amount, cells
from tests.billing.pricing.strategies import PRICES, QUANTITIES

FLAT = {"model": "flat", "amount": "49.90"}


@pytest.mark.parametrize("quantity", ["0", "0.5", "1", "1000000"])
def test_the_amount_is_due_whatever_the_quantity(quantity: str) -> None:
    assert amount(FLAT, quantity) == Decimal("49.90")


def test_it_can_be_waived_when_unused() -> None:
    assert amount({**FLAT, "charge_when_unused": False}, "0") == 0


def test_the_breakdown_is_the_amount() -> None:
    priced = price(parse_charge(FLAT), Decimal(3))
    assert cells(priced, "step", "amount", "flat_amount", "quantity") == [("flat", Decimal("49.9"), Decimal("49.9"), None)]


@given(PRICES, QUANTITIES, QUANTITIES)
def test_splitting_a_quantity_over_two_lines_costs_twice(flat: str, first: Decimal, second: Decimal) -> None:
    charge = parse_charge({"model": "flat", "amount": flat})
    assert price(charge, first).exact + price(charge, second).exact == 2 * price(charge, first + second).exact
