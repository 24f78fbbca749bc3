"""The run: what is due is billed once, in order, and one customer's trouble costs one customer (I4, I11)."""

import json
from datetime import datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError

from billing.invoicing.drafting import draft_boundary
from billing.invoicing.finalizing import finalize_invoice
from billing.models import BillingPeriod, BillingRun, Charge, Invoice, Subscription
from billing.reconciliation.report import reconcile
from billing.runs.due import due_boundaries
from billing.subscriptions.periods import extend_periods
from tests.billing.builders import (
    CALLS,
    amounts,
    at,
    bill,
    books,
    invoices,
    make_catalog,
    make_customer,
    row_counts,
    send_usage,
    sql,
    subscribe,
    triggers_off,
)
from tests.billing.runs.worlds import small_company
from usage.models import QuarantinedEvent

pytestmark = pytest.mark.django_db


def test_running_twice_makes_the_same_books_as_once() -> None:
    small_company()
    bill("2026-04-01")
    once, rows = books(), row_counts()
    again = bill("2026-04-01")
    assert (again.run.drafted_count, again.run.finalized_count, again.failed) == (0, 0, ())
    assert books() == once
    assert row_counts() == rows | {"billing_billingrun": rows["billing_billingrun"] + 1}
    assert reconcile().differences == ()


def test_what_was_missed_is_caught_up_in_order() -> None:
    small_company(customers=2)
    report = bill("2026-04-01")
    found = invoices()
    # Two customers on fees in advance: 1 January, February, March and April.
    assert report.run.finalized_count == len(found) == 8
    assert [
        (invoice.boundary_at and invoice.boundary_at.month, invoice.customer.external_id, invoice.number) for invoice in found
    ] == [(month, f"customer-{number}", f"INV-{(month - 1) * 2 + number + 1:06d}") for month in (1, 2, 3, 4) for number in (0, 1)]
    assert {invoice.issued_on.isoformat() for invoice in found} == {"2026-04-01"}


def test_month_by_month_or_all_at_once_the_lines_are_the_same() -> None:
    small_company(customers=3)
    for month in (1, 2, 3, 4):
        bill(f"2026-{month:02d}-01")
    by_month = [amounts(invoice) for invoice in invoices()]
    assert {invoice.issued_on.isoformat() for invoice in invoices()} == {f"2026-{month:02d}-01" for month in (1, 2, 3, 4)}
    # Customer 0: 10.00 in advance; 12 + 20 + 27 = 59 calls are free; 2.00 up to the commitment of 12.00.
    assert by_month[0] == [("subscription", "fee", 1000)]
    assert by_month[2] == [("subscription", "fee", 1000), ("subscription", ":minimum-commitment", 200), ("usage", "calls", 0)]


def test_nothing_is_due_before_the_boundary() -> None:
    make_catalog()
    subscribe(make_customer(timezone="America/New_York"), starts="2026-01-01T05:00:00Z")
    assert bill("2026-02-01T04:59:59Z").run.drafted_count == 0
    assert [due.boundary_at for due in due_boundaries(as_of=at("2026-02-01T05:00:00Z"))] == [at("2026-02-01T05:00:00Z")]
    bill("2026-02-01T05:00:00Z")
    assert invoices()[0].issued_on.isoformat() == "2026-02-01"


def test_a_period_with_nothing_to_say_is_billed_without_an_invoice() -> None:
    make_catalog(CALLS.replace('      - {code: fee, name: Platform fee, model: flat, amount: "10"}\n', ""))
    subscribe(make_customer())
    report = bill("2026-02-01")
    assert (report.run.drafted_count, Invoice.objects.count()) == (0, 0)
    period = BillingPeriod.objects.get(index=0)
    assert (period.arrears_billed_at, period.arrears_invoice) == (at("2026-02-01"), None)
    assert due_boundaries(as_of=at("2026-02-01")) == []


def test_without_finalize_there_are_drafts_and_later_usage_is_on_them_when_they_are_finalised() -> None:
    make_catalog()
    customer = make_customer()
    subscribe(customer)
    bill("2026-02-01", finalize=False)
    (draft,) = invoices()
    assert (draft.status, draft.number, amounts(draft)) == ("draft", None, [("subscription", "fee", 1000)])
    send_usage(customer, "call", 200, "2026-01-31")
    report = bill("2026-02-02")
    assert (report.run.drafted_count, report.run.finalized_count) == (0, 1)
    (invoice,) = invoices()
    assert amounts(invoice) == [("subscription", "fee", 1000), ("usage", "calls", 100)]
    assert (invoice.pk, invoice.number, invoice.issued_on.isoformat()) == (draft.pk, "INV-000001", "2026-02-02")


def test_usage_that_waits_for_its_customer_is_billed_once_the_customer_is_there() -> None:
    make_catalog()
    send_usage("acme", "call", 300, "2026-01-10")
    subscribe(make_customer())
    bill("2026-02-01")
    assert QuarantinedEvent.objects.get().status != "waiting"
    assert amounts(invoices()[0]) == [("subscription", "fee", 1000), ("usage", "calls", 200)]


def poisoned() -> None:
    """Three customers, the second of whom is on a plan whose price nobody can read."""
    make_catalog()
    make_catalog(CALLS.replace("code: basic", "code: broken"))
    for name, plan in (("anna", "basic"), ("bert", "broken"), ("carl", "basic")):
        subscribe(make_customer(name), plan)
    with triggers_off():
        sql(
            """UPDATE billing_charge SET terms = '{"model": "nonsense"}' WHERE code = 'fee' AND plan_version_id =
               (SELECT v.id FROM billing_planversion v JOIN billing_plan p ON p.id = v.plan_id WHERE p.code = 'broken')"""
        )


def test_one_poisoned_subscription_costs_one_customer() -> None:
    poisoned()
    report = bill("2026-02-01")
    assert report.failed == ("bert:broken:2026-01-01",)
    assert (report.run.failed_count, report.run.finalized_count, report.run.parked_count) == (1, 2, 0)
    assert [(invoice.customer.external_id, invoice.number) for invoice in invoices()] == [
        ("anna", "INV-000001"),
        ("carl", "INV-000002"),
    ]
    (period,) = BillingPeriod.objects.exclude(last_error="")
    assert (period.subscription.customer.external_id, period.index, period.attempts) == ("bert", 0, 1)
    assert "ChargeError" in period.last_error
    assert "nonsense" in period.last_error


def test_after_three_runs_it_is_parked_for_a_person_and_left_alone() -> None:
    poisoned()
    for expected in (1, 2, 3):
        bill(f"2026-03-{expected:02d}")  # two months are due: one attempt a run all the same
        assert BillingPeriod.objects.exclude(attempts=0).values_list("index", "attempts").get() == (0, expected)
    period = BillingPeriod.objects.get(parked_at__isnull=False)
    assert (period.subscription.customer.external_id, period.parked_at) == ("bert", at("2026-03-03"))
    report = bill("2026-03-04")
    assert (report.failed, report.run.parked_count) == ((), 1)
    assert BillingPeriod.objects.get(pk=period.pk).attempts == 3
    assert Invoice.objects.filter(customer__external_id="bert").count() == 0


def test_a_parked_subscription_goes_on_in_order_once_a_person_has_mended_it() -> None:
    poisoned()
    for day in (1, 2, 3):
        bill(f"2026-03-{day:02d}")
    with triggers_off():
        Charge.objects.filter(code="fee").update(terms={"model": "flat", "amount": "10"})
    BillingPeriod.objects.filter(parked_at__isnull=False).update(parked_at=None)
    report = bill("2026-03-04")
    assert (report.run.finalized_count, report.failed) == (2, ())
    assert [(invoice.boundary_at, invoice.due_minor) for invoice in invoices(customer__external_id="bert")] == [
        (at("2026-02-01"), 1000),
        (at("2026-03-01"), 1000),
    ]
    assert not BillingPeriod.objects.exclude(attempts=0, last_error="", parked_at=None).exists()
    assert reconcile().differences == ()


def test_a_draft_that_cannot_be_finalised_is_tried_once_a_run_and_parked(monkeypatch: pytest.MonkeyPatch) -> None:
    make_catalog()
    for name in ("anna", "bert"):
        subscribe(make_customer(name))
    bill("2026-03-01", finalize=False)

    def unwilling(*, invoice_id: int, **arguments: Any) -> Invoice:
        if Invoice.objects.get(pk=invoice_id).customer.external_id == "bert":
            raise ArithmeticError("made up")
        return finalize_invoice(invoice_id=invoice_id, **arguments)

    monkeypatch.setattr("billing.runs.advance.finalize_invoice", unwilling)
    for day in (1, 2, 3, 4):
        failed = bill(f"2026-03-{day:02d}").failed
        assert failed == (("bert:basic:2026-01-01",) if day < 4 else ())
    assert [invoice.number for invoice in invoices(status="finalized")] == ["INV-000001", "INV-000002"]
    period = BillingPeriod.objects.get(parked_at__isnull=False)
    assert (period.index, period.attempts, period.last_error) == (0, 3, "ArithmeticError: made up")
    monkeypatch.setattr("billing.runs.advance.finalize_invoice", finalize_invoice)
    BillingPeriod.objects.update(parked_at=None)
    assert bill("2026-03-05").run.finalized_count == 2
    assert BillingPeriod.objects.exclude(last_error="").count() == 0


def test_a_database_that_refuses_for_a_moment_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    make_catalog()
    subscribe(make_customer())
    refusals = [OperationalError("deadlock detected"), OperationalError("deadlock detected")]

    def flaky(**arguments: Any) -> Invoice | None:
        if refusals:
            raise refusals.pop()
        return draft_boundary(**arguments)

    monkeypatch.setattr("billing.runs.advance.draft_boundary", flaky)
    report = bill("2026-02-01")
    assert (report.failed, report.run.finalized_count) == ((), 1)
    assert BillingPeriod.objects.get(index=0).attempts == 0


@pytest.mark.parametrize("patience", [0, 1, 2, 5, 9])
def test_a_deadline_stops_the_run_and_the_next_goes_on(patience: int) -> None:
    small_company(customers=3)
    left = [patience]

    def deadline() -> bool:
        left[0] -= 1
        return left[0] < 0

    report = bill("2026-04-01", deadline=deadline)
    assert report.run.finished_at is None
    assert report.run.drafted_count <= patience
    assert BillingRun.objects.count() == 1
    bill("2026-04-01")
    assert Invoice.objects.filter(status="draft").count() == 0
    sequences = list(Invoice.objects.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))
    assert reconcile().differences == ()


def test_progress_is_told_boundary_by_boundary() -> None:
    small_company(customers=2)
    told: list[tuple[int, int]] = []
    bill("2026-02-01", progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2), (1, 2), (2, 2)]


def test_the_command_reports_and_fails_where_a_subscription_failed(capsys: pytest.CaptureFixture[str]) -> None:
    poisoned()
    with pytest.raises(CommandError, match="failed: bert:broken:2026-01-01"):
        call_command("run_billing", "--as-of", "2026-02-01T00:00:00Z", "--finalize")
    assert capsys.readouterr().out == "2 drafted, 2 finalised, 0 waiting, 1 failed, 0 parked\n"
    with pytest.raises(CommandError):
        call_command("run_billing", "--as-of", "2026-02-01T00:00:00Z", "--finalize", "--json")
    assert json.loads(capsys.readouterr().out) == {
        "as_of": "2026-02-01T00:00:00+00:00",
        "drafted": 0,
        "finalized": 0,
        "waiting": 0,
        "parked": 0,
        "failed": ["bert:broken:2026-01-01"],
    }


def test_the_command_refuses_an_instant_without_an_offset() -> None:
    with pytest.raises(CommandError, match="has no offset"):
        call_command("run_billing", "--as-of", "2026-02-01T00:00:00")
    assert BillingRun.objects.count() == 0


def test_a_subscription_whose_periods_cannot_be_made_is_told_and_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    make_catalog()
    for name in ("acme", "birch"):
        subscribe(make_customer(name))

    def unwilling(subscription: Subscription, *, until: datetime) -> int:
        if subscription.customer.external_id == "acme":
            raise ValueError("no such day")
        return extend_periods(subscription, until=until)

    monkeypatch.setattr("billing.runs.advance.extend_periods", unwilling)
    report = bill("2026-03-01")
    assert [name.partition(":")[0] for name in report.failed] == ["acme"]
    assert set(Invoice.objects.values_list("customer__external_id", flat=True)) == {"birch"}
    monkeypatch.undo()
    assert bill("2026-03-01").failed == ()
    assert set(Invoice.objects.values_list("customer__external_id", flat=True)) == {"acme", "birch"}
