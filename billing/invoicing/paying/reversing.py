"""A payment that came back: what it paid is taken back by negative allocations, and its invoices are open again."""

from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from billing.invoicing.moves import move_invoice
from billing.invoicing.paying.allocating import Allocation, allocate
from billing.locks import lock_invoices, lock_payment
from billing.models import Delivery, Invoice, Payment
from customers.audit import record
from squill.lib.actor import Actor
from squill.lib.refusal import Refused


class UnableToReverse(Refused):
    """The payment cannot be reversed; `code` is stable, the message is for a person."""


class _PaidMore(Exception):
    """The payment took another invoice while we waited for its lock."""


@transaction.atomic
def reverse_payment(*, payment_id: int, reason: str, actor: Actor, now: datetime) -> Payment:
    """
    Take back a payment that bounced, was charged back, or was recorded by mistake: all of it, for good.

    Every invoice that it paid gets a negative allocation; one that was paid is open again, one that was given up stays so. A
    void invoice has no payments, so there is none among them. A receipt that was not sent yet is not sent any more. Idempotent:
    a reversed payment is returned as it is. Locks the invoices, then the payment.

    :raises UnableToReverse: reason_missing
    """
    payment, paid = _lock(payment_id)
    if payment.reversed_at is not None:
        return payment
    if not reason.strip():
        raise UnableToReverse(_("say why: the reason is kept with the payment"), code="reason_missing")
    for invoice, paid_minor in paid:
        allocate(invoice, [Allocation(payment, -paid_minor)], now=now, recorded_by=actor.label)
        status = Invoice.Status(invoice.status)
        move_invoice(
            invoice,
            Invoice.Status.FINALIZED if status == Invoice.Status.PAID else status,
            action="invoice.payment_reversed",
            actor=actor,
            now=now,
            facts={"paid_minor": invoice.paid_minor, "reference": payment.reference, "reason": reason.strip()},
        )
    payment.reversed_at, payment.reversal_reason = now, reason.strip()
    payment.save(update_fields=["reversed_at", "reversal_reason"])
    Delivery.objects.filter(payment=payment, status=Delivery.Status.QUEUED).update(
        status=Delivery.Status.CANCELLED, last_error=_("the payment was reversed before its receipt was sent")
    )
    record(
        action="payment.reversed",
        object_type="payment",
        object_id=str(payment.public_id),
        customer_id=payment.customer_id,
        actor=actor,
        now=now,
        after={
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
            "reference": payment.reference,
            "reason": payment.reversal_reason,
        },
    )
    return payment


def paid_by(payment: Payment) -> dict[int, int]:
    """Return what the payment pays of each invoice, by the id of the invoice, in minor units; none of zero. One query."""
    sums = payment.allocations.values("invoice_id").annotate(paid=Sum("amount_minor")).filter(paid__gt=0)
    return {row["invoice_id"]: int(row["paid"]) for row in sums.order_by("invoice_id")}


def _lock(payment_id: int) -> tuple[Payment, list[tuple[Invoice, int]]]:
    """
    Lock the invoices that a payment pays, then the payment; return it, and each invoice with what it pays of it.

    Invoices are locked first everywhere, so one that the payment took while we waited is not locked after it: all locks are let
    go with the savepoint, and taken anew. Each round is an invoice more, so it ends.
    """
    while True:
        known = paid_by(Payment.objects.get(pk=payment_id))
        try:
            with transaction.atomic():
                invoices = lock_invoices(known)
                payment = lock_payment(payment_id)
                paid = paid_by(payment)
                if not paid.keys() <= known.keys():
                    raise _PaidMore
                return payment, [(invoice, paid[invoice.pk]) for invoice in invoices if invoice.pk in paid]
        except _PaidMore:
            continue
