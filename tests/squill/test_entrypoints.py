"""Every function that AWS calls: named in zappa_settings.json, callable with (event, context), done by its deadline."""

import json
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from pytest_django import Settings

from billing.models import BillingEntity, BillingRun, Invoice
from squill import entrypoints
from tests.billing.builders import make_catalog, make_customer, send_usage, sql, subscribe, triggers_off
from tests.billing.conftest import documents, renderings  # noqa: F401 (fixtures)
from usage.ingestion import partitions

CHECKOUT = Path(__file__).resolve().parents[2]
SETTINGS: dict[str, dict[str, Any]] = json.loads((CHECKOUT / "zappa_settings.json").read_text())
FUNCTIONS = sorted({event["function"] for stage in SETTINGS.values() for event in stage.get("events", [])})


class Context:
    """Lambda's context with so many seconds left, which go by one a look where `ticks` says so."""

    def __init__(self, seconds: int, *, ticks: bool = False) -> None:
        self.seconds = seconds
        self.ticks = ticks

    def get_remaining_time_in_millis(self) -> int:
        if self.ticks:
            self.seconds -= 1
        return self.seconds * 1000


def call(name: str, context: Context) -> Any:
    module, _dot, function = name.rpartition(".")
    return getattr(import_module(module), function)({}, context)


@pytest.fixture
def february(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUILL_NOW", "2026-02-01T00:30:00Z")


def small_company(customers: int = 1) -> None:
    make_catalog()
    for number in range(customers):
        customer = make_customer(f"customer-{number}")
        subscribe(customer)
        send_usage(customer, "call", 150, "2026-01-10")


def test_the_schedule_names_the_functions_that_there_are() -> None:
    assert FUNCTIONS == [
        "squill.entrypoints.bill",
        "squill.entrypoints.check",
        "squill.entrypoints.expire",
        "squill.entrypoints.put_away",
        "squill.entrypoints.remind",
        "squill.entrypoints.work",
    ]
    for stage in SETTINGS.values():
        for event in stage.get("events", []):
            assert event["expression"].startswith(("rate(", "cron("))
            assert len(event["function"]) <= 63


def test_a_function_has_time_left_beyond_its_reserve() -> None:
    assert SETTINGS["dev_jobs"]["timeout_seconds"] >= 5 * entrypoints.RESERVE_SECONDS
    assert SETTINGS["dev_jobs"]["timeout_seconds"] <= 900  # Lambda's own limit


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("february")
def test_each_function_can_be_called_on_an_empty_database_and_again() -> None:
    for name in FUNCTIONS * 2:
        json.dumps(call(name, Context(900)))  # what Lambda is answered must be JSON


@pytest.mark.django_db
@pytest.mark.usefixtures("february")
def test_bill_bills_what_is_due_and_says_so() -> None:
    small_company()
    assert entrypoints.bill({}, Context(900)) == {"drafted": 1, "finalized": 1, "waiting": 0, "failed": [], "parked": 0}
    invoice = Invoice.objects.get()
    assert (invoice.number, invoice.finalized_at) == ("INV-000001", datetime(2026, 2, 1, 0, 30, tzinfo=UTC))
    assert entrypoints.bill({}, Context(900)) == {"drafted": 0, "finalized": 0, "waiting": 0, "failed": [], "parked": 0}


@pytest.mark.django_db
@pytest.mark.usefixtures("february")
def test_bill_stops_before_its_time_is_over_and_the_next_tick_goes_on() -> None:
    small_company(4)
    assert entrypoints.bill({}, Context(59)) == {"drafted": 0, "finalized": 0, "waiting": 0, "failed": [], "parked": 0}
    first = entrypoints.bill({}, Context(69, ticks=True))
    assert 0 < first["drafted"] < 4
    assert list(BillingRun.objects.values_list("finished_at", flat=True)) == [None, None]
    second = entrypoints.bill({}, Context(900))
    assert first["drafted"] + second["drafted"] == 4
    assert list(Invoice.objects.order_by("sequence").values_list("sequence", flat=True)) == [1, 2, 3, 4]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("february", "documents", "renderings")
def test_work_sends_what_bill_has_queued() -> None:
    small_company(2)
    entrypoints.bill({}, Context(900))
    assert entrypoints.work({}, Context(900)) == {"waiting": 2, "started": 0}
    assert [message.to for message in mail.outbox] == [["billing@customer-0.example"], ["billing@customer-1.example"]]
    entrypoints.work({}, Context(900))
    assert len(mail.outbox) == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("february")
def test_check_counts_and_logs_what_differs(caplog: pytest.LogCaptureFixture) -> None:
    small_company()
    entrypoints.bill({}, Context(900))
    assert entrypoints.check({}, Context(900)) == {"differences": 0, "pending": 1, "unfinished": []}  # its PDF is in the queue
    with triggers_off():
        sql("UPDATE billing_numbercounter SET last_number = 2")
    assert entrypoints.check({}, Context(900)) == {"differences": 1, "pending": 1, "unfinished": []}
    assert "I6 series INV-{number:06} misses 2" in caplog.text


@pytest.mark.django_db
def test_put_away_says_what_became_of_each_month_and_stops_before_its_time_is_over(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    small_company()
    monkeypatch.setenv("SQUILL_NOW", "2026-03-01T00:30:00Z")
    nothing: dict[str, list[str]] = {"put_away": [], "held": [], "busy": []}
    assert entrypoints.put_away({}, Context(900)) == nothing  # the setting is 0
    settings.SQUILL_EVENTS_RETENTION_MONTHS = 1
    caplog.set_level("INFO", "squill.entrypoints")

    assert entrypoints.put_away({}, Context(900)) == nothing | {"held": ["2026-01"]}
    reason = "the period from 2026-01-01 of the subscription customer-0:basic:2026-01-01 is not billed yet"
    assert f"2026-01 is held: {reason}" in caplog.text
    entrypoints.bill({}, Context(900))
    assert entrypoints.put_away({}, Context(59)) == nothing
    assert entrypoints.put_away({}, Context(900)) == nothing | {"put_away": ["2026-01"]}
    assert entrypoints.check({}, Context(900))["differences"] == 0
    assert "reconcile, not recomputed: I1, I2 2026-01: 1 events were put away on 2026-03-01" in caplog.text


@pytest.mark.django_db
@pytest.mark.usefixtures("february")
def test_check_makes_the_partitions_of_the_coming_months(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "_known", set())  # as a new process
    entrypoints.check({}, Context(900))
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'usage_event'::regclass")
        tables = {name for (name,) in cursor.fetchall()}
    assert {f"usage_event_2026_{month:02d}" for month in (2, 3, 4, 5)} <= tables


@pytest.mark.django_db
def test_remind_queues_what_is_due_and_what_was_forgotten(monkeypatch: pytest.MonkeyPatch, february: None) -> None:
    small_company(2)
    entrypoints.bill({}, Context(900))
    BillingEntity.objects.update(reminder_days=[7])
    monkeypatch.setenv("SQUILL_NOW", "2026-03-10T12:00:00Z")
    sql("DELETE FROM procrastinate_jobs")
    assert entrypoints.remind({}, Context(900)) == {"reminders": 2, "forgotten": 0}  # the jobs of the reminders make the PDFs
    assert entrypoints.remind({}, Context(900)) == {"reminders": 0, "forgotten": 0}
    sql("DELETE FROM procrastinate_jobs")
    assert entrypoints.remind({}, Context(59)) == {"reminders": 0, "forgotten": 0}
    assert entrypoints.remind({}, Context(900)) == {"reminders": 0, "forgotten": 2}
