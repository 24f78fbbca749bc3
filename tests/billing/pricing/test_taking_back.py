"""Whatever the steps, all that is taken back is what was billed, and no step takes more than is left."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing.taking_back import CreditableLine, Taken, tax_taken_back


def line(amount: int, discount: int, taken: tuple[int, int] = (0, 0)) -> CreditableLine:
    return CreditableLine(amount_minor=amount, discount_minor=discount, taken=Taken(*taken))


def test_an_amount_after_discounts_takes_its_share_of_the_discount_back() -> None:
    assert line(1000, 150).take_net(100) == (118, 18)  # 17.6
    assert line(1000, 150, (118, 18)).take_net(100) == (117, 17)  # 35.3 in all
    assert line(1000, 150, (235, 35)).take_net(650) == (765, 115)


def test_an_amount_before_discounts_does_too() -> None:
    assert line(533, 53).take_amount(200) == (200, 20)  # 19.9
    assert line(533, 53, (200, 20)).take_amount(333) == (333, 33)


@pytest.mark.parametrize("net", [0, -1, 851])
def test_nothing_more_than_is_left_can_be_taken(net: int) -> None:
    with pytest.raises(ValueError, match="is not within the 850 that are left"):
        line(1000, 150).take_net(net)
    with pytest.raises(ValueError, match="is not within the 1000 that are left"):
        line(1000, 150).take_amount(1001 if net > 0 else net)


@pytest.mark.parametrize("facts", [(100, 101), (-1, 0), (100, 10, (101, 0)), (100, 10, (5, 11)), (100, 10, (95, 0))])
def test_a_line_that_cannot_be_is_refused(facts: tuple[int, int] | tuple[int, int, tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="more is taken back than the line says"):
        line(*facts)


def test_floats_are_refused() -> None:
    with pytest.raises(TypeError):
        line(1000, 150).take_net(1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        tax_taken_back(0.19, base_before_minor=0, base_minor=1)  # type: ignore[arg-type]


@given(amount=st.integers(1, 5000), share=st.integers(0, 100), steps=st.lists(st.tuples(st.booleans(), st.integers(1, 2000))))
def test_all_steps_together_are_exactly_the_line(amount: int, share: int, steps: list[tuple[bool, int]]) -> None:
    discount = amount * share // 100
    taken = Taken(0, 0)
    for is_net, wanted in steps:
        now = line(amount, discount, taken)
        left = now.left.net_minor if is_net else now.left.amount_minor
        if left:
            step = now.take_net(min(wanted, left)) if is_net else now.take_amount(min(wanted, left))
            assert step.amount_minor > 0
            assert 0 <= step.discount_minor <= min(step.amount_minor, now.left.discount_minor)
            taken = Taken(taken.amount_minor + step.amount_minor, taken.discount_minor + step.discount_minor)
    last = line(amount, discount, taken)
    if last.left.net_minor:
        taken = Taken(*(a + b for a, b in zip(taken, last.take_net(last.left.net_minor), strict=True)))
    assert taken == (amount, discount) or taken.net_minor == amount - discount
    if not any(not is_net for is_net, _wanted in steps) and amount > discount:
        assert taken == (amount, discount)


@given(rate=st.decimals(0, 30, places=2), bases=st.lists(st.integers(0, 10_000), max_size=8))
def test_the_taxes_of_all_steps_are_the_tax_of_the_whole(rate: Decimal, bases: list[int]) -> None:
    before, taxes = 0, 0
    for base in bases:
        tax = tax_taken_back(rate, base_before_minor=before, base_minor=base)
        assert tax >= 0
        before, taxes = before + base, taxes + tax
    whole = before * Fraction(rate) / 100
    assert abs(taxes - whole) <= Fraction(1, 2)
    assert taxes == tax_taken_back(rate, base_before_minor=0, base_minor=before)
