"""What each adjustment promises on any model (ADR-0005), one at a time, against the same charge without it."""

from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing.charge import parse_charge, price, price_events
from squill.lib.decimals import plain
from tests.billing.pricing.pricing_tools import amount, amount_of_events, cells
from tests.billing.pricing.strategies import (
    EVENT_MODELS,
    EVENTS,
    MONEY_MEMBERS,
    PRICE_MEMBERS,
    PRICES,
    QUANTITY_MODELS,
    RATES,
    charges,
    scaled,
)

QUANTITIES = st.decimals(0, 10**6, places=3)
UNIT_MODELS = QUANTITY_MODELS.filter(lambda model: "percentage" not in model["model"])
SIZES = st.sampled_from(["1", "3", "7", "60", "1024", "0.1"])


def exact(members: dict[str, Any], quantity: Decimal) -> Fraction:
    return price(parse_charge(members), quantity).exact


@given(charges(), QUANTITIES, st.randoms(use_true_random=False))
def test_the_order_in_which_members_are_written_changes_nothing(members: dict[str, Any], quantity: Decimal, by: Random) -> None:
    names = list(members)
    by.shuffle(names)
    assert price(parse_charge({name: members[name] for name in names}), quantity) == price(parse_charge(members), quantity)


@given(QUANTITY_MODELS, SIZES, QUANTITIES)
def test_units_converted_exactly_cost_what_the_same_in_the_other_unit_costs(
    model: dict[str, Any], size: str, quantity: Decimal
) -> None:
    assert exact({**model, "divide_by": size}, quantity * Decimal(size)) == exact(model, quantity)


@given(QUANTITY_MODELS, SIZES, QUANTITIES)
def test_conversion_rounds_to_the_whole_unit_above_or_below(model: dict[str, Any], size: str, quantity: Decimal) -> None:
    quotient = Fraction(quantity) / Fraction(size)
    below = Decimal(quotient.numerator // quotient.denominator)
    above = below if quotient == below else below + 1
    assert exact({**model, "divide_by": size, "divide_round": "down"}, quantity) == exact(model, below)
    assert exact({**model, "divide_by": size, "divide_round": "up"}, quantity) == exact(model, above)


@given(QUANTITY_MODELS, PRICES, PRICES, QUANTITIES)
def test_free_units_and_those_of_a_usage_discount_come_off_the_quantity(
    model: dict[str, Any], free: str, discount: str, quantity: Decimal
) -> None:
    left = max(quantity - Decimal(free) - Decimal(discount), Decimal(0))
    assert exact({**model, "free_units": free, "usage_discount": discount}, quantity) == exact(model, left)


@given(charges(EVENT_MODELS), EVENTS, PRICES)
def test_free_units_of_events_are_free_whatever_the_name(members: dict[str, Any], events: list[Decimal], free: str) -> None:
    members = {name: value for name, value in members.items() if name not in ("free_units", "usage_discount")}
    as_free = price_events(parse_charge({**members, "free_units": free}), events)
    as_discount = price_events(parse_charge({**members, "usage_discount": free}), events)
    assert as_free.exact == as_discount.exact
    assert as_free.exact <= price_events(parse_charge(members), events).exact


@given(QUANTITY_MODELS, RATES, QUANTITIES)
def test_a_percentage_discount_takes_its_part_of_what_the_model_charges(
    model: dict[str, Any], percent: str, quantity: Decimal
) -> None:
    assert exact({**model, "percentage_discount": percent}, quantity) == exact(model, quantity) * (1 - Fraction(percent) / 100)


@given(QUANTITY_MODELS, PRICES, PRICES, QUANTITIES)
def test_a_minimum_and_a_maximum_bound_the_amount_and_leave_what_lies_between(
    model: dict[str, Any], one: str, other: str, quantity: Decimal
) -> None:
    least, most = sorted((Fraction(one), Fraction(other)))
    bounded = exact(
        {**model, "minimum_amount": min(one, other, key=Decimal), "maximum_amount": max(one, other, key=Decimal)}, quantity
    )
    unbounded = exact(model, quantity)
    assert least <= bounded <= most
    assert bounded == unbounded or (unbounded < least == bounded) or (unbounded > most == bounded)


@given(charges(UNIT_MODELS), QUANTITIES, st.integers(2, 1000))
def test_prices_so_many_times_as_high_make_an_amount_so_many_times_as_high(
    members: dict[str, Any], quantity: Decimal, times: int
) -> None:
    assert exact(scaled(members, PRICE_MEMBERS, times), quantity) == exact(members, quantity) * times


@given(charges(EVENT_MODELS), EVENTS, st.sampled_from([10, 100, 1000]))
def test_euros_and_cents_cost_the_same(members: dict[str, Any], events: list[Decimal], times: int) -> None:
    """A rate knows no unit: with every amount in a smaller one, the price is the same in that one."""
    members = {name: value for name, value in members.items() if name != "divide_round"}
    in_cents = parse_charge(scaled(members, MONEY_MEMBERS, times))
    assert (
        price_events(in_cents, [amount * times for amount in events]).exact
        == times * price_events(parse_charge(members), events).exact
    )


@given(charges(EVENT_MODELS), EVENTS)
def test_events_cost_what_their_sum_costs_where_no_rule_looks_at_single_ones(
    members: dict[str, Any], events: list[Decimal]
) -> None:
    """
    A charge that does not need single events costs the same for them as for their sum, unless it rounds each.

    Events of zero are use, where a quantity of zero is none (ADR-0005), so a charge that is waived when unused differs there.
    """
    charge = parse_charge(members)
    if charge.needs_events or "divide_round" in members or not (charge.charge_when_unused or any(events)):
        return
    assert price_events(charge, events).exact == price(charge, sum(events, Decimal(0))).exact


def test_events_are_converted_one_by_one() -> None:
    members = {"model": "percentage", "rate": "100", "divide_by": "10", "divide_round": "up"}
    # 15 and 15 round up to 2 each; their sum, 30, is 3
    assert amount_of_events(members, "15", "15") == 4
    assert amount(members, "30") == 3


class TestRows:
    def test_conversion_and_free_units_say_how_much(self) -> None:
        members = {"model": "per_unit", "unit_amount": "2", "divide_by": "10", "free_units": "3", "usage_discount": "1.5"}
        priced = price(parse_charge(members), Decimal(80))
        # 80 / 10 = 8, less 3, less 1.5 = 3.5 x 2
        assert cells(priced, "step", "quantity", "unit_amount", "amount") == [
            ("unit_conversion", 8, None, 0),
            ("free_units", 3, None, 0),
            ("usage_discount", Decimal("1.5"), None, 0),
            ("units", Decimal("3.5"), 2, 7),
        ]

    def test_no_more_is_taken_off_than_there_is(self) -> None:
        members = {"model": "per_unit", "unit_amount": "2", "free_units": "3", "usage_discount": "4"}
        assert cells(price(parse_charge(members), Decimal(5)), "step", "quantity") == [
            ("free_units", 3),
            ("usage_discount", 2),
            ("units", 0),
        ]

    def test_the_same_rows_for_events(self) -> None:
        members = {"model": "percentage", "rate": "10", "divide_by": "100", "free_units": "15", "usage_discount": "7"}
        priced = price_events(parse_charge(members), [Decimal(1000), Decimal(1000), Decimal(2000)])
        # 10, 10, 20: the first and half of the second are free, then 5 of the second and 2 of the third; 18 x 10 %
        assert cells(priced, "step", "quantity", "rate", "amount") == [
            ("unit_conversion", 40, None, 0),
            ("free_units", 15, None, 0),
            ("usage_discount", 7, None, 0),
            ("rate", 18, 10, Decimal("1.8")),
        ]
        assert priced.quantity == 4000

    def test_events_that_are_fewer_than_what_is_free(self) -> None:
        members = {"model": "percentage", "rate": "10", "fixed_amount": "1", "free_units": "15"}
        priced = price_events(parse_charge(members), [Decimal(4)])
        assert cells(priced, "step", "quantity", "amount") == [("free_units", 4, 0), ("rate", 0, 0), ("fixed_amount", 0, 0)]

    @pytest.mark.parametrize(
        ("quantity", "rows"),
        [
            # 100 x 2 = 200, less 25 % = 150, cut to 120
            ("100", [("percentage_discount", -50, 25, None), ("maximum_amount", -30, None, 120)]),
            # 10 x 2 = 20, less 25 % = 15, lifted to 30
            ("10", [("percentage_discount", -5, 25, None), ("minimum_amount", 15, None, 30)]),
            # On a bound nothing is added: 20 x 2 = 40, less 25 % = 30; 80 x 2 = 160, less 25 % = 120
            ("20", [("percentage_discount", -10, 25, None)]),
            ("80", [("percentage_discount", -40, 25, None)]),
            # 40 x 2 = 80, less 25 % = 60
            ("40", [("percentage_discount", -20, 25, None)]),
        ],
    )
    def test_discount_and_bounds_say_their_rate_and_amount(self, quantity: str, rows: list[tuple[object, ...]]) -> None:
        members = {
            "model": "per_unit",
            "unit_amount": "2",
            "percentage_discount": "25",
            "minimum_amount": "30",
            "maximum_amount": "120",
        }
        priced = price(parse_charge(members), Decimal(quantity))
        assert cells(priced, "step", "amount", "rate", "flat_amount")[1:] == rows

    def test_a_minimum_that_is_the_maximum_too_is_the_price(self) -> None:
        members = {"model": "per_unit", "unit_amount": "2", "minimum_amount": "9", "maximum_amount": "9"}
        assert [amount(members, plain(Decimal(quantity))) for quantity in (0, 4, 5)] == [9, 9, 9]
