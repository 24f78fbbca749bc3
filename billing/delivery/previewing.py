"""A draft as its PDF would be: the real template, marked as an estimate, kept nowhere."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.delivery.logos import logo_of
from billing.invoicing.drafting import refresh_draft
from billing.invoicing.items import ItemsRefused
from billing.invoicing.snapshot import InvoiceSnapshot
from billing.invoicing.snapshotting import draft_snapshot
from billing.models import Invoice
from billing.rating.terms import TermsBook
from squill.lib.refusal import Refused


class UnableToPreview(Refused):
    """There is nothing to preview; `code` is stable, the message is for a person."""


def preview_pdf(*, invoice_id: int, as_of: datetime) -> bytes:
    """
    Render a draft as it would be if it were made final now. Writes nothing.

    :raises UnableToPreview: final, nothing_to_bill, or negative (a one-off invoice that comes to less than nothing)
    :raises Invoice.DoesNotExist: if there is none
    """
    from billing.delivery.rendering.pdf import render_pdf  # noqa: PLC0415 (Pango only where PDFs are made)

    snapshot = _snapshot(invoice_id, as_of)
    return render_pdf(snapshot, logo=logo_of(snapshot), estimate=True)


def _snapshot(invoice_id: int, as_of: datetime) -> InvoiceSnapshot:
    """Work the draft out by what is known now, and take that back: the locks are held for as long as it takes."""
    with transaction.atomic():
        try:
            draft = refresh_draft(invoice_id=invoice_id, as_of=as_of, terms_book=TermsBook())
        except ItemsRefused as refused:
            raise UnableToPreview(str(refused), code=refused.code) from None
        if draft is None:
            raise UnableToPreview(_("there is nothing left to bill on this draft"), code="nothing_to_bill")
        if draft.status != Invoice.Status.DRAFT:
            raise UnableToPreview(_("the invoice is final: its PDF says what it says"), code="final")
        snapshot = draft_snapshot(draft)
        transaction.set_rollback(True)
    return snapshot
