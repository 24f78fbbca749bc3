"""A run that is shared out makes, byte for byte, the books of a run alone."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from pytest_django import Settings

from billing.invoicing import finalizing
from billing.invoicing.finalizing import give_number
from billing.models import BillingChunk, BillingPeriod, BillingRun, Invoice
from billing.reconciliation.report import reconcile
from billing.runs import numbering
from billing.runs.chunks import Member, claim, cut, finish, sweep, unfinished
from billing.runs.run import help_run
from billing.runs.sharing import Crew
from customers.models import Customer
from tests.billing.builders import ACTOR, at, bill, books, send_usage
from tests.billing.runs.worlds import small_company

pytestmark = pytest.mark.django_db(transaction=True)

AS_OF = "2026-04-01"
CUSTOMERS = 9
STEP = BillingChunk.Step


@pytest.fixture(autouse=True)
def _small_chunks(settings: Settings) -> None:
    settings.SQUILL_BILLING_CHUNK_SIZE = 2
    settings.SQUILL_BILLING_CLAIM_SECONDS = 1


@contextmanager
def crew_of_threads(size: int, started: list[int] | None = None) -> Iterator[Crew]:
    """Helpers as threads with connections of their own; `started` is told how many each call started."""
    threads: list[threading.Thread] = []

    def help_out(run_id: int) -> None:
        try:
            help_run(run_id, actor=ACTOR)
        finally:
            connection.close()

    def call(run_id: int, count: int) -> None:
        if started is not None:
            started.append(count)
        for _number in range(count):
            threads.append(threading.Thread(target=help_out, args=[run_id]))
            threads[-1].start()

    yield Crew(size, call)
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def alone(*dates: str, between: Callable[[], None] = lambda: None) -> str:
    """What runs alone make of the company, one a date; nothing of it stays."""
    with transaction.atomic():
        small_company(customers=CUSTOMERS)
        for date in dates:
            bill(date)
            between()
        found = books()
        transaction.set_rollback(True)
    return found


def test_a_crew_makes_the_books_of_one() -> None:
    expected = alone(AS_OF)
    small_company(customers=CUSTOMERS)
    started: list[int] = []
    with crew_of_threads(3, started) as crew:
        report = bill(AS_OF, crew=crew)
    assert books() == expected
    finals = Invoice.objects.exclude(status="draft").count()
    assert (report.run.drafted_count, report.run.finalized_count, report.failed) == (finals, finals, ())
    assert reconcile().differences == ()
    assert started
    assert max(started) <= 3
    assert BillingChunk.objects.count() == 0


def test_processes_make_the_books_of_one(database_url: str, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    expected = alone(AS_OF)
    small_company(customers=CUSTOMERS)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SQUILL_BILLING_CHUNK_SIZE", "2")
    call_command("run_billing", "--as-of", f"{AS_OF}T00:00:00Z", "--finalize", "--workers", "3", "--json")
    assert json.loads(capfd.readouterr().out)["failed"] == []
    assert books() == expected


def test_drafts_that_waited_are_worked_out_anew_by_the_crew(settings: Settings) -> None:
    settings.SQUILL_BILLING_GRACE_MINUTES = 60
    expected = alone(AS_OF, "2026-04-01T02:00:00Z", between=send_late_usage)
    small_company(customers=CUSTOMERS)
    with crew_of_threads(3) as crew:
        assert bill(AS_OF, crew=crew).waiting > 0
        send_late_usage()
        assert bill("2026-04-01T02:00:00Z", crew=crew).waiting == 0
    assert books() == expected
    assert reconcile().differences == ()


def send_late_usage() -> None:
    send_usage(Customer.objects.get(external_id="customer-4"), "call", 5000, "2026-03-28", event_id="late")


def test_trouble_of_one_customer_is_noted_once_and_costs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    small_company(customers=CUSTOMERS)

    def unwilling(*, invoice_id: int, **arguments: Any) -> Any:
        if Invoice.objects.get(pk=invoice_id).customer.external_id == "customer-5":
            raise ValueError("poison")
        return finalizing.prepare(invoice_id=invoice_id, **arguments)

    monkeypatch.setattr(numbering, "prepare", unwilling)
    with crew_of_threads(3) as crew:
        report = bill(AS_OF, crew=crew)
    assert len(report.failed) == 1
    assert report.failed[0].startswith("customer-5")
    assert set(BillingPeriod.objects.filter(attempts__gt=0).values_list("attempts", flat=True)) == {1}
    poisoned = Invoice.objects.filter(customer__external_id="customer-5")
    assert set(poisoned.values_list("status", flat=True)) == {"draft"}
    assert not Invoice.objects.exclude(customer__external_id="customer-5").filter(status="draft").exists()
    sequences = list(Invoice.objects.exclude(sequence=None).order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))


def test_a_chunk_that_cannot_be_numbered_as_one_is_numbered_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = alone(AS_OF)
    small_company(customers=CUSTOMERS)
    refusals = [ValueError("no number")]

    def unwilling(*arguments: Any, **named: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return give_number(*arguments, **named)

    monkeypatch.setattr(numbering, "give_number", unwilling)
    with crew_of_threads(2) as crew:
        assert bill(AS_OF, crew=crew).failed == ()
    assert refusals == []
    assert books() == expected


def test_what_a_dead_worker_had_claimed_is_taken_up_when_its_time_is_over() -> None:
    run = BillingRun.objects.create(as_of=at(AS_OF), started_at=at(AS_OF))
    [first, second] = cut(run, STEP.EXTEND, [Member(number, str(number)) for number in range(3)])
    assert [chunk.pk for chunk in (claim(run.pk), claim(run.pk)) if chunk] == [first.pk, second.pk]
    assert claim(run.pk) is None
    BillingChunk.objects.filter(pk=second.pk).update(claimed_until=at("2026-01-01"))
    again = claim(run.pk)
    assert again is not None
    assert again.pk == second.pk
    finish(first)
    finish(second)
    assert not unfinished([first.pk, second.pk])
    sweep(run_id=run.pk)
    assert BillingChunk.objects.count() == 0


def test_a_customer_is_never_divided_between_chunks() -> None:
    run = BillingRun.objects.create(as_of=at(AS_OF), started_at=at(AS_OF))
    members = [Member(number, customer) for number, customer in enumerate("aabbbbcd")]
    assert [chunk.members for chunk in cut(run, STEP.DRAFT, members, boundary_at=at(AS_OF))] == [
        [0, 1],
        [2, 3, 4, 5],
        [6, 7],
    ]


def test_whoever_helps_a_run_that_is_over_or_was_never_there_ends_at_once() -> None:
    small_company()
    report = bill(AS_OF)
    before = books()
    assert help_run(report.run.pk, actor=ACTOR) == 0
    assert help_run(10**9, actor=ACTOR) == 0
    assert books() == before


def test_a_crew_is_not_called_for_little_work(settings: Settings) -> None:
    settings.SQUILL_BILLING_CHUNK_SIZE = 100
    small_company()
    started: list[int] = []
    with crew_of_threads(3, started) as crew:
        bill(AS_OF, crew=crew)
    assert started == []
