"""Seats from 1 March on: 10 of plan a, 4 more of plan b at noon of the 3rd, 2 of plan a fewer at 6:00 of the 5th."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event
from usage.corrections import void_event
from usage.ingestion import ingest
from usage.models import Meter
from usage.querying import MeterQuery, TooMuch, WindowSize, reading, usage_rows

pytestmark = pytest.mark.django_db

DAY, HOUR, MONTH = WindowSize.DAY, WindowSize.HOUR, WindowSize.MONTH
SEATS = [
    ("1", "acme", "2026-03-01T00:00", 10, "a"),
    ("2", "acme-eu", "2026-03-03T12:00", 4, "b"),
    ("3", "acme", "2026-03-05T06:00", -2, "a"),
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def change(event_id: str, subject: str, time: str, n: Any, plan: str = "a") -> None:
    ingest([an_event(event_id, {"n": n, "plan": plan}, subject=subject, occurred_at=at(time))], now=NOW)


@pytest.fixture
def meter() -> Meter:
    a_customer("acme", keys=["acme-eu"])
    made = a_meter("seats", aggregation="weighted_sum", value_path="n", dimensions=["plan"])
    for each in SEATS:
        change(*each)
    return made


def asked(meter: Meter, start: str | None = None, end: str | None = None, **fields: Any) -> list[tuple[str, str]]:
    query = MeterQuery(meter=meter, start=start and at(start), end=end and at(end), **fields)  # type: ignore[arg-type]
    return [
        (row.start.strftime("%dT%H:%M") + "".join(f" {name}" for name in row.groups.values()), format(row.value.normalize(), "f"))
        for row in usage_rows(query)
    ]


def test_days_go_on_from_what_was_before_and_after_the_last_event(meter: Meter) -> None:
    # 10 + 4 * 12/24; 14; 14 - 2 * 18/24; then 12 for as long as is asked
    assert asked(meter, "2026-03-03", "2026-03-08", window_size=DAY) == [
        ("03T00:00", "12"), ("04T00:00", "14"), ("05T00:00", "12.5"), ("06T00:00", "12"), ("07T00:00", "12")
    ]  # fmt: skip


def test_total_is_the_average_over_the_whole_span(meter: Meter) -> None:
    # (12 + 14 + 12.5) / 3
    assert asked(meter, "2026-03-03", "2026-03-06") == [("03T00:00", "12.833333333333")]
    # From the first counted day to the end of the last: (10 + 10 + 12 + 14 + 12.5) / 5
    assert asked(meter) == [("01T00:00", "11.7")]


def test_hours_and_spans_within_a_day_are_cut_exactly(meter: Meter) -> None:
    assert asked(meter, "2026-03-03T11:00", "2026-03-03T14:00", window_size=HOUR) == [
        ("03T11:00", "10"), ("03T12:00", "14"), ("03T13:00", "14")
    ]  # fmt: skip
    assert asked(meter, "2026-03-03T11:30", "2026-03-03T12:30", window_size=HOUR) == [("03T11:30", "10"), ("03T12:00", "14")]
    assert asked(meter, "2026-03-03T11:30", "2026-03-03T12:30") == [("03T11:30", "12")]
    # The first day is cut: 10 for 6 hours, 14 for 12; and the last: 14 for 6 hours, 12 for 6.
    assert asked(meter, "2026-03-03T06:00", "2026-03-05T12:00", window_size=DAY) == [
        ("03T06:00", "12.666666666667"), ("04T00:00", "14"), ("05T00:00", "13")
    ]  # fmt: skip


def test_months_take_the_level_over(meter: Meter) -> None:
    # March: (10 + 10 + 12 + 14 + 12.5 + 26 * 12) / 31 = 370.5 / 31; April goes on with 12.
    assert asked(meter, "2026-02-01", "2026-05-01", window_size=MONTH) == [("01T00:00", "11.951612903226"), ("01T00:00", "12")]


def test_before_the_first_event_there_is_no_level(meter: Meter) -> None:
    assert asked(meter, "2026-02-01", "2026-03-01", window_size=DAY) == []
    assert asked(meter, "2026-02-01", "2026-02-01T12:00") == []
    assert asked(meter, None, "2026-02-01") == []


@pytest.mark.parametrize("window_size", [None, DAY, HOUR])
@pytest.mark.parametrize("start", ["2026-03-06T00:00", "2026-03-08T10:00"])
def test_span_that_begins_after_the_last_counted_day_and_has_no_end_is_empty(
    meter: Meter, start: str, window_size: WindowSize | None
) -> None:
    assert asked(meter, start, window_size=window_size) == []


def test_groups_have_levels_of_their_own(meter: Meter) -> None:
    assert asked(meter, "2026-03-03", "2026-03-06", window_size=DAY, group_by=("plan",)) == [
        ("03T00:00 a", "10"), ("03T00:00 b", "2"), ("04T00:00 a", "10"), ("04T00:00 b", "4"),
        ("05T00:00 a", "8.5"), ("05T00:00 b", "4")
    ]  # fmt: skip
    assert asked(meter, "2026-03-05", "2026-03-06", filters={"plan": ["b"]}) == [("05T00:00", "4")]


def test_subjects_have_levels_of_their_own(meter: Meter) -> None:
    span = ("2026-03-05", "2026-03-06")
    assert asked(meter, *span, group_by=("subject",)) == [("05T00:00 acme", "8.5"), ("05T00:00 acme-eu", "4")]
    assert asked(meter, *span, subjects=frozenset({"acme-eu"})) == [("05T00:00", "4")]
    assert asked(meter, *span, subjects=frozenset({"acme", "acme-eu"})) == [("05T00:00", "12.5")]


def test_level_below_zero_is_told_as_zero_and_comes_back_from_where_it_was(meter: Meter) -> None:
    change("4", "acme", "2026-03-06T00:00", -20)
    change("5", "acme", "2026-03-07T12:00", 10)
    # 12 - 20 = -8 on the 6th; on the 7th -8 for half a day and 2 for the other: -3; then 2
    assert asked(meter, "2026-03-06", "2026-03-09", window_size=DAY) == [
        ("06T00:00", "0"), ("07T00:00", "0"), ("08T00:00", "2")
    ]  # fmt: skip


def test_voided_change_leaves_the_level_as_if_it_had_never_been(meter: Meter) -> None:
    void_event(source="test", event_id="2", reason="wrong", actor=ACTOR, now=NOW)
    for size in (DAY, None):
        assert asked(meter, "2026-03-04", "2026-03-05", window_size=size) == [("04T00:00", "10")]


def test_whole_days_are_read_from_rollups_alone(meter: Meter) -> None:
    with CaptureQueriesContext(connection) as queries:
        asked(meter, "2026-03-02", "2026-03-09", window_size=DAY)
    assert not [each for each in queries.captured_queries if "JOIN usage_event" in each["sql"]]


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "America/St_Johns", "America/Havana", "Asia/Kathmandu"])
@pytest.mark.parametrize("window_size", [None, DAY, MONTH])
@pytest.mark.parametrize("bounds", [(None, None), ("2026-03-08T05:00", "2026-03-30T21:45"), ("2026-03-29T12:00", "2026-04-02")])
def test_rollups_and_events_tell_the_same(timezone: str, window_size: WindowSize | None, bounds: tuple[str, str]) -> None:
    a_customer("other", timezone=timezone)
    meter = a_meter("seats", aggregation="weighted_sum", value_path="n", dimensions=["plan"])
    for number, (time, n) in enumerate(
        [
            ("02-27T23:30", 7),
            ("03-08T04:59", 2),
            ("03-08T06:30", "-0.5"),
            ("03-29T00:30", 3),
            ("03-29T01:30", -4),
            ("03-31T22:00", 1),
        ]
    ):
        change(f"o{number}", "other", f"2026-{time}", n)

    by_rollups = asked(meter, *bounds, window_size=window_size, zone=ZoneInfo(timezone))
    by_events = asked(meter, *bounds, window_size=window_size, zone=ZoneInfo(timezone), group_by=("subject",))

    assert by_rollups == [(start.removesuffix(" other"), value) for start, value in by_events]
    assert by_rollups


@pytest.mark.parametrize(
    ("instant", "start", "end", "n"),
    [
        ("2026-03-29T10:00", "2026-03-28T23:00", "2026-03-29T22:00", 23),  # noon of a day of 23 hours
        ("2025-10-26T11:00", "2025-10-25T22:00", "2025-10-26T23:00", 25),  # and of one of 25
    ],
)
def test_day_is_as_long_as_it_is_where_clocks_change(instant: str, start: str, end: str, n: int) -> None:
    a_customer("berlin", timezone="Europe/Berlin")
    meter = a_meter("seats", aggregation="weighted_sum", value_path="n")
    change("1", "berlin", instant, n)
    # As many as the day has hours, for its last 12.
    for fields in ({}, {"window_size": DAY, "zone": ZoneInfo("Europe/Berlin")}, {"window_size": DAY, "group_by": ("subject",)}):
        zone = {"zone": ZoneInfo("Europe/Berlin")}
        assert [value for _start, value in asked(meter, start, end, **(fields | zone))] == ["12"]


def test_levels_of_customers_in_different_zones_add_up(meter: Meter) -> None:
    a_customer("tokyo", timezone="Asia/Tokyo")
    change("t", "tokyo", "2026-03-03T18:00", 8)
    # Acme has 12 on the 3rd; Tokyo 8 for its last 6 hours: 2.
    assert asked(meter, "2026-03-03", "2026-03-04", window_size=DAY) == [("03T00:00", "14")]
    assert asked(meter, "2026-03-04", "2026-03-05") == [("04T00:00", "22")]  # 14 + 8


def test_too_many_days_of_rollups_are_refused_and_not_cut_short(meter: Meter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_EVENTS", 3)
    assert asked(meter, "2026-03-04", "2026-03-05") == [("04T00:00", "14")]
    monkeypatch.setattr(reading, "MOST_EVENTS", 1)
    with pytest.raises(TooMuch):
        asked(meter, "2026-03-04", "2026-03-05")
