"""A planned credit note to unsaved rows: the document saves them, a preview only shows them."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from billing.invoicing.crediting.planning import PlannedCreditNote
from billing.models import BillingEntity, CreditNote, CreditNoteLine, CreditNoteTax


@dataclass(frozen=True, slots=True)
class CreditNoteRows:
    """A credit note with its parts, not saved; it has no number yet."""

    note: CreditNote
    lines: list[CreditNoteLine]
    taxes: list[CreditNoteTax]


def issue_day(entity: BillingEntity, now: datetime) -> date:
    """Return the seller's day: dates follow numbers, whatever zones the customers live in."""
    return now.astimezone(ZoneInfo(entity.timezone)).date()


def credit_note_rows(planned: PlannedCreditNote, *, now: datetime, explanation: str = "", reference: str = "") -> CreditNoteRows:
    """Write a planned credit note as rows, issued on the seller's day of `now`. No query."""
    invoice = planned.invoice
    note = CreditNote(
        invoice=invoice,
        customer=invoice.customer,
        billing_entity=invoice.billing_entity,
        reason=planned.reason,
        explanation=explanation,
        reference=reference,
        currency=invoice.currency,
        issued_on=issue_day(invoice.billing_entity, now),
        issued_at=now,
        subtotal_minor=planned.subtotal_minor,
        discount_minor=planned.discount_minor,
        tax_minor=planned.tax_minor,
        total_minor=planned.total_minor,
        to_invoice_minor=planned.settlement.to_invoice_minor,
        to_balance_minor=planned.settlement.to_balance_minor,
        to_refund_minor=planned.settlement.to_refund_minor,
    )
    lines = [
        CreditNoteLine(
            credit_note=note,
            position=position,
            invoice_line=line.row,
            description=line.row.description,
            detail=line.detail,
            quantity=line.quantity,
            exact_amount=line.exact_amount,
            amount_minor=line.taken.amount_minor,
            discount_minor=line.taken.discount_minor,
        )
        for position, line in enumerate(planned.lines, start=1)
    ]
    taxes = [
        CreditNoteTax(
            credit_note=note,
            rate_pct=tax.row.rate_pct,
            category=tax.row.category,
            label=tax.row.label,
            exemption_code=tax.row.exemption_code,
            note=tax.row.note,
            base_minor=tax.base_minor,
            amount_minor=tax.amount_minor,
        )
        for tax in planned.taxes
    ]
    return CreditNoteRows(note, lines, taxes)
