"""A run that calls the workers of the queue: with their help, without, and where they come late, the books are the same."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from billing.delivery.jobs import run_waiting_jobs
from billing.management.workers import HELP_JOB
from billing.models import BillingChunk
from billing.reconciliation.report import reconcile
from squill.postgres.home import CHECKOUT
from tests.billing.builders import bill, books
from tests.billing.runs.worlds import small_company

pytestmark = pytest.mark.django_db(transaction=True)
AS_OF = "2026-04-01"
RUN = ("run_billing", "--as-of", f"{AS_OF}T00:00:00Z", "--finalize", "--call-workers")


@pytest.fixture(autouse=True)
def _small_chunks(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SQUILL_BILLING_CHUNK_SIZE, settings.SQUILL_WORKERS_MAX = 2, 3
    monkeypatch.setenv("SQUILL_BILLING_CHUNK_SIZE", "2")


@pytest.fixture
def worker(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real `manage.py worker`, at work on this test's database once the test goes on."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    process = subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=CHECKOUT, env=dict(os.environ))
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def helps(status: str) -> int:
    return ProcrastinateJob.objects.filter(task_name=HELP_JOB, status=status).count()


def company_billed_alone() -> str:
    """What one process makes of the company that is there afterwards, not yet billed."""
    with transaction.atomic():
        small_company(customers=9)
        bill(AS_OF)
        alone = books()
        transaction.set_rollback(True)
    small_company(customers=9)
    return alone


def test_workers_that_run_help_and_the_books_are_those_of_one(worker: None) -> None:
    expected = company_billed_alone()
    call_command(*RUN)
    assert books() == expected
    give_up_at = time.monotonic() + 30
    while not helps("succeeded"):
        assert time.monotonic() < give_up_at, "the worker took up no call"
        time.sleep(0.1)
    # The worker keeps the documents that it makes in a folder of its own, where this process does not look.
    assert [told for told in reconcile().differences if not told.startswith("I10")] == []


def test_a_call_that_nobody_heeds_is_no_trouble_and_one_taken_up_late_changes_nothing() -> None:
    expected = company_billed_alone()
    call_command(*RUN)
    assert books() == expected
    # Two helpers at most, however many steps called for them.
    assert helps("todo") == 2
    run_waiting_jobs()
    assert (helps("todo"), helps("succeeded"), BillingChunk.objects.count()) == (0, 2, 0)
    assert books() == expected


def test_processes_and_workers_are_not_called_at_once() -> None:
    with pytest.raises(CommandError, match="not allowed with argument"):
        call_command("run_billing", "--workers=2", "--call-workers")
