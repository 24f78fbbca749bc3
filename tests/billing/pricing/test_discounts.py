from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing.discounts import Discount, share_discount


def share(discount: Discount, *remaining: int) -> list[int]:
    return share_discount(discount, ["a", "b", "c"][: len(remaining)], remaining)


def test_a_percentage_is_rounded_once_and_shared() -> None:
    # 10 % of 0.10 + 0.10 + 0.05 = 2.5 cents, rounded to 3; 1.2, 1.2 and 0.6 round down to 1, 1, 0; .6 gets the third
    assert share(Discount(percent=Decimal(10)), 10, 10, 5) == [1, 1, 1]


def test_an_amount_is_shared_in_proportion_to_what_remains() -> None:
    assert share(Discount(amount_minor=1000), 3000, 1000) == [750, 250]


def test_an_amount_never_takes_more_than_there_is() -> None:
    assert share(Discount(amount_minor=1000), 300, 100) == [300, 100]
    assert share(Discount(amount_minor=1000), 1, 0) == [1, 0]


def test_every_line_needs_its_amount() -> None:
    with pytest.raises(ValueError, match="shorter than"):
        share_discount(Discount(amount_minor=1), ["a", "b"], [100])


def test_only_the_lines_it_applies_to() -> None:
    assert share(Discount(percent=Decimal(50), applies_to=frozenset({"b"})), 300, 100, 7) == [0, 50, 0]


def test_a_negative_line_gives_its_part_back() -> None:
    # 10 % of 110 - 10: the credit shrinks with the rest
    assert share(Discount(percent=Decimal(10)), 11000, -1000) == [1100, -100]


@pytest.mark.parametrize("remaining", [(0, 0), (100, -100), (100, -200)])
def test_lines_that_sum_to_nothing_get_no_discount(remaining: tuple[int, int]) -> None:
    assert share(Discount(amount_minor=50), *remaining) == [0, 0]
    assert share(Discount(percent=Decimal(50)), *remaining) == [0, 0]


def test_all_of_it_leaves_nothing_anywhere() -> None:
    assert share(Discount(percent=Decimal(100)), 333, -33, 1) == [333, -33, 1]


def test_it_takes_an_amount_or_a_percentage() -> None:
    with pytest.raises(ValueError, match=r"^a discount takes either an amount or a percentage$"):
        Discount()
    with pytest.raises(ValueError, match="either an amount or a percentage"):
        Discount(amount_minor=1, percent=Decimal(1))


def test_it_is_never_negative_nor_more_than_all() -> None:
    with pytest.raises(ValueError, match="zero or more, got -1"):
        Discount(amount_minor=-1)
    with pytest.raises(ValueError, match="0 to 100 per cent, got 101"):
        Discount(percent=Decimal(101))
    with pytest.raises(ValueError, match="0 to 100 per cent, got -1"):
        Discount(percent=Decimal(-1))


@given(
    st.lists(st.tuples(st.integers(0, 10**7), st.booleans()), min_size=1, max_size=8),
    st.one_of(st.integers(0, 10**8), st.decimals(0, 100, places=2)),
)
def test_the_shares_sum_to_the_discount_and_differ_from_the_exact_share_by_less_than_a_unit(
    drawn: list[tuple[int, bool]], off: int | Decimal
) -> None:
    ids = [str(index) for index in range(len(drawn))]
    remaining = [amount for amount, _ in drawn]
    chosen = frozenset(line_id for line_id, (_, applies) in zip(ids, drawn, strict=True) if applies)
    discount = Discount(amount_minor=off, applies_to=chosen) if isinstance(off, int) else Discount(percent=off, applies_to=chosen)
    shares = share_discount(discount, ids, remaining)
    whole = sum(amount for amount, applies in drawn if applies)
    if isinstance(off, int):
        assert sum(shares) == min(off, whole)
    else:
        assert abs(sum(shares) - whole * Fraction(off) / 100) <= Fraction(1, 2)
    for share_minor, (amount, applies) in zip(shares, drawn, strict=True):
        assert 0 <= share_minor <= amount
        if whole and applies:
            assert abs(share_minor - Fraction(sum(shares) * amount, whole)) < 1
        else:
            assert share_minor == 0
