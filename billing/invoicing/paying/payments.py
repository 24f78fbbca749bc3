"""
Money received: kept as a payment, and allocated to invoices; what is left over pays the customer's next ones (ADR 0027).

This is also the seam for providers of card payments, of which none is built in. One needs two things of Squill:

1. Where the customer pays. An invoice prints and shows the link that `BillingEntity.payment_url_template` makes of its number,
   amount and currency (billing.invoicing.snapshotting.payment_url); the page behind it is the provider's, or the company's own.
2. A confirmation. Whoever hears from the provider that money has come in (a webhook of the company, a job that asks) calls
   `POST /customers/{external_id}/payments`, which is `record_customer_payment`, with the invoice's number, the provider's own id
   of the payment as `reference` and a `method` such as `card`. A confirmation that comes twice is one payment. A chargeback
   is `reverse_payment` (billing.invoicing.paying.reversing).

Nothing else of Squill knows how money comes in, and no provider is called while an invoice is written.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from billing.invoicing.dispatch import queue_notice
from billing.invoicing.entities import billing_of
from billing.invoicing.moves import move_invoice, settled_status
from billing.invoicing.paying.allocating import allocate, share_out
from billing.locks import lock_invoice, lock_invoices
from billing.models import BillingEntity, Delivery, Invoice, Payment
from customers.audit import record
from customers.locks import lock_customer
from customers.models import Customer
from squill.lib.actor import Actor
from squill.lib.currency import CODES
from squill.lib.refusal import Refused

# An invoice that was given up can still be paid; but only by money that names it.
PAYABLE: Final = (Invoice.Status.FINALIZED, Invoice.Status.UNCOLLECTIBLE)
# Beyond these an amount or a day is a slip of the hand.
_MOST_MINOR: Final = 10**18
_FIRST_YEAR: Final = 2000


class PaymentError(Refused):
    """A payment cannot be recorded as asked; `code` is stable, the message is for a person."""


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
    currency: str = "",
) -> Payment:
    """
    Record money for an invoice; the same reference again returns the first payment and changes nothing.

    Locks the invoice, and marks it paid when nothing is left to pay. What is too much stays with the payment, and pays the
    customer's next invoices when they are made final. `currency` is that of the invoice if empty.

    :raises PaymentError: not_open, amount_not_positive, amount_too_large, in_future, too_long_ago, currency_differs, or
        reference_differs (the same reference with another amount or date, or for the customer as a whole)
    """
    invoice = lock_invoice(invoice_id)
    if currency not in ("", invoice.currency):
        message = _("%(number)s is in %(currency)s: a payment in another currency cannot pay it")
        raise PaymentError(message % {"number": invoice, "currency": invoice.currency}, code="currency_differs")
    known = Payment.objects.filter(invoice=invoice, reference=reference).first()
    if known is not None:
        return _same(known, amount_minor, received_on)
    if Payment.objects.filter(customer_id=invoice.customer_id, invoice=None, reference=reference).exists():
        message = _("this reference is recorded already, as a payment of the customer and not of this invoice alone")
        raise PaymentError(message, code="reference_differs")
    _check_payable(invoice)
    _check_money(amount_minor, received_on, today=_latest_day(invoice.customer, invoice.billing_entity, now))
    payment = Payment.objects.create(
        customer_id=invoice.customer_id,
        invoice=invoice,
        currency=invoice.currency,
        amount_minor=amount_minor,
        received_on=received_on,
        method=method,
        reference=reference,
        recorded_at=now,
        recorded_by=actor.label,
    )
    pay_invoices(payment, [invoice], actor=actor, now=now)
    _queue_receipt(payment, invoice.customer, invoice.billing_entity, now=now)
    return payment


@transaction.atomic
def record_customer_payment(
    *,
    customer_id: int,
    currency: str,
    amount_minor: int,
    received_on: date,
    reference: str,
    actor: Actor,
    now: datetime,
    method: str = "bank_transfer",
    invoices: Sequence[str] | None = None,
) -> Payment:
    """
    Record money of a customer; the same reference again returns the first payment and changes nothing.

    It pays the invoices that are named by their numbers, in that order; without names (None) the open ones in its currency, what
    is due first first. An invoice that was given up is only paid where it is named. An empty list pays none. What is too much
    stays with the payment, and pays the customer's next invoices when they are made final. Locks the customer, then the invoices.

    :raises PaymentError: invoice_not_found, not_open, amount_not_positive, amount_too_large, in_future, too_long_ago,
        currency_differs (from a named invoice, or none of the customer is in it), or reference_differs
    """
    customer = lock_customer(customer_id)
    known = Payment.objects.filter(customer=customer, invoice=None, reference=reference).first()
    if known is not None:
        return _same(known, amount_minor, received_on, currency=currency)
    of_invoice = Payment.objects.filter(customer=customer, reference=reference).select_related("invoice").order_by("pk").first()
    if of_invoice is not None:
        message = _("this reference is recorded already, as a payment of %(number)s")
        raise PaymentError(message % {"number": of_invoice.invoice}, code="reference_differs")
    entity = billing_of(customer).entity
    _check_money(amount_minor, received_on, today=_latest_day(customer, entity, now))
    _check_currency(customer, currency)
    payable = _named(customer, currency, invoices) if invoices is not None else open_invoices(customer.pk, currency, lock=True)
    payment = Payment.objects.create(
        customer=customer,
        currency=currency,
        amount_minor=amount_minor,
        received_on=received_on,
        method=method,
        reference=reference,
        recorded_at=now,
        recorded_by=actor.label,
    )
    record(
        action="payment.recorded",
        object_type="payment",
        object_id=str(payment.public_id),
        customer_id=customer.pk,
        actor=actor,
        now=now,
        after={"amount_minor": amount_minor, "currency": currency, "reference": reference},
    )
    pay_invoices(payment, payable, actor=actor, now=now)
    _queue_receipt(payment, customer, payable[0].billing_entity if payable else entity, now=now)
    return payment


def open_invoices(customer_id: int, currency: str, *, lock: bool = False) -> list[Invoice]:
    """Return a customer's open invoices in a currency in the order in which money pays them. One query, two with `lock`."""
    mine = Invoice.objects.filter(customer_id=customer_id, currency=currency, status=Invoice.Status.FINALIZED)
    if not lock:
        return list(mine.order_by("due_on", "issued_on", "pk"))
    locked = lock_invoices(mine.values_list("pk", flat=True))
    still_open = [invoice for invoice in locked if invoice.status == Invoice.Status.FINALIZED]
    return sorted(still_open, key=lambda invoice: (invoice.due_on, invoice.issued_on, invoice.pk))


def pay_invoices(payment: Payment, invoices: Iterable[Invoice], *, actor: Actor, now: datetime) -> None:
    """Allocate what is left of a payment to invoices in order, and move those that are paid. All of them must be locked."""
    for invoice in invoices:
        allocations = share_out([payment], invoice.left_minor)
        if not allocations:
            continue
        allocate(invoice, allocations, now=now, recorded_by=actor.label)
        move_invoice(
            invoice,
            status_with_payment(invoice),
            action="invoice.payment_recorded",
            actor=actor,
            now=now,
            facts={"paid_minor": invoice.paid_minor, "reference": payment.reference},
        )


def status_with_payment(invoice: Invoice) -> Invoice.Status:
    """Return the state of a payable invoice that has just been paid something: paid once nothing is left, else what it was."""
    return Invoice.Status(invoice.status) if invoice.left_minor else settled_status(invoice)


def _named(customer: Customer, currency: str, numbers: Sequence[str]) -> list[Invoice]:
    """Lock the named invoices and return them in the order of their names; a name that comes twice counts once."""
    names = list(dict.fromkeys(numbers))
    found = dict(Invoice.objects.filter(customer=customer, number__in=names).values_list("number", "pk"))
    if missing := [name for name in names if name not in found]:
        message = _("%(customer)s has no invoice %(number)s")
        raise PaymentError(message % {"customer": customer, "number": ", ".join(missing)}, code="invoice_not_found")
    locked = {invoice.number: invoice for invoice in lock_invoices(found.values())}
    for invoice in locked.values():
        _check_payable(invoice)
        if invoice.currency != currency:
            message = _("%(number)s is in %(currency)s: a payment in another currency cannot pay it")
            raise PaymentError(message % {"number": invoice, "currency": invoice.currency}, code="currency_differs")
    return [locked[name] for name in names]


def _same(known: Payment, amount_minor: int, received_on: date, *, currency: str = "") -> Payment:
    if (known.amount_minor, known.received_on) != (amount_minor, received_on) or currency not in ("", known.currency):
        raise PaymentError(_("this reference is recorded with another amount or date"), code="reference_differs")
    return known


def _check_payable(invoice: Invoice) -> None:
    if invoice.status not in PAYABLE:
        message = _("only an open invoice can be paid, and %(number)s is %(status)s: record the money for the customer instead")
        words = {"number": invoice.number or _("this one"), "status": invoice.get_status_display()}
        raise PaymentError(message % words, code="not_open")


def _check_money(amount_minor: int, received_on: date, *, today: date) -> None:
    if amount_minor <= 0:
        raise PaymentError(_("the amount must be more than zero"), code="amount_not_positive")
    if amount_minor >= _MOST_MINOR:
        raise PaymentError(_("the amount is too large to be one payment"), code="amount_too_large")
    if received_on > today:
        raise PaymentError(_("the day lies ahead: record money once it has come in"), code="in_future")
    if received_on.year < _FIRST_YEAR:
        raise PaymentError(_("the day lies before the year 2000: look at it again"), code="too_long_ago")


def _check_currency(customer: Customer, currency: str) -> None:
    """Refuse money that no invoice of the customer could ever take."""
    if currency in CODES and currency == customer.currency:
        return
    if currency not in CODES or not Invoice.objects.filter(customer=customer, currency=currency).exists():
        message = _("%(customer)s is billed in %(currency)s: money in another currency pays none of its invoices")
        raise PaymentError(message % {"customer": customer, "currency": customer.currency}, code="currency_differs")


def _latest_day(customer: Customer, entity: BillingEntity, now: datetime) -> date:
    """Return the day that it is where the customer is, or where the seller is if it is later there: money can be of either."""
    return max(now.astimezone(ZoneInfo(zone)).date() for zone in (customer.timezone, entity.timezone))


def _queue_receipt(payment: Payment, customer: Customer, entity: BillingEntity, *, now: datetime) -> None:
    if entity.sends_receipts:
        queue_notice(payment, kind=Delivery.Kind.RECEIPT, recipient=customer.email, now=now)
