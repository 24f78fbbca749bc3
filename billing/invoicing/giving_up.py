"""Invoices whose money is not expected any more: they stop being claimed, and can be taken up again or paid after all."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.invoicing.moves import move_invoice, settled_status
from billing.locks import lock_invoice
from billing.models import Delivery, Invoice
from squill.lib.actor import Actor
from squill.lib.refusal import Refused


class UnableToGiveUp(Refused):
    """The invoice cannot be given up, or not be taken up again; `code` is stable, the message is for a person."""


@transaction.atomic
def give_up_invoice(*, invoice_id: int, reason: str, actor: Actor, now: datetime) -> Invoice:
    """
    Mark an open invoice as uncollectible: it is owed still, but nobody asks for it, and no list of what is open counts it.

    Reminders that wait are not sent. The document stays as it is. Idempotent. Locks the invoice.

    :raises UnableToGiveUp: not_open (draft, paid or void), or reason_missing
    """
    invoice = lock_invoice(invoice_id)
    if invoice.status == Invoice.Status.UNCOLLECTIBLE:
        return invoice
    if invoice.status != Invoice.Status.FINALIZED:
        raise UnableToGiveUp(_("only an open invoice can be uncollectible"), code="not_open")
    if not reason.strip():
        raise UnableToGiveUp(_("say why: the reason is kept on the trail"), code="reason_missing")
    waiting = Delivery.objects.filter(invoice=invoice, kind=Delivery.Kind.REMINDER, status=Delivery.Status.QUEUED)
    waiting.update(status=Delivery.Status.CANCELLED, last_error=_("the invoice was marked as uncollectible"))
    move_invoice(
        invoice,
        Invoice.Status.UNCOLLECTIBLE,
        action="invoice.given_up",
        actor=actor,
        now=now,
        facts={"reason": reason.strip(), "left_minor": invoice.left_minor, "currency": invoice.currency},
    )
    return invoice


@transaction.atomic
def take_up_invoice(*, invoice_id: int, actor: Actor, now: datetime) -> Invoice:
    """
    Claim an invoice again that was given up: it is open as before, with its due date. Idempotent. Locks the invoice.

    :raises UnableToGiveUp: not_given_up (draft, paid or void)
    """
    invoice = lock_invoice(invoice_id)
    if invoice.status == Invoice.Status.FINALIZED:
        return invoice
    if invoice.status != Invoice.Status.UNCOLLECTIBLE:
        raise UnableToGiveUp(_("only an invoice that is uncollectible can be taken up again"), code="not_given_up")
    move_invoice(
        invoice,
        settled_status(invoice),
        action="invoice.taken_up",
        actor=actor,
        now=now,
        facts={"left_minor": invoice.left_minor, "currency": invoice.currency},
    )
    return invoice
