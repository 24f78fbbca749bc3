from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.pricing.breakdown import BreakdownRow, Row, priced_from_fractions, prorate, sum_of
from billing.pricing.charge import parse_charge, price, price_events
from tests.billing.pricing.pricing_tools import cells
from tests.billing.pricing.strategies import EVENT_MODELS, EVENTS, QUANTITIES, charges


def test_rows_of_thirds_sum_exactly_to_what_is_written() -> None:
    priced = priced_from_fractions(Decimal(1), [Row("tier", Fraction(1, 3))] * 3)
    # Written running totals: 0.333333333333, 0.666666666667, 1
    assert [row.amount for row in priced.breakdown] == [
        Decimal("0.333333333333"),
        Decimal("0.333333333334"),
        Decimal("0.333333333333"),
    ]
    assert priced.exact_amount == sum_of(priced.breakdown) == 1
    assert priced.exact == 1
    assert priced.fraction is None


def test_what_cannot_be_written_is_kept_as_a_fraction() -> None:
    priced = priced_from_fractions(Decimal(1), [Row("units", Fraction(2, 3), quantity=Fraction(1, 3))])
    assert priced.exact_amount == Decimal("0.666666666667")
    assert priced.exact == Fraction(2, 3)
    assert priced.breakdown[0].quantity == Decimal("0.333333333333")


class TestProrate:
    CHARGE = parse_charge({"model": "flat", "amount": "31"})

    def test_ten_days_of_thirty_one(self) -> None:
        priced = prorate(price(self.CHARGE, Decimal(1)), Fraction(10, 31))
        assert (priced.exact_amount, priced.fraction) == (Decimal(10), None)
        assert cells(priced, "step", "amount", "rate") == [
            ("flat", 31, None),
            ("proration", -21, Decimal("32.258064516129")),  # 10/31 in per cent
        ]

    def test_what_has_no_end_stays_exact(self) -> None:
        priced = prorate(price(self.CHARGE, Decimal(1)), Fraction(1, 3))
        assert priced.exact == Fraction(31, 3)
        assert priced.exact_amount == Decimal("10.333333333333")

    def test_a_negative_part_is_refused(self) -> None:
        with pytest.raises(ValueError, match="zero or more"):
            prorate(price(self.CHARGE, Decimal(1)), Fraction(-1, 2))

    @given(charges(), QUANTITIES, st.fractions(0, 1, max_denominator=366))
    def test_the_parts_of_a_period_sum_to_the_whole(self, members: dict[str, Any], quantity: Decimal, factor: Fraction) -> None:
        priced = price(parse_charge(members), quantity)
        part, rest = prorate(priced, factor), prorate(priced, 1 - factor)
        assert part.exact + rest.exact == priced.exact
        assert sum_of(part.breakdown) == part.exact_amount


def by_hand(row: BreakdownRow, before: Decimal) -> Fraction:
    """Work the amount of a row out from its other cells and the sum of the rows before it, as a reader would."""
    quantity, rate, flat, unit = (Fraction(cell or 0) for cell in (row.quantity, row.rate, row.flat_amount, row.unit_amount))
    match row.step:
        case "unit_conversion" | "free_units" | "usage_discount" | "free_events" | "free_amount" | "unused":
            return Fraction(0)
        case "percentage_discount":
            return -Fraction(before) * rate / 100
        case "minimum_amount" | "maximum_amount":
            return flat - Fraction(before)
        case "tier" if row.unit_amount is None and row.rate is None:  # stairstep
            return flat
        case "flat" | "tier" | "units" | "packages" | "rate" | "fixed_amount":
            return quantity * (unit + rate / 100) + flat
        case "per_transaction_min" | "per_transaction_max":  # the fees of single events are not shown
            return Fraction(row.amount)
    raise AssertionError(row.step)


def check_by_hand(rows: tuple[BreakdownRow, ...], tolerance: Fraction) -> None:
    before = Decimal(0)
    for row in rows:
        assert abs(by_hand(row, before) - Fraction(row.amount)) <= tolerance, row
        before = sum_of([BreakdownRow("sum", before), row])


class TestByHand:
    """Every row can be worked out from what it shows: exactly, where decimals can say it; else to the digits that are shown."""

    # Quantities are shown to twelve decimals, and cost at most a thousand each.
    SHOWN = Fraction(1, 10**8)

    @settings(max_examples=300, deadline=None)
    @given(charges(), st.decimals(0, 10**6, places=3))
    def test_of_a_quantity(self, members: dict[str, Any], quantity: Decimal) -> None:
        priced = price(parse_charge(members), quantity)
        in_decimals = members.get("divide_by") not in ("3", "7", "60", "3600")
        check_by_hand(priced.breakdown, Fraction(0) if in_decimals else self.SHOWN)

    @settings(max_examples=200, deadline=None)
    @given(charges(EVENT_MODELS), EVENTS)
    def test_of_events(self, members: dict[str, Any], events: list[Decimal]) -> None:
        priced = price_events(parse_charge(members), events)
        in_decimals = members.get("divide_by") not in ("3", "7", "60", "3600")
        check_by_hand(priced.breakdown, Fraction(0) if in_decimals else self.SHOWN)

    @given(charges(), QUANTITIES)
    def test_tiers_touch_and_hold_the_quantity(self, members: dict[str, Any], quantity: Decimal) -> None:
        rows = [row for row in price(parse_charge(members), quantity).breakdown if row.step == "tier"]
        if members["model"] not in ("graduated", "graduated_percentage") or not rows:
            return
        assert [row.above for row in rows] == [0, *(row.up_to for row in rows[:-1])]
        for row in rows[:-1]:
            assert row.up_to is not None
            assert row.above is not None
            assert row.quantity == row.up_to - row.above
