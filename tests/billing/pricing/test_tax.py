from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from billing.pricing.tax import TaxAmount, tax_amounts

D20, D5 = Decimal(20), Decimal("5.5")


def test_tax_is_rounded_once_per_rate_not_per_line() -> None:
    # Three lines of 0.02 at 20 %: 0.004 each would round to nothing; 0.06 x 20 % = 0.012 is 0.01
    assert tax_amounts([((D20,), 2)] * 3) == (TaxAmount(D20, 6, 1),)


def test_rates_come_in_rising_order_each_on_its_own_base() -> None:
    taxes = tax_amounts([((D20,), 1000), ((D5,), 1000), ((D20,), 50), ((), 999)])
    # 10.00 x 5.5 % = 0.55; 10.50 x 20 % = 2.10
    assert taxes == (TaxAmount(D5, 1000, 55), TaxAmount(D20, 1050, 210))


def test_a_line_with_two_rates_counts_to_both() -> None:
    assert tax_amounts([((D5, D20), 1000)]) == (TaxAmount(D5, 1000, 55), TaxAmount(D20, 1000, 200))


def test_half_a_cent_goes_away_from_zero_on_both_sides() -> None:
    # 0.10 x 5.5 % = 0.0055; 0.25 x 2 % = 0.005
    assert tax_amounts([((Decimal(2),), 25)])[0].amount_minor == 1
    assert tax_amounts([((Decimal(2),), -25)])[0].amount_minor == -1


def test_a_rate_of_zero_is_listed() -> None:
    assert tax_amounts([((Decimal(0),), 700)]) == (TaxAmount(Decimal(0), 700, 0),)


@given(
    st.lists(
        st.tuples(
            st.frozensets(st.decimals(0, 100, places=3).map(lambda rate: rate + 0), max_size=3).map(tuple),
            st.integers(-(10**9), 10**9),
        ),
        max_size=6,
    )
)
def test_each_rate_taxes_the_sum_of_its_lines_to_within_half_a_unit(nets: list[tuple[tuple[Decimal, ...], int]]) -> None:
    taxes = tax_amounts(nets)
    rates = [tax.rate for tax in taxes]
    assert rates == sorted({rate for line_rates, _ in nets for rate in line_rates})
    for tax in taxes:
        assert tax.base_minor == sum(net for line_rates, net in nets if tax.rate in line_rates)
        assert abs(tax.amount_minor - tax.base_minor * Fraction(tax.rate) / 100) <= Fraction(1, 2)
    # A document that takes all of it back taxes it back to the unit.
    taken_back = tax_amounts([(line_rates, -net) for line_rates, net in nets])
    assert [tax.amount_minor for tax in taken_back] == [-tax.amount_minor for tax in taxes]
