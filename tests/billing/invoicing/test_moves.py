"""The states of an invoice: the table in Python is the trigger's, and whoever writes, nothing moves past it."""

import re
from itertools import product

import pytest
from django.db import DatabaseError, connection

from billing.invoicing.finalizing import finalize_invoice
from billing.invoicing.giving_up import give_up_invoice, take_up_invoice
from billing.invoicing.moves import MOVES, MoveRefused, move_invoice
from billing.invoicing.paying.payments import record_payment
from billing.invoicing.voiding import void_invoice
from billing.models import Invoice
from customers.models import AuditEvent
from squill.lib.actor import Actor
from tests.billing.builders import assault, at, bill, invoices, make_catalog, make_customer, row_counts, subscribe, triggers_off

pytestmark = pytest.mark.django_db
PERSON = Actor("user", "finance@example.com")
LATER = at("2026-02-05")
PAIRS = list(product(Invoice.Status, Invoice.Status))


def of_trigger() -> dict[str, set[str]]:
    """The moves that squill_freeze_invoice lets through, as the database has the function."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('squill_freeze_invoice'::regproc)")
        source = cursor.fetchone()[0]
    moves = re.search(r"moves CONSTANT text\[\] := ARRAY\[([^\]]*)\]", source)
    drafts = re.search(r"NEW\.status NOT IN \(([^)]*)\)", source)
    assert moves
    assert drafts
    table: dict[str, set[str]] = {"draft": set(re.findall(r"'(\w+)'", drafts[1])) - {"draft"}}
    for before, after in re.findall(r"'(\w+) (\w+)'", moves[1]):
        table.setdefault(before, set()).add(after)
    return table


def invoice_in(status: Invoice.Status) -> Invoice:
    """An invoice in any state, put there past the trigger so that each pair starts from the same place."""
    make_catalog()
    subscribe(make_customer())
    bill("2026-02-01", finalize=status != Invoice.Status.DRAFT)
    (invoice,) = invoices()
    if status not in {Invoice.Status.DRAFT, Invoice.Status.FINALIZED}:
        voided_at = LATER if status == Invoice.Status.VOID else None
        with triggers_off():
            Invoice.objects.filter(pk=invoice.pk).update(status=status, voided_at=voided_at)
    return Invoice.objects.get(pk=invoice.pk)


def test_the_table_is_the_triggers_table() -> None:
    assert {before.value: {after.value for after in moves} for before, moves in MOVES.items() if moves} == of_trigger()


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_every_pair_is_taken_or_refused_by_the_database(before: Invoice.Status, after: Invoice.Status) -> None:
    invoice = invoice_in(before)
    voided = "now()" if after == "void" else "NULL"
    numbered = "" if before != "draft" or after == "draft" else ", number = 'INV-1', sequence = 1, finalized_at = now()"
    if numbered:
        assault(
            "INSERT INTO billing_numberseries (billing_entity_id, kind, pattern, resets_yearly) "
            "SELECT id, 'invoice', 'X-{number}', false FROM billing_billingentity"
        )
        assault("INSERT INTO billing_numbercounter (series_id, year, last_number) SELECT id, 0, 0 FROM billing_numberseries")
        assault("UPDATE billing_numbercounter SET last_number = 1")
        numbered += ", counter_id = (SELECT id FROM billing_numbercounter)"
    statement = f"UPDATE billing_invoice SET status = '{after}', voided_at = {voided}{numbered}"  # noqa: S608 (constants)
    is_allowed = after in MOVES[before] or (before == after and before != "void")
    if is_allowed:
        assault(statement)
        invoice.refresh_from_db()
        assert invoice.status == after
        return
    with pytest.raises(DatabaseError, match=r"a draft cannot become|is final: UPDATE refused"):
        assault(statement)
    invoice.refresh_from_db()
    assert invoice.status == before


@pytest.mark.parametrize(("before", "after"), [(before, after) for before, after in PAIRS if before != after])
def test_every_pair_that_is_not_in_the_table_is_refused_by_the_function(before: Invoice.Status, after: Invoice.Status) -> None:
    invoice = invoice_in(before)
    if after in MOVES[before]:
        return
    rows = row_counts()
    with pytest.raises(MoveRefused, match=f"is {before} and cannot become {after}"):
        move_invoice(invoice, after, action="invoice.moved", actor=PERSON, now=LATER)
    invoice.refresh_from_db()
    assert (invoice.status, row_counts()) == (before, rows)


def test_of_two_movers_from_the_same_state_one_is_refused() -> None:
    invoice = invoice_in(Invoice.Status.FINALIZED)
    stale = Invoice.objects.get(pk=invoice.pk)
    move_invoice(invoice, Invoice.Status.UNCOLLECTIBLE, action="invoice.given_up", actor=PERSON, now=LATER)
    rows = row_counts()
    with pytest.raises(MoveRefused, match="is not finalized any more"):
        move_invoice(stale, Invoice.Status.VOID, action="invoice.voided", actor=PERSON, now=LATER, voided_at=LATER)
    assert row_counts() == rows


def test_each_move_is_on_the_trail_with_who_made_it() -> None:
    invoice = invoice_in(Invoice.Status.DRAFT)
    pk = invoice.pk
    finalize_invoice(invoice_id=pk, as_of=LATER, actor=PERSON, now=LATER)
    give_up_invoice(invoice_id=pk, reason="insolvent", actor=PERSON, now=LATER)
    take_up_invoice(invoice_id=pk, actor=PERSON, now=LATER)
    void_invoice(invoice_id=pk, reason="wrong customer", actor=PERSON, now=LATER, reissue=True)
    again = Invoice.objects.get(replaces_id=pk)
    finalize_invoice(invoice_id=again.pk, as_of=LATER, actor=PERSON, now=LATER)
    record_payment(invoice_id=again.pk, amount_minor=1000, received_on=LATER.date(), reference="R", actor=PERSON, now=LATER)
    told = AuditEvent.objects.filter(object_type="invoice").order_by("pk")
    assert [
        (event.object_id, event.action, event.before["status"], event.after["status"], event.actor_label) for event in told
    ] == [
        ("INV-000001", "invoice.finalized", "draft", "finalized", "finance@example.com"),
        ("INV-000001", "invoice.given_up", "finalized", "uncollectible", "finance@example.com"),
        ("INV-000001", "invoice.taken_up", "uncollectible", "finalized", "finance@example.com"),
        ("INV-000001", "invoice.voided", "finalized", "void", "finance@example.com"),
        ("INV-000002", "invoice.finalized", "draft", "finalized", "finance@example.com"),
        ("INV-000002", "invoice.payment_recorded", "finalized", "paid", "finance@example.com"),
    ]
