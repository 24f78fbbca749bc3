from decimal import Decimal

import pytest

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
    with pytest.raises(ValueError, match="either an amount or a percentage"):
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
