"""What a plan and an add-on may say; every refusal names the line, the member and the mend."""

from decimal import Decimal

import pytest

from billing.catalog.document import LocatedError, member_of, read_catalog, read_plan

PLANS = """\
plans:
  - code: scale
    name: Scale
    currency: EUR
    interval: monthly
    interval_count: 2
    billing_day: 31
    trial_days: 14
    charges:
      - {code: seats, name: Seats, model: graduated, default_quantity: "5", tiers: [{unit_amount: "9"}], billed: in_advance}
      - {code: fee, name: Fee, model: flat, amount: "10"}
  - code: scale
    name: Scale
    currency: USD
    charges: [{code: fee, name: Fee, model: flat, amount: "12"}]
  - code: scale
    name: Scale
    currency: EUR
    customer: acme
    charges: [{code: fee, name: Fee, model: flat, amount: "8"}]
add_ons:
  - code: setup
    name: Setup
    currency: EUR
    interval: once
    charges: [{code: setup, name: Setup, model: flat, amount: "100"}]
  - code: support
    name: Support
    currency: EUR
    interval: monthly
    interval_count: 3
    charges: [{code: hours, name: Hours, model: per_unit, unit_amount: "80", default_quantity: 2.5}]
"""


def refusal(text: str) -> LocatedError:
    with pytest.raises(LocatedError) as caught:
        read_catalog(text)
    return caught.value


def test_every_member_of_a_plan_and_an_add_on_is_read() -> None:
    plans = read_catalog(PLANS).plans
    assert [(spec.kind, *spec.offer) for spec in plans] == [
        ("plan", "scale", "EUR", ""),
        ("plan", "scale", "USD", ""),
        ("plan", "scale", "EUR", "acme"),
        ("add_on", "setup", "EUR", ""),
        ("add_on", "support", "EUR", ""),
    ]
    scale, usd, _own, setup, support = plans
    assert (scale.interval_count, scale.billing_day, scale.trial_days) == (2, 31, 14)
    assert (usd.interval_count, usd.billing_day, usd.trial_days) == (1, 1, 0)
    assert [charge.default_quantity for charge in scale.charges] == [Decimal(5), None]
    assert (setup.interval, support.interval, support.interval_count) == ("once", "monthly", 3)
    assert support.charges[0].default_quantity == Decimal("2.5")


def test_members_that_say_the_default_are_not_written() -> None:
    scale, usd, own, setup, _support = read_catalog(PLANS).plans
    assert list(scale.members()) == [
        "code", "name", "currency", "interval", "interval_count", "anchor", "billing_day", "trial_days", "charges",
    ]  # fmt: skip
    assert list(usd.members()) == ["code", "name", "currency", "interval", "anchor", "charges"]
    assert own.members()["customer"] == "acme"
    assert list(setup.members()) == ["code", "name", "currency", "interval", "charges"]


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "says"),
    [
        ("interval_count: 2", "interval_count: 0", 6, "plans[0].interval_count", "write a whole number from 1 to 100"),
        ("interval_count: 2", "interval_count: 101", 6, "plans[0].interval_count", "write a whole number from 1 to 100"),
        ("interval_count: 2", "interval_count: 1.5", 6, "plans[0].interval_count", "write a whole number from 1 to 100"),
        ("interval_count: 2", "interval_count: two", 6, "plans[0].interval_count", "write a whole number from 1 to 100"),
        ("interval_count: 2", "interval_count: true", 6, "plans[0].interval_count", "write a whole number from 1 to 100"),
        ("billing_day: 31", "billing_day: 32", 7, "plans[0].billing_day", "write a whole number from 1 to 31"),
        ("trial_days: 14", "trial_days: 731", 8, "plans[0].trial_days", "write a whole number from 0 to 730"),
        ("trial_days: 14", 'trial_days: "-1"', 8, "plans[0].trial_days", "write a whole number from 0 to 730"),
        ("interval: monthly", "interval: weekly", 7, "plans[0].billing_day", "a billing day needs the calendar anchor"),
        ("currency: EUR", "currency: EUR\n    anchor: anniversary", 8, "plans[0].billing_day", "leave it at 1"),
        ("interval: monthly", "interval: once", 5, "plans[0].interval", "only an add-on is charged once: put it under add_ons"),
        ("currency: USD", "currency: EUR", 12, "plans[1].code", "scale in EUR stands twice: give one another currency"),
        ("currency: USD", "currency: EUR\n    customer: acme", 17, "plans[2].code", "scale in EUR for acme stands twice"),
        ("name: Scale\n    currency: USD", "name: Sale\n    currency: USD", 13, "plans[1].name", "scale has the name Scale"),
        ("customer: acme", "customer: [acme]", 19, "plans[2].customer", "write a text here"),
        ('default_quantity: "5"', 'default_quantity: "-5"', 10, "plans[0].charges[0].default_quantity", "zero or more"),
        ('default_quantity: "5"', 'default_quantity: "1e3"', 10, "plans[0].charges[0].default_quantity", "decimal string"),
        ('default_quantity: "5"', "meter: calls", 10, "plans[0].charges[0].billed", "usage is known only afterwards"),
        (
            'default_quantity: "5"',
            'default_quantity: "5", meter: calls',
            10,
            "plans[0].charges[0].default_quantity",
            "the meter gives the quantity: leave it out, or leave meter out to price seats",
        ),
        (
            'default_quantity: "5", ',
            "",
            10,
            "plans[0].charges[0].meter",
            "name the meter whose usage it prices, or give default_quantity to price seats",
        ),
        (
            'amount: "10"',
            'amount: "10", default_quantity: "2"',
            11,
            "plans[0].charges[1].default_quantity",
            "a flat fee has no quantity: leave it out, or write model per_unit",
        ),
        (
            'model: flat, amount: "10"',
            'model: percentage, rate: "1", default_quantity: "2"',
            11,
            "plans[0].charges[1].model",
            "prices amounts of money, not seats: name a meter",
        ),
        ('amount: "10"', 'amount: "10", tax_class: E Book', 11, "plans[0].charges[1].tax_class", "small letters, digits"),
        ('amount: "10"', 'amount: "10", tax_rate: "100.5"', 11, "plans[0].charges[1].tax_rate", "from 0 to 100, such as 7"),
        ('amount: "10"', 'amount: "10", tax_rate: "7.00001"', 11, "plans[0].charges[1].tax_rate", "at most 4 decimals"),
        ('amount: "10"', 'amount: "10", tax_rate: "-7"', 11, "plans[0].charges[1].tax_rate", "zero or more"),
        ('amount: "10"', 'amount: "10", filter: {region: eu}', 11, "plans[0].charges[1].filter", "a filter needs a meter"),
        ("interval: once", "interval: once\n    interval_count: 2", 26, "add_ons[0].interval_count", "leave it out"),
        ("interval: once", "interval: daily", 25, "add_ons[0].interval", "weekly, monthly, quarterly, yearly, once"),
        ("interval: once", "trial_days: 5", 25, "add_ons[0].trial_days", "an add-on follows the plan that it is added to"),
        ("interval: once", 'minimum_commitment: "5"', 25, "add_ons[0].minimum_commitment", "leave it out"),
        ("interval: once", "anchor: calendar", 25, "add_ons[0].anchor", "leave it out"),
        ("interval: once", "billing_day: 1", 25, "add_ons[0].billing_day", "leave it out"),
        ("interval: once", "interwal: once", 25, "add_ons[0].interwal", "unknown member: use charges, code, currency, customer"),
        ("code: setup\n", "code: scale\n", 22, "add_ons[0].code", "scale is the code of a plan already: give the add-on another"),
        (
            'amount: "100"',
            'amount: "100", meter: calls',
            26,
            "add_ons[0].charges[0].meter",
            "an add-on has no usage: put the meter's charge into a plan",
        ),
        (", default_quantity: 2.5", "", 32, "add_ons[1].charges[0].default_quantity", "only a flat charge can do without"),
        ('[{code: setup, name: Setup, model: flat, amount: "100"}]', "[]", 26, "add_ons[0].charges", "at least one charge"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_line_and_member(old: str, new: str, line: int, path: str, says: str) -> None:
    assert old in PLANS
    error = refusal(PLANS.replace(old, new, 1))
    assert (error.line, error.path) == (line, path)
    assert says in error.message


def test_tax_of_a_charge_is_standard_unless_it_says_otherwise() -> None:
    fee = {"code": "f", "name": "F", "model": "flat", "amount": "5"}
    book = {**fee, "code": "b", "tax_class": "e-book", "tax_rate": "7.5"}
    usual = {**fee, "code": "u", "tax_class": "standard", "tax_rate": None}
    plan = read_plan({"code": "a", "currency": "EUR", "charges": [fee, book, usual]}, kind="plan")
    assert [(charge.tax_class, charge.tax_rate) for charge in plan.charges] == [
        ("standard", None),
        ("e-book", Decimal("7.5")),
        ("standard", None),
    ]
    assert [charge.members() for charge in plan.charges] == [fee, book, {**fee, "code": "u"}]


def test_an_add_on_of_the_api_is_read_by_the_same_rules() -> None:
    members = {"code": "a", "currency": "EUR", "interval": "once", "charges": [{"code": "f", "model": "flat", "amount": 5}]}
    assert read_plan(members, kind="add_on").interval == "once"
    with pytest.raises(LocatedError) as caught:
        read_plan(members | {"charges": [{"code": "f", "model": "flat", "amount": 5, "meter": "calls"}]}, kind="add_on")
    assert member_of(caught.value) == "charges[0].meter"
    with pytest.raises(LocatedError) as caught:
        read_plan(members)
    assert member_of(caught.value) == "interval"
