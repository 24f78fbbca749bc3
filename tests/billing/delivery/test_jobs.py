"""The queue lies in the database: a job is there if and only if its invoice is final, and it is worked off once."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from billing.delivery.deliver import deliver
from billing.delivery.jobs import run_waiting_jobs
from billing.models import Delivery, Document
from billing.reconciliation.report import reconcile
from squill.lib import clock
from tests.billing.builders import bill, make_catalog, make_customer, sql, subscribe

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("documents", "renderings")]


def final_invoices(count: int) -> None:
    make_catalog()
    for number in range(count):
        subscribe(make_customer(f"customer-{number}"))
    bill("2026-02-01")


def job_states() -> list[tuple[str, int]]:
    return list(ProcrastinateJob.objects.order_by("id").values_list("status", "attempts"))


def test_the_queue_is_worked_off_and_then_empty() -> None:
    final_invoices(3)
    assert job_states() == [("todo", 0)] * 3
    run_waiting_jobs()
    assert job_states() == [("succeeded", 1)] * 3
    assert sorted(message.to[0] for message in mail.outbox) == [f"billing@customer-{number}.example" for number in range(3)]
    assert Document.objects.count() == 3
    found = reconcile()
    assert (found.differences, found.pending) == ((), ())
    run_waiting_jobs()
    assert len(mail.outbox) == 3


def test_a_finalisation_that_is_taken_back_takes_its_job_with_it() -> None:
    with transaction.atomic():
        final_invoices(1)
        transaction.set_rollback(True)
    assert ProcrastinateJob.objects.count() == 0
    run_waiting_jobs()
    assert mail.outbox == []


def test_a_job_that_failed_waits_and_is_tried_again(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "tests.billing.delivery.mail_backends.Refusing"
    final_invoices(1)
    run_waiting_jobs()
    ((status, attempts),) = job_states()
    assert (status, attempts) == ("todo", 1)
    job = ProcrastinateJob.objects.get()
    assert job.scheduled_at is not None
    assert timedelta(0) < job.scheduled_at - clock.now() < timedelta(minutes=1)
    run_waiting_jobs()  # its time has not come
    assert job_states() == [("todo", 1)]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    sql("UPDATE procrastinate_jobs SET scheduled_at = now()")
    run_waiting_jobs()
    assert job_states() == [("succeeded", 2)]
    assert Delivery.objects.get().attempts == 2
    assert len(mail.outbox) == 1


def test_the_deadline_ends_the_work_and_the_next_call_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    final_invoices(4)
    slow = threading.Event()

    def slowly(about: Any, **arguments: Any) -> None:
        slow.wait(0.7)
        deliver(about, **arguments)

    monkeypatch.setattr("billing.delivery.jobs.deliver", slowly)
    run_waiting_jobs(deadline_seconds=1)
    done = [status for status, _attempts in job_states()].count("succeeded")
    assert 1 <= done < 4
    assert {status for status, _attempts in job_states()} == {"succeeded", "todo"}  # the job in hand was finished
    slow.set()
    run_waiting_jobs(deadline_seconds=30)
    assert job_states() == [("succeeded", 1)] * 4
    assert len(mail.outbox) == 4


def test_a_job_whose_worker_died_is_taken_up_again() -> None:
    final_invoices(1)
    sql("UPDATE procrastinate_jobs SET status = 'doing', attempts = 0")
    run_waiting_jobs()
    assert len(mail.outbox) == 1


def test_an_unreadable_document_folder_fails_the_job_and_not_the_invoice(documents: Path) -> None:
    documents.write_text("a file where the folder should be")
    final_invoices(1)
    run_waiting_jobs()
    assert (job_states(), Document.objects.count(), mail.outbox) == ([("todo", 1)], 0, [])
    documents.unlink()
    sql("UPDATE procrastinate_jobs SET scheduled_at = now()")
    run_waiting_jobs()
    assert (job_states(), len(mail.outbox)) == ([("succeeded", 2)], 1)
