from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from usage.querying.windows import WindowSize, midnight, whole_days, window_of

PARIS = ZoneInfo("Europe/Paris")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("size", "start", "end"),
    [
        ("MINUTE", "2026-03-29T10:47:00", "2026-03-29T10:48:00"),
        ("HOUR", "2026-03-29T10:00:00", "2026-03-29T11:00:00"),
        # The clocks of Paris go forward on 29 March: that day has 23 hours, from 23:00 to 22:00 UTC.
        ("DAY", "2026-03-28T23:00:00", "2026-03-29T22:00:00"),
        ("MONTH", "2026-02-28T23:00:00", "2026-03-31T22:00:00"),
    ],
)
def test_window_is_that_of_the_time_zone(size: str, start: str, end: str) -> None:
    assert window_of(at("2026-03-29T10:47:12.5"), WindowSize(size), PARIS) == (at(start), at(end))


def test_hours_begin_where_the_time_zone_says() -> None:
    # 10:47 UTC is 16:17 in Kolkata, whose hour began at 16:00, which is 10:30 UTC.
    start, end = window_of(at("2026-03-29T10:47:00"), WindowSize.HOUR, ZoneInfo("Asia/Kolkata"))
    assert (start, end) == (at("2026-03-29T10:30:00"), at("2026-03-29T11:30:00"))


def test_december_ends_with_the_year() -> None:
    assert window_of(at("2026-12-31T12:00:00"), WindowSize.MONTH, ZoneInfo("UTC"))[1] == at("2027-01-01T00:00:00")


def test_day_without_midnight_begins_when_the_clocks_skip_it() -> None:
    # Beirut skips from 00:00 to 01:00 on 29 March 2026, at 22:00 UTC of the day before.
    assert midnight(date(2026, 3, 29), ZoneInfo("Asia/Beirut")) == at("2026-03-28T22:00:00")


def test_whole_days_leave_out_cut_ones() -> None:
    assert whole_days(at("2026-03-01T23:00:00"), at("2026-03-03T23:00:00"), PARIS) == (date(2026, 3, 2), date(2026, 3, 4))
    assert whole_days(at("2026-03-01T23:00:01"), at("2026-03-03T22:59:59"), PARIS) == (date(2026, 3, 3), date(2026, 3, 3))
