"""What a customer has with us by currency: left of its payments, left of its credits, and what it owes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F, Q, Sum
from django.utils.translation import gettext as _

from billing.invoicing.moves import move_invoice
from billing.invoicing.paying.allocating import allocate, share_out
from billing.invoicing.paying.payments import PAYABLE, status_with_payment
from billing.locks import lock_invoice, lock_payments
from billing.models import CreditEntry, Invoice, Payment
from squill.lib.actor import Actor
from squill.lib.refusal import Refused

# The condition on payments of which something is left over.
HAS_LEFT: Final = Q(reversed_at=None, allocated_minor__lt=F("amount_minor"))


class UnableToApply(Refused):
    """A balance cannot pay the invoice; `code` is stable, the message is for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A customer's balance in one currency, in minor units. None of them is negative."""

    currency: str
    payments_minor: int  # left over of payments: pays the next invoices, or an open one by hand
    credits_minor: int  # left of credits that can be used: pays invoices when they are made final
    owed_minor: int  # left to pay of open invoices


def customer_balance(*, customer_id: int, at: datetime) -> list[Balance]:
    """Return a customer's balances at an instant by currency, none where there is nothing. Three queries."""
    payments = unallocated(customer_id=customer_id)
    usable = Q(credit__expires_at=None) | Q(credit__expires_at__gt=at)
    entries = CreditEntry.objects.filter(
        usable, credit__customer_id=customer_id, credit__granted_at__lte=at, credit__voided_at=None
    )
    credits_left = {
        row["credit__currency"]: int(row["left_sum"])
        for row in entries.values("credit__currency").annotate(left_sum=Sum("amount_minor"))
    }
    open_invoices = Invoice.objects.filter(customer_id=customer_id, status=Invoice.Status.FINALIZED)
    left = F("due_minor") - F("paid_minor") - F("credited_minor")
    owed = {row["currency"]: int(row["left_sum"]) for row in open_invoices.values("currency").annotate(left_sum=Sum(left))}
    balances = [
        Balance(
            currency=currency,
            payments_minor=payments.get(currency, 0),
            credits_minor=credits_left.get(currency, 0),
            owed_minor=owed.get(currency, 0),
        )
        for currency in sorted(payments.keys() | credits_left.keys() | owed.keys())
    ]
    return [each for each in balances if each.payments_minor or each.credits_minor or each.owed_minor]


def unallocated(*, customer_id: int) -> dict[str, int]:
    """Return what is left over of a customer's payments by currency, in minor units; none of zero. One query."""
    payments = Payment.objects.filter(HAS_LEFT, customer_id=customer_id)
    sums = payments.values("currency").annotate(left_sum=Sum(F("amount_minor") - F("allocated_minor")))
    return {row["currency"]: int(row["left_sum"]) for row in sums.order_by("currency")}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidPart:
    """What a payment paid of an invoice, in minor units; of one that was reversed since, what it had paid."""

    payment: Payment
    paid_minor: int


def payments_of(invoice: Invoice) -> list[PaidPart]:
    """Return the payments that paid some of an invoice, reversed ones too, in the order of their receipt. One query."""
    paid = invoice.allocations.filter(amount_minor__gt=0).select_related("payment__receipt")
    parts: dict[int, PaidPart] = {}
    for allocation in paid.order_by("payment__received_on", "payment_id", "pk"):
        before = parts[allocation.payment_id].paid_minor if allocation.payment_id in parts else 0
        part = PaidPart(payment=allocation.payment, paid_minor=before + allocation.amount_minor)
        parts[allocation.payment_id] = part
    return list(parts.values())


@transaction.atomic
def allocate_balance(*, invoice_id: int, actor: Actor, now: datetime) -> Invoice:
    """
    Pay an open invoice, as far as it reaches, from what earlier payments of its customer left over, the oldest first.

    Locks the invoice, then the payments.

    :raises UnableToApply: not_open (nothing is left to pay, or it is no open invoice), or no_balance (in its currency)
    """
    invoice = lock_invoice(invoice_id)
    if invoice.status not in PAYABLE:
        raise UnableToApply(_("only an open invoice can be paid"), code="not_open")
    payments = lock_payments(customer_id=invoice.customer_id, currency=invoice.currency)
    allocations = share_out(payments, invoice.left_minor)
    if not allocations:
        message = _("no payment of %(customer)s has anything left in %(currency)s")
        raise UnableToApply(message % {"customer": invoice.customer, "currency": invoice.currency}, code="no_balance")
    allocate(invoice, allocations, now=now, recorded_by=actor.label)
    move_invoice(
        invoice,
        status_with_payment(invoice),
        action="invoice.balance_applied",
        actor=actor,
        now=now,
        facts={
            "applied_minor": sum(allocation.amount_minor for allocation in allocations),
            "paid_minor": invoice.paid_minor,
            "references": ", ".join(allocation.payment.reference for allocation in allocations),
        },
    )
    return invoice
