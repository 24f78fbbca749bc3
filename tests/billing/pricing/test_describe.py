from typing import Any

import pytest

from billing.pricing.charge import parse_charge
from billing.pricing.describe import describe_charge

TIERS = [
    {"up_to": "1000", "unit_amount": "0.0004", "flat_amount": "5"},
    {"up_to": "50000", "unit_amount": "0.0003"},
    {"up_to": None, "unit_amount": "0"},
]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"model": "flat", "amount": "1499.00"}, ["1,499 EUR flat"]),
        ({"model": "per_unit", "unit_amount": "0.085"}, ["0.085 EUR each"]),
        ({"model": "per_unit", "unit_amount": "1", "divide_by": "60"}, ["1 EUR each", "priced by 60 units"]),
        ({"model": "percentage", "rate": "1.5"}, ["1.5 % of the amount"]),
        (
            {"model": "graduated", "tiers": TIERS},
            ["first 1,000: 0.0004 EUR each + 5 EUR flat", "above 1,000 up to 50,000: 0.0003 EUR each", "above 50,000: free"],
        ),
        (
            {"model": "volume", "tiers": TIERS},
            [
                "up to 1,000: 0.0004 EUR each + 5 EUR flat, for the whole quantity",
                "above 1,000 up to 50,000: 0.0003 EUR each, for the whole quantity",
                "above 50,000: free, for the whole quantity",
            ],
        ),
        (
            {"model": "stairstep", "tiers": [{"up_to": "10", "flat_amount": "1"}, {"up_to": None, "flat_amount": "2"}]},
            ["up to 10: 1 EUR flat", "above 10: 2 EUR flat"],
        ),
        ({"model": "package", "package_size": "1000", "package_amount": "2"}, ["2 EUR for every begun 1,000"]),
        ({"model": "package", "package_size": "10", "package_amount": "2", "round": "down"}, ["2 EUR for every full 10"]),
        (
            {
                "model": "percentage",
                "rate": "2.9",
                "fixed_amount": "0.3",
                "free_events": "10",
                "free_amount": "500",
                "per_transaction_min": "0.5",
                "per_transaction_max": "20",
            },
            [
                "2.9 % of the amount + 0.3 EUR for each event",
                "first 10 events free",
                "first 500 EUR of the amounts free",
                "at least 0.5 EUR for each event",
                "at most 20 EUR for each event",
            ],
        ),
        (
            {"model": "graduated_percentage", "tiers": [{"up_to": "1000", "rate": "5", "flat_amount": "1"}, {"rate": "3"}]},
            ["first 1,000 EUR: 5 % + 1 EUR flat", "above 1,000 EUR: 3 %"],
        ),
        (
            {
                "model": "graduated",
                "tiers": [{"up_to": None, "unit_amount": "1"}],
                "divide_by": "3600",
                "divide_round": "up",
                "free_units": "5",
                "usage_discount": "2",
                "percentage_discount": "10",
                "minimum_amount": "20",
                "maximum_amount": "100",
                "charge_when_unused": False,
            },
            [
                "any quantity: 1 EUR each",
                "priced by 3,600 units, rounded up",
                "first 5 free",
                "2 taken off the usage",
                "10 % off",
                "at least 20 EUR",
                "at most 100 EUR",
                "nothing if unused",
            ],
        ),
    ],
)
def test_a_charge_reads_as_a_person_would_say_it(members: dict[str, Any], words: list[str]) -> None:
    assert describe_charge(parse_charge(members), currency="EUR") == words
