"""Send an invoice once more because a person asks for it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.invoicing.finalizing import enqueue_delivery
from billing.locks import lock_invoice
from billing.models import Delivery, Invoice
from customers.audit import record
from squill.lib.actor import Actor


class UnableToResend(Exception):
    """The invoice cannot be sent again; `code` is stable, the message is for a person."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


@transaction.atomic
def resend_invoice(*, invoice_id: int, recipient: str, actor: Actor, now: datetime) -> Delivery:
    """
    Queue the notice of a final invoice to one address again, and return its delivery.

    An address has one delivery, which is put back into the queue with its attempts at zero; a new address gets one. One that
    has not gone out yet goes out once. Locks the invoice; audited as invoice.resent.

    :raises UnableToResend: draft, void, or recipient_missing
    """
    invoice = lock_invoice(invoice_id)
    if invoice.status == Invoice.Status.DRAFT:
        raise UnableToResend(_("a draft is not sent: finalise it first"), code="draft")
    if invoice.status == Invoice.Status.VOID:
        raise UnableToResend(_("the invoice is void: there is nothing to send"), code="void")
    address = recipient.strip()
    if not address:
        raise UnableToResend(_("say which address it goes to"), code="recipient_missing")
    delivery, is_new = Delivery.objects.get_or_create(invoice=invoice, recipient=address, defaults={"queued_at": now})
    if not is_new and delivery.status in (Delivery.Status.SENT, Delivery.Status.FAILED):
        delivery.status, delivery.attempts, delivery.queued_at, delivery.last_error = Delivery.Status.QUEUED, 0, now, ""
        delivery.save(update_fields=["status", "attempts", "queued_at", "last_error"])
    enqueue_delivery(invoice.pk)
    record(
        action="invoice.resent",
        object_type="invoice",
        object_id=str(invoice.number),
        customer_id=invoice.customer_id,
        actor=actor,
        now=now,
        after={"recipient": address},
    )
    return delivery
