from datetime import date
from fractions import Fraction

import pytest

from billing.pricing.proration import proration_factor

MARCH = (date(2026, 3, 1), date(2026, 4, 1))


@pytest.mark.parametrize(
    ("days", "factor"),
    [
        (MARCH, Fraction(1)),
        ((date(2026, 3, 22), date(2026, 4, 1)), Fraction(10, 31)),
        ((date(2026, 3, 1), date(2026, 3, 2)), Fraction(1, 31)),
        ((date(2026, 3, 29), date(2026, 3, 30)), Fraction(1, 31)),  # 23 hours in Berlin: still one day
        ((date(2026, 3, 15), date(2026, 3, 15)), Fraction(0)),
    ],
)
def test_whole_days_are_counted(days: tuple[date, date], factor: Fraction) -> None:
    assert proration_factor(days, MARCH) == factor


def test_the_parts_of_a_period_sum_to_one() -> None:
    cut = date(2026, 3, 17)
    assert proration_factor((MARCH[0], cut), MARCH) + proration_factor((cut, MARCH[1]), MARCH) == 1


@pytest.mark.parametrize(
    "days",
    [
        (date(2026, 2, 28), date(2026, 4, 1)),
        (date(2026, 3, 1), date(2026, 4, 2)),
        (date(2026, 3, 10), date(2026, 3, 9)),
    ],
)
def test_days_outside_the_period_or_backwards_are_refused(days: tuple[date, date]) -> None:
    with pytest.raises(ValueError, match="does not lie within"):
        proration_factor(days, MARCH)


def test_an_empty_period_is_refused() -> None:
    with pytest.raises(ValueError, match="must end after it begins"):
        proration_factor(MARCH, (MARCH[0], MARCH[0]))
