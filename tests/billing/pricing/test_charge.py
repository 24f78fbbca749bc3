from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.pricing.breakdown import sum_of
from billing.pricing.charge import ChargeError, charge_members, parse_charge, price, price_events
from billing.pricing.money import decimal_of
from tests.billing.pricing.reference import reference_price, reference_price_events
from tests.billing.pricing.strategies import EVENT_MODELS, EVENTS, QUANTITIES, QUANTITY_MODELS, charges

PER_UNIT = {"model": "per_unit", "unit_amount": "2"}
OPEN = {"up_to": None, "unit_amount": "1"}


def exact_amount(members: dict[str, Any], quantity: str) -> Decimal:
    return price(parse_charge(members), Decimal(quantity)).exact_amount


def steps(members: dict[str, Any], quantity: str) -> list[tuple[str, Decimal]]:
    return [(row.step, row.amount) for row in price(parse_charge(members), Decimal(quantity)).breakdown]


class TestAgainstTheReference:
    @settings(max_examples=300, deadline=None)
    @given(charges(), QUANTITIES)
    def test_every_model_with_every_adjustment_prices_as_the_rules_say(self, members: dict[str, Any], quantity: Decimal) -> None:
        priced = price(parse_charge(members), quantity)
        assert priced.exact == reference_price(members, Fraction(quantity))
        assert priced.exact_amount == decimal_of(priced.exact)
        assert sum_of(priced.breakdown) == priced.exact_amount

    @settings(max_examples=200, deadline=None)
    @given(charges(EVENT_MODELS), EVENTS)
    def test_every_event_model_prices_as_the_rules_say(self, members: dict[str, Any], amounts: list[Decimal]) -> None:
        priced = price_events(parse_charge(members), amounts)
        assert priced.exact == reference_price_events(members, [Fraction(amount) for amount in amounts])
        assert sum_of(priced.breakdown) == priced.exact_amount

    @settings(max_examples=100, deadline=None)
    @given(charges(st.one_of(QUANTITY_MODELS, EVENT_MODELS)))
    def test_members_round_trip(self, members: dict[str, Any]) -> None:
        charge = parse_charge(members)
        written = charge_members(charge)
        assert parse_charge(written) == charge
        assert charge_members(parse_charge(written)) == written


class TestOrderOfAdjustments:
    """ADR-0005: unit conversion, free units, charge model, percentage discount, minimum, maximum."""

    def test_worked_example_of_every_step(self) -> None:
        members = {
            "model": "graduated",
            "tiers": [{"up_to": "10", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.5"}],
            "divide_by": "1000",
            "divide_round": "up",
            "free_units": "5",
            "usage_discount": "2",
            "percentage_discount": "10",
            "minimum_amount": "20",
            "maximum_amount": "100",
        }
        # 34,001 → 35 → less 5 free, less 2 → 28 = 10 x 1 + 18 x 0.5 = 19 → less 10 % = 17.10 → lifted to 20
        assert steps(members, "34001") == [
            ("unit_conversion", Decimal(0)),
            ("free_units", Decimal(0)),
            ("usage_discount", Decimal(0)),
            ("tier", Decimal(10)),
            ("tier", Decimal(9)),
            ("percentage_discount", Decimal("-1.9")),
            ("minimum_amount", Decimal("2.9")),
        ]
        # 500,000 → 500 → 493 = 10 + 241.5 = 251.5 → less 10 % = 226.35 → cut to 100
        assert exact_amount(members, "500000") == 100

    def test_free_units_come_off_before_packages(self) -> None:
        members = {"model": "package", "package_size": "10", "package_amount": "3", "free_units": "5"}
        # 15 - 5 = 10 is one package; 15 alone would be two
        assert exact_amount(members, "15") == 3

    def test_conversion_comes_before_free_units(self) -> None:
        # 90 minutes = 1.5 hours, less 1 free hour = 0.5 x 2
        assert exact_amount({**PER_UNIT, "divide_by": "60", "free_units": "1"}, "90") == 1

    def test_the_discount_comes_before_the_minimum(self) -> None:
        # 10 x 2 = 20, less 50 % = 10, lifted to 15; the other way round it would be 10
        assert exact_amount({**PER_UNIT, "percentage_discount": "50", "minimum_amount": "15"}, "10") == 15

    def test_free_units_never_give_money_back(self) -> None:
        assert exact_amount({**PER_UNIT, "free_units": "10"}, "4") == 0

    def test_a_quotient_without_an_end_stays_exact(self) -> None:
        priced = price(parse_charge({**PER_UNIT, "divide_by": "3"}), Decimal(2))
        assert priced.exact == Fraction(4, 3)
        assert priced.exact_amount == Decimal("1.333333333333")
        # Three of it are a whole again: 2/3 + 2/3 + 2/3
        assert price(parse_charge({**PER_UNIT, "divide_by": "3"}), Decimal(6)).exact == 4

    def test_more_digits_than_a_decimal_holds_stay_exact(self) -> None:
        largest = "999999999999999.999999999999"
        members = {"model": "per_unit", "unit_amount": largest, "percentage_discount": "0.000000000001"}
        priced = price(parse_charge(members), Decimal(largest))
        assert priced.exact == Fraction(largest) ** 2 * (1 - Fraction(1, 10**14))

    @pytest.mark.parametrize(("rounding", "amount"), [("up", 4), ("down", 2), (None, 3)])
    def test_conversion_rounds_only_when_told(self, rounding: str | None, amount: int) -> None:
        # 1,500 / 1,000 is 2, 1 or 1.5 units of 2
        assert exact_amount({**PER_UNIT, "divide_by": "1000", "divide_round": rounding}, "1500") == amount

    def test_a_whole_quotient_is_not_rounded_up(self) -> None:
        assert exact_amount({**PER_UNIT, "divide_by": "1000", "divide_round": "up"}, "2000") == 4

    @pytest.mark.parametrize(("quantity", "amount"), [("4", 8), ("5", 10), ("6", 12), ("7", 12), ("2", 6), ("3", 6)])
    def test_on_its_bounds_an_amount_is_left_alone(self, quantity: str, amount: int) -> None:
        members = {**PER_UNIT, "minimum_amount": "6", "maximum_amount": "12"}
        assert exact_amount(members, quantity) == amount

    def test_free_units_of_events_come_off_in_their_order(self) -> None:
        members = {"model": "percentage", "rate": "10", "fixed_amount": "1", "free_units": "15", "divide_by": "100"}
        # Cents to euros: 10, 10, 20. The first is covered whole, the second by half: (5 + 20) x 10 % + 2 x 1
        priced = price_events(parse_charge(members), [Decimal(1000), Decimal(1000), Decimal(2000)])
        assert priced.exact_amount == Decimal("4.5")
        assert priced.quantity == 4000


class TestUnused:
    TIERED: ClassVar[dict[str, Any]] = {"model": "graduated", "tiers": [{"up_to": "10", "flat_amount": "5"}, OPEN]}

    def test_the_first_flat_amount_is_due_at_zero(self) -> None:
        assert exact_amount(self.TIERED, "0") == 5

    def test_unless_the_charge_says_otherwise(self) -> None:
        assert steps({**self.TIERED, "charge_when_unused": False}, "0") == [("unused", Decimal(0))]

    def test_then_the_minimum_is_not_due_either(self) -> None:
        assert exact_amount({**PER_UNIT, "minimum_amount": "9", "charge_when_unused": False}, "0") == 0
        assert exact_amount({**PER_UNIT, "minimum_amount": "9"}, "0") == 9

    def test_usage_that_free_units_cover_is_usage(self) -> None:
        members = {**self.TIERED, "charge_when_unused": False, "free_units": "3"}
        assert exact_amount(members, "2") == 5

    def test_no_events_are_no_use(self) -> None:
        charge = parse_charge({"model": "percentage", "rate": "1", "minimum_amount": "9", "charge_when_unused": False})
        assert (price_events(charge, []).exact_amount, price_events(charge, []).quantity) == (Decimal(0), Decimal(0))
        assert price_events(charge, [Decimal(0)]).exact_amount == 9


class TestQuantities:
    @pytest.mark.parametrize("quantity", ["-1", "NaN", "Infinity"])
    def test_a_quantity_below_zero_or_not_finite_is_refused(self, quantity: str) -> None:
        with pytest.raises(ValueError, match="zero or more"):
            price(parse_charge(PER_UNIT), Decimal(quantity))

    def test_a_float_is_refused(self) -> None:
        with pytest.raises(TypeError, match="must be a Decimal, got float"):
            price(parse_charge(PER_UNIT), cast(Decimal, 1.5))

    def test_a_quantity_is_refused_where_events_are_needed(self) -> None:
        charge = parse_charge({"model": "percentage", "rate": "1", "fixed_amount": "0.1"})
        with pytest.raises(ChargeError, match="events") as refused:
            price(charge, Decimal(100))
        assert refused.value.path == "quantity"

    def test_events_are_refused_where_a_quantity_is_priced(self) -> None:
        with pytest.raises(ChargeError, match="give `quantity`") as refused:
            price_events(parse_charge(PER_UNIT), [Decimal(1)])
        assert refused.value.path == "events"

    def test_a_charge_says_whether_it_prices_events(self) -> None:
        assert parse_charge({"model": "percentage", "rate": "1"}).prices_events
        assert not parse_charge(PER_UNIT).prices_events


class TestWriting:
    def test_the_canonical_form_is_short_and_plain(self) -> None:
        members = {
            "model": "package",
            "package_size": 1000,
            "package_amount": "2.50",
            "round": "up",
            "free_units": "0",
            "minimum_amount": "0100.0",
            "divide_by": "60",
            "divide_round": "down",
            "charge_when_unused": True,
        }
        assert charge_members(parse_charge(members)) == {
            "model": "package",
            "package_size": "1000",
            "package_amount": "2.5",
            "minimum_amount": "100",
            "divide_by": "60",
            "divide_round": "down",
        }

    def test_every_member_of_percentage_is_written(self) -> None:
        members = {
            "model": "percentage",
            "rate": "2.9",
            "fixed_amount": "0.3",
            "free_events": "2",
            "free_amount": "50",
            "per_transaction_min": "0.5",
            "per_transaction_max": "20",
            "charge_when_unused": False,
        }
        assert charge_members(parse_charge(members)) == members


def tiered(*tiers: object, model: str = "graduated") -> dict[str, object]:
    return {"model": model, "tiers": list(tiers)}


REFUSED: list[tuple[dict[str, object], str, str]] = [
    (
        {},
        "model",
        "is missing: give one of flat, per_unit, graduated, volume, package, stairstep, percentage, graduated_percentage",
    ),
    (
        {"model": "cheap"},
        "model",
        "must be one of flat, per_unit, graduated, volume, package, stairstep, percentage, graduated_percentage, got 'cheap'",
    ),
    ({"model": "flat"}, "amount", 'is missing: give a decimal string such as "0.25"'),
    ({"model": "flat", "amount": 1.5}, "amount", 'is a binary number, which is not exact: write it as a string, "1.5"'),
    ({"model": "flat", "amount": 10**15}, "amount", "must be below 10^15, got a very large number"),
    ({"model": "flat", "amount": "x" * 58}, "amount", f"must be a decimal string such as \"0.25\", got '{'x' * 58}'"),
    ({"model": "flat", "amount": True}, "amount", 'must be a decimal string such as "0.25", got true'),
    ({"model": "flat", "amount": 1e30}, "amount", 'must be a decimal string such as "0.25", got 1e+30'),
    (
        {"model": "flat", "amount": "x" * 100},
        "amount",
        'must be a decimal string such as "0.25", got \'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…',
    ),
    ({"model": "flat", "amount": False}, "amount", 'must be a decimal string such as "0.25", got false'),
    ({"model": "flat", "amount": "1e3"}, "amount", "must be a decimal string such as \"0.25\", got '1e3'"),
    ({"model": "flat", "amount": "NaN"}, "amount", "must be a decimal string such as \"0.25\", got 'NaN'"),
    ({"model": "flat", "amount": "Infinity"}, "amount", "must be a decimal string such as \"0.25\", got 'Infinity'"),
    ({"model": "flat", "amount": "1_000"}, "amount", "must be a decimal string such as \"0.25\", got '1_000'"),
    ({"model": "flat", "amount": "٣"}, "amount", "must be a decimal string such as \"0.25\", got '٣'"),
    ({"model": "flat", "amount": ""}, "amount", "must be a decimal string such as \"0.25\", got ''"),
    ({"model": "flat", "amount": " 1"}, "amount", "must be a decimal string such as \"0.25\", got ' 1'"),
    ({"model": "flat", "amount": "1\n"}, "amount", "must be a decimal string such as \"0.25\", got '1\\n'"),
    ({"model": "flat", "amount": ["1"]}, "amount", 'must be a decimal string such as "0.25", got a list'),
    ({"model": "flat", "amount": {}}, "amount", 'must be a decimal string such as "0.25", got an object'),
    (
        {"model": "flat", "amount": "-1"},
        "amount",
        "must be zero or more, got '-1': write reductions as discounts or credit notes",
    ),
    ({"model": "flat", "amount": "1000000000000000"}, "amount", "must be below 10^15, got '1000000000000000'"),
    ({"model": "flat", "amount": 10**5000}, "amount", "must be below 10^15, got a very large number"),
    (
        {"model": "flat", "amount": "999999999999999.0000000000001"},
        "amount",
        "must have at most 12 decimals, got '999999999999999.0000000000001'",
    ),
    ({"model": "flat", "amount": Decimal("NaN")}, "amount", "must be a decimal string such as \"0.25\", got Decimal('NaN')"),
    (
        {"model": "flat", "amount": "1", "unit_amount": "1"},
        "unit_amount",
        "unknown member: a flat charge takes amount, charge_when_unused, divide_by, divide_round, free_units, maximum_amount, "
        "minimum_amount, model, percentage_discount, usage_discount",
    ),
    (
        {**PER_UNIT, "free_unit": "1"},
        "free_unit",
        "unknown member: a per_unit charge takes charge_when_unused, divide_by, divide_round, free_units, maximum_amount, "
        "minimum_amount, model, percentage_discount, unit_amount, usage_discount",
    ),
    ({**PER_UNIT, "divide_by": "0"}, "divide_by", "must be more than zero"),
    ({**PER_UNIT, "divide_round": "up"}, "divide_round", "has nothing to round: give divide_by too, or leave it out"),
    ({**PER_UNIT, "divide_by": "2", "divide_round": "half"}, "divide_round", "must be one of up, down, got 'half'"),
    ({**PER_UNIT, "percentage_discount": "100.1"}, "percentage_discount", "must be at most 100, got '100.1'"),
    ({**PER_UNIT, "minimum_amount": "2", "maximum_amount": "1"}, "maximum_amount", "must be at least minimum_amount, 2"),
    ({**PER_UNIT, "charge_when_unused": "no"}, "charge_when_unused", "must be true or false, got 'no'"),
    ({"model": "package", "package_size": "0", "package_amount": "1"}, "package_size", "must be more than zero"),
    (
        {"model": "package", "package_size": "1", "package_amount": "1", "round": "half"},
        "round",
        "must be one of up, down, got 'half'",
    ),
    ({"model": "percentage", "rate": "101"}, "rate", "must be at most 100, got '101'"),
    ({"model": "percentage", "rate": "1", "free_events": "1.5"}, "free_events", "must be a whole number, got 1.5"),
    (
        {"model": "percentage", "rate": "1", "per_transaction_min": "2", "per_transaction_max": "1"},
        "per_transaction_max",
        "must be at least per_transaction_min, 2",
    ),
    ({"model": "graduated"}, "tiers", "is missing: give a list of at least one tier, the last with up_to null"),
    (tiered(), "tiers", "is missing: give a list of at least one tier, the last with up_to null"),
    ({"model": "graduated", "tiers": "none"}, "tiers", "must be a list, got 'none'"),
    (tiered(None), "tiers[0]", "must be an object, got nothing"),
    (tiered("10"), "tiers[0]", "must be an object, got '10'"),
    (
        tiered({"up_to": "10", "unit_amount": "1"}),
        "tiers[0].up_to",
        "must be null: the last tier has to be open, so that every quantity has a price",
    ),
    (tiered(OPEN, OPEN), "tiers[0].up_to", "is missing: only the last tier may be open"),
    (
        tiered({"up_to": "0", "unit_amount": "1"}, OPEN),
        "tiers[0].up_to",
        "must be more than 0, where this tier begins: put the tiers in rising order",
    ),
    (
        tiered({"up_to": "10", "unit_amount": "1"}, {"up_to": "10", "unit_amount": "1"}, OPEN),
        "tiers[1].up_to",
        "must be more than 10, where this tier begins: put the tiers in rising order",
    ),
    (
        tiered({"up_to": "1", "unit_amount": "-1"}, OPEN),
        "tiers[0].unit_amount",
        "must be zero or more, got '-1': write reductions as discounts or credit notes",
    ),
    (tiered({"up_to": "5"}, OPEN), "tiers[0].unit_amount", "is missing: a tier needs unit_amount or flat_amount"),
    (
        tiered({"up_to": None, "unit_amount": "1", "from": "0"}),
        "tiers[0].from",
        "unknown member: a tier of this model takes flat_amount, unit_amount, up_to",
    ),
    (tiered({"up_to": None, "rate": "1"}), "tiers[0].unit_amount", "is missing: a tier needs unit_amount or flat_amount"),
    (
        tiered({**OPEN, "flat_amount": "1"}, model="stairstep"),
        "tiers[0].unit_amount",
        "unknown member: a tier of this model takes flat_amount, up_to",
    ),
    (tiered({"up_to": None, "rate": "101"}, model="graduated_percentage"), "tiers[0].rate", "must be at most 100, got '101'"),
]


class TestRefusals:
    @pytest.mark.parametrize(("members", "path", "message"), REFUSED)
    def test_the_error_names_the_member_and_the_mend(self, members: dict[str, object], path: str, message: str) -> None:
        with pytest.raises(ChargeError) as refused:
            parse_charge(members)
        assert refused.value.path == path
        assert refused.value.message == message
        assert str(refused.value) == f"{path}: {refused.value.message}"

    def test_a_charge_must_be_an_object(self) -> None:
        with pytest.raises(ChargeError, match=r"^must be an object, got a list$") as refused:
            parse_charge(cast(dict[str, object], []))
        assert refused.value.path == ""

    def test_decimals_are_taken_as_they_are(self) -> None:
        assert charge_members(parse_charge({"model": "flat", "amount": Decimal("1.50")})) == {"model": "flat", "amount": "1.5"}

    def test_the_bounds_themselves_are_accepted(self) -> None:
        charge = parse_charge({"model": "per_unit", "unit_amount": "999999999999999.999999999999", "free_units": "-0"})
        assert charge_members(charge) == {"model": "per_unit", "unit_amount": "999999999999999.999999999999"}
