"""Differences as a finance person reads them, and as a program finds its way to the member."""

from typing import Any

import pytest

from billing.catalog.compare import compare_specs, compare_versions, member_changes
from billing.catalog.document import read_plan
from billing.catalog.plans import publish_plan
from billing.catalog.values import PlanSpec
from tests.billing.builders import ACTOR, NOW

TIERS = [{"up_to": "1000000", "unit_amount": "0.0005"}, {"up_to": None, "unit_amount": "0.0004"}]
CALLS: dict[str, Any] = {"code": "calls", "name": "API calls", "meter": "calls", "model": "graduated", "tiers": TIERS}
FEE: dict[str, Any] = {"code": "fee", "name": "Platform fee", "model": "flat", "amount": "499"}
SEATS: dict[str, Any] = {"code": "seats", "name": "Seats", "model": "per_unit", "unit_amount": "5", "default_quantity": "1"}
PACKS: dict[str, Any] = {
    "code": "packs",
    "name": "SMS",
    "meter": "sms",
    "model": "package",
    "package_size": "10",
    "package_amount": "1",
}
SHARE: dict[str, Any] = {"code": "share", "name": "Payments", "meter": "paid", "model": "percentage", "rate": "1.5"}
BASE: dict[str, Any] = {"code": "scale", "name": "Scale", "currency": "EUR", "charges": [FEE, CALLS, SEATS]}


def spec(*charges: dict[str, Any], **members: Any) -> PlanSpec:
    return read_plan(BASE | ({"charges": list(charges)} if charges else {}) | members)


def tiers(*prices: tuple[str | None, str]) -> dict[str, Any]:
    return CALLS | {"tiers": [{"up_to": up_to, "unit_amount": price} for up_to, price in prices]}


@pytest.mark.parametrize(
    ("before", "after", "words", "paths"),
    [
        (spec(), spec(), [], []),
        (spec(FEE), spec(FEE | {"amount": "549"}), ["Platform fee: 499 → 549"], ["charges.fee.amount: 499 → 549"]),
        (
            spec(CALLS),
            spec(tiers(("1000000", "0.0005"), (None, "0.00035"))),
            ["API calls, tier 2: 0.0004 → 0.00035 EUR each"],
            ["charges.calls.tiers[1].unit_amount: 0.0004 → 0.00035"],
        ),
        (
            spec(CALLS),
            spec(tiers(("1000000", "0.0005"), ("5000000", "0.0004"), (None, "0.0002"))),
            ["API calls, tier 2: no upper bound → up to 5,000,000", "API calls, tier 3 added: above 5,000,000: 0.0002 EUR each"],
            None,
        ),
        (
            spec(CALLS),
            spec(tiers((None, "0.0005"))),
            [
                "API calls, tier 1: up to 1,000,000 → no upper bound",
                "API calls, tier 2 removed: above 1,000,000: 0.0004 EUR each",
            ],
            None,
        ),
        (spec(FEE, CALLS), spec(FEE), ["API calls removed"], None),
        (spec(FEE), spec(FEE, PACKS), ["SMS added: 1 EUR for every begun 10; meter sms"], None),
        (
            spec(FEE),
            spec(FEE, SEATS | {"billed": "in_advance"}),
            ["Seats added: 5 EUR each; default quantity 1; billed in advance"],
            None,
        ),
        (spec(), spec(minimum_commitment="600"), ["minimum commitment: none → 600"], ["minimum_commitment: nothing → 600"]),
        (spec(), spec(trial_days=14), ["trial: none → 14 days"], ["trial_days: nothing → 14"]),
        (spec(trial_days=1), spec(), ["trial: 1 day → none"], ["trial_days: 1 → nothing"]),
        (spec(FEE), spec(FEE | {"billed": "in_advance"}), ["Platform fee, billed: in arrears → in advance"], None),
        (
            spec(SEATS),
            spec(SEATS | {"default_quantity": "5"}),
            ["Seats: default quantity 1 → 5"],
            ["charges.seats.default_quantity: 1 → 5"],
        ),
        (
            spec(FEE),
            spec(FEE | {"tax_class": "reduced", "tax_rate": "7"}),
            ["Platform fee, tax: standard → reduced at 7 %"],
            ["charges.fee.tax_class: nothing → reduced", "charges.fee.tax_rate: nothing → 7"],
        ),
        (
            spec(FEE),
            spec(FEE, FEE | {"code": "book", "name": "Book", "tax_class": "reduced"}),
            ["Book added: 499 EUR flat; tax reduced"],
            None,
        ),
        (spec(), spec(interval_count=2), ["interval: monthly → every 2 months"], ["interval_count: nothing → 2"]),
        (spec(), spec(interval="yearly"), ["interval: monthly → yearly"], ["interval: monthly → yearly"]),
        (spec(), spec(anchor="anniversary"), ["anchor: calendar → anniversary"], ["anchor: calendar → anniversary"]),
        (spec(), spec(billing_day=15), ["billing day: 1 → 15"], ["billing_day: nothing → 15"]),
        (spec(), spec(name="Scale up"), ["name: Scale → Scale up"], ["name: Scale → Scale up"]),
        (spec(), spec(currency="USD"), ["currency: EUR → USD"], ["currency: EUR → USD"]),
        (spec(), spec(customer="acme"), ["only for: everybody → acme"], ["customer: nothing → acme"]),
        (
            spec(CALLS),
            spec(CALLS | {"name": "Calls", "meter": "calls-2", "filter": {"region": "eu"}}),
            [
                "Calls, name: API calls → Calls",
                "Calls, meter: calls → calls-2",
                "Calls, only: what no other takes → region eu",
            ],
            None,
        ),
        (
            spec(CALLS),
            spec(SEATS | {"code": "calls", "name": "API calls", "meter": "calls", "default_quantity": None}),
            ["API calls, price: first 1,000,000: 0.0005 EUR each; above 1,000,000: 0.0004 EUR each → 5 EUR each"],
            None,
        ),
        (
            spec(PACKS),
            spec(PACKS | {"package_size": "20", "package_amount": "2", "round": "down", "free_units": "100"}),
            [
                "SMS, package size: 10 → 20",
                "SMS, price of a package: 1 → 2",
                "SMS, packages rounded: up → down",
                "SMS, free units: none → 100",
            ],
            None,
        ),
        (
            spec(SHARE),
            spec(SHARE | {"rate": "1.25", "fixed_amount": "0.1", "charge_when_unused": False}),
            ["Payments: 1.5 → 1.25 %", "Payments, for each event: none → 0.1", "Payments, charged when unused: yes → no"],
            None,
        ),
        (
            spec(FEE, SEATS),
            spec(SEATS, FEE),
            ["order of the charges: Seats, Platform fee"],
            ["charges: ['fee', 'seats'] → ['seats', 'fee']"],
        ),
        (
            spec(FEE, FEE | {"code": "fee-2"}),
            spec(FEE | {"amount": "1"}, FEE | {"code": "fee-2", "amount": "2"}),
            ["Platform fee (fee): 499 → 1", "Platform fee (fee-2): 499 → 2"],
            ["charges.fee.amount: 499 → 1", "charges.fee-2.amount: 499 → 2"],
        ),
    ],
)
def test_a_difference_is_said_in_words_and_by_member(
    before: PlanSpec, after: PlanSpec, words: list[str], paths: list[str] | None
) -> None:
    assert compare_specs(before, after) == words
    if paths is not None:
        assert [str(change) for change in member_changes(before.members(), after.members())] == paths


def test_members_that_came_and_went_are_named_whole() -> None:
    before = {"charges": [{"code": "a", "amount": "1"}, {"code": "b", "amount": "2"}]}
    after = {"charges": [{"code": "a", "amount": "1"}, {"code": "c", "amount": "3"}], "minimum_commitment": "5"}
    assert list(map(str, member_changes(before, after))) == [
        "charges.b: {'amount': '2'} → nothing",
        "charges.c: nothing → {'amount': '3'}",
        "minimum_commitment: nothing → 5",
    ]


@pytest.mark.django_db
def test_two_versions_are_compared_as_they_are_stored() -> None:
    before, after = (
        publish_plan(spec=spec(FEE | {"amount": amount}, SEATS | {"default_quantity": seats}), actor=ACTOR, now=NOW)
        for amount, seats in (("499", "1"), ("549.50", "5"))
    )
    assert compare_versions(before, after) == ["Platform fee: 499 → 549.5", "Seats: default quantity 1 → 5"]
    assert compare_versions(after, after) == []
