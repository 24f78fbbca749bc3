"""A payment's rows to the value that its receipt prints."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Sum

from billing.invoicing.entities import billing_of
from billing.invoicing.snapshot import InvoiceSnapshot, ReceivedPayment, Related
from billing.invoicing.snapshotting import parties
from billing.models import BillingEntity, Invoice, Payment, PaymentAllocation


class PaidInvoice(NamedTuple):
    """What a payment pays of one invoice, in minor units."""

    invoice: Invoice
    amount_minor: int


def receipt_number(payment: Payment) -> str:
    """
    Return what a receipt is called: `R-` and the first twelve digits of the payment's id.

    A receipt confirms a payment and is no invoice, so it takes no number of a series, which would have to be without gaps.
    """
    return f"R-{payment.public_id.hex[:12].upper()}"


def paid_invoices(payment: Payment, *, as_of: datetime) -> Sequence[PaidInvoice]:
    """Return what the payment paid of which invoices by an instant, in the order of their numbers' issue. Two queries."""
    sums = (
        PaymentAllocation.objects.filter(payment=payment, recorded_at__lte=as_of)
        .values("invoice_id")
        .annotate(paid=Sum("amount_minor"))
        .filter(paid__gt=0)
    )
    paid = {row["invoice_id"]: int(row["paid"]) for row in sums}
    invoices = Invoice.objects.select_related("billing_entity__logo").filter(pk__in=paid).order_by("issued_on", "pk")
    return [PaidInvoice(invoice, paid[invoice.pk]) for invoice in invoices]


def receipt_snapshot(payment: Payment, *, as_of: datetime) -> InvoiceSnapshot:
    """
    Return everything that the receipt of a payment prints, by what it had paid at an instant. At most six queries.

    The instant is when the receipt is drawn; for one that is kept already, `Document.rendered_at` gives the same receipt again,
    whatever the rest of the payment has paid since.
    """
    paid = paid_invoices(payment, as_of=as_of)
    entity = _seller(payment, paid)
    issued_on = payment.recorded_at.astimezone(ZoneInfo(entity.timezone)).date()
    received = ReceivedPayment(
        reference=payment.reference,
        method=payment.method,
        received_on=payment.received_on,
        amount_minor=payment.amount_minor,
    )
    return InvoiceSnapshot(
        kind="receipt",
        number=receipt_number(payment),
        issued_on=issued_on,
        due_on=payment.received_on,
        finalized_at=payment.recorded_at,
        first_day=payment.received_on,
        last_day=payment.received_on,
        related=tuple(
            Related(number=str(each.invoice.number), issued_on=each.invoice.issued_on, amount_minor=each.amount_minor)
            for each in paid
        ),
        lines=(),
        subtotal_minor=payment.amount_minor,
        discount_minor=0,
        taxes=(),
        total_minor=payment.amount_minor,
        due_minor=0,
        payments=(received,),
        paid_minor=payment.amount_minor,
        **parties(payment.customer, entity, currency=payment.currency),
    )


def _seller(payment: Payment, paid: Sequence[PaidInvoice]) -> BillingEntity:
    """Return who received it: the seller of the invoice that it was recorded for, or first paid, or else the customer's."""
    if payment.invoice is not None:
        return payment.invoice.billing_entity
    return paid[0].invoice.billing_entity if paid else billing_of(payment.customer).entity
