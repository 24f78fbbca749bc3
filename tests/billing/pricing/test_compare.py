from typing import Any

import pytest
from hypothesis import given

from billing.pricing.charge import parse_charge
from billing.pricing.compare import compare_charges
from tests.billing.pricing import strategies

STEPS: dict[str, Any] = {
    "model": "stairstep",
    "tiers": [{"up_to": "10", "flat_amount": "5"}, {"up_to": None, "flat_amount": "9"}],
}
RATES: dict[str, Any] = {"model": "graduated_percentage", "tiers": [{"up_to": "1000", "rate": "5"}, {"up_to": None, "rate": "3"}]}
SHARE: dict[str, Any] = {"model": "percentage", "rate": "2.9", "fixed_amount": "0.3", "per_transaction_max": "20"}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (STEPS, STEPS, []),
        (
            STEPS,
            STEPS | {"tiers": [{"up_to": "20", "flat_amount": "5"}, {"up_to": None, "flat_amount": "8"}]},
            [("tier 1", "up to 10 → up to 20"), ("tier 2", "9 → 8 EUR flat")],
        ),
        (
            RATES,
            RATES | {"tiers": [{"up_to": "1000", "rate": "5", "flat_amount": "1"}, {"up_to": None, "rate": "2.5"}]},
            [("tier 1", "0 → 1 EUR flat"), ("tier 2", "3 → 2.5 %")],
        ),
        (
            SHARE,
            {"model": "percentage", "rate": "2.9", "free_events": "10", "per_transaction_max": "30"},
            [("for each event", "0.3 → none"), ("most for an event", "20 → 30"), ("free events", "none → 10")],
        ),
        (
            SHARE | {"divide_by": "100", "divide_round": "up", "percentage_discount": "10"},
            SHARE | {"divide_by": "100", "divide_round": "down", "percentage_discount": "12.5"},
            [("discount", "10 → 12.5 %"), ("priced units rounded", "up → down")],
        ),
    ],
)
def test_each_number_that_differs_is_said(before: dict[str, Any], after: dict[str, Any], said: list[tuple[str, str]]) -> None:
    assert compare_charges(parse_charge(before), parse_charge(after), currency="EUR") == said


@given(strategies.charges(), strategies.charges())
def test_nothing_is_said_of_equal_charges_and_something_of_others(before: dict[str, Any], after: dict[str, Any]) -> None:
    one, other = parse_charge(before), parse_charge(after)
    assert bool(compare_charges(one, other, currency="EUR")) == (one != other)
    assert compare_charges(one, one, currency="EUR") == []
