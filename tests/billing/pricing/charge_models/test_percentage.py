from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing.charge import parse_charge, price, price_events
from tests.billing.pricing.pricing_tools import amount, amount_of_events, cells
from tests.billing.pricing.strategies import EVENTS, PRICES, RATES, percentages

CARDS: dict[str, Any] = {"model": "percentage", "rate": "2.9", "fixed_amount": "0.30"}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((), "0"),
        (("100",), "3.20"),  # 2.90 + 0.30
        (("100", "50.50"), "4.9645"),  # 150.5 x 2.9 % = 4.3645, + 2 x 0.30
        (("0",), "0.30"),
    ],
)
def test_rate_on_the_amounts_and_a_fee_for_each_event(events: tuple[str, ...], expected: str) -> None:
    assert amount_of_events(CARDS, *events) == Decimal(expected)


def test_the_first_events_are_free() -> None:
    # 10 and 20 are free; 30 x 2.9 % = 0.87, + 0.30
    assert amount_of_events({**CARDS, "free_events": "2"}, "10", "20", "30") == Decimal("1.17")
    assert amount_of_events({**CARDS, "free_events": "2"}, "10") == 0


def test_the_free_amount_comes_off_in_the_order_of_events() -> None:
    # 10 is covered whole and has no fee; of 20 the 5 left are free, 15 are charged: 0.435 + 0.30
    assert amount_of_events({**CARDS, "free_amount": "15"}, "10", "20") == Decimal("0.735")
    # On the boundary the event is covered whole.
    assert amount_of_events({**CARDS, "free_amount": "30"}, "10", "20") == 0


def test_free_events_leave_the_free_amount_alone() -> None:
    # 10 is a free event; 15 of the 20 are free: 5 x 2.9 % = 0.145, + 0.30
    assert amount_of_events({**CARDS, "free_events": "1", "free_amount": "15"}, "10", "20") == Decimal("0.445")


def test_each_fee_is_lifted_and_cut_on_its_own() -> None:
    members = {**CARDS, "per_transaction_min": "0.50", "per_transaction_max": "5"}
    # 1: 0.329 -> 0.50; 100: 3.20; 1000: 29.30 -> 5
    assert amount_of_events(members, "1", "100", "1000") == Decimal("8.70")


def test_free_events_know_no_minimum() -> None:
    assert amount_of_events({**CARDS, "free_events": "1", "per_transaction_min": "1"}, "5") == 0


def test_the_breakdown_can_be_added_again() -> None:
    members = {**CARDS, "free_events": "1", "free_amount": "15", "per_transaction_min": "0.50", "per_transaction_max": "2"}
    events = [Decimal(event) for event in (7, 16, 20, 1000)]
    # 7 is free, 15 of 16 are; left 1, 20, 1000 = 1021 x 2.9 % = 29.609; fees 0.329, 0.88, 29.30
    priced = price_events(parse_charge(members), events)
    assert cells(priced, "step", "quantity", "amount") == [
        ("free_events", 1, 0),
        ("free_amount", 15, 0),
        ("rate", 1021, Decimal("29.609")),
        ("fixed_amount", 3, Decimal("0.9")),
        ("per_transaction_min", 1, Decimal("0.171")),
        ("per_transaction_max", 1, Decimal("-27.3")),
    ]


def test_bounds_count_the_events_that_they_change_and_say_themselves() -> None:
    members = {"model": "percentage", "rate": "10", "per_transaction_min": "5", "per_transaction_max": "20"}
    # Fees of 1, 4, 5, 20, 30: two are lifted, by 4 and 1, one is cut by 10, and those on the bounds are left alone.
    priced = price_events(parse_charge(members), [Decimal(amount) for amount in (10, 40, 50, 200, 300)])
    assert cells(priced, "step", "quantity", "unit_amount", "amount")[1:] == [
        ("per_transaction_min", 2, 5, 5),
        ("per_transaction_max", 1, 20, -10),
    ]


def test_a_pure_rate_prices_a_sum_too() -> None:
    assert amount({"model": "percentage", "rate": "1.5", "free_amount": "100"}, "300") == 3  # 200 x 1.5 %


@pytest.mark.parametrize("member", ["fixed_amount", "free_events", "per_transaction_min", "per_transaction_max"])
def test_what_depends_on_single_events_does_not(member: str) -> None:
    assert parse_charge({"model": "percentage", "rate": "1", member: "3"}).needs_events


@given(EVENTS)
def test_without_free_events_or_amounts_the_order_does_not_matter(events: list[Decimal]) -> None:
    charge = parse_charge({**CARDS, "per_transaction_min": "1", "per_transaction_max": "9"})
    assert price_events(charge, events).exact == price_events(charge, sorted(events)).exact


@given(RATES, EVENTS)
def test_a_pure_rate_costs_for_events_what_it_costs_for_their_sum(rate: str, events: list[Decimal]) -> None:
    charge = parse_charge({"model": "percentage", "rate": rate})
    assert price_events(charge, events).exact == price(charge, sum(events, Decimal(0))).exact


@given(RATES, PRICES, EVENTS)
def test_a_fixed_fee_adds_its_amount_for_each_event(rate: str, fixed: str, events: list[Decimal]) -> None:
    with_fee = price_events(parse_charge({"model": "percentage", "rate": rate, "fixed_amount": fixed}), events)
    without = price_events(parse_charge({"model": "percentage", "rate": rate}), events)
    assert with_fee.exact - without.exact == len(events) * Fraction(fixed)


@given(percentages(), EVENTS)
def test_bounds_hold_for_the_fee_of_every_event(members: dict[str, Any], events: list[Decimal]) -> None:
    members = {name: value for name, value in members.items() if not name.startswith("free")}
    fee = price_events(parse_charge(members), events).exact
    assert fee >= len(events) * Fraction(members.get("per_transaction_min", 0))
    assert fee <= len(events) * Fraction(members.get("per_transaction_max", 10**9))


@given(percentages(), st.decimals(0, 5000, places=4), st.decimals(0, 5000, places=4))
def test_splitting_a_payment_never_saves(members: dict[str, Any], first: Decimal, second: Decimal) -> None:
    charge = parse_charge({name: value for name, value in members.items() if not name.startswith("free")})
    assert price_events(charge, [first, second]).exact >= price_events(charge, [first + second]).exact


@given(percentages(), EVENTS, st.decimals(0, 5000, places=4))
def test_another_event_never_makes_the_others_cheaper(members: dict[str, Any], events: list[Decimal], more: Decimal) -> None:
    charge = parse_charge(members)
    assert price_events(charge, [*events, more]).exact >= price_events(charge, events).exact
