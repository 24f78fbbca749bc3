from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from usage.rollups.levels import DayOfLevel, average_level
from usage.rollups.rules import end_of_day

HOUR = 3_600_000_000  # microseconds


def _day(day: date, value: str, hours_left: int, *, count: int = 1) -> DayOfLevel:
    """A day on which one change came so many hours before its end."""
    return DayOfLevel(day, count, Decimal(value), Decimal(value) * hours_left * HOUR)


def _average(before: str, days: list[DayOfLevel], first: date, end: date, timezone: str = "UTC") -> tuple[object, int]:
    return average_level(Decimal(before), days, first_day=first, end_day=end, timezone=timezone)


JANUARY = date(2026, 1, 1), date(2026, 2, 1)


def test_level_without_events_is_what_it_was_before() -> None:
    assert _average("10", [], *JANUARY) == (10, 0)
    assert _average("0", [], *JANUARY) == (0, 0)


def test_change_counts_from_its_instant_on() -> None:
    # 10 for 31 days and 5 more for the last 15.5: 10 + 5 * 15.5 / 31 = 12.5
    assert _average("10", [_day(date(2026, 1, 16), "5", 12)], *JANUARY) == (Fraction(25, 2), 1)


def test_days_before_the_span_are_levels_and_days_after_it_are_nothing() -> None:
    days = [
        _day(date(2025, 12, 31), "4", 1), _day(date(2026, 1, 1), "31", 24), _day(date(2026, 2, 1), "100", 24)
    ]  # fmt: skip
    assert _average("1", days, *JANUARY) == (36, 1)  # 1 + 4 + 31
    assert _average("1", days, date(2026, 2, 1), date(2026, 2, 2)) == (136, 1)  # 1 + 4 + 31 + 100


def test_level_may_fall_below_zero() -> None:
    # 2 for a day of two, then 6 fewer for its second half: (2 * 24 - 6 * 12 + (2 - 6) * 24) / 48 = -2.5
    days = [_day(date(2026, 1, 1), "-6", 12)]
    assert _average("2", days, date(2026, 1, 1), date(2026, 1, 3)) == (Fraction(-5, 2), 1)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 3, 30), 24), (date(2026, 10, 25), 25)]
)  # fmt: skip
def test_day_is_as_long_as_it_is_where_clocks_change(day: date, hours: int) -> None:
    # As many as the day has hours, for its last 12: 23 * 12 / 23, 24 * 12 / 24, 25 * 12 / 25
    assert _average("0", [_day(day, str(hours), 12)], day, day + timedelta(days=1), "Europe/Berlin") == (12, 1)


def test_days_add_up_to_their_month_where_clocks_change() -> None:
    first, end, zone = date(2026, 3, 1), date(2026, 4, 1), "Europe/Berlin"
    days = [_day(date(2026, 3, 10), "7", 5), _day(date(2026, 3, 29), "-3", 20), _day(date(2026, 3, 31), "0.25", 1)]
    area = Fraction(0)
    for number in range(31):
        day = first + timedelta(days=number)
        length = end_of_day(day, zone) - end_of_day(day - timedelta(days=1), zone)
        level = average_level(Decimal(2), days, first_day=day, end_day=day + timedelta(days=1), timezone=zone)[0]
        area += level * (length // timedelta(hours=1))

    assert _average("2", days, first, end, zone) == (area / (31 * 24 - 1), 3)  # an hour is missing


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        (date(2026, 10, 31), "America/Havana", datetime(2026, 11, 1, 4, tzinfo=UTC)),  # midnight comes twice: the first
        (date(2026, 9, 5), "America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC)),  # midnight is skipped
    ],
)
def test_day_ends_once(day: date, zone: str, end: datetime) -> None:
    assert end_of_day(day, zone) == end
