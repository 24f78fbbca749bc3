"""Attacks by raw SQL: a final credit note is not changed, deleted, emptied or extended, and no line credited twice over (I5)."""

# ruff: noqa: S608 (the statements are made of constants)

import pytest
from django.db import DatabaseError

from billing.invoicing.crediting.issuing import issue_credit_note
from billing.invoicing.crediting.planning import LineAsked
from billing.invoicing.snapshot import Settlement
from billing.models import Credit, CreditEntry, CreditNote, CreditNoteLine, CreditNoteTax
from tests.billing.builders import ACTOR, assault, at
from tests.billing.desks import invoice_of, small_books

pytestmark = pytest.mark.django_db

FROZEN = (CreditNote, CreditNoteLine, CreditNoteTax, Credit, CreditEntry)
LINE = (
    "INSERT INTO billing_creditnoteline (credit_note_id, position, invoice_line_id, description, detail, quantity, exact_amount, "
    "amount_minor, discount_minor) SELECT {note}, 9, l.id, 'x', '', 1, 1, {amount}, 0 FROM billing_invoiceline l "
    "WHERE l.position = {position} "
)
ATTACKS = [
    "UPDATE billing_creditnote SET total_minor = 1",
    "UPDATE billing_creditnote SET number = 'CN-000009'",
    "UPDATE billing_creditnote SET to_invoice_minor = 0, to_refund_minor = total_minor",
    "UPDATE billing_creditnote SET snapshot = '{}'",
    "UPDATE billing_creditnote SET reason = 'correction'",
    "UPDATE billing_creditnote SET explanation = 'other'",
    "UPDATE billing_creditnote SET issued_on = '2026-01-01'",
    "DELETE FROM billing_creditnote",
    "TRUNCATE billing_creditnote CASCADE",
    "UPDATE billing_creditnoteline SET amount_minor = 1",
    "UPDATE billing_creditnoteline SET quantity = 0",
    "DELETE FROM billing_creditnoteline",
    "TRUNCATE billing_creditnoteline",
    "UPDATE billing_creditnotetax SET amount_minor = 0",
    "DELETE FROM billing_creditnotetax",
    "TRUNCATE billing_creditnotetax",
    "INSERT INTO billing_creditnotetax (credit_note_id, rate_pct, category, label, exemption_code, note, base_minor, "
    "amount_minor) SELECT id, 7, 'S', '', '', '', 100, 7 FROM billing_creditnote",
    LINE.format(note="(SELECT id FROM billing_creditnote)", amount=1, position=1),
    "UPDATE billing_credit SET amount_minor = 1",
    "DELETE FROM billing_credit",
    "UPDATE billing_creditentry SET amount_minor = 1",
    "UPDATE billing_invoice SET credited_minor = 999999",
]


@pytest.fixture
def note() -> CreditNote:
    return issue_credit_note(
        invoice_id=invoice_of(small_books()).pk,
        reason=CreditNote.Reason.GOODWILL,
        reference="C",
        lines=[LineAsked(2, 1000)],
        settlement=Settlement(to_invoice_minor=1100, to_balance_minor=100),
        actor=ACTOR,
        now=at("2026-02-10"),
    )


def everything() -> list[object]:
    return [list(model._default_manager.order_by("pk").values()) for model in FROZEN]


@pytest.mark.parametrize("statement", ATTACKS)
def test_a_final_credit_note_stands(note: CreditNote, statement: str) -> None:
    before = everything()
    with pytest.raises(DatabaseError):
        assault(statement)
    assert everything() == before


def test_what_happens_to_it_afterwards_can_be_written(note: CreditNote) -> None:
    CreditNote.objects.filter(pk=note.pk).update(sent_at=at("2026-02-11"), refunded_at=at("2026-02-12"), refund_reference="R")
    note.refresh_from_db()
    assert note.sent_at == at("2026-02-11")


def test_one_that_is_open_cannot_take_more_than_a_line_has_left_nor_stay_open(note: CreditNote) -> None:
    """The line of 15.00 has 5.00 left; a credit note that is being written by somebody else."""
    columns = [str(field.column) for field in CreditNote._meta.concrete_fields if field.name not in ("id", "public_id")]
    changed = {"number": "'CN-X'", "sequence": "sequence + 1", "reference": "'X'", "snapshot": "'{}'"}
    values = ", ".join(changed.get(column, column) for column in columns)
    opened = (
        "UPDATE billing_numbercounter SET last_number = last_number + 1 WHERE id = (SELECT counter_id FROM billing_creditnote); "
        f"INSERT INTO billing_creditnote (public_id, {', '.join(columns)}) SELECT gen_random_uuid(), {values} "
        "FROM billing_creditnote LIMIT 1"
    )
    newest = "(SELECT max(id) FROM billing_creditnote)"
    with pytest.raises(DatabaseError, match="takes back more than the line has left"):
        assault(f"SET CONSTRAINTS ALL DEFERRED; {opened}; {LINE.format(note=newest, amount=501, position=2)}")
    with pytest.raises(DatabaseError, match="has no snapshot"):
        assault(f"SET CONSTRAINTS ALL DEFERRED; {opened}; SET CONSTRAINTS ALL IMMEDIATE")
    assert CreditNote.objects.count() == 1
