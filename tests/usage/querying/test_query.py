"""Events of the cast, in UTC; Acme lives in Paris, an hour ahead in winter: its 10 March begins on the 9th at 23:00."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from customers.services import update_customer
from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event
from usage.corrections import void_event
from usage.ingestion import ingest
from usage.models import Meter
from usage.querying import MeterQuery, TooMuch, UsageRow, WindowSize, query, reading, usage_rows

pytestmark = pytest.mark.django_db

PARIS = ZoneInfo("Europe/Paris")
EVENTS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("1", "acme", "2026-03-09T22:30:00", {"n": 1, "model": "a"}),
    ("2", "acme", "2026-03-09T23:30:00", {"n": "0.25", "model": "b"}),
    ("3", "acme-eu", "2026-03-10T10:15:00", {"n": 3}),
    ("4", "acme", "2026-03-10T10:15:30", {"n": 5, "model": "a"}),
    ("5", "beta", "2026-03-10T10:16:00", {"n": 100, "model": "a"}),
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def meter() -> Meter:
    a_customer("acme", timezone="Europe/Paris", keys=["acme-eu"])
    a_customer("beta")
    made = a_meter("tokens", aggregation="sum", value_path="n", dimensions=["model"])
    ingest([an_event(name, data, subject=subject, occurred_at=at(time)) for name, subject, time, data in EVENTS], now=NOW)
    return made


def asked(meter: Meter, **fields: Any) -> list[tuple[str, str, dict[str, str | None], str]]:
    return [shown(row) for row in usage_rows(MeterQuery(meter=meter, **fields))]


def shown(row: UsageRow) -> tuple[str, str, dict[str, str | None], str]:
    return row.start.strftime("%dT%H:%M"), row.end.strftime("%dT%H:%M"), row.groups, format(row.value.normalize(), "f")


def acme(meter: Meter) -> tuple[int, ...]:
    return (Customer.objects.get(external_id="acme").pk,)


def test_total_covers_all_counted_days_when_no_bounds_are_given(meter: Meter) -> None:
    # 1 + 0.25 + 3 + 5 + 100; from Acme's 9 March (23:00 UTC of the 8th) to the end of Beta's 10 March
    assert asked(meter) == [("08T23:00", "11T00:00", {}, "109.25")]


def test_days_of_the_customers_own_zone_come_from_rollups_alone(meter: Meter) -> None:
    customers = acme(meter)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        rows = asked(meter, customer_ids=customers, window_size=WindowSize.DAY, zone=PARIS)

    # In Paris 22:30 UTC is still the 9th, 23:30 UTC is the 10th: 0.25 + 3 + 5.
    assert rows == [("08T23:00", "09T23:00", {}, "1"), ("09T23:00", "10T23:00", {}, "8.25")]
    assert not [each for each in queries.captured_queries if "usage_event" in each["sql"]]


def test_days_of_another_zone_are_counted_from_events(meter: Meter) -> None:
    # In UTC both events of the evening are on the 9th: 1 + 0.25, then 3 + 5.
    rows = asked(meter, customer_ids=acme(meter), window_size=WindowSize.DAY)
    assert [(start, value) for start, _end, _groups, value in rows] == [("09T00:00", "1.25"), ("10T00:00", "8")]


@pytest.mark.parametrize(
    ("start", "end", "total"),
    [
        ("2026-03-09T23:00:00", "2026-03-10T23:00:00", "8.25"),  # the day itself: rollups
        ("2026-03-09T22:30:00", "2026-03-10T10:15:30", "4.25"),  # 1 before midnight, 0.25 + 3 after; the end is not included
        ("2026-03-09T22:30:01", "2026-03-12T00:00:00", "8.25"),
        ("2026-03-10T10:15:00", "2026-03-10T10:15:01", "3"),
    ],
)
def test_cut_days_are_completed_from_events(meter: Meter, start: str, end: str, total: str) -> None:
    rows = asked(meter, customer_ids=acme(meter), start=at(start), end=at(end))
    assert [row[3] for row in rows] == [total]


def test_first_and_last_window_are_cut_to_what_was_asked(meter: Meter) -> None:
    rows = asked(
        meter,
        customer_ids=acme(meter),
        start=at("2026-03-10T10:15:10"),
        end=at("2026-03-10T10:15:50"),
        window_size=WindowSize.MINUTE,
    )
    assert rows == [("10T10:15", "10T10:15", {}, "5")]


def test_minutes_and_hours_over_all_customers(meter: Meter) -> None:
    start, end = at("2026-03-10T10:00:00"), at("2026-03-10T11:00:00")
    minutes = asked(meter, start=start, end=end, window_size=WindowSize.MINUTE)
    assert minutes == [("10T10:15", "10T10:16", {}, "8"), ("10T10:16", "10T10:17", {}, "100")]
    assert asked(meter, start=start, end=end, window_size=WindowSize.HOUR) == [("10T10:00", "10T11:00", {}, "108")]


def test_months_of_the_customers_own_zone(meter: Meter) -> None:
    rows = asked(meter, customer_ids=acme(meter), window_size=WindowSize.MONTH, zone=PARIS)
    # March from the first counted day to the last: 1 + 0.25 + 3 + 5
    assert rows == [("08T23:00", "10T23:00", {}, "9.25")]


def test_groups_by_dimension_and_a_missing_member_is_none(meter: Meter) -> None:
    rows = asked(meter, customer_ids=acme(meter), group_by=("model",))
    assert [(row[2]["model"], row[3]) for row in rows] == [(None, "3"), ("a", "6"), ("b", "0.25")]


def test_groups_by_subject_from_events(meter: Meter) -> None:
    rows = asked(meter, group_by=("subject", "model"))
    assert [(*row[2].values(), row[3]) for row in rows] == [
        ("acme", "a", "6"),
        ("acme", "b", "0.25"),
        ("acme-eu", None, "3"),
        ("beta", "a", "100"),
    ]


@pytest.mark.parametrize("window_size", [None, WindowSize.HOUR])
def test_filters_by_dimension_in_rollups_and_events(meter: Meter, window_size: WindowSize | None) -> None:
    rows = asked(meter, customer_ids=acme(meter), filters={"model": ["b", "c"]}, window_size=window_size)
    assert [row[3] for row in rows] == ["0.25"]
    assert asked(meter, customer_ids=acme(meter), filters={"model": []}, window_size=window_size) == []


def test_subject_alone_is_told_apart_from_its_customer(meter: Meter) -> None:
    rows = asked(meter, customer_ids=acme(meter), subjects=frozenset({"acme-eu"}))
    assert [row[3] for row in rows] == ["3"]


def test_all_subjects_of_a_customer_come_from_rollups(meter: Meter) -> None:
    customers = acme(meter)
    with CaptureQueriesContext(connection) as queries:
        rows = asked(meter, customer_ids=customers, subjects=frozenset({"acme", "acme-eu"}))
    assert [row[3] for row in rows] == ["9.25"]
    assert not [each for each in queries.captured_queries if "usage_event" in each["sql"]]


def test_subject_that_was_taken_away_is_not_counted_for_the_others(meter: Meter) -> None:
    customers = acme(meter)
    update_customer(customer_id=customers[0], changes={"subject_keys": []}, actor=ACTOR, now=NOW)

    # acme is the only key now, but the 3 of acme-eu came in as well: 1 + 0.25 + 5
    assert [row[3] for row in asked(meter, customer_ids=customers, subjects=frozenset({"acme"}))] == ["6.25"]
    # All of the customer is still all of it.
    assert [row[3] for row in asked(meter, customer_ids=customers)] == ["9.25"]


@pytest.mark.parametrize(("aggregation", "value"), [("count", "4"), ("max", "5")])
@pytest.mark.parametrize("window_size", [None, WindowSize.MONTH])
def test_every_aggregation_from_rollups_and_from_events(
    meter: Meter, aggregation: str, value: str, window_size: WindowSize | None
) -> None:
    # The month of UTC is read from events, the total from rollups.
    other = a_meter("other", aggregation=aggregation, value_path="" if aggregation == "count" else "n")
    assert [row[3] for row in asked(other, customer_ids=acme(meter), window_size=window_size)] == [value]


def test_past_events_that_a_later_meter_cannot_use_are_left_out(meter: Meter) -> None:
    late = a_meter("late", aggregation="sum", value_path="model")
    assert asked(late) == []
    assert asked(late, group_by=("subject",)) == []


def test_too_many_events_or_rows_are_refused(meter: Meter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_EVENTS", 4)
    with pytest.raises(TooMuch) as refusal:
        asked(meter, window_size=WindowSize.HOUR)
    assert refusal.value.events
    assert len(asked(meter, customer_ids=acme(meter), window_size=WindowSize.HOUR)) == 3

    monkeypatch.setattr(query, "MOST_ROWS", 2)
    with pytest.raises(TooMuch) as refusal:
        asked(meter, customer_ids=acme(meter), window_size=WindowSize.HOUR)
    assert not refusal.value.events


def test_events_of_others_are_not_even_read(meter: Meter) -> None:
    customers = acme(meter)
    with CaptureQueriesContext(connection) as queries:
        asked(meter, customer_ids=customers, window_size=WindowSize.HOUR)
    statement = next(each["sql"] for each in queries.captured_queries if "usage_event" in each["sql"])
    assert f"'{{{customers[0]}}}'" in statement


def test_value_is_exact(meter: Meter) -> None:
    ingest([an_event("9", {"n": "999999999999999.123456789012"}, subject="beta")], now=NOW)
    [row] = usage_rows(MeterQuery(meter=meter, subjects=frozenset({"beta"})))
    assert row.value == Decimal("1000000000000099.123456789012")


@pytest.mark.parametrize("window_size", [None, WindowSize.HOUR])
def test_voided_event_is_not_counted(meter: Meter, window_size: WindowSize | None) -> None:
    void_event(source="test", event_id="4", reason="sent by mistake", actor=ACTOR, now=NOW)
    rows = asked(meter, customer_ids=acme(meter), window_size=window_size, start=at("2026-03-10T10:00:00"))
    # 3 + 5, without the 5
    assert [row[3] for row in rows] == ["3"]
