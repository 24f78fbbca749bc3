"""Scheduled functions where they are functions of Lambda: they start helpers, within limits, and say what they did."""

import json
from typing import Any

import pytest
from django.db import connection
from procrastinate.contrib.django import app as job_queue
from pytest_django import Settings

from billing.models import BillingChunk, BillingRun, Invoice
from billing.reconciliation import report
from billing.runs import sharing
from squill import entrypoints
from squill.aws import functions
from tests.billing.builders import at, bill, books, sql
from tests.billing.runs.worlds import small_company
from tests.squill.test_entrypoints import Context

pytestmark = pytest.mark.django_db


class Lambda:
    """Takes down who is invoked, and runs a helper only when the test says so."""

    def __init__(self) -> None:
        self.invoked: list[dict[str, Any]] = []

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, int]:
        assert (FunctionName, InvocationType) == ("squill-dev-jobs", "Event")
        self.invoked.append(json.loads(Payload))
        return {"StatusCode": 202}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Lambda:
    monkeypatch.setenv(functions.NAME_VARIABLE, "squill-dev-jobs")
    monkeypatch.setenv("SQUILL_NOW", "2026-04-01T00:30:00Z")
    monkeypatch.setattr(sharing, "_PAUSE_MS", 10)
    settings.SQUILL_WORKERS_MAX = 3
    settings.SQUILL_BILLING_CHUNK_SIZE = 2
    settings.SQUILL_METRICS = "emf"
    settings.SQUILL_STAGE = "dev"
    made = Lambda()
    monkeypatch.setattr("boto3.client", lambda service, **_options: made if service == "lambda" else None)
    return made


def metrics_in(written: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.splitlines() if line.startswith('{"_aws"')]


def test_bill_starts_helpers_within_the_limit_and_does_the_work_even_if_none_comes(aws: Lambda) -> None:
    small_company(customers=9)
    summary = entrypoints.bill({}, Context(900))
    assert summary["failed"] == []
    assert not Invoice.objects.filter(status="draft").exists()
    run = BillingRun.objects.get()
    assert {json.dumps(event, sort_keys=True) for event in aws.invoked} == {
        json.dumps({"command": "squill.entrypoints.help_bill", "run_id": run.pk}, sort_keys=True)
    }
    # Two helpers a step at most: the periods, and for each of four boundaries (fees in advance, three months) drafts and numbers.
    assert len(aws.invoked) == 2 * (1 + 4 + 4)


def test_a_tick_that_comes_twice_changes_nothing_and_one_that_finds_nothing_starts_nobody(aws: Lambda) -> None:
    small_company(customers=5)
    entrypoints.bill({}, Context(900))
    before = books()
    aws.invoked.clear()
    assert entrypoints.bill({}, Context(900))["drafted"] == 0
    assert books() == before
    assert aws.invoked == []


def test_a_helper_works_through_what_is_there_starts_nobody_and_may_come_twice(aws: Lambda) -> None:
    small_company(customers=4)
    run = BillingRun.objects.create(as_of=at("2026-04-01"), started_at=at("2026-04-01"), finalize=True)
    BillingChunk.objects.create(run=run, step="extend", members=[1])
    assert entrypoints.help_bill({"run_id": run.pk}, Context(900)) == {"parts": 1}
    assert entrypoints.help_bill({"run_id": run.pk}, Context(900)) == {"parts": 0}
    BillingChunk.objects.create(run=run, step="extend", members=[1])
    assert entrypoints.help_bill({"run_id": run.pk}, Context(59)) == {"parts": 0}  # no time left
    assert aws.invoked == []


def test_helpers_that_cannot_be_started_are_no_trouble(
    aws: Lambda, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from botocore.exceptions import ClientError  # noqa: PLC0415

    def refuse(**_arguments: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Invoke")

    monkeypatch.setattr(aws, "invoke", refuse)
    small_company(customers=5)
    assert entrypoints.bill({}, Context(900))["finalized"] > 0
    assert "only 0 of 2 workers for squill.entrypoints.help_bill could be started" in caplog.text


def test_work_starts_helpers_by_the_length_of_the_queue_less_those_at_work(aws: Lambda, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrypoints, "run_waiting_jobs", lambda **_arguments: None)
    assert entrypoints.work({}, Context(900)) == {"waiting": 0, "started": 0}
    for number in range(120):
        job_queue.configure_task("billing.deliver", queue="delivery").defer(invoice_id=number)
    assert entrypoints.work({}, Context(900)) == {"waiting": 120, "started": 2}
    assert aws.invoked == [{"command": "squill.entrypoints.help_work"}] * 2
    sql("INSERT INTO procrastinate_workers DEFAULT VALUES")
    sql("INSERT INTO procrastinate_workers DEFAULT VALUES")
    sql("UPDATE procrastinate_workers SET last_heartbeat = '2026-04-01T00:29:50Z'")
    assert entrypoints.work({}, Context(900))["started"] == 0


def test_work_with_nothing_to_do_opens_no_queue(aws: Lambda, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(**_arguments: Any) -> None:
        raise AssertionError("the queue was opened")

    monkeypatch.setattr(entrypoints, "run_waiting_jobs", opened)
    assert entrypoints.work({}, Context(900)) == {"waiting": 0, "started": 0}


def test_what_a_run_did_is_written_once_as_metrics(aws: Lambda, capsys: pytest.CaptureFixture[str]) -> None:
    small_company(customers=2)
    summary = entrypoints.bill({}, Context(900))
    [line] = metrics_in(capsys.readouterr().out)
    assert (line["Stage"], line["InvoicesDrafted"], line["InvoicesFinalized"]) == (
        "dev",
        summary["drafted"],
        summary["finalized"],
    )
    assert (line["BillingRuns"], line["BillingFailures"], line["ParkedSubscriptions"]) == (1, 0, 0)
    described = line["_aws"]["CloudWatchMetrics"][0]
    assert (described["Namespace"], described["Dimensions"]) == ("Squill", [["Stage"]])
    assert {"Name": "BillingRunSeconds", "Unit": "Seconds"} in described["Metrics"]


def test_a_run_that_had_no_time_to_end_is_not_counted_as_one(aws: Lambda, capsys: pytest.CaptureFixture[str]) -> None:
    small_company(customers=2)
    entrypoints.bill({}, Context(59))
    [line] = metrics_in(capsys.readouterr().out)
    assert line["BillingRuns"] == 0


def test_a_check_without_time_says_what_it_has_not_looked_at_and_reports_no_zero(
    aws: Lambda, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert entrypoints.check({}, Context(900))["unfinished"] == []
    assert metrics_in(capsys.readouterr().out)[0]["ReconcileDifferences"] == 0
    unfinished = entrypoints.check({}, Context(59))["unfinished"]
    assert unfinished[0] == "check_events"
    assert unfinished[-1] == "check_documents"
    assert metrics_in(capsys.readouterr().out) == []
    assert "no time for check_rollups: run manage.py reconcile on a plain machine" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_check_that_postgresql_ends_costs_only_itself(aws: Lambda, monkeypatch: pytest.MonkeyPatch) -> None:
    def check_slowly() -> list[str]:
        sql("SELECT pg_sleep(10)")
        return []

    monkeypatch.setattr(report, "_CHECKS", (check_slowly, *report._CHECKS[:2]))
    assert entrypoints.check({}, Context(61))["unfinished"] == ["check_slowly"]  # a second is left, beyond the reserve
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_the_books_are_those_of_a_run_on_a_plain_machine(aws: Lambda, monkeypatch: pytest.MonkeyPatch) -> None:
    small_company(customers=5)
    entrypoints.bill({}, Context(900))
    by_functions = books()
    sequences = list(Invoice.objects.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))
    monkeypatch.delenv(functions.NAME_VARIABLE)
    assert bill("2026-04-01T00:30:00Z").failed == ()
    assert books() == by_functions
