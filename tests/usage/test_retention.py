"""Months are put away: by whom and when, what stays, and who comes at the same time."""

import threading
import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from pytest_django import Settings

from billing.reconciliation.report import reconcile
from customers.models import AuditEvent
from tests.usage.builders import ACTOR, NOW, a_meter, an_event, counts, in_threads, rollups
from tests.usage.months import JANUARY, a_january, at, send
from usage import retention
from usage.corrections import void_event
from usage.ingestion import Outcome as Fated
from usage.ingestion import ingest
from usage.models import Event, PutAwayMonth
from usage.retention import MonthReport, Outcome, put_away_due

FEBRUARY = date(2026, 2, 1)
TABLE = "usage_event_2026_01_put_away"
SET_ASIDE = "SELECT event_id FROM usage_event_2026_01_put_away ORDER BY event_id"
DROP = "DROP TABLE usage_event_2026_01_put_away"


@pytest.fixture(autouse=True)
def _one_month(settings: Settings) -> None:
    settings.SQUILL_EVENTS_RETENTION_MONTHS = 1


def run(**fields: Any) -> list[MonthReport]:
    return put_away_due(now=NOW, actor=ACTOR, **fields)


def run_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run, and die after the month is set aside and before it is counted."""

    def die(*_args: object, **_fields: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(retention, "_count", die)
        with pytest.raises(KeyboardInterrupt):
            run()


def rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def kept() -> list[tuple[Any, ...]]:
    """What is kept of the months put away: (meter, day, dimensions, count, sum, max)."""
    return rows(
        "SELECT m.code, p.day::text, p.dimensions::text, p.event_count, p.value_sum, p.value_max "
        "FROM usage_putawayrollup p JOIN usage_meter m ON m.id = p.meter_id ORDER BY 1, 2"
    )


def tables() -> list[str]:
    return [
        name for (name,) in rows("SELECT relname FROM pg_class WHERE relname LIKE 'usage_event%\\_put_away' AND relkind = 'r'")
    ]


@pytest.mark.django_db
def test_month_goes_into_a_table_of_its_own_and_its_totals_stay() -> None:
    a_january()
    before = rollups()

    assert run() == [MonthReport(month=JANUARY, outcome=Outcome.PUT_AWAY, event_count=4)]

    assert rows(SET_ASIDE) == [("1",), ("2",), ("3",), ("void",)]
    assert list(Event.objects.values_list("event_id", flat=True)) == ["4"]
    assert rollups() == before
    # The voided event counts for nothing. 2.5 + 4 = 6.5; what event 4 adds to 1 February is not of January.
    assert kept() == [
        ("bytes", "2026-01-10", '{"region": "eu"}', 2, Decimal("6.5"), None),
        ("bytes", "2026-02-01", '{"region": "eu"}', 1, Decimal(7), None),
        ("peak", "2026-01-10", "{}", 2, None, Decimal(4)),
        ("peak", "2026-02-01", "{}", 1, None, Decimal(7)),
    ]
    month = PutAwayMonth.objects.get()
    assert (month.month, month.put_away_at, month.counted_at, month.event_count) == (JANUARY, NOW, NOW, 4)
    audit = AuditEvent.objects.get(action="events.put_away")
    assert (audit.object_id, audit.after) == ("2026-01", {"events": 4, "table": TABLE})


@pytest.mark.django_db
def test_second_run_does_nothing() -> None:
    a_january()
    run()
    before = counts(), kept(), AuditEvent.objects.count()

    assert run() == []

    assert (counts(), kept(), AuditEvent.objects.count()) == before


@pytest.mark.django_db
def test_nothing_is_put_away_unless_the_setting_says_so(settings: Settings) -> None:
    settings.SQUILL_EVENTS_RETENTION_MONTHS = 0
    a_january()

    assert run() == []

    assert (tables(), PutAwayMonth.objects.count(), Event.objects.count()) == ([], 0, 5)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("months", "now", "due"),
    [
        (1, "2026-02-28T23:59:59", []),
        (1, "2026-03-01T00:00:00", [JANUARY]),
        (1, "2026-03-31T23:59:59", [JANUARY]),
        (1, "2026-04-01T00:00:00", [JANUARY, FEBRUARY]),
        (12, "2027-01-31T23:59:59", []),
        (12, "2027-02-01T00:00:00", [JANUARY]),
    ],
)
def test_month_is_due_that_many_whole_months_after_its_end(settings: Settings, months: int, now: str, due: list[date]) -> None:
    settings.SQUILL_EVENTS_RETENTION_MONTHS = months
    a_january()

    reports = put_away_due(now=at(now), actor=ACTOR, dry_run=True)

    assert reports == [MonthReport(month=month, outcome=Outcome.DUE) for month in due]


@pytest.mark.django_db
def test_dry_run_writes_nothing() -> None:
    a_january()
    before = counts(), AuditEvent.objects.count()

    assert run(dry_run=True) == [MonthReport(month=JANUARY, outcome=Outcome.DUE)]

    assert (counts(), AuditEvent.objects.count()) == before
    assert (tables(), kept(), PutAwayMonth.objects.count()) == ([], [], 0)


@pytest.mark.django_db
def test_month_is_held_for_as_long_as_an_event_of_it_waits_in_quarantine() -> None:
    a_january()
    send("nobody", 1, "2026-01-31T23:59:59", subject="stranger")
    before = counts()

    assert run() == [MonthReport(month=JANUARY, outcome=Outcome.HELD, held_by=("1 event of it waits in quarantine",))]

    assert (counts(), tables(), PutAwayMonth.objects.count()) == (before, [], 0)


@pytest.mark.django_db
def test_month_is_held_by_what_a_veto_says_about_its_instants(monkeypatch: pytest.MonkeyPatch) -> None:
    a_january()
    monkeypatch.setattr(retention, "_vetoes", [lambda start, end: [f"{start} {end} {number}" for number in range(22)]])

    (report,) = run()

    assert report.outcome is Outcome.HELD
    assert report.held_by[0] == "2026-01-01 00:00:00+00:00 2026-02-01 00:00:00+00:00 0"
    assert report.held_by[19:] == ("2026-01-01 00:00:00+00:00 2026-02-01 00:00:00+00:00 19", "and 2 more")
    assert (tables(), PutAwayMonth.objects.count(), Event.objects.count()) == ([], 0, 5)


@pytest.mark.django_db
def test_no_month_is_taken_up_after_the_deadline(settings: Settings) -> None:
    a_january()
    looks = iter([False, True])

    reports = put_away_due(now=at("2026-04-01T00:00"), actor=ACTOR, deadline=lambda: next(looks))

    assert reports == [MonthReport(month=JANUARY, outcome=Outcome.PUT_AWAY, event_count=4)]
    assert tables() == [TABLE]


@pytest.mark.django_db
def test_late_event_is_stored_and_counted_as_if_its_month_were_there() -> None:
    a_january()
    run()

    assert send("late", 3, "2026-01-10T06:00") is Fated.ACCEPTED
    assert send("1", "2.5", "2026-01-10T03:00") is Fated.DUPLICATE

    assert list(Event.objects.order_by("occurred_at").values_list("event_id", flat=True)) == ["late", "4"]
    # 2.5 + 4 were put away, 3 came late; the largest is still the 4 that is gone.
    assert [row[4:] for row in rollups() if row[2] == "2026-01-10"] == [(3, Decimal("9.5")), (3, Decimal(4))]
    assert reconcile().differences == ()
    # What came late stays where it is: a month is put away once.
    assert run() == []
    assert Event.objects.count() == 2


@pytest.mark.django_db
def test_late_event_can_be_voided_and_the_largest_value_is_then_that_of_the_month_put_away() -> None:
    a_january()
    run()
    send("late", 30, "2026-01-10T06:00")

    void_event(source="test", event_id="late", reason="mistake", actor=ACTOR, now=NOW)

    assert [row[4:] for row in rollups() if row[2] == "2026-01-10"] == [(2, Decimal("6.5")), (2, Decimal(4))]
    # A kept event of a day that reaches into January: 7 is left of 7 and 1.
    void_event(source="test", event_id="4", reason="mistake", actor=ACTOR, now=NOW)
    assert [row[4:] for row in rollups() if row[2] == "2026-02-01"] == [(1, Decimal(7)), (1, Decimal(7))]
    assert reconcile().differences == ()


@pytest.mark.django_db
def test_interrupted_run_is_finished_by_the_next_even_when_retention_is_off(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_january()
    run_interrupted(monkeypatch)
    assert (tables(), PutAwayMonth.objects.get().counted_at, kept()) == ([TABLE], None, [])
    a_meter("calls")  # it never saw January, so it counts nothing of it: event 4 alone
    send("late", 3, "2026-01-10T06:00")
    assert reconcile().differences == ()
    settings.SQUILL_EVENTS_RETENTION_MONTHS = 0

    assert run() == [MonthReport(month=JANUARY, outcome=Outcome.PUT_AWAY, event_count=4)]

    assert [row[:2] for row in kept()] == [
        ("bytes", "2026-01-10"),
        ("bytes", "2026-02-01"),
        ("peak", "2026-01-10"),
        ("peak", "2026-02-01"),
    ]
    assert reconcile().differences == ()


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["UPDATE usage_putawayrollup SET event_count = 9", "DELETE FROM usage_putawayrollup"])
def test_what_is_kept_of_a_month_cannot_be_changed(change: str) -> None:
    a_january()
    run()
    before = kept()

    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        sql(change)

    assert kept() == before


@pytest.mark.usefixtures("no_put_away_tables")
def test_events_that_come_in_meanwhile_are_stored_and_counted_once_each() -> None:
    a_january()
    stop = threading.Event()

    def sender(name: str) -> int:
        sent = 0
        while not stop.is_set() or sent < 50:
            outcomes = [
                fate.outcome
                for fate in ingest(
                    [
                        an_event(f"{name}-{sent}", {"bytes": 1, "region": "eu"}, occurred_at=at("2026-01-10T06:00")),
                        an_event(f"{name}-now-{sent}", {"bytes": 1, "region": "eu"}, occurred_at=NOW),
                    ],
                    now=NOW,
                )
            ]
            assert outcomes == [Fated.ACCEPTED, Fated.ACCEPTED]
            sent += 1
        return sent

    def put_away() -> MonthReport:
        try:
            time.sleep(0.2)
            (report,) = run()
            time.sleep(0.2)
            return report
        finally:
            stop.set()

    first, second, report = in_threads(lambda: sender("a"), lambda: sender("b"), put_away)

    assert isinstance(first, int)
    assert isinstance(second, int)
    assert isinstance(report, MonthReport)
    assert report.outcome is Outcome.PUT_AWAY
    sent = first + second
    put_away_count = len(rows(SET_ASIDE))
    assert report.event_count == put_away_count > 4
    assert put_away_count + Event.objects.count() == 5 + 2 * sent
    # bytes 2.5 + 4, then 1 for each late event
    [total] = [row[4:6] for row in rollups() if row[:3] == ("acme", "bytes", "2026-01-10")]
    assert total == (2 + sent, Decimal("6.5") + sent)
    assert reconcile().differences == ()


@pytest.mark.usefixtures("no_put_away_tables")
def test_two_runs_at_once_put_the_month_away_once() -> None:
    a_january()

    reports: Any = in_threads(run, run, run)

    outcomes = [report.outcome for (report,) in (each for each in reports if each)]
    assert Outcome.PUT_AWAY in outcomes
    assert set(outcomes) <= {Outcome.PUT_AWAY, Outcome.BUSY}
    assert PutAwayMonth.objects.get().event_count == 4
    assert len(kept()) == 4
    assert AuditEvent.objects.filter(action="events.put_away").count() == 1
    assert reconcile().differences == ()


@pytest.mark.usefixtures("no_put_away_tables")
def test_month_that_is_read_for_long_is_left_to_the_next_run_and_ingestion_goes_on() -> None:
    a_january()
    is_read, is_over = threading.Event(), threading.Event()

    def read() -> None:
        with transaction.atomic():
            assert Event.objects.count() == 5
            is_read.set()
            is_over.wait(30)

    def put_away() -> list[MonthReport]:
        is_read.wait(10)
        try:
            return run()
        finally:
            is_over.set()

    def ingest_behind_it() -> Fated:
        is_read.wait(10)
        time.sleep(0.5)  # queued up behind the run that waits
        return send("late", 3, "2026-01-10T06:00")

    _read, reports, fate = in_threads(read, put_away, ingest_behind_it)

    assert reports == [MonthReport(month=JANUARY, outcome=Outcome.BUSY)]
    assert fate is Fated.ACCEPTED
    assert (tables(), PutAwayMonth.objects.count(), Event.objects.count()) == ([], 0, 6)
    assert run() == [MonthReport(month=JANUARY, outcome=Outcome.PUT_AWAY, event_count=5)]


@pytest.mark.usefixtures("no_put_away_tables")
def test_table_can_be_dropped_once_it_is_counted() -> None:
    a_january()
    run()

    sql(DROP)

    assert run() == []
    assert reconcile().differences == ()
    assert send("late", 3, "2026-01-10T06:00") is Fated.ACCEPTED
    assert reconcile().differences == ()


@pytest.mark.usefixtures("no_put_away_tables")
def test_table_that_is_dropped_too_early_is_said_by_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    a_january()
    run_interrupted(monkeypatch)
    sql(DROP)

    with pytest.raises(ProgrammingError, match=f'"{TABLE}" does not exist'):
        run()

    assert PutAwayMonth.objects.get().counted_at is None
