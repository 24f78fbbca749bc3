"""The part of a period that is charged, by whole local days, as an exact fraction."""

from datetime import date
from fractions import Fraction


def proration_factor(days: tuple[date, date], of: tuple[date, date]) -> Fraction:
    """
    Return how much of the period `of` the span `days` covers. Both are half-open: first day in, end day out.

    Days are counted, not hours, so a change of the clocks changes no price.

    :raises ValueError: if `of` is empty, or if `days` runs backwards or leaves it

    >>> proration_factor((date(2026, 3, 22), date(2026, 4, 1)), (date(2026, 3, 1), date(2026, 4, 1)))
    Fraction(10, 31)
    """
    first, end = days
    whole_first, whole_end = of
    if whole_end <= whole_first:
        raise ValueError(f"a period must end after it begins: {whole_first} … {whole_end}")
    if not whole_first <= first <= end <= whole_end:
        raise ValueError(f"{first} … {end} does not lie within {whole_first} … {whole_end}")
    return Fraction((end - first).days, (whole_end - whole_first).days)
