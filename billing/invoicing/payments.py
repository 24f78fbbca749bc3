"""Money received. What is paid is the sum of payments; an invoice is paid when that reaches what is due."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.locks import lock_invoice
from billing.models import Invoice, Payment
from customers.audit import record
from squill.lib.actor import Actor


class PaymentError(Exception):
    """A payment cannot be recorded as asked; `code` is stable, the message is for a person."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


@transaction.atomic
def record_payment(
    *,
    invoice_id: int,
    amount_minor: int,
    received_on: date,
    reference: str,
    actor: Actor,
    now: datetime,
    method: str = "bank_transfer",
) -> Payment:
    """
    Record money for an open invoice; the same reference again returns the first payment and changes nothing.

    Locks the invoice, and marks it paid when nothing is left to pay.

    :raises PaymentError: not_open, amount_not_positive, too_much, or reference_differs (the same reference with another
        amount or date)
    """
    invoice = lock_invoice(invoice_id)
    known = Payment.objects.filter(invoice=invoice, reference=reference).first()
    if known is not None:
        if (known.amount_minor, known.received_on) != (amount_minor, received_on):
            raise PaymentError(_("this reference is recorded with another amount or date"), code="reference_differs")
        return known
    if invoice.status != Invoice.Status.FINALIZED:
        raise PaymentError(_("only an open invoice can be paid"), code="not_open")
    if amount_minor <= 0:
        raise PaymentError(_("the amount must be more than zero"), code="amount_not_positive")
    if invoice.paid_minor + amount_minor > invoice.due_minor:
        raise PaymentError(_("the amount is more than what is left to pay"), code="too_much")
    payment = Payment.objects.create(
        invoice=invoice,
        amount_minor=amount_minor,
        received_on=received_on,
        method=method,
        reference=reference,
        recorded_at=now,
        recorded_by=actor.label,
    )
    before = {"status": invoice.status, "paid_minor": invoice.paid_minor}
    invoice.paid_minor += amount_minor
    if invoice.paid_minor == invoice.due_minor:
        invoice.status = Invoice.Status.PAID
    invoice.save(update_fields=["paid_minor", "status"])
    record(
        action="invoice.payment_recorded",
        object_type="invoice",
        object_id=str(invoice.number),
        customer_id=invoice.customer_id,
        actor=actor,
        now=now,
        before=before,
        after={"status": invoice.status, "paid_minor": invoice.paid_minor, "reference": reference},
    )
    return payment
