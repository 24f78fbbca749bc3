"""Nothing in the package takes a float or rounds by itself, whatever decimal context its caller lives in (ADR-0003)."""

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_UP,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    Rounded,
    Subnormal,
    Underflow,
    getcontext,
    localcontext,
)
from fractions import Fraction
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import billing.pricing
from billing.pricing.adjustments import Adjustments, adjustment_members, adjustment_words, read_adjustments
from billing.pricing.breakdown import Priced, Row, combine, priced_from_decimals, priced_from_fractions, prorate, sum_of
from billing.pricing.charge import parse_charge, price, price_events, read_charge
from billing.pricing.charge_models.model import ChargeModel
from billing.pricing.charge_models.percentage import take_off
from billing.pricing.charge_models.tiers import (
    Tier,
    read_tiers,
    spans,
    tier_of,
    tier_row,
    tier_words,
    unit_words,
    with_flat,
    write_tiers,
)
from billing.pricing.commitments import Commitment, true_up
from billing.pricing.describe import describe_charge, number
from billing.pricing.discounts import Discount, share_discount
from billing.pricing.document import breakdown_members, calculate
from billing.pricing.document_reading import read_document
from billing.pricing.members import InvalidMember, Members, read_number
from billing.pricing.money import EXACT, allocate, decimal_of, exact, from_minor, round_to_minor
from billing.pricing.taking_back import CreditableLine, tax_taken_back
from billing.pricing.tax import tax_amounts
from billing.pricing.totals import TotalLine, total_invoice
from squill.lib.decimals import plain
from tests.billing.pricing.strategies import EVENT_MODELS, EVENTS, QUANTITIES, charges

D = Decimal
HALF = D("1.5")
PER_UNIT: dict[str, Any] = {"model": "per_unit", "unit_amount": "2"}
PRICED = price(parse_charge(PER_UNIT), D(3))
LINE = {"id": "a", "charge": PER_UNIT, "quantity": "1"}


def members(**values: object) -> Members:
    return Members(values, path="", error=InvalidMember)


def tier(**numbers: Any) -> Tier[Decimal]:
    return Tier(**{"up_to": None, "unit_amount": D(1), "flat_amount": D(0), "rate": D(0), **numbers})


def adjustments(**numbers: Any) -> Adjustments[Decimal]:
    return replace(read_adjustments(members()), **numbers)


def invoice(**parts: Any) -> object:
    return total_invoice(**{"currency": "EUR", "lines": [TotalLine("a", 1000)], **parts})


def words(amount: Decimal) -> str:
    return plain(amount)


# Every public function that takes a number, and what of it: the name, an exact number of its kind, a call with that number.
TAKES: list[tuple[str, object, Callable[[Any], object]]] = [
    ("adjustments.read_adjustments", HALF, lambda x: read_adjustments(members(free_units=x))),
    ("adjustments.adjustment_members", HALF, lambda x: adjustment_members(adjustments(minimum_amount=x))),
    ("adjustments.adjustment_words", HALF, lambda x: adjustment_words(adjustments(minimum_amount=x), words, words)),
    ("breakdown.combine", HALF, lambda x: combine([PRICED], quantity=x)),
    ("breakdown.priced_from_decimals", HALF, lambda x: priced_from_decimals(D(1), [Row("units", x)])),
    ("breakdown.priced_from_fractions", Fraction(1, 2), lambda x: priced_from_fractions(D(1), [Row("units", x)])),
    ("breakdown.priced_from_fractions", Fraction(1, 2), lambda x: priced_from_fractions(D(1), [Row("units", Fraction(1), x)])),
    ("breakdown.prorate", Fraction(1, 2), lambda x: prorate(PRICED, x)),
    ("breakdown.sum_of", HALF, lambda x: sum_of([Row("units", x)])),
    ("charge.parse_charge", HALF, lambda x: parse_charge({**PER_UNIT, "unit_amount": x})),
    ("charge.read_charge", HALF, lambda x: read_charge(members(**{**PER_UNIT, "unit_amount": x}))),
    ("charge.price", HALF, lambda x: price(parse_charge(PER_UNIT), x)),
    ("charge.price_events", HALF, lambda x: price_events(parse_charge({"model": "percentage", "rate": "1"}), [x])),
    ("charge_models.percentage.take_off", HALF, lambda x: take_off([x], D(1))),
    ("charge_models.percentage.take_off", HALF, lambda x: take_off([D(1)], x)),
    ("charge_models.tiers.read_tiers", HALF, lambda x: read_tiers(members(tiers=[{"unit_amount": x}]), prices=["unit_amount"])),
    ("charge_models.tiers.spans", HALF, lambda x: spans([tier(up_to=x), tier()], D(5))),
    ("charge_models.tiers.spans", HALF, lambda x: spans([tier(up_to=D(1)), tier()], x)),
    ("charge_models.tiers.tier_of", HALF, lambda x: tier_of([tier(up_to=D(1)), tier()], x)),
    ("charge_models.tiers.tier_row", HALF, lambda x: tier_row(tier(), D(0), x)),
    ("charge_models.tiers.tier_row", HALF, lambda x: tier_row(tier(unit_amount=x), D(0), D(1))),
    ("charge_models.tiers.tier_words", HALF, lambda x: tier_words([tier(up_to=x)], ["free"], words)),
    ("charge_models.tiers.unit_words", HALF, lambda x: unit_words(tier(unit_amount=x), words)),
    ("charge_models.tiers.with_flat", HALF, lambda x: with_flat("1 each", tier(flat_amount=x), words)),
    ("charge_models.tiers.write_tiers", HALF, lambda x: write_tiers([tier(unit_amount=x)], always="unit_amount")),
    ("commitments.Commitment", 15, lambda x: Commitment(id="m", amount_minor=x)),
    ("commitments.Commitment", Fraction(1, 2), lambda x: Commitment(id="m", amount_minor=15, factor=x)),
    ("commitments.Commitment", HALF, lambda x: Commitment(id="m", amount_minor=15, tax_rates=(x,))),
    ("commitments.true_up", 15, lambda x: true_up(Commitment(id="m", amount_minor=100), {"a": x})),
    ("describe.describe_charge", HALF, lambda x: describe_charge(parse_charge({**PER_UNIT, "unit_amount": x}), currency="EUR")),
    ("describe.number", HALF, lambda x: number(x)),
    ("discounts.Discount", 15, lambda x: Discount(amount_minor=x)),
    ("discounts.Discount", HALF, lambda x: Discount(percent=x)),
    ("discounts.share_discount", 15, lambda x: share_discount(Discount(amount_minor=10), ["a"], [x])),
    ("discounts.share_discount", 15, lambda x: share_discount(Discount(percent=D(10)), ["a", "b"], [x, 1])),
    ("document.breakdown_members", HALF, lambda x: breakdown_members(Row("units", x))),
    ("document.calculate", HALF, lambda x: calculate({"currency": "EUR", "lines": [{**LINE, "quantity": x}]})),
    ("document_reading.read_document", HALF, lambda x: read_document({"currency": "EUR", "lines": [{**LINE, "taxes": [x]}]})),
    ("members.read_number", HALF, lambda x: read_number(x, path="", error=InvalidMember)),
    ("money.allocate", 15, lambda x: allocate(x, [1, 1])),
    ("money.allocate", Fraction(1, 2), lambda x: allocate(15, [1, x])),
    ("money.check_exact", HALF, lambda x: billing.pricing.money.check_exact(D(1), x)),
    ("money.check_minor", 15, lambda x: billing.pricing.money.check_minor(1, x)),
    ("money.decimal_of", Fraction(1, 2), lambda x: decimal_of(x)),
    ("money.from_minor", 15, lambda x: from_minor(x, exponent=2)),
    ("money.round_to_minor", HALF, lambda x: round_to_minor(x, exponent=2)),
    ("taking_back.CreditableLine", 15, lambda x: CreditableLine(amount_minor=x, discount_minor=5)),
    ("taking_back.CreditableLine", 5, lambda x: CreditableLine(amount_minor=15, discount_minor=x)),
    ("taking_back.CreditableLine.take_net", 5, lambda x: CreditableLine(amount_minor=15, discount_minor=5).take_net(x)),
    ("taking_back.CreditableLine.take_amount", 5, lambda x: CreditableLine(amount_minor=15, discount_minor=5).take_amount(x)),
    ("taking_back.tax_taken_back", HALF, lambda x: tax_taken_back(x, base_before_minor=0, base_minor=100)),
    ("taking_back.tax_taken_back", 15, lambda x: tax_taken_back(D(20), base_before_minor=x, base_minor=100)),
    ("taking_back.tax_taken_back", 15, lambda x: tax_taken_back(D(20), base_before_minor=0, base_minor=x)),
    ("tax.tax_amounts", 15, lambda x: tax_amounts([((D(20),), x)])),
    ("tax.tax_amounts", HALF, lambda x: tax_amounts([((x,), 100)])),
    ("totals.TotalLine", 15, lambda x: TotalLine("a", x)),
    ("totals.TotalLine", HALF, lambda x: TotalLine("a", 15, (x,))),
    ("totals.total_invoice", 15, lambda x: invoice(credit_notes=[x])),
    ("totals.total_invoice", 15, lambda x: invoice(prepaid_credits=[x])),
    ("totals.total_invoice", 15, lambda x: invoice(lines=[TotalLine("a", x)])),
]
# Public functions without a number to get wrong, and why.
TAKES_NONE = {
    "charge.charge_members": "writes a charge that is read already",
    "charge_models.model.fractions_of": "turns exact numbers into exact numbers and leaves all else alone",
    "charge_models.model.in_fractions": "the same",
    "compare.compare_charges": "compares charges that are read already",
    "document_reading.read_json": "takes a text",
    "members.shown": "writes what is refused",
    "period.full_period_days": "takes days",
    "period.local_midnight": "takes a day",
    "period.period_holding": "takes days",
    "period.period_days": "takes days",
    "period.period_interval": "takes days",
    "proration.proration_factor": "takes days",
}


def public_functions() -> Iterator[str]:
    for module in pkgutil.walk_packages(billing.pricing.__path__, "billing.pricing."):
        for name, member in vars(import_module(module.name)).items():
            if inspect.isfunction(member) and member.__module__ == module.name and not name.startswith("_"):
                yield f"{module.name.removeprefix('billing.pricing.')}.{name}"


def test_no_public_function_is_forgotten() -> None:
    functions = {name for name, _, _ in TAKES if name.islower()} | TAKES_NONE.keys()
    assert functions == set(public_functions())


@pytest.mark.parametrize(("name", "number", "call"), TAKES)
def test_a_float_is_refused_where_its_exact_twin_is_taken(name: str, number: Any, call: Callable[[Any], object]) -> None:
    call(number)
    with pytest.raises((TypeError, InvalidMember, AttributeError)):
        call(float(number))


def models_with_a_float() -> Iterator[Any]:
    """Yield a charge of every model and every number in it, with that number made a float."""
    tiers = [{"up_to": "5", "unit_amount": "1", "flat_amount": "1"}, {"up_to": None, "unit_amount": "2", "flat_amount": "1"}]
    bounds = {"free_events": "1", "free_amount": "2", "per_transaction_min": "1", "per_transaction_max": "9"}
    adjusted = {
        **{"divide_by": "2", "free_units": "1", "usage_discount": "1"},
        **{"percentage_discount": "10", "minimum_amount": "10", "maximum_amount": "30"},
    }
    for written in (
        {"model": "flat", "amount": "5"},
        PER_UNIT,
        {"model": "graduated", "tiers": tiers},
        {"model": "volume", "tiers": tiers},
        {"model": "stairstep", "tiers": [{"up_to": "5", "flat_amount": "1"}, {"flat_amount": "2"}]},
        {"model": "package", "package_size": "5", "package_amount": "1"},
        {"model": "percentage", "rate": "10", "fixed_amount": "1", **bounds},
        {"model": "graduated_percentage", "tiers": [{"up_to": "5", "rate": "1"}, {"rate": "2"}]},
    ):
        charge = parse_charge(written)
        for model in with_a_float(charge.model):
            yield pytest.param(replace(charge, model=model), id=f"{written['model']}")
    charge = parse_charge({**PER_UNIT, **adjusted})
    for made in with_a_float(charge.adjustments):
        yield pytest.param(replace(charge, adjustments=made), id="adjustments")


def with_a_float(value: Any) -> Iterator[Any]:
    for field in fields(value):
        held = getattr(value, field.name)
        if isinstance(held, Decimal):
            if held:
                yield replace(value, **{field.name: float(held)})
        elif isinstance(held, tuple):
            for index, item in enumerate(held):
                for changed in with_a_float(item):
                    yield replace(value, **{field.name: (*held[:index], changed, *held[index + 1 :])})


@pytest.mark.parametrize("charge", list(models_with_a_float()))
def test_a_charge_that_got_hold_of_a_float_cannot_be_priced(charge: Any) -> None:
    before = getcontext()
    with pytest.raises(TypeError):
        # Enough to enter every tier and reach every bound, or to stay below it.
        [price_events(charge, events) if charge.prices_events else price(charge, sum(events, D(0))) for events in EVENT_SETS]
    assert getcontext() is before


EVENT_SETS = [[D(4), D(3), D(5), D(700)], [D(1), D(3)]]

SIGNALS = [Clamped, DivisionByZero, FloatOperation, Inexact, InvalidOperation, Overflow, Rounded, Subnormal, Underflow]
HOSTILE = [
    # One digit, no exponents, and everything passes in silence
    Context(prec=1, rounding=ROUND_UP, Emin=0, Emax=0, capitals=0, clamp=1, traps=[]),
    # Everything that can be noticed raises
    Context(prec=1, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=SIGNALS),
]


@pytest.mark.parametrize("context", HOSTILE)
class TestWhateverTheContext:
    @given(charges(), QUANTITIES)
    def test_a_quantity_costs_the_same(self, context: Context, written: dict[str, Any], quantity: Decimal) -> None:
        expected = price(parse_charge(written), quantity)
        with localcontext(context):
            priced = price(parse_charge(written), quantity)
        assert identical(priced) == identical(expected)

    @given(charges(EVENT_MODELS), EVENTS)
    def test_events_cost_the_same(self, context: Context, written: dict[str, Any], events: list[Decimal]) -> None:
        expected = price_events(parse_charge(written), events)
        with localcontext(context):
            priced = price_events(parse_charge(written), events)
        assert identical(priced) == identical(expected)

    @given(charges(), QUANTITIES, st.fractions(0, 1, max_denominator=366))
    def test_so_does_a_part_of_a_period(
        self, context: Context, written: dict[str, Any], quantity: Decimal, factor: Fraction
    ) -> None:
        whole = price(parse_charge(written), quantity)
        expected = prorate(whole, factor)
        with localcontext(context):
            assert identical(prorate(whole, factor)) == identical(expected)
            assert sum_of(expected.breakdown) == expected.exact_amount

    @given(charges(), st.decimals(0, 10**6, places=3).map(plain))
    def test_and_a_document(self, context: Context, written: dict[str, Any], quantity: str) -> None:
        document = {
            "currency": "EUR",
            "lines": [{"id": "a", "charge": written, "quantity": quantity, "taxes": ["20", "5.5"]}],
            "commitments": [{"id": "m", "amount": "123456.78", "factor": "10/31", "taxes": ["20"]}],
            "discounts": [{"percent": "12.34"}, {"amount": "1.23"}],
            "credit_notes": ["12.34"],
        }
        expected = calculate(document)
        with localcontext(context):
            assert calculate(document) == expected


def identical(priced: Priced) -> str:
    """Every digit that is written, too: 1.0 is not 1."""
    return repr(priced)


class TestTheContext:
    def test_it_is_the_callers_again_whatever_happened(self) -> None:
        outside = getcontext()
        price(parse_charge(PER_UNIT), D(1))
        price(parse_charge({**PER_UNIT, "divide_by": "3"}), D(1))  # inexact in decimals
        assert getcontext() is outside

    def test_pricing_leaves_the_exact_one_as_it_was(self) -> None:
        def said() -> tuple[object, ...]:
            return (EXACT.prec, EXACT.rounding, EXACT.Emin, EXACT.Emax, dict(EXACT.traps))

        before = said()
        price(parse_charge({**PER_UNIT, "divide_by": "3", "percentage_discount": "12.5"}), D(7))
        assert said() == before
        assert EXACT.prec == 60
        trapped = {signal for signal, traps in EXACT.traps.items() if traps}
        assert trapped == {FloatOperation, Inexact, InvalidOperation, DivisionByZero, Overflow}

    def test_what_an_exact_block_changes_stays_in_it(self) -> None:
        with exact():
            getcontext().prec = 5
        with exact():
            assert getcontext().prec == 60

    def test_threads_with_contexts_of_their_own_get_the_same_price(self) -> None:
        charge = parse_charge(
            {"model": "graduated", "tiers": [{"up_to": "10", "unit_amount": "0.123456789012"}, {"unit_amount": "0.1"}]}
        )

        def work(context: Context) -> set[Decimal]:
            with localcontext(context):
                return {price(charge, D("10.000000000001")).exact_amount for _ in range(500)}

        with ThreadPoolExecutor(max_workers=4) as threads:
            found = set().union(*threads.map(work, HOSTILE * 2))
        # 10 x 0.123456789012 + 0.000000000001 x 0.1
        assert found == {D("1.2345678901201")}


def test_a_sum_that_needs_more_digits_than_sixty_raises_and_is_never_cut() -> None:
    rows = [Row("units", D(10) ** 50), Row("units", D(10) ** -20)]
    with exact(), pytest.raises(Inexact):
        priced_from_decimals(D(1), rows)


def test_models_raise_rather_than_round() -> None:
    model: ChargeModel[Decimal] = parse_charge({"model": "per_unit", "unit_amount": "0." + "3" * 12}).model
    with exact(), pytest.raises(Inexact):
        model.rows(D(f"1.{'0' * 58}1"))
