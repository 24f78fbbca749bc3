"""What payments pay of invoices. An invoice's `paid_minor` and a payment's `allocated_minor` are the sums of the allocations."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from billing.models import Invoice, Payment, PaymentAllocation


class Allocation(NamedTuple):
    """What a payment is to pay of an invoice, in minor units; negative where it is taken back."""

    payment: Payment
    amount_minor: int


def share_out(payments: Sequence[Payment], left_minor: int) -> list[Allocation]:
    """Take what is left to pay from the payments in order, as far as they reach. Pure."""
    taken: list[Allocation] = []
    for payment in payments:
        amount = min(payment.left_minor, left_minor)
        if amount > 0:
            taken.append(Allocation(payment, amount))
            left_minor -= amount
    return taken


def allocate(invoice: Invoice, allocations: Sequence[Allocation], *, now: datetime, recorded_by: str) -> None:
    """
    Write allocations and both sums. The invoice and the payments must be locked by the caller, who moves the invoice's state.
    """
    for payment, amount_minor in allocations:
        PaymentAllocation.objects.create(
            payment=payment, invoice=invoice, amount_minor=amount_minor, recorded_at=now, recorded_by=recorded_by
        )
        payment.allocated_minor += amount_minor
        payment.save(update_fields=["allocated_minor"])
        invoice.paid_minor += amount_minor
    if allocations:
        Invoice.objects.filter(pk=invoice.pk).update(paid_minor=invoice.paid_minor)
