"""Credit notes as the portal shows them: what was credited of which invoice, and what became of it."""

from typing import Any

from django.utils.translation import gettext as _

from billing.models import CreditNote
from customers.models import Customer
from squill.web import formatting


def credit_note_row(note: CreditNote, customer: Customer) -> dict[str, Any]:
    """Return a credit note as a row of a list, formatted for the customer. Needs invoice and document loaded; no query."""

    def money(minor: int) -> str:
        return formatting.format_money_minor(minor, note.currency, customer.locale)

    settled = [
        (note.to_invoice_minor, _("%(amount)s off the invoice")),
        (note.to_balance_minor, _("%(amount)s kept for next invoices")),
        (note.to_refund_minor, _("%(amount)s paid back") if note.refunded_at else _("%(amount)s to be paid back")),
    ]
    return {
        "number": note.number,
        "invoice": note.invoice.number,
        "issued_on": formatting.format_date(note.issued_on, customer.locale),
        "explanation": note.explanation,
        "total": money(note.total_minor),
        "settled": [words % {"amount": money(minor)} for minor, words in settled if minor],
        "has_pdf": hasattr(note, "document"),
    }
