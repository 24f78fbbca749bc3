"""A January of usage to be put away. Acme lives in Tokyo, nine hours ahead: its 1 February begins on 31 January at 15:00 UTC."""

from datetime import UTC, date, datetime
from typing import Any

from pytest_django import Settings

from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event
from usage.corrections import void_event
from usage.ingestion import Outcome, ingest
from usage.retention import MonthReport, put_away_due
from usage.retention import Outcome as MonthOutcome

JANUARY = date(2026, 1, 1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def send(event_id: str, value: object, when: str, **fields: Any) -> Outcome:
    return ingest([an_event(event_id, {"bytes": value, "region": "eu"}, occurred_at=at(when), **fields)], now=NOW)[0].outcome


def a_january() -> None:
    """Four events of January in UTC, of which one is voided; one is of February in Tokyo, which has another."""
    a_customer(timezone="Asia/Tokyo")
    a_meter("bytes", aggregation="sum", value_path="bytes", dimensions=["region"])
    a_meter("peak", aggregation="max", value_path="bytes")
    send("1", "2.5", "2026-01-10T03:00")
    send("2", 4, "2026-01-10T04:00")
    send("void", 9, "2026-01-10T05:00")
    send("3", 7, "2026-01-31T16:00")
    send("4", 1, "2026-02-01T01:00")
    void_event(source="test", event_id="void", reason="mistake", actor=ACTOR, now=NOW)


def a_january_put_away(settings: Settings) -> None:
    """The same, put away."""
    a_january()
    settings.SQUILL_EVENTS_RETENTION_MONTHS = 1
    put_away = MonthReport(month=JANUARY, outcome=MonthOutcome.PUT_AWAY, event_count=4)
    assert put_away_due(now=NOW, actor=ACTOR) == [put_away]
