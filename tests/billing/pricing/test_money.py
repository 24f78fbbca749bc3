from decimal import Decimal, Inexact
from decimal import FloatOperation as FloatMixed
from fractions import Fraction
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing.money import allocate, check_exact, check_minor, decimal_of, exact, from_minor, round_to_minor
from tests.billing.pricing.reference_invoice import dealt, nearest_whole


class TestExact:
    def test_making_a_decimal_of_a_float_raises(self) -> None:
        with exact(), pytest.raises(FloatMixed):
            Decimal(0.1)  # noqa: RUF032 - the point of the test

    def test_comparing_with_a_float_raises(self) -> None:
        with exact(), pytest.raises(FloatMixed):
            assert Decimal(1) < 1.5

    def test_a_third_raises(self) -> None:
        with exact(), pytest.raises(Inexact):
            Decimal(1) / 3

    def test_the_largest_quantity_times_the_largest_price_fits(self) -> None:
        largest = Decimal("999999999999999.999999999999")
        with exact():
            # (10^15 - 10^-12)² = 10^30 - 2 x 10^3 + 10^-24
            assert largest * largest == Decimal("999999999999999999999999998000.000000000000000000000001")

    def test_the_context_outside_is_left_alone(self) -> None:
        with exact():
            pass
        assert Decimal(1) / 3 != 0


class TestChecks:
    def test_minor_units_are_whole(self) -> None:
        check_minor(0, -5, 10**30)
        with pytest.raises(TypeError, match=r"^minor units must be an int, got Decimal$"):
            check_minor(1, cast(int, Decimal(2)))

    def test_numbers_are_decimals_or_fractions(self) -> None:
        check_exact(Decimal(1), Fraction(1, 3))
        with pytest.raises(TypeError, match=r"^money must be a Decimal or a Fraction, got int$"):
            check_exact(Decimal(1), cast(Decimal, 2))

    def test_a_fraction_is_written_as_a_decimal_and_nothing_else_is(self) -> None:
        with pytest.raises(TypeError, match=r"^a fraction is wanted, got Decimal$"):
            decimal_of(cast(Fraction, Decimal(1)))


class TestRoundToMinor:
    @pytest.mark.parametrize(
        ("amount", "exponent", "minor"),
        [
            ("0.125", 2, 13),  # half-even would give 12
            ("-0.125", 2, -13),
            ("0.124999999999", 2, 12),
            ("0.5", 0, 1),
            ("1.0005", 3, 1001),
            ("2", 2, 200),
            ("0", 2, 0),
        ],
    )
    def test_a_half_goes_away_from_zero(self, amount: str, exponent: int, minor: int) -> None:
        assert round_to_minor(Decimal(amount), exponent=exponent) == minor

    def test_a_fraction_is_rounded_without_a_decimal_in_between(self) -> None:
        # Just below half a cent: written with 12 decimals it would be half a cent, and round up.
        below = Fraction(5, 1000) - Fraction(1, 10**15)
        assert round_to_minor(below, exponent=2) == 0

    @pytest.mark.parametrize("amount", [0.5, 1, "1"])
    def test_anything_but_an_exact_number_is_refused(self, amount: object) -> None:
        with pytest.raises(TypeError, match="must be a Decimal or a Fraction"):
            round_to_minor(cast(Decimal, amount), exponent=2)

    @pytest.mark.parametrize("amount", ["NaN", "Infinity"])
    def test_what_is_not_finite_is_refused(self, amount: str) -> None:
        with pytest.raises(ValueError, match="must be finite"):
            round_to_minor(Decimal(amount), exponent=2)

    @given(st.fractions(-(10**9), 10**9) | st.decimals(-(10**9), 10**9, places=4).map(Fraction), st.sampled_from([0, 2, 3]))
    def test_it_rounds_as_the_decimal_module_does_half_up(self, amount: Fraction, exponent: int) -> None:
        assert round_to_minor(amount, exponent=exponent) == nearest_whole(amount * 10**exponent)

    @given(st.fractions(min_value=-(10**9), max_value=10**9), st.sampled_from([0, 2, 3]))
    def test_the_error_is_at_most_half_a_unit_and_signs_mirror(self, amount: Fraction, exponent: int) -> None:
        minor = round_to_minor(amount, exponent=exponent)
        assert abs(minor - amount * 10**exponent) <= Fraction(1, 2)
        assert round_to_minor(-amount, exponent=exponent) == -minor


class TestDecimalOf:
    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (Fraction(1, 8), "0.125"),
            (Fraction(1, 2**40), "0.0000000000009094947017729282379150390625"),  # terminates: more than 12 decimals stay
            (Fraction(1, 3), "0.333333333333"),
            (Fraction(-2, 3), "-0.666666666667"),
            (Fraction(10**30, 3), "333333333333333333333333333333.333333333333"),
        ],
    )
    def test_it_is_exact_where_it_can_be(self, value: Fraction, written: str) -> None:
        assert decimal_of(value) == Decimal(written)

    def test_from_minor_has_the_decimals_of_the_currency(self) -> None:
        assert [str(from_minor(-1050, exponent=places)) for places in (0, 2, 3)] == ["-1050", "-10.50", "-1.050"]


class TestAllocate:
    @pytest.mark.parametrize(
        ("total", "weights", "shares"),
        [
            (100, [1, 1, 1], [34, 33, 33]),  # 33⅓ each: the earliest of equals gets the cent
            (-100, [1, 1, 1], [-34, -33, -33]),
            (10, [3, 0, 4], [4, 0, 6]),  # 4.29 and 5.71: rounded down 4 and 5, the larger remainder gets the last one
            (0, [0, 0], [0, 0]),
            (7, [], None),
            (9, [110, -10], [10, -1]),  # 9.9 and -0.9: rounded down 9 and -1, .9 beats .1
            (5, [Fraction(1, 3), Fraction(2, 3)], [2, 3]),  # 1⅔ and 3⅓
        ],
    )
    def test_largest_remainder(self, total: int, weights: list[int | Fraction], shares: list[int] | None) -> None:
        if shares is None:
            with pytest.raises(ValueError, match="sum to zero"):
                allocate(total, weights)
        else:
            assert allocate(total, weights) == shares

    @given(st.integers(-300, 300), st.lists(st.integers(-5, 50), min_size=1, max_size=6))
    def test_units_go_to_whoever_lacks_most(self, total: int, weights: list[int]) -> None:
        if sum(weights) <= 0:
            weights = [*weights, 1 - sum(weights)]
        expected = dealt(total, weights) if total >= 0 else [-share for share in dealt(-total, weights)]
        assert allocate(total, weights) == expected

    @given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=12))
    def test_shares_sum_to_the_total_and_lie_next_to_their_exact_part(self, total: int, weights: list[int]) -> None:
        if sum(weights) == 0:
            weights = [*weights, 1]
        shares = allocate(total, weights)
        assert sum(shares) == total
        for share, weight in zip(shares, weights, strict=True):
            assert abs(share - Fraction(total * weight, sum(weights))) < 1
            assert weight or share == 0
