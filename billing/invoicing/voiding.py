"""Void an invoice: the document stays as it is and keeps its number, its periods are due again."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.locks import lock_invoice, lock_subscription
from billing.models import BillingPeriod, Delivery, Invoice
from customers.audit import record
from squill.lib.actor import Actor


class UnableToVoid(Exception):
    """The invoice cannot be voided; `code` is stable, the message is for a person."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


@transaction.atomic
def void_invoice(*, invoice_id: int, reason: str, actor: Actor, now: datetime) -> Invoice:
    """
    Void a final invoice that nobody has paid. The next run bills its periods again, on a corrected invoice (ADR 0008).

    Idempotent: a void invoice is returned as it is. Locks the subscription, then the invoice.

    :raises UnableToVoid: draft (delete it instead), paid (money has come in), or reason_missing
    """
    lock_subscription(Invoice.objects.values_list("subscription_id", flat=True).get(pk=invoice_id))
    invoice = lock_invoice(invoice_id)
    if invoice.status == Invoice.Status.VOID:
        return invoice
    if invoice.status == Invoice.Status.DRAFT:
        raise UnableToVoid(_("a draft has no number yet: it changes by itself until it is finalised"), code="draft")
    if invoice.paid_minor:
        raise UnableToVoid(_("money has come in for this invoice: it cannot be voided"), code="paid")
    if not reason.strip():
        raise UnableToVoid(_("say why: the reason is kept with the invoice"), code="reason_missing")
    before = {"status": invoice.status}
    invoice.status, invoice.voided_at, invoice.void_reason = Invoice.Status.VOID, now, reason.strip()
    invoice.save(update_fields=["status", "voided_at", "void_reason"])
    BillingPeriod.objects.filter(arrears_invoice=invoice).update(arrears_invoice=None, arrears_billed_at=None)
    BillingPeriod.objects.filter(advance_invoice=invoice).update(advance_invoice=None, advance_billed_at=None)
    Delivery.objects.filter(invoice=invoice, status=Delivery.Status.QUEUED).update(
        status=Delivery.Status.FAILED, last_error=_("the invoice was voided before it was sent")
    )
    record(
        action="invoice.voided",
        object_type="invoice",
        object_id=str(invoice.number),
        customer_id=invoice.customer_id,
        actor=actor,
        now=now,
        before=before,
        after={"status": "void", "reason": invoice.void_reason},
    )
    return invoice
