from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing.commitments import Commitment, true_up

LINES = {"api": 20000, "storage": 5000, "credit": -1000}


def test_what_is_missing_is_added() -> None:
    # 600.00 - (200.00 + 50.00 - 10.00)
    assert true_up(Commitment(id="min", amount_minor=60000), LINES).amount_minor == 36000


def test_a_commitment_that_is_reached_adds_nothing() -> None:
    assert true_up(Commitment(id="min", amount_minor=24000), LINES).amount_minor == 0
    assert true_up(Commitment(id="min", amount_minor=23999), LINES).amount_minor == 0


def test_only_the_lines_it_applies_to_count() -> None:
    commitment = Commitment(id="min", amount_minor=10000, applies_to=frozenset({"storage"}))
    assert true_up(commitment, LINES).amount_minor == 5000


def test_a_part_of_a_period_needs_a_part_of_the_amount() -> None:
    # 600.00 x 10/31 = 193.548…, rounded to 193.55, less 50.00
    commitment = Commitment(id="min", amount_minor=60000, factor=Fraction(10, 31), applies_to=frozenset({"storage"}))
    assert true_up(commitment, LINES).amount_minor == 14355


def test_bounds() -> None:
    with pytest.raises(ValueError, match="zero or more, got -1"):
        Commitment(id="min", amount_minor=-1)
    with pytest.raises(ValueError, match="prorated by 0 to 1, got 3/2"):
        Commitment(id="min", amount_minor=1, factor=Fraction(3, 2))
    assert true_up(Commitment(id="min", amount_minor=1, factor=Fraction(0)), {}).amount_minor == 0


@given(st.integers(0, 10**9), st.fractions(0, 1, max_denominator=366), st.lists(st.integers(-(10**6), 10**9), max_size=4))
def test_lines_and_true_up_together_reach_the_promise_and_no_more(amount: int, factor: Fraction, lines: list[int]) -> None:
    spent = {str(index): line for index, line in enumerate(lines)}
    added = true_up(Commitment(id="min", amount_minor=amount, factor=factor), spent).amount_minor
    billed = sum(lines) + added
    assert added >= 0
    assert billed >= amount * factor - Fraction(1, 2)
    assert added == 0 or billed <= amount * factor + Fraction(1, 2)
