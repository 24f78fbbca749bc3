from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing.breakdown import Row, priced_from_fractions, prorate, sum_of
from billing.pricing.charge import parse_charge, price
from tests.billing.pricing.pricing_tools import cells
from tests.billing.pricing.strategies import QUANTITIES, charges


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
        assert priced.exact_amount == 10
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
