from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, cast
from zoneinfo import ZoneInfo, available_timezones

import pytest

from billing.pricing.period import Cadence, full_period_days, local_midnight, period_days, period_interval

MONTHLY = Cadence(interval="monthly")
ANNIVERSARY = Cadence(interval="monthly", anchor="anniversary")


def starts(cadence: Cadence, started_on: date, count: int) -> list[str]:
    return [period_days(cadence, started_on=started_on, index=index)[0].isoformat() for index in range(count)]


class TestAnniversary:
    def test_month_ends_are_clamped_from_the_original_day(self) -> None:
        assert starts(ANNIVERSARY, date(2026, 1, 31), 5) == [
            "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31",
        ]  # fmt: skip

    def test_a_leap_year_has_its_29th(self) -> None:
        assert starts(ANNIVERSARY, date(2027, 12, 30), 4) == ["2027-12-30", "2028-01-30", "2028-02-29", "2028-03-30"]

    def test_the_29th_of_february_comes_back_every_four_years(self) -> None:
        yearly = Cadence(interval="yearly", anchor="anniversary")
        assert starts(yearly, date(2024, 2, 29), 5) == ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]

    def test_weeks_and_quarters_and_multiples(self) -> None:
        fortnightly = Cadence(interval="weekly", count=2, anchor="anniversary")
        assert starts(fortnightly, date(2026, 3, 4), 3) == ["2026-03-04", "2026-03-18", "2026-04-01"]
        quarterly = Cadence(interval="quarterly", anchor="anniversary")
        assert starts(quarterly, date(2025, 11, 30), 3) == ["2025-11-30", "2026-02-28", "2026-05-30"]
        half_yearly = Cadence(interval="quarterly", count=2, anchor="anniversary")
        assert starts(half_yearly, date(2026, 8, 31), 3) == ["2026-08-31", "2027-02-28", "2027-08-31"]

    def test_every_period_is_a_full_one(self) -> None:
        assert full_period_days(ANNIVERSARY, started_on=date(2026, 1, 31), index=1) == (date(2026, 2, 28), date(2026, 3, 31))


class TestCalendar:
    @pytest.mark.parametrize(
        ("cadence", "started_on", "expected"),
        [
            (Cadence(interval="weekly"), date(2026, 3, 4), ["2026-03-04", "2026-03-09", "2026-03-16"]),  # a Wednesday
            (Cadence(interval="weekly"), date(2026, 3, 8), ["2026-03-08", "2026-03-09", "2026-03-16"]),  # a Sunday
            (Cadence(interval="weekly"), date(2026, 3, 9), ["2026-03-09", "2026-03-16", "2026-03-23"]),  # a Monday
            (MONTHLY, date(2026, 1, 31), ["2026-01-31", "2026-02-01", "2026-03-01"]),
            (MONTHLY, date(2026, 2, 1), ["2026-02-01", "2026-03-01", "2026-04-01"]),
            (Cadence(interval="quarterly"), date(2026, 2, 10), ["2026-02-10", "2026-04-01", "2026-07-01"]),
            (Cadence(interval="quarterly"), date(2026, 12, 31), ["2026-12-31", "2027-01-01", "2027-04-01"]),
            (Cadence(interval="yearly"), date(2026, 2, 10), ["2026-02-10", "2027-01-01", "2028-01-01"]),
            (Cadence(interval="monthly", count=2), date(2026, 2, 10), ["2026-02-10", "2026-03-01", "2026-05-01"]),
            (Cadence(interval="yearly", count=2), date(2026, 2, 10), ["2026-02-10", "2027-01-01", "2029-01-01"]),
            # Fortnights count from Monday 1 January 2001: 9 March 2026 is 1,314 weeks later, an even number.
            (Cadence(interval="weekly", count=2), date(2026, 3, 4), ["2026-03-04", "2026-03-09", "2026-03-23"]),
            (MONTHLY, date(1999, 12, 15), ["1999-12-15", "2000-01-01", "2000-02-01"]),
        ],
    )
    def test_the_first_period_ends_at_the_next_cut(self, cadence: Cadence, started_on: date, expected: list[str]) -> None:
        assert starts(cadence, started_on, 3) == expected

    @pytest.mark.parametrize(
        ("day", "started_on", "expected"),
        [
            (15, date(2026, 1, 20), ["2026-01-20", "2026-02-15", "2026-03-15"]),
            (15, date(2026, 1, 14), ["2026-01-14", "2026-01-15", "2026-02-15"]),
            (15, date(2026, 1, 15), ["2026-01-15", "2026-02-15", "2026-03-15"]),
            (31, date(2026, 2, 27), ["2026-02-27", "2026-02-28", "2026-03-31"]),
            (31, date(2026, 2, 28), ["2026-02-28", "2026-03-31", "2026-04-30"]),
        ],
    )
    def test_a_billing_day_moves_the_cuts(self, day: int, started_on: date, expected: list[str]) -> None:
        assert starts(Cadence(interval="monthly", day=day), started_on, 3) == expected

    def test_the_full_period_reaches_back_before_the_start(self) -> None:
        started_on = date(2026, 3, 22)
        assert period_days(MONTHLY, started_on=started_on, index=0) == (started_on, date(2026, 4, 1))
        assert full_period_days(MONTHLY, started_on=started_on, index=0) == (date(2026, 3, 1), date(2026, 4, 1))
        assert full_period_days(MONTHLY, started_on=started_on, index=1) == (date(2026, 4, 1), date(2026, 5, 1))


class TestRefusals:
    @pytest.mark.parametrize(
        ("members", "message"),
        [
            ({"interval": "daily"}, "the interval must be weekly, monthly, quarterly or yearly, got 'daily'"),
            ({"interval": "monthly", "anchor": "moon"}, "the anchor must be calendar or anniversary, got 'moon'"),
            ({"interval": "monthly", "count": 0}, "the count must be one or more, got 0"),
            ({"interval": "monthly", "day": 32}, "the billing day must be 1 to 31, got 32"),
            ({"interval": "weekly", "day": 2}, "a billing day needs the calendar anchor and months: leave it at 1"),
            (
                {"interval": "monthly", "anchor": "anniversary", "day": 2},
                "a billing day needs the calendar anchor and months: leave it at 1",
            ),
        ],
    )
    def test_a_cadence_that_cannot_be(self, members: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=f"^{message}$"):
            Cadence(**members)

    def test_periods_are_counted_from_zero(self) -> None:
        with pytest.raises(ValueError, match="counted from 0, got -1"):
            period_days(MONTHLY, started_on=date(2026, 1, 1), index=-1)


class TestLocalMidnight:
    @pytest.mark.parametrize(
        ("day", "zone", "instant"),
        [
            (date(2026, 3, 1), "UTC", "2026-03-01T00:00:00+00:00"),
            (date(2026, 3, 30), "Europe/Berlin", "2026-03-29T22:00:00+00:00"),  # the day after the clocks went forward
            (date(2026, 3, 29), "Europe/Berlin", "2026-03-28T23:00:00+00:00"),
            (date(2018, 11, 4), "America/Sao_Paulo", "2018-11-04T03:00:00+00:00"),  # 00:00 jumped to 01:00
            (date(2018, 2, 18), "America/Sao_Paulo", "2018-02-18T03:00:00+00:00"),  # 24:00 went back to 23:00
            (date(2025, 11, 2), "America/Havana", "2025-11-02T04:00:00+00:00"),  # 01:00 went back to 00:00: the first one
            (date(1919, 3, 31), "America/Toronto", "1919-03-31T04:30:00+00:00"),  # 23:30 jumped to 00:30
            (date(2011, 12, 30), "Pacific/Apia", "2011-12-30T10:00:00+00:00"),  # the day was left out
            (date(2011, 12, 31), "Pacific/Apia", "2011-12-30T10:00:00+00:00"),
        ],
    )
    def test_the_day_begins_at_its_first_instant(self, day: date, zone: str, instant: str) -> None:
        begins = local_midnight(day, ZoneInfo(zone))
        assert begins.isoformat() == instant
        assert begins.tzinfo is UTC

    def test_it_bears_the_date_and_the_second_before_does_not_in_every_zone(self) -> None:
        # Days of 2018 and 2025 around which zones change their clocks, and two quiet ones.
        days = [date(2018, 3, 25), date(2018, 11, 4), date(2025, 3, 9), date(2025, 4, 25), date(2025, 10, 26), date(2025, 7, 1)]
        zones = sorted(available_timezones())
        assert len(zones) > 500
        for name in zones:
            zone = ZoneInfo(name)
            for day in days:
                instant = local_midnight(day, zone)
                assert instant.tzinfo is UTC
                assert instant.astimezone(zone).date() == day, (name, day)
                assert (instant - timedelta(seconds=1)).astimezone(zone).date() < day, (name, day)


class TestTiling:
    ZONES = (
        "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/Havana", "America/St_Johns",
        "Asia/Beirut", "Asia/Kathmandu", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati",
        "America/Santiago", "Asia/Tehran",
    )  # fmt: skip

    @pytest.mark.parametrize("zone_name", ZONES)
    def test_instants_touch_without_gap_or_overlap(self, zone_name: str) -> None:
        zone = ZoneInfo(zone_name)
        for day in (1, 28, 29, 30, 31):
            for anchor in ("calendar", "anniversary"):
                cadence = Cadence(interval="monthly", anchor=cast(Any, anchor))
                started_on = date(2008, 1, day)
                intervals = [period_interval(cadence, started_on=started_on, index=index, zone=zone) for index in range(120)]
                assert intervals[0].start == local_midnight(started_on, zone)
                assert all(before.end == after.start for before, after in pairwise(intervals))

    @pytest.mark.parametrize("interval", ["weekly", "monthly", "quarterly", "yearly"])
    @pytest.mark.parametrize("count", [1, 2, 3, 5])
    def test_every_day_of_ten_years_lies_in_one_period(self, interval: str, count: int) -> None:
        for anchor, billing_day in (("calendar", 1), ("calendar", 29), ("anniversary", 1)):
            day = billing_day if interval != "weekly" else 1
            cadence = Cadence(interval=cast(Any, interval), count=count, anchor=cast(Any, anchor), day=day)
            for started_on in (date(2020, 2, 29), date(2019, 12, 31), date(2021, 1, 1)):
                first, end = period_days(cadence, started_on=started_on, index=0)
                assert first == started_on
                index = 0
                while end < date(2030, 1, 1):
                    index += 1
                    first, next_end = period_days(cadence, started_on=started_on, index=index)
                    assert first == end < next_end
                    whole = full_period_days(cadence, started_on=started_on, index=index)
                    assert whole == (first, next_end)
                    end = next_end


def test_a_period_over_a_change_of_the_clocks_is_an_hour_short() -> None:
    interval = period_interval(MONTHLY, started_on=date(2026, 3, 1), index=0, zone=ZoneInfo("Europe/Berlin"))
    assert interval.start == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert interval.end == datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert interval.end - interval.start == timedelta(days=31) - timedelta(hours=1)
