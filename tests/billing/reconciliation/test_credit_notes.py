"""Each rule of credit notes is broken on purpose, behind the back of every trigger, and must be found and named."""

import json
from typing import Any

import pytest

from billing.invoicing.crediting.issuing import issue_credit_note, mark_refunded
from billing.invoicing.crediting.planning import LineAsked
from billing.invoicing.paying.payments import record_payment
from billing.models import CreditNote
from billing.reconciliation.canonical import export_canonical
from billing.reconciliation.credit_notes import check_credit_notes
from billing.reconciliation.report import reconcile
from tests.billing.builders import ACTOR, at, books, sql, triggers_off
from tests.billing.desks import invoice_of, small_books

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _books() -> None:
    """An invoice of 30.00, paid with 20.00; a credit note of 6.00 on it, and one of 12.00 of which 8.00 are paid back."""
    invoice = invoice_of(small_books())
    facts: dict[str, Any] = {"invoice_id": invoice.pk, "actor": ACTOR, "now": at("2026-02-10")}
    record_payment(amount_minor=2000, received_on=at("2026-02-05").date(), reference="R", **facts)
    wanted: list[dict[str, Any]] = [
        {"reference": "A", "lines": [LineAsked(2, 500)]},
        {"reference": "B", "lines": [LineAsked(1)], "settlement": "refund"},
        {"reference": "C", "lines": [LineAsked(2, 100)]},
    ]
    notes = [issue_credit_note(reason=CreditNote.Reason.GOODWILL, **asked, **facts) for asked in wanted]
    mark_refunded(credit_note_id=notes[1].pk, reference="SEPA", actor=ACTOR, now=at("2026-02-11"))


BREAKS = [
    (
        "UPDATE billing_creditnoteline SET amount_minor = 501 WHERE amount_minor = 500",
        "has lines that do not add up",
    ),
    ("UPDATE billing_creditnoteline SET discount_minor = 1 WHERE amount_minor = 500", "discounts that do not add up"),
    (
        "UPDATE billing_creditnote SET subtotal_minor = 501, total_minor = 601, to_invoice_minor = 601 WHERE total_minor = 600",
        "has lines that do not add up to 501",
    ),
    (
        "UPDATE billing_creditnotetax SET amount_minor = 99 WHERE base_minor = 500",
        "has tax of 99 on 500 at 20 %, its lines",
    ),
    ("UPDATE billing_creditnotetax SET base_minor = 499 WHERE base_minor = 500", "has tax of 100 on 499"),
    ("DELETE FROM billing_creditnotetax WHERE base_minor = 500", "has lines with a tax that is not in its taxes"),
    ("UPDATE billing_creditnotetax SET rate_pct = 7 WHERE base_minor = 500", "has credit notes with taxes that it has not"),
    ("UPDATE billing_invoice SET credited_minor = 1", "says that credit notes took 1 off"),
    (
        "UPDATE billing_creditnoteline SET amount_minor = 1501 WHERE amount_minor = 500",
        "of 1500 less 0, credited are (1601",
    ),
    (
        "UPDATE billing_invoice SET total_minor = 1000, tax_minor = -1500, due_minor = 1000, paid_minor = 0, credited_minor = 0",
        "is of 1000, its credit notes of 1920",
    ),
    ("UPDATE billing_invoice SET status = 'void', voided_at = now()", "is void, and has credit notes"),
    ("UPDATE billing_creditnote SET snapshot = jsonb_set(snapshot, '{total_minor}', '1')", "prints ("),
    ("UPDATE billing_creditnote SET snapshot = jsonb_set(snapshot, '{lines,0,amount_minor}', '1')", "prints other lines"),
    ("UPDATE billing_creditnote SET snapshot = jsonb_set(snapshot, '{taxes}', '[]')", "prints other taxes"),
    (
        "UPDATE billing_creditnote SET snapshot = jsonb_set(snapshot, '{settlement,to_refund_minor}', '7')",
        "another settlement",
    ),
    ("UPDATE billing_creditnote SET snapshot = '[]'", "has a snapshot that cannot be read"),
    ("DELETE FROM billing_creditentry", "and no credit of that was granted"),
    ("UPDATE billing_credit SET currency = 'USD'", "its credit is of another amount"),
    (
        "UPDATE billing_creditnote SET refunded_at = now() WHERE to_refund_minor = 0",
        "was paid back, though nothing of it was",
    ),
    ("DELETE FROM customers_auditevent WHERE action = 'credit_note.issued'", "has no audit event credit_note.issued"),
    ("DELETE FROM customers_auditevent WHERE action = 'credit_note.refunded'", "has no audit event credit_note.refunded"),
]


def test_good_credit_notes_are_in_order() -> None:
    assert list(check_credit_notes()) == []


@pytest.mark.parametrize(("statement", "said"), BREAKS)
def test_what_is_broken_is_named(statement: str, said: str) -> None:
    with triggers_off():
        sql(statement)
    found = list(check_credit_notes())
    assert any(said in text for text in found), found
    assert set(found) <= set(reconcile().differences)


def test_the_export_has_credit_notes_behind_their_invoice() -> None:
    exported = export_canonical()["invoices"]
    assert [(one["kind"], one["number"], one.get("corrects")) for one in exported] == [
        ("invoice", "INV-000001", None),
        ("credit_note", "CN-000001", "INV-000001"),
        ("credit_note", "CN-000002", "INV-000001"),
        ("credit_note", "CN-000003", "INV-000001"),
    ]
    assert exported[1] == {
        "customer": "acme",
        "number": "CN-000001",
        "kind": "credit_note",
        "status": "finalized",
        "corrects": "INV-000001",
        "reason": "goodwill",
        "currency": "EUR",
        "issued_on": "2026-02-10",
        "lines": [
            {
                "charge": "calls",
                "group": "usage",
                "description": "Calls",
                "period": ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"],
                "quantity": "1",
                "exact_amount": "5",
                "amount": "5",
            }
        ],
        "subtotal": "5",
        "discount": "0",
        "tax": [{"rate": "20", "base": "5", "amount": "1"}],
        "total": "6",
        "to_invoice": "6",
        "to_balance": "0",
        "to_refund": "0",
    }
    assert json.loads(books())["invoices"] == exported
