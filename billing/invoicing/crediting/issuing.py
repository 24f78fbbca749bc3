"""Credit a final invoice, in whole or in part: a document of its own, numbered, frozen, settled and queued at once."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.invoicing.crediting.planning import LineAsked, PlannedCreditNote, creditable, plan_credit_note, plan_lines
from billing.invoicing.crediting.rows import credit_note_rows
from billing.invoicing.crediting.settling import UnableToCredit, Wish
from billing.invoicing.crediting.snapshot import credit_note_snapshot
from billing.invoicing.dispatch import queue_notice
from billing.invoicing.moves import move_invoice, settled_status
from billing.invoicing.numbering import next_number
from billing.invoicing.snapshot import Settlement, to_json
from billing.locks import lock_credit_note, lock_credits, lock_invoice, lock_subscription
from billing.models import (
    Credit,
    CreditEntry,
    CreditNote,
    CreditNoteLine,
    CreditNoteTax,
    Delivery,
    Invoice,
    NumberSeries,
)
from customers.audit import record
from squill.lib.actor import Actor
from squill.lib.failpoints import passing


def preview_credit_note(
    *,
    invoice: Invoice,
    reason: CreditNote.Reason,
    lines: Sequence[LineAsked] | None = None,
    settlement: Wish = "balance",
) -> PlannedCreditNote:
    """
    Say what a credit note would be. Reads only; six queries.

    :raises UnableToCredit: as issue_credit_note, but for its reference
    """
    of = creditable(invoice)
    return plan_credit_note(of, plan_lines(of, lines, reason), reason, settlement)


@transaction.atomic
def issue_credit_note(
    *,
    invoice_id: int,
    reason: CreditNote.Reason,
    reference: str,
    actor: Actor,
    now: datetime,
    explanation: str = "",
    lines: Sequence[LineAsked] | None = None,
    settlement: Wish = "balance",
) -> CreditNote:
    """
    Credit lines of a final invoice, or all that is left of it where `lines` is None (ADR 0025).

    The same reference again is the same credit note, which is returned as it is. Discounts and tax go back with the amounts;
    never more than was invoiced. What is left to pay of the invoice is lowered first, the rest is kept as a credit for the next
    invoices or marked to be paid back, unless `settlement` says amounts. Locks the subscription, the invoice, the customer's
    credits and, last, the counter.

    :raises UnableToCredit: draft, void, nothing_billed, nothing_left, nothing_asked, line_unknown, line_twice, line_takes_off,
        amount_not_positive, too_much, correction_in_part, settlement_differs, more_than_left, more_than_paid,
        reference_missing, or reference_differs
    """
    reference, explanation = reference.strip(), explanation.strip()
    if not reference:
        raise UnableToCredit(_("give a reference: it makes a repeated request the same credit note"), code="reference_missing")
    lock_subscription(Invoice.objects.values_list("subscription_id", flat=True).get(pk=invoice_id))
    invoice = lock_invoice(invoice_id)
    known = CreditNote.objects.filter(invoice=invoice, reference=reference).first()
    if known is not None:
        return _same(known, invoice, reason=reason, explanation=explanation, lines=lines, settlement=settlement)
    planned = preview_credit_note(invoice=invoice, reason=reason, lines=lines, settlement=settlement)
    return write_credit_note(planned, explanation=explanation, reference=reference, actor=actor, now=now)


def write_credit_note(planned: PlannedCreditNote, *, explanation: str, reference: str, actor: Actor, now: datetime) -> CreditNote:
    """
    Write a planned credit note with all that follows from it. The subscription and the invoice must be locked by the caller
    since before it was planned. Locks the customer's credits and the counter.
    """
    invoice = planned.invoice
    lock_credits(customer_id=invoice.customer_id, currency=invoice.currency)
    rows = credit_note_rows(planned, now=now, explanation=explanation, reference=reference)
    note = rows.note
    given = next_number(invoice.billing_entity, kind=NumberSeries.Kind.CREDIT_NOTE, issued_on=note.issued_on)
    note.number, note.counter, note.sequence = given.text, given.counter, given.sequence
    note.save()
    CreditNoteLine.objects.bulk_create(rows.lines)
    CreditNoteTax.objects.bulk_create(rows.taxes)
    snapshot = credit_note_snapshot(planned, number=given.text, explanation=explanation, issued_on=note.issued_on, issued_at=now)
    # From here on it never changes: the triggers let its parts be written only while it has no snapshot.
    note.snapshot = to_json(snapshot)
    note.save(update_fields=["snapshot"])
    _settle_books(note, invoice, actor=actor, now=now)
    passing("credit-before-commit")
    queue_notice(note, kind=Delivery.Kind.CREDIT_NOTE, recipient=invoice.customer.email, now=now)
    return note


@transaction.atomic
def mark_refunded(*, credit_note_id: int, reference: str, actor: Actor, now: datetime) -> CreditNote:
    """
    Write that what a credit note promised was paid back, with what the bank calls it. Idempotent by that. Locks the credit note.

    :raises UnableToCredit: nothing_to_refund, reference_missing, or refund_differs (paid back already, under another reference)
    """
    reference = reference.strip()
    note = lock_credit_note(credit_note_id)
    if not note.to_refund_minor:
        raise UnableToCredit(_("nothing of this credit note is to be paid back"), code="nothing_to_refund")
    if not reference:
        raise UnableToCredit(_("say what the bank calls the payment"), code="reference_missing")
    if note.refunded_at is not None:
        if note.refund_reference == reference:
            return note
        message = _("it was paid back already, as %(reference)s") % {"reference": note.refund_reference}
        raise UnableToCredit(message, code="refund_differs")
    note.refunded_at, note.refund_reference = now, reference
    note.save(update_fields=["refunded_at", "refund_reference"])
    record(
        action="credit_note.refunded",
        object_type="credit_note",
        object_id=note.number,
        customer_id=note.customer_id,
        actor=actor,
        now=now,
        after={"refunded_minor": note.to_refund_minor, "currency": note.currency, "reference": reference},
    )
    return note


def _same(
    known: CreditNote,
    invoice: Invoice,
    *,
    reason: CreditNote.Reason,
    explanation: str,
    lines: Sequence[LineAsked] | None,
    settlement: Wish,
) -> CreditNote:
    """
    Return the credit note of a reference if the same is asked for again, as things stood when it was written.

    :raises UnableToCredit: reference_differs
    """
    of = creditable(invoice, before=known)
    try:
        asked = [(line.row.pk, *line.taken) for line in plan_lines(of, lines, reason)]
    except UnableToCredit:
        asked = []
    written = known.lines.order_by("position").values_list("invoice_line_id", "amount_minor", "discount_minor")
    is_same = (known.reason, known.explanation, list(written)) == (reason, explanation, asked)
    if not is_same or not _is_settled_so(known, settlement):
        message = _("this reference is that of %(number)s, which is of other content: choose another one")
        raise UnableToCredit(message % {"number": known.number}, code="reference_differs")
    return known


def _is_settled_so(known: CreditNote, wish: Wish) -> bool:
    if isinstance(wish, Settlement):
        parts = (known.to_invoice_minor, known.to_balance_minor, known.to_refund_minor)
        return parts == (wish.to_invoice_minor, wish.to_balance_minor, wish.to_refund_minor)
    return (known.to_refund_minor if wish == "balance" else known.to_balance_minor) == 0


def _settle_books(note: CreditNote, invoice: Invoice, *, actor: Actor, now: datetime) -> None:
    """Lower what is left to pay, keep what is to be kept, and record both documents."""
    if note.to_balance_minor:
        credit = Credit.objects.create(
            customer_id=note.customer_id,
            kind=Credit.Kind.CREDIT_NOTE,
            name=note.number,
            reference=f"credit-note:{note.number}",
            currency=note.currency,
            amount_minor=note.to_balance_minor,
            credit_note=note,
            granted_at=now,
        )
        CreditEntry.objects.create(
            credit=credit,
            kind=CreditEntry.Kind.GRANTED,
            amount_minor=note.to_balance_minor,
            recorded_at=now,
            recorded_by=actor.label,
        )
    record(
        action="credit_note.issued",
        object_type="credit_note",
        object_id=note.number,
        customer_id=note.customer_id,
        actor=actor,
        now=now,
        after={
            "total_minor": note.total_minor,
            "currency": note.currency,
            "invoice": invoice.number,
            "reason": note.reason,
            "to_invoice_minor": note.to_invoice_minor,
            "to_balance_minor": note.to_balance_minor,
            "to_refund_minor": note.to_refund_minor,
        },
    )
    invoice.credited_minor += note.to_invoice_minor
    move_invoice(
        invoice,
        settled_status(invoice) if invoice.left_minor == 0 else Invoice.Status(invoice.status),
        action="invoice.credited",
        actor=actor,
        now=now,
        facts={"total_minor": note.total_minor, "currency": note.currency, "credit_note": note.number},
        credited_minor=invoice.credited_minor,
    )
