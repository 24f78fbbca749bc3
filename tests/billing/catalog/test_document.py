"""Reading a catalogue file: every mistake is named by line and member."""

import json
from decimal import Decimal

import pytest

from billing.catalog.document import read_catalog, read_plan
from billing.pricing.charge import charge_members
from squill.lib.located import LocatedError

GOOD = """\
meters:
  - {code: calls, name: Calls, event_type: call, aggregation: count}
  - code: storage
    name: Storage
    event_type: storage.sample
    aggregation: max
    value: gigabytes
    dimensions: [region]
    unit: GB
plans:
  - code: scale
    name: Scale
    currency: EUR
    interval: monthly
    anchor: anniversary
    minimum_commitment: "600"
    charges:
      - {code: platform, name: Platform fee, model: flat, amount: "499", billed: in_advance}
      - code: calls
        name: API calls
        meter: calls
        model: graduated
        tiers:
          - {up_to: "1000000", unit_amount: "0.0004"}
          - {up_to: null, unit_amount: "0.0003"}
      - {code: storage-eu, meter: storage, filter: {region: eu}, model: per_unit, unit_amount: "0.085"}
"""


def refusal(text: str) -> LocatedError:
    with pytest.raises(LocatedError) as caught:
        read_catalog(text)
    return caught.value


def test_a_good_file_is_read_whole() -> None:
    spec = read_catalog(GOOD)
    plan = spec.plans[0]
    assert [meter.code for meter in spec.meters] == ["calls", "storage"]
    assert spec.meters[1].dimensions == ("region",)
    assert (plan.currency, plan.anchor, plan.minimum_commitment) == ("EUR", "anniversary", Decimal(600))
    assert [charge.billed for charge in plan.charges] == ["in_advance", "in_arrears", "in_arrears"]
    assert plan.charges[2].name == "storage-eu"  # the code, where no name is written
    assert plan.charges[2].filter == {"region": "eu"}


def test_yaml_and_json_of_the_same_members_are_the_same() -> None:
    as_json = json.dumps({"meters": [], "plans": [read_catalog(GOOD).plans[0].members()]})
    assert read_catalog(as_json).plans == read_catalog(GOOD).plans


def test_a_number_without_quotes_keeps_every_digit() -> None:
    # 0.1000000000000001 as a binary float would come back as 0.10000000000000009.
    text = "plans: [{code: a, currency: EUR, charges: [{code: f, model: flat, amount: 0.100000000001}]}]"
    assert charge_members(read_catalog(text).plans[0].charges[0].terms)["amount"] == "0.100000000001"
    big = json.dumps(
        {"plans": [{"code": "a", "currency": "EUR", "charges": [{"code": "f", "model": "flat", "amount": "X"}]}]}
    ).replace('"X"', "123456789012345.123456789012")
    assert charge_members(read_catalog(big).plans[0].charges[0].terms)["amount"] == "123456789012345.123456789012"


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "says"),
    [
        ('up_to: "1000000"', "up_to: null", 24, "plans[0].charges[1].tiers[0].up_to", ""),
        ("up_to: null", 'up_to: "5"', 25, "plans[0].charges[1].tiers[1].up_to", ""),
        ('up_to: "1000000"', 'up_to: "1000000", up_from: "5"', 24, "plans[0].charges[1].tiers[0].up_from", ""),
        ('unit_amount: "0.0004"', 'unit_amount: "0,0004"', 24, "plans[0].charges[1].tiers[0].unit_amount", "decimal"),
        ('unit_amount: "0.0004"', 'unit_amount: "-1"', 24, "plans[0].charges[1].tiers[0].unit_amount", "zero or more"),
        ("model: graduated", "model: sliding", 22, "plans[0].charges[1].model", "sliding"),
        ("interval: monthly", "interval: fortnightly", 14, "plans[0].interval", "monthly"),
        ("anchor: anniversary", "anker: anniversary", 15, "plans[0].anker", "unknown member"),
        ("currency: EUR", "currency: EURO", 13, "plans[0].currency", "EURO"),
        ("currency: EUR", "currency: eur", 13, "plans[0].currency", "eur"),
        ('minimum_commitment: "600"', 'minimum_commitment: "lots"', 16, "plans[0].minimum_commitment", "decimal"),
        ('minimum_commitment: "600"', 'minimum_commitment: "0"', 16, "plans[0].minimum_commitment", "more than zero"),
        ("    value: gigabytes\n", "", 3, "meters[1].value", "name the member"),
        ("aggregation: count}", "aggregation: count, value: n}", 2, "meters[0].value", "leave it out"),
        (
            "aggregation: max",
            "aggregation: median",
            6,
            "meters[1].aggregation",
            "one of count, sum, min",
        ),
        ("dimensions: [region]", "dimensions: region", 8, "meters[1].dimensions", "list"),
        ("code: storage\n", "code: calls\n", 3, "meters[1].code", "stands twice"),
        ("code: storage-eu", "code: platform", 26, "plans[0].charges[2].code", "stands twice"),
        ("code: scale", "code: sc ale", 11, "plans[0].code", "letters, digits"),
        ("code: platform", "code: ':minimum-commitment'", 18, "plans[0].charges[0].code", "begin"),
        ("name: Scale", "name: Scale\n    name: Twice", 13, "plans[0].name", "stands twice"),
        ("filter: {region: eu}", "filter: {region: [eu]}", 26, "plans[0].charges[2].filter.region", "text"),
        ("filter: {region: eu}", 'filter: {region: "e\\0u"}', 26, "plans[0].charges[2].filter.region", "text"),
        ("filter: {region: eu}", "filter: eu", 26, "plans[0].charges[2].filter", "object"),
        ("meter: storage, filter", "filter", 26, "plans[0].charges[2].meter", "flat charge"),
        ("meter: calls\n", "meter: calls\n        billed: in_advance\n", 22, "plans[0].charges[1].billed", "in_arrears"),
        ("plans:\n", "plans: {}\nothers:\n", 11, "others", "unknown member"),
        ("plans:\n  - ", "plans:\n    ", 10, "plans", "list"),
    ],
)
def test_a_mistake_is_named_by_line_and_member(old: str, new: str, line: int, path: str, says: str) -> None:
    assert old in GOOD
    error = refusal(GOOD.replace(old, new, 1))
    assert (error.line, error.path) == (line, path)
    assert says in error.message
    assert str(error).startswith(f"line {line}: {path}: ")


def test_a_price_that_needs_single_events_is_read() -> None:
    percentage = '- {code: fees, meter: payments, model: percentage, rate: "1", fixed_amount: "0.1", free_events: 3}'
    spec = read_catalog(GOOD.replace("- {code: platform", percentage + "\n      - {code: platform"))
    assert spec.plans[0].charges[0].terms.needs_events


def test_tiers_out_of_order_are_refused() -> None:
    error = refusal(
        GOOD.replace("          - {up_to: null", '          - {up_to: "10", unit_amount: "1"}\n          - {up_to: null')
    )
    assert (error.line, error.path) == (25, "plans[0].charges[1].tiers[1].up_to")


def test_a_plan_without_charges_is_refused() -> None:
    assert refusal("plans: [{code: a, currency: EUR}]").path == "plans[0].charges"
    assert refusal("plans: [{code: a, currency: EUR, charges: []}]").path == "plans[0].charges"


def test_two_charges_that_could_take_the_same_usage_are_refused() -> None:
    rest = '      - {code: one, meter: storage, model: per_unit, unit_amount: "1"}\n'
    error = refusal(GOOD + rest + rest.replace("one", "two"))
    assert (error.line, error.path) == (28, "plans[0].charges[4].filter")
    assert "charge one" in error.message


def test_filters_compete_unless_one_dimension_tells_them_apart() -> None:
    def with_filters(first: str, second: str) -> str:
        charges = f"[{{code: a, meter: m, filter: {first}, model: flat, amount: '1'}}, "
        charges += f"{{code: b, meter: m, filter: {second}, model: flat, amount: '1'}}]"
        return f"plans: [{{code: p, currency: EUR, charges: {charges}}}]"

    assert len(read_catalog(with_filters("{r: eu}", "{r: us}")).plans[0].charges) == 2
    assert len(read_catalog(with_filters("{r: eu, t: x}", "{r: us}")).plans[0].charges) == 2
    assert refusal(with_filters("{r: eu}", "{t: x}")).path == "plans[0].charges[1].filter"  # eu and x: both would take it
    assert refusal(with_filters("{r: eu}", "{r: eu, t: x}")).path == "plans[0].charges[1].filter"


@pytest.mark.parametrize("text", ["a: [1", '{"a": ', "\ta: 1", "a: b: c", "a: &x [*y]", "\x00"])
def test_what_is_no_yaml_and_no_json_is_refused_with_a_line(text: str) -> None:
    assert refusal(text).line == 1


@pytest.mark.parametrize("text", ["", "[]", "hello", "meters: 5", "plans: x"])
def test_a_document_of_the_wrong_shape_is_refused(text: str) -> None:
    assert refusal(text).line == 1


def test_a_file_that_contains_itself_is_refused() -> None:
    assert "itself" in refusal("meters: &all\n  - *all\n").message
    assert "deep" in refusal("[" * 1500 + "]" * 1500).message


def test_a_plan_of_the_api_is_read_by_the_same_rules() -> None:
    members = {"code": "a", "currency": "EUR", "charges": [{"code": "f", "model": "flat", "amount": 5}]}
    assert charge_members(read_plan(members).charges[0].terms)["amount"] == "5"
    with pytest.raises(LocatedError) as caught:
        read_plan(members | {"interval": "daily"})
    assert caught.value.path == "plans[0].interval"
