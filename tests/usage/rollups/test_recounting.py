"""Counting in SQL, which reconcile compares the rollups with, agrees with what counts when events come in."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from billing.reconciliation.report import reconcile
from tests.usage.builders import NOW, a_customer, a_meter, an_event, counts, kept, recomputed
from usage.ingestion import ingest
from usage.rollups.recounting import recounted

pytestmark = pytest.mark.django_db

ODD: list[Any] = [
    None, "", "eu", "EU", " 1", "1 ", "1\n", 0, 1, -1, "1", "+1", "-1", "1.", ".5", "1.0", Decimal("1.5"), "1.50", "1e0", "1E2",
    "1e+2", "1e-2", "1e59", "1e60", "1e99", "0e99", "1e100", "1e0001", "1e-0001", "1e-60", "1e-61", "1e-99", "5e-61",
    "0" * 59 + "1", "0" * 60 + "1", "0" * 100 + "1", "9" * 60, "9" * 61, "0." + "0" * 59 + "1", "0." + "0" * 60 + "1",
    "0." + "0" * 61 + "1",
    "1." + "0" * 80, "1." + "0" * 130, "NaN", "Infinity", "-0", "0x1", "1_0", "٣", True, False, "true", [], [1], ["eu"], {},
    {"eu": 1}, Decimal("0.0000001"), Decimal("0.000000000001"), "0.0000001", 10**59, 2**64, "x" * 300, "a\u2028b", "\x1e", "\x7f",
]  # fmt: skip
CONDITIONS: list[dict[str, Any]] = [
    {"equals": "1"}, {"equals": "true"}, {"equals": ""}, {"equals": "0.0000001"}, {"not_equals": "1"}, {"not_equals": "eu"},
    {"in": ["1", "eu", "0.0000001"]}, {"not_in": ["1", "eu", ""]}, {"exists": True}, {"exists": False}, {"gt": "0"}, {"gte": "1"},
    {"lt": "1"}, {"lte": "1"}, {"gt": "1e50"}, {"lt": "1e-50"}, {"gte": "-1"},
]  # fmt: skip


def test_recounting_in_sql_agrees_about_odd_data() -> None:
    a_customer()
    for number, asked in enumerate(CONDITIONS):
        a_meter(f"flat-{number:02}", filters={"m": asked})
        a_meter(f"deep-{number:02}", filters={"a.m": asked}, event_type="deep")
    datas: list[dict[str, Any]] = [{"a": {"m": sent}} for sent in ODD]
    beside: tuple[Any, ...] = (None, 2, "eu", [], {})
    datas += [{"a.m": sent, "a": {"m": 1}} for sent in beside]
    datas += [{"a": 5}, {"a": []}, {"a": None}, {}]
    ingest([an_event(f"f{number}", {"m": sent}) for number, sent in enumerate(ODD)], now=NOW)
    ingest([an_event(f"d{number}", data, event_type="deep") for number, data in enumerate(datas)], now=NOW)

    assert _counted_again() == _counted()
    told = dict(_counted())
    assert told["flat-08"] + told["flat-09"] == len(ODD)  # a member exists or does not


def test_recounting_in_sql_agrees_about_where_a_path_leads() -> None:
    a_customer()
    for path in ("a.0", "a.b", "a..b"):
        a_meter(f"count {path}".replace(" ", "-"), dimensions=[path])
        a_meter(f"filtered {path}".replace(" ", "-"), filters={path: {"exists": True}})
        a_meter(f"unique {path}".replace(" ", "-"), aggregation="unique_count", value_path=path, filters={path: {"exists": True}})
    datas: list[dict[str, Any]] = [
        {"a": [5, 6]}, {"a": {"0": 5, "b": 6, "": {"b": 7}}}, {"a.b": None, "a": {"b": 5}}, {"a.b": "x", "a": {"b": 5}},
        {"a.0": True}, {"a": "text"}, {"a": {"b": Decimal("0.0000001")}}, {"a": {"b": "0.0000001"}},
    ]  # fmt: skip
    ingest([an_event(str(number), data) for number, data in enumerate(datas)], now=NOW)
    assert counts()["quarantinedevent"] == 0

    assert _groups_again() == [(row[1], row[3], row[4], row[5]) for row in kept()]


def _counted() -> list[tuple[str, int]]:
    return sorted((row[1], row[5]) for row in kept())


def _counted_again() -> list[tuple[str, int]]:
    return sorted((code, count) for code, _dimensions, _item, count in _read_again())


def _groups_again() -> list[tuple[str, Any, str | None, int]]:
    found = [(code, json.loads(dimensions), item, count) for code, dimensions, item, count in _read_again()]
    return sorted(found, key=lambda row: str(("acme", row[0], "2026-03-10", *row[1:])))


def _read_again() -> list[tuple[str, str, str | None, int]]:
    columns = "m.code, r.dimensions::text, r.item, r.event_count"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM ({recounted('usage_event')}) r JOIN usage_meter m ON m.id = r.meter_id")  # noqa: S608
        return [(code, dimensions, item, count) for code, dimensions, item, count in cursor.fetchall()]


def test_values_as_odd_texts_are_counted_alike() -> None:
    a_customer()
    a_meter("all")
    ingest([an_event(str(number), {"v": sent}) for number, sent in enumerate(ODD)], now=NOW)

    # Made afterwards, so that they count what they can use and leave the rest out.
    for aggregation in ("sum", "max", "weighted_sum", "unique_count"):
        a_meter(aggregation, aggregation=aggregation, value_path="v")

    assert reconcile().differences == ()


@pytest.mark.parametrize(
    ("timezone", "instant"),
    [
        # Clocks go back from 1:00 to 0:00, so that the day begins twice: its first beginning ends the day before.
        ("America/Havana", datetime(2026, 11, 1, 3, tzinfo=UTC)),
        ("America/Havana", datetime(2026, 11, 1, 4, 30, tzinfo=UTC)),
        ("Atlantic/Azores", datetime(2026, 10, 24, 23, tzinfo=UTC)),
        # They go forward at midnight, which the day lacks.
        ("America/Santiago", datetime(2026, 9, 6, 3, tzinfo=UTC)),
        ("Africa/Cairo", datetime(2026, 4, 23, 21, tzinfo=UTC)),
        # They go back at midnight, to 23:00 of the same day.
        ("America/Santiago", datetime(2026, 4, 5, 2, 30, tzinfo=UTC)),
        ("America/St_Johns", datetime(2026, 3, 8, 4, tzinfo=UTC)),
    ],
)
def test_day_ends_at_one_instant_where_clocks_change_at_midnight(timezone: str, instant: datetime) -> None:
    a_customer(timezone=timezone)
    a_meter(aggregation="weighted_sum", value_path="n")

    ingest([an_event("1", {"n": 2}, occurred_at=instant)], now=NOW)

    assert kept() == recomputed()
    assert reconcile().differences == ()
