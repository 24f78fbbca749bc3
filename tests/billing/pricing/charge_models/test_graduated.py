from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing.charge import parse_charge, price
from tests.billing.pricing.pricing_tools import amount, cells
from tests.billing.pricing.strategies import PRICES, tiers

# 0-10 at 1.00, above 10 to 100 at 0.50, above 100 at 0.25
GRADUATED: dict[str, Any] = {
    "model": "graduated",
    "tiers": [
        {"up_to": "10", "unit_amount": "1"},
        {"up_to": "100", "unit_amount": "0.5"},
        {"up_to": None, "unit_amount": "0.25"},
    ],
}
# The same with 2 flat in the first tier and 5 in the second
WITH_FLATS: dict[str, Any] = {
    "model": "graduated",
    "tiers": [
        {"up_to": "10", "unit_amount": "1", "flat_amount": "2"},
        {"up_to": "100", "unit_amount": "0.5", "flat_amount": "5"},
        {"up_to": None, "unit_amount": "0.25"},
    ],
}


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("0", "0"),
        ("10", "10"),
        ("10.5", "10.25"),  # 10 x 1 + 0.5 x 0.5; integer ranges 0-10, 11+ would bill 10
        ("11", "10.5"),
        ("100", "55"),  # 10 + 90 x 0.5
        ("101", "55.25"),
        ("1000000", "250030"),  # 55 + 999,900 x 0.25 = 55 + 249,975
    ],
)
def test_each_unit_costs_what_its_tier_says(quantity: str, expected: str) -> None:
    assert amount(GRADUATED, quantity) == Decimal(expected)


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("0", "2"),  # the first flat amount is due at zero
        ("10", "12"),  # 10 + 2: the second tier is not entered on the boundary
        ("10.000001", "17.0000005"),  # 10 + 2 + 0.000001 x 0.5 + 5
        ("101", "62.25"),  # 55.25 + 2 + 5
    ],
)
def test_flat_amounts_are_due_for_every_tier_entered(quantity: str, expected: str) -> None:
    assert amount(WITH_FLATS, quantity) == Decimal(expected)


def test_unit_on_the_boundary_belongs_to_the_lower_tier() -> None:
    priced = price(parse_charge(GRADUATED), Decimal(10))
    assert cells(priced, "above", "up_to", "quantity") == [(0, 10, 10)]


def test_the_breakdown_is_tier_by_tier() -> None:
    priced = price(parse_charge(WITH_FLATS), Decimal("100.5"))
    assert cells(priced, "above", "up_to", "quantity", "unit_amount", "flat_amount", "amount") == [
        (0, 10, 10, 1, 2, 12),
        (10, 100, 90, Decimal("0.5"), 5, 50),
        (100, None, Decimal("0.5"), Decimal("0.25"), None, Decimal("0.125")),
    ]


@given(tiers("unit_amount", flats=False), st.decimals(0, 3000, places=3), st.decimals(0, 100, places=3))
def test_without_flats_it_is_monotone_and_continuous(table: list[dict[str, Any]], quantity: Decimal, more: Decimal) -> None:
    charge = parse_charge({"model": "graduated", "tiers": table})
    growth = price(charge, quantity + more).exact - price(charge, quantity).exact
    # Never falls, and never by more than the dearest unit price: no jump anywhere.
    assert 0 <= growth <= Fraction(more) * max(Fraction(tier["unit_amount"]) for tier in table)


@given(tiers("unit_amount"), st.decimals(0, 3000, places=3), st.decimals(0, 3000, places=3))
def test_with_flats_it_still_never_falls(table: list[dict[str, Any]], quantity: Decimal, more: Decimal) -> None:
    charge = parse_charge({"model": "graduated", "tiers": table})
    assert price(charge, quantity + more).exact >= price(charge, quantity).exact


def in_order(table: list[dict[str, Any]], *, falling: bool) -> list[dict[str, Any]]:
    """Return the same bounds with the same prices, but sorted."""
    prices = sorted((tier["unit_amount"] for tier in table), key=Decimal, reverse=falling)
    return [{**tier, "unit_amount": unit_amount} for tier, unit_amount in zip(table, prices, strict=True)]


@given(tiers("unit_amount", flats=False), st.decimals(0, 3000, places=3), st.decimals(0, 3000, places=3))
def test_splitting_never_saves_where_prices_fall_and_never_costs_where_they_rise(
    table: list[dict[str, Any]], first: Decimal, second: Decimal
) -> None:
    for falling in (True, False):
        charge = parse_charge({"model": "graduated", "tiers": in_order(table, falling=falling)})
        whole, parts = price(charge, first + second).exact, price(charge, first).exact + price(charge, second).exact
        assert whole <= parts if falling else whole >= parts


def test_flat_amounts_can_make_splitting_dearer_or_cheaper() -> None:
    # 5 + 5 are 2 x (5 + 2) = 14 where 10 are 12; 10 + 10 are 24, where 20 are 10 + 10 x 0.5 + 7 = 22
    assert [amount(WITH_FLATS, "5") * 2, amount(WITH_FLATS, "10")] == [14, 12]
    # The second tier's 40 are avoided by two lines of 10: 20, where 20 are 10 + 10 x 1 + 40
    entry = {"model": "graduated", "tiers": [{"up_to": "10", "unit_amount": "1"}, {"unit_amount": "1", "flat_amount": "40"}]}
    assert [amount(entry, "10") * 2, amount(entry, "20")] == [20, 60]


@given(tiers("unit_amount"), st.decimals(0, 3000, places=3))
def test_it_costs_the_units_one_by_one(table: list[dict[str, Any]], quantity: Decimal) -> None:
    """Cut the quantity at every bound and every whole unit; each piece lies in one tier, and costs its price."""
    bounds = [Fraction(tier["up_to"]) for tier in table[:-1]]
    whole = Fraction(quantity)
    cuts = sorted({Fraction(0), whole, *(bound for bound in bounds if bound < whole), *map(Fraction, range(int(whole)))})
    expected = Fraction(table[0].get("flat_amount", 0))
    for begin, end in pairwise(cuts):
        tier = table[sum(bound < end for bound in bounds)]
        expected += (end - begin) * Fraction(tier["unit_amount"])
    expected += sum(Fraction(tier.get("flat_amount", 0)) for tier, bound in zip(table[1:], bounds, strict=True) if bound < whole)
    assert price(parse_charge({"model": "graduated", "tiers": table}), quantity).exact == expected


@given(PRICES, tiers("unit_amount", flats=False), st.decimals(0, 3000, places=3))
def test_one_price_in_all_tiers_is_a_price_per_unit(unit_amount: str, table: list[dict[str, Any]], quantity: Decimal) -> None:
    same = [{**tier, "unit_amount": unit_amount} for tier in table]
    per_unit = price(parse_charge({"model": "per_unit", "unit_amount": unit_amount}), quantity)
    assert price(parse_charge({"model": "graduated", "tiers": same}), quantity).exact == per_unit.exact
