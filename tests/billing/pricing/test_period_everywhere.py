"""
Periods tile time: in every zone, over twenty years, each instant of a subscription lies in exactly one of its periods.

Shown in three steps, each against a slow second way of finding the same: days follow days in every cadence; a local day
begins where a walk along the zone's offsets says; and so the instants of any cadence, in any zone, touch and rise.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise, product
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo, available_timezones

import pytest

from billing.pricing.period import Cadence, full_period_days, local_midnight, period_days, period_interval
from squill.lib.interval import Interval

FIRST, END = date(2015, 1, 1), date(2036, 1, 1)  # of the starts, and of the periods
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
ZONES = sorted(available_timezones())
# As many parts as make a run on several cores quick.
PARTS = [ZONES[part::6] for part in range(6)]
MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}


def test_there_are_zones_enough_for_every_to_mean_something() -> None:
    assert len(ZONES) > 500
    assert sum(map(len, PARTS)) == len(ZONES)


# --- Days ---


def days_of_month(year: int, month: int) -> int:
    return (date(year + month // 12, month % 12 + 1, 1) - date(year, month, 1)).days


def month_cuts(origin: date, wanted_day: int, step: int) -> Iterator[date]:
    """Turn the pages of a wall calendar from the origin's, mark each `step`-th: its wanted day or, if it has none, its last."""
    year, month, pages = origin.year, origin.month, 0
    while year < END.year + 10:
        if pages % step == 0:
            yield date(year, month, min(wanted_day, days_of_month(year, month)))
        year, month, pages = year + month // 12, month % 12 + 1, pages + 1


def week_cuts(origin: date, step: int) -> Iterator[date]:
    while origin.year < END.year + 10:
        yield origin
        origin += DAY * 7 * step


def expected_cuts(cadence: Cadence, started_on: date) -> Iterator[date]:
    """The start, then every cut after it."""
    origin = started_on if cadence.anchor == "anniversary" else date(2001, 1, 1)
    if cadence.interval == "weekly":
        cuts = week_cuts(origin, cadence.count)
    else:
        day = started_on.day if cadence.anchor == "anniversary" else cadence.day
        cuts = month_cuts(origin, day, MONTHS[cadence.interval] * cadence.count)
    yield started_on
    yield from (cut for cut in cuts if cut > started_on)


def check_days(cadence: Cadence, started_on: date) -> None:
    """Compare every period from the start to the end of the years with the wall calendar."""
    for index, (first, end) in enumerate(pairwise(expected_cuts(cadence, started_on))):
        assert period_days(cadence, started_on=started_on, index=index) == (first, end), (cadence, started_on, index)
        whole_first, whole_end = full_period_days(cadence, started_on=started_on, index=index)
        assert whole_end == end
        assert whole_first <= first
        assert whole_first == first or (index == 0 and cadence.anchor == "calendar")
        if end >= END:
            return


# Every month of a common year and of a leap year, on the days that months may lack and some others.
STARTS = [
    date(year, month, day)
    for year, month, day in product((2015, 2016), range(1, 13), (1, 15, 28, 29, 30, 31))
    if day <= days_of_month(year, month)
]


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("interval", ["weekly", "monthly", "quarterly", "yearly"])
def test_anniversaries_are_those_of_a_wall_calendar(interval: str, count: int) -> None:
    cadence = Cadence(interval=cast(Any, interval), count=count, anchor="anniversary")
    for started_on in STARTS:
        check_days(cadence, started_on)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("interval", ["weekly", "monthly", "quarterly", "yearly"])
def test_calendar_cuts_are_those_of_a_wall_calendar(interval: str, count: int) -> None:
    for day in (1, 2, 15, 28, 29, 30, 31) if interval != "weekly" else (1,):
        cadence = Cadence(interval=cast(Any, interval), count=count, day=day)
        for started_on in (date(2015, 1, 1), date(2015, 12, 31), date(2016, 2, 29), date(2016, 3, 1), date(2016, 4, 30)):
            check_days(cadence, started_on)


def test_the_29th_of_february_and_the_31st_come_back() -> None:
    def firsts(cadence: Cadence, started_on: date, count: int) -> list[str]:
        return [period_days(cadence, started_on=started_on, index=index)[0].isoformat() for index in range(count)]

    yearly = Cadence(interval="yearly", anchor="anniversary")
    assert firsts(yearly, date(2016, 2, 29), 5) == ["2016-02-29", "2017-02-28", "2018-02-28", "2019-02-28", "2020-02-29"]
    monthly = Cadence(interval="monthly", anchor="anniversary")
    # February of a leap year between two months of 31 days
    assert firsts(monthly, date(2016, 1, 31), 4) == ["2016-01-31", "2016-02-29", "2016-03-31", "2016-04-30"]
    every_other = Cadence(interval="monthly", count=2, anchor="anniversary")
    assert firsts(every_other, date(2016, 12, 30), 3) == ["2016-12-30", "2017-02-28", "2017-04-30"]


# --- Instants ---


class Span(NamedTuple):
    """A span of time in which a zone keeps one offset, in seconds since 1970: [start, end)."""

    start: int
    end: int
    offset: int


SINCE = datetime(1970, 1, 1, tzinfo=UTC)
STEP = 4 * 86400  # no zone changed its offset for a shorter time and went back to it


def seconds(instant: datetime) -> int:
    return (instant - SINCE) // SECOND


def offset_at(zone: ZoneInfo, second: int) -> int:
    offset = (SINCE + second * SECOND).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // SECOND


@cache
def as_if_utc(day: date) -> int:
    """The midnight of a day on the wall, as if the wall hung in Greenwich."""
    return seconds(datetime(day.year, day.month, day.day, tzinfo=UTC))


@cache
def spans_of(zone: ZoneInfo) -> list[Span]:
    """Find all changes of a zone's offset by looking at it every few days, and then closer."""
    start, stop = as_if_utc(date(1970, 1, 3)), as_if_utc(END + 3 * DAY)
    spans: list[Span] = []
    offset = offset_at(zone, start)
    for second in range(start, stop, STEP):
        if offset_at(zone, second) == offset:
            continue
        before, after = second - STEP, second
        while after - before > 1:
            middle = (before + after) // 2
            if offset_at(zone, middle) == offset:
                before = middle
            else:
                after = middle
        spans.append(Span(spans[-1].end if spans else start, after, offset))
        offset = offset_at(zone, second)
    return [*spans, Span(spans[-1].end if spans else start, stop, offset)]


def first_instant_of(day: date, spans: list[Span]) -> int:
    """Walk along the spans to the first instant whose local date is the day, or a later one."""
    midnight = as_if_utc(day)
    # No offset reaches a day, and spans around here are enough to look at.
    near = bisect_right(spans, midnight - 2 * 86400, key=lambda span: span.end)
    for span in spans[near:]:
        instant = max(span.start, midnight - span.offset)
        if instant < span.end:
            return instant
    raise AssertionError(f"{day} does not begin")


# Mondays, and the days around the ends of months: what cadences cut at.
CUT_DAYS = sorted(
    {date(year, month, day) for year, month, day in product(range(FIRST.year, END.year), range(1, 13), (1, 28))}
    | {date(year, month, days_of_month(year, month)) for year, month in product(range(FIRST.year, END.year), range(1, 13))}
    | {day for day in week_cuts(date(2015, 1, 5), 1) if day < END}
)


def changes_of(zone: ZoneInfo, first: date, end: date) -> list[datetime]:
    return [SINCE + span.start * SECOND for span in spans_of(zone)[1:] if as_if_utc(first) <= span.start < as_if_utc(end)]


def days_around_changes(zone: ZoneInfo, first: date, end: date) -> set[date]:
    return {change.date() + days * DAY for change in changes_of(zone, first, end) for days in (-1, 0, 1, 2)}


@pytest.mark.parametrize("names", PARTS, ids=lambda names: f"from {names[0]}")
def test_every_cut_of_every_zone_is_the_first_instant_of_its_day_and_later_than_the_one_before(names: list[str]) -> None:
    for name in names:
        zone = ZoneInfo(name)
        spans = spans_of(zone)
        before = 0
        for day in sorted({*CUT_DAYS, *days_around_changes(zone, FIRST, END)}):
            instant = seconds(local_midnight(day, zone))
            assert instant == first_instant_of(day, spans), (name, day)
            assert instant > before, (name, day)
            before = instant


@pytest.mark.parametrize("names", PARTS, ids=lambda names: f"from {names[0]}")
def test_in_every_zone_each_instant_lies_in_exactly_one_period(names: list[str]) -> None:
    started_on = date(2015, 1, 31)
    cadence = Cadence(interval="monthly", anchor="anniversary")
    for name in names:
        zone = ZoneInfo(name)
        periods = [period_interval(cadence, started_on=started_on, index=index, zone=zone) for index in range(12 * 20)]
        assert all(before.end == after.start for before, after in pairwise(periods)), name
        starts = [period.start for period in periods]
        assert starts == sorted(set(starts)), name
        for change in changes_of(zone, date(2022, 1, 1), date(2025, 1, 1)):
            for instant in (change - SECOND, change, change + SECOND):
                around = bisect_right(starts, instant)
                holding = [index for index in range(around - 2, around + 2) if instant in periods[index]]
                assert len(holding) == 1, (name, instant)


@pytest.mark.parametrize("names", PARTS, ids=lambda names: f"from {names[0]}")
def test_since_1970_a_day_around_a_change_of_the_clocks_begins_at_its_first_instant(names: list[str]) -> None:
    for name in names:
        zone = ZoneInfo(name)
        spans = spans_of(zone)
        for day in days_around_changes(zone, date(1970, 1, 10), FIRST):
            assert seconds(local_midnight(day, zone)) == first_instant_of(day, spans), (name, day)


@pytest.mark.parametrize(
    ("zone", "day", "begins", "wall"),
    [
        # No midnight: the clocks jump from 24:00 to 01:00.
        ("America/Sao_Paulo", date(2017, 10, 15), "2017-10-15T03:00:00+00:00", "01:00"),
        ("Africa/Cairo", date(2024, 4, 26), "2024-04-25T22:00:00+00:00", "01:00"),
        ("Asia/Beirut", date(2025, 3, 30), "2025-03-29T22:00:00+00:00", "01:00"),
        ("America/Santiago", date(2024, 9, 8), "2024-09-08T04:00:00+00:00", "01:00"),
        # Midnight twice: the clocks go back from 01:00 to 00:00, and the first one counts.
        ("America/Havana", date(2024, 11, 3), "2024-11-03T04:00:00+00:00", "00:00"),
        ("Atlantic/Azores", date(2024, 10, 27), "2024-10-27T00:00:00+00:00", "00:00"),
        # The last hour of the day before twice: it begins after the second.
        ("Africa/Cairo", date(2024, 11, 1), "2024-10-31T22:00:00+00:00", "00:00"),
        ("Asia/Beirut", date(2025, 10, 26), "2025-10-25T22:00:00+00:00", "00:00"),
        # A minute of the new day, then an hour of the old again: the minute counts.
        ("America/St_Johns", date(2010, 11, 7), "2010-11-07T02:30:00+00:00", "00:00"),
        # A quarter of an hour, half an hour.
        ("Pacific/Chatham", date(2024, 9, 29), "2024-09-28T11:15:00+00:00", "00:00"),
        ("Australia/Lord_Howe", date(2024, 10, 6), "2024-10-05T13:30:00+00:00", "00:00"),
    ],
)
def test_midnights_that_do_not_exist_or_occur_twice(zone: str, day: date, begins: str, wall: str) -> None:
    instant = local_midnight(day, ZoneInfo(zone))
    assert instant.isoformat() == begins
    assert instant.astimezone(ZoneInfo(zone)).isoformat(sep=" ", timespec="minutes")[:16] == f"{day} {wall}"


@pytest.mark.parametrize(
    ("zone", "missing"),
    [("Pacific/Apia", date(2011, 12, 30)), ("Pacific/Fakaofo", date(2011, 12, 30)), ("Pacific/Kwajalein", date(1993, 8, 21))],
)
def test_a_day_that_a_zone_left_out_has_no_length_and_tears_no_hole(zone: str, missing: date) -> None:
    place = ZoneInfo(zone)
    before, left_out, after = (local_midnight(missing + days * DAY, place) for days in (-1, 0, 1))
    assert left_out == after == before + DAY
    for weekly in (Cadence(interval="weekly"), Cadence(interval="weekly", anchor="anniversary")):
        started_on = missing - 10 * DAY
        periods = [period_interval(weekly, started_on=started_on, index=index, zone=place) for index in range(5)]
        assert all(one.end == other.start for one, other in pairwise(periods))
        # A week of six days there
        assert sum((period.end - period.start for period in periods[1:4]), timedelta()) == 3 * 7 * DAY - DAY
    # A period that is that day alone cannot be; no local date of a start says so.
    with pytest.raises(ValueError, match="must end after it starts"):
        Interval(left_out, after)
