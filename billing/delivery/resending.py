"""What a person does with notices: sends one again, or says that one whose answer was lost has arrived."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.delivery.mails import thing_of
from billing.delivery.suppression import suppression_of, why_suppressed
from billing.invoicing.dispatch import About, enqueue_delivery, queue_notice
from billing.locks import lock_invoice
from billing.models import CreditNote, Delivery, Invoice, Payment
from customers.audit import record
from squill.lib.actor import Actor
from squill.lib.refusal import Refused

_S = Delivery.Status
# What a person may put back into the queue; what waits there, or is being sent, goes out by itself.
RELEASABLE = (_S.SENT, _S.FAILED, _S.HELD, _S.CANCELLED)


class UnableToResend(Refused):
    """The notice cannot be sent again; `code` is stable, the message is for a person."""


@transaction.atomic
def resend_invoice(*, invoice_id: int, recipient: str, actor: Actor, now: datetime) -> Delivery:
    """
    Queue the notice of a final invoice to one address again, and return its delivery.

    An address has one delivery, which is put back into the queue with its attempts at zero; a new address gets one. One that
    has not gone out yet goes out once. Locks the invoice; audited as invoice.resent.

    :raises UnableToResend: draft, void, recipient_missing, or suppressed (mail to the address came back)
    """
    invoice = lock_invoice(invoice_id)
    if invoice.status == Invoice.Status.DRAFT:
        raise UnableToResend(_("a draft is not sent: finalise it first"), code="draft")
    if invoice.status == Invoice.Status.VOID:
        raise UnableToResend(_("the invoice is void: there is nothing to send"), code="void")
    return _send_to(invoice, Delivery.Kind.INVOICE, recipient, actor, now)


@transaction.atomic
def resend_credit_note(*, credit_note_id: int, recipient: str, actor: Actor, now: datetime) -> Delivery:
    """
    Queue the notice of a credit note to one address again, as `resend_invoice` does. Audited as credit_note.resent.

    :raises UnableToResend: recipient_missing or suppressed
    """
    credit_note = CreditNote.objects.get(pk=credit_note_id)
    return _send_to(credit_note, Delivery.Kind.CREDIT_NOTE, recipient, actor, now)


@transaction.atomic
def send_receipt(*, payment_id: int, recipient: str, actor: Actor, now: datetime) -> Delivery:
    """
    Queue the receipt of a payment to one address, for the first time or again. Audited as payment.receipt_sent.

    :raises UnableToResend: reversed (the money went back), recipient_missing, or suppressed
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.reversed_at is not None:
        raise UnableToResend(_("the payment was reversed: there is nothing to confirm"), code="reversed")
    return _send_to(payment, Delivery.Kind.RECEIPT, recipient, actor, now)


@transaction.atomic
def send_again(*, delivery_id: int, actor: Actor, now: datetime) -> Delivery:
    """
    Put a notice that failed, is held, or was sent back into the queue, with its attempts at zero.

    Of one that is held the person has looked, and takes it that it did not arrive. One that waits already is returned as it is.
    Audited as delivery.sent_again at what it is about.

    :raises UnableToResend: void, reversed, or suppressed
    """
    delivery = _delivery(delivery_id)
    if delivery.invoice is not None and delivery.invoice.status == Invoice.Status.VOID:
        raise UnableToResend(_("the invoice is void: there is nothing to send"), code="void")
    if delivery.payment is not None and delivery.payment.reversed_at is not None:
        raise UnableToResend(_("the payment was reversed: there is nothing to confirm"), code="reversed")
    _refuse_suppressed(delivery.recipient)
    if _queue_again(delivery, now):
        enqueue_delivery(thing_of(delivery))
        _record("delivery.sent_again", delivery, actor, now)
    return _delivery(delivery_id)


@transaction.atomic
def mark_as_sent(*, delivery_id: int, actor: Actor, now: datetime) -> Delivery:
    """
    Note that a notice whose answer was lost has arrived after all; nothing is sent. Audited as delivery.marked_as_sent.

    :raises UnableToResend: not_held
    """
    delivery = _delivery(delivery_id)
    held = Delivery.objects.filter(pk=delivery_id, status=_S.HELD)
    if not held.update(status=_S.SENT, sent_at=now, last_error=""):
        raise UnableToResend(_("only a notice that is held can be marked as sent"), code="not_held")
    if delivery.kind == Delivery.Kind.INVOICE:
        Invoice.objects.filter(deliveries=delivery, sent_at=None).exclude(status=Invoice.Status.VOID).update(sent_at=now)
    elif delivery.kind == Delivery.Kind.CREDIT_NOTE:
        CreditNote.objects.filter(deliveries=delivery, sent_at=None).update(sent_at=now)
    _record("delivery.marked_as_sent", delivery, actor, now)
    return _delivery(delivery_id)


def _send_to(about: About, kind: Delivery.Kind, recipient: str, actor: Actor, now: datetime) -> Delivery:
    address = recipient.strip()
    if not address:
        raise UnableToResend(_("say which address it goes to"), code="recipient_missing")
    _refuse_suppressed(address)
    delivery = queue_notice(about, kind=kind, recipient=address, now=now)
    if delivery is None:
        raise UnableToResend(_("say which address it goes to"), code="recipient_missing")
    _queue_again(delivery, now)
    actions = {
        Delivery.Kind.INVOICE: "invoice.resent",
        Delivery.Kind.CREDIT_NOTE: "credit_note.resent",
        Delivery.Kind.RECEIPT: "payment.receipt_sent",
    }
    _record(actions[kind], delivery, actor, now)
    return _delivery(delivery.pk)


def _queue_again(delivery: Delivery, now: datetime) -> bool:
    """Put it back into the queue, and say whether it was not there."""
    done = Delivery.objects.filter(pk=delivery.pk, status__in=RELEASABLE).update(
        status=_S.QUEUED, attempts=0, queued_at=now, last_error="", delivered_at=None, bounced_at=None, complained_at=None
    )
    return bool(done)


def _refuse_suppressed(address: str) -> None:
    suppressed = suppression_of(address)
    if suppressed is not None:
        raise UnableToResend(why_suppressed(suppressed), code="suppressed")


def _delivery(delivery_id: int) -> Delivery:
    return Delivery.objects.select_related("invoice", "credit_note", "payment").get(pk=delivery_id)


def _record(action: str, delivery: Delivery, actor: Actor, now: datetime) -> None:
    about = thing_of(delivery)
    names = {Invoice: "invoice", CreditNote: "credit_note", Payment: "payment"}
    name = str(about.public_id) if isinstance(about, Payment) else str(about.number)
    record(
        action=action,
        object_type=names[type(about)],
        object_id=name,
        customer_id=about.customer_id,
        actor=actor,
        now=now,
        after={"recipient": delivery.recipient} | ({"occasion": delivery.occasion} if delivery.occasion else {}),
    )
