"""The cookbook cannot rot: each table in docs/tariffs.md is computed again from the block above it, each working evaluated."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from billing.catalog.document import read_catalog
from billing.pricing.breakdown import prorate
from billing.pricing.charge import parse_charge, price, price_events
from billing.pricing.charge_models import MODELS
from billing.pricing.describe import number
from billing.pricing.money import decimal_of, round_to_minor
from squill.lib.located import read_located
from tests.billing.pricing.cookbook import (
    CATALOGUE_MEMBERS,
    DOC,
    NO_EVENTS,
    Example,
    computed,
    decimal,
    events,
    money,
    read_page,
    terms,
    worth,
)

EXAMPLES, LOOSE_TABLES = read_page()
MODEL_CHAPTER = "The eight models"
ADJUSTMENT_CHAPTER = "Adjustments: what any charge may have around its model"
TARIFF_CHAPTER = "Ten public tariffs"
ADJUSTMENTS = (
    "divide_by",
    "divide_round",
    "free_units",
    "usage_discount",
    "percentage_discount",
    "minimum_amount",
    "maximum_amount",
    "charge_when_unused",
)
# The tables that have no block above them, by their headings: links and words, and the vendors' examples, tested below.
WISHES, STEPS, VENDORS = ("I want", "write"), ("step", "says", "multiply again"), ("source", "charge", "given", "the vendor says")


def name(example: Example) -> str:
    return f"{example.section or example.chapter}:{example.line}"


def in_chapter(chapter: str) -> list[Example]:
    return [example for example in EXAMPLES if example.chapter == chapter]


def written(catalogue: dict[str, Any]) -> str:
    """Write a catalogue as the text of a file."""
    return json.dumps(catalogue)


def workings() -> list[Any]:
    found = []
    for example in EXAMPLES:
        if example.table and example.table.heading[-1] == "working":
            for given, amount, working in example.table.rows:
                found.append(pytest.param(amount, working, id=f"{name(example)}:{given}"))
    return found


@pytest.mark.parametrize("example", EXAMPLES, ids=name)
def test_every_table_says_what_the_engine_says(example: Example) -> None:
    assert example.table, f"the block in line {example.line} has no table"
    assert example.table.rows, f"the table below line {example.line} has no rows"
    assert list(example.table.rows) == list(computed(example))


@pytest.mark.parametrize(("amount", "working"), workings())
def test_every_working_adds_up(amount: str, working: str) -> None:
    *steps, last = [re.sub(r"^[a-z ]+", "", step) for step in working.split(", ")]
    for step in [*steps, last] if " = " in last else steps:
        expression, _, result = step.partition(" = ")
        assert decimal_of(worth(expression)) == decimal(result), step
    assert number(decimal_of(worth(last.rpartition(" = ")[2]))) == amount


def test_no_table_stands_outside_of_these_tests() -> None:
    assert {table.heading for _, table in LOOSE_TABLES} == {WISHES, STEPS, VENDORS}


def test_every_price_of_the_models_and_adjustments_shows_its_working() -> None:
    shown = {
        example.table.heading[1:]
        for chapter in (MODEL_CHAPTER, ADJUSTMENT_CHAPTER)
        for example in in_chapter(chapter)
        if example.table
    }
    assert shown == {("exact amount", "working")}


class TestModels:
    def test_every_model_has_a_section_that_begins_with_its_name(self) -> None:
        sections = list(dict.fromkeys(example.section.partition(":")[0] for example in in_chapter(MODEL_CHAPTER)))
        assert sections == list(MODELS)

    def test_a_section_shows_its_own_model(self) -> None:
        for example in in_chapter(MODEL_CHAPTER):
            assert example.charge["model"] == example.section.partition(":")[0]

    @pytest.mark.parametrize("model", MODELS)
    def test_the_first_table_of_a_model_has_the_quantities_that_matter(self, model: str) -> None:
        example = next(example for example in in_chapter(MODEL_CHAPTER) if example.charge["model"] == model)
        assert example.table
        if example.column == "events":
            assert example.table.rows[0][0] == NO_EVENTS
            given = [amount for row in example.table.rows for amount in events(row[0])]
        else:
            given = [decimal(row[0]) for row in example.table.rows]
        assert 0 in given
        assert any(quantity != int(quantity) for quantity in given), "a fraction"
        assert max(given) >= 10**11, "a huge one"
        for bound in bounds(example.charge):
            assert any(bound - 1 < quantity < bound for quantity in given), f"just under {bound}"
            assert {bound, bound + 1} <= set(given), f"on {bound}, and one above"

    def test_percentage_shows_free_events_free_amounts_and_bounds_of_single_fees(self) -> None:
        shown = {
            member
            for example in in_chapter(MODEL_CHAPTER)
            if example.charge["model"] == "percentage"
            for member in example.charge
        }
        assert shown >= {"fixed_amount", "free_events", "free_amount", "per_transaction_min", "per_transaction_max"}


def bounds(charge: dict[str, Any]) -> list[Decimal]:
    """Return the quantities at which a charge changes."""
    if "package_size" in charge:
        return [Decimal(charge["package_size"])]
    return [Decimal(tier["up_to"]) for tier in charge.get("tiers", []) if tier["up_to"] is not None]


class TestAdjustments:
    @pytest.mark.parametrize("member", ADJUSTMENTS)
    def test_every_adjustment_has_a_section_with_a_table(self, member: str) -> None:
        titled = [example for example in in_chapter(ADJUSTMENT_CHAPTER) if member in example.section.split(" ")]
        assert any(member in example.charge for example in titled)

    def test_the_adjustments_are_those_that_the_engine_reads(self) -> None:
        per_unit = {"model": "per_unit", "unit_amount": "1", "unknown": "1"}
        with pytest.raises(ValueError, match="unknown member") as refused:
            parse_charge(per_unit)
        members = set(re.findall(r"\w+", str(refused.value).partition("takes ")[2]))
        assert members == {*ADJUSTMENTS, "model", "unit_amount"}

    def test_they_all_apply_at_once(self) -> None:
        (example,) = [example for example in in_chapter(ADJUSTMENT_CHAPTER) if example.section == "All of them at once"]
        assert {*ADJUSTMENTS} - example.charge.keys() == {"charge_when_unused"}


class TestBreakdowns:
    def test_the_steps_are_those_that_the_engine_takes(self) -> None:
        (table,) = [table for _, table in LOOSE_TABLES if table.heading == STEPS]
        documented = {step for row in table.rows for step in re.findall(r"`(\w+)`", row[0])}
        assert documented == {*self.steps_of_the_page(), *self.steps_of_a_prorated_fee()}

    def steps_of_the_page(self) -> Iterator[str]:
        for example in in_chapter(MODEL_CHAPTER) + in_chapter(ADJUSTMENT_CHAPTER):
            charge = parse_charge(example.charge)
            for given, *_ in example.table.rows if example.table else ():
                priced = price_events(charge, events(given)) if example.column == "events" else price(charge, decimal(given))
                yield from (row.step for row in priced.breakdown)

    def steps_of_a_prorated_fee(self) -> Iterator[str]:
        fee = price(parse_charge({"model": "flat", "amount": "31"}), Decimal(1))
        yield from (row.step for row in prorate(fee, Fraction(10, 31)).breakdown)

    def test_there_are_worked_ones_of_tiers_of_events_and_of_thirds(self) -> None:
        assert [example.column for example in in_chapter("Reading a breakdown")] == ["step", "step", "step"]


class TestTariffs:
    def test_there_are_ten_each_with_its_source_and_its_date(self) -> None:
        chapter = DOC.read_text(encoding="utf-8").split(f"\n## {TARIFF_CHAPTER}\n")[1].split("\n## ")[0]
        _, *sections = chapter.split("\n### ")
        assert len(sections) == 10
        for section in sections:
            title = section.partition("\n")[0]
            assert re.search(r"published (?:on|by)[^()]*\]\(https://", section), f"{title}: the page that publishes the prices"
            assert re.search(r"\d{1,2} \w+ 20\d\d", section), f"{title}: the date"
            assert [example for example in in_chapter(TARIFF_CHAPTER) if example.section == title], title

    @pytest.mark.parametrize("example", in_chapter(TARIFF_CHAPTER), ids=name)
    def test_each_is_a_whole_catalogue_file_with_months(self, example: Example) -> None:
        assert example.column == "month"
        assert example.block.keys() <= {"meters", "plans"}
        meters = {meter["code"]: meter for meter in example.block.get("meters", [])}
        for charge in example.block["plans"][0]["charges"]:
            if "meter" in charge:
                assert charge.get("filter", {}).keys() <= set(meters[charge["meter"]].get("dimensions", []))
            else:
                assert charge["model"] == "flat" or "default_quantity" in charge
        assert {charge["meter"] for charge in example.block["plans"][0]["charges"] if "meter" in charge} == meters.keys()


class TestCharges:
    @pytest.mark.parametrize("example", [it for it in EXAMPLES if isinstance(it.block, list)], ids=name)
    def test_each_can_stand_in_a_plan(self, example: Example) -> None:
        (charge,) = example.block
        meters = [{"code": charge["meter"], "event_type": "x", "aggregation": "sum", "value": "n"}] if "meter" in charge else []
        plan = {"code": "plan", "currency": "EUR", "charges": [charge]}
        (spec,) = read_catalog(written({"meters": meters, "plans": [plan]})).plans[0].charges
        assert spec.terms == parse_charge(terms(charge))
        assert charge.keys() - terms(charge).keys() <= CATALOGUE_MEMBERS


class TestVendors:
    ROWS = next(table.rows for _, table in LOOSE_TABLES if table.heading == VENDORS)

    def test_there_are_examples_of_most_models(self) -> None:
        assert len(self.ROWS) >= 12
        assert len({re.findall(r"model: (\w+)", row[1])[0] for row in self.ROWS}) >= 6

    @pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[0])[1:40])
    def test_squill_bills_what_the_vendor_says(self, row: tuple[str, ...]) -> None:
        source, members, given, stated = row
        assert re.match(r"\[[^]]+\]\(https?://[^)]+\)", source)
        terms_of_vendor = read_located(members.strip("`")).value
        assert isinstance(terms_of_vendor, dict)
        charge = parse_charge(terms_of_vendor)
        priced = price_events(charge, events(given)) if charge.prices_events else price(charge, decimal(given))
        assert money(str(Decimal(round_to_minor(priced.exact, exponent=2)) / 100)) == stated
