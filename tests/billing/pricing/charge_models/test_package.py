from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing.charge import parse_charge, price
from tests.billing.pricing.pricing_tools import amount, cells

PACKAGE: dict[str, Any] = {"model": "package", "package_size": "100", "package_amount": "5"}


@pytest.mark.parametrize(
    ("quantity", "up", "down"),
    [
        ("0", 0, 0),
        ("0.001", 5, 0),
        ("99", 5, 0),
        ("100", 5, 5),
        ("100.5", 10, 5),
        ("101", 10, 5),
        ("199.999", 10, 5),
        ("200", 10, 10),
        ("999999999999999", 50000000000000, 49999999999995),  # 9,999,999,999,999.99 packages
    ],
)
def test_a_package_begun_is_due_unless_the_charge_rounds_down(quantity: str, up: int, down: int) -> None:
    assert amount(PACKAGE, quantity) == up
    assert amount({**PACKAGE, "round": "down"}, quantity) == down


def test_packages_may_be_parts_of_a_unit() -> None:
    # 0.7 / 0.25 = 2.8: three packages begun
    assert amount({"model": "package", "package_size": "0.25", "package_amount": "1"}, "0.7") == 3


def test_the_breakdown_counts_packages() -> None:
    priced = price(parse_charge(PACKAGE), Decimal(250))
    assert cells(priced, "step", "quantity", "unit_amount", "amount") == [("packages", 3, 5, 15)]


@given(st.decimals(0, 10**9, places=3), st.decimals(Decimal("0.001"), 10**4, places=3))
def test_rounding_up_sells_enough_and_not_a_package_more(quantity: Decimal, size: Decimal) -> None:
    members = {"model": "package", "package_size": str(size), "package_amount": "1"}
    count = price(parse_charge(members), quantity).exact
    assert (count - 1) * Fraction(size) < quantity <= count * Fraction(size)


@given(st.decimals(0, 10**6, places=3), st.decimals(0, 10**6, places=3), st.decimals(Decimal("0.001"), 10**3, places=3))
def test_splitting_saves_a_package_or_costs_one_as_it_rounds(first: Decimal, second: Decimal, size: Decimal) -> None:
    members = {"model": "package", "package_size": str(size), "package_amount": "1"}
    up, down = parse_charge(members), parse_charge({**members, "round": "down"})
    # Rounded up, two lines need as many packages as one or one more; rounded down, as many or one less.
    assert 0 <= price(up, first).exact + price(up, second).exact - price(up, first + second).exact <= 1
    assert 0 <= price(down, first + second).exact - price(down, first).exact - price(down, second).exact <= 1


@given(st.decimals(0, 500, places=3), st.sampled_from(["0.25", "1", "3", "7", "100"]))
def test_packages_are_opened_one_by_one(quantity: Decimal, size: str) -> None:
    opened, full, left = 0, 0, Fraction(quantity)
    while left > 0:
        opened += 1
        full += left >= Fraction(size)
        left -= Fraction(size)
    members = {"model": "package", "package_size": size, "package_amount": "5"}
    assert price(parse_charge(members), quantity).exact == 5 * opened
    assert price(parse_charge({**members, "round": "down"}), quantity).exact == 5 * full
