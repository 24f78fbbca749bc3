"""A draft becomes a document: numbered from a locked counter, frozen, and queued for delivery, in one transaction."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from msgspec.structs import replace

from billing.invoicing.dispatch import queue_notice
from billing.invoicing.drafting import refresh_draft
from billing.invoicing.items import ItemsRefused
from billing.invoicing.moves import move_invoice, settled_status
from billing.invoicing.numbering import next_number
from billing.invoicing.paying.allocating import Allocation, allocate, share_out
from billing.invoicing.rows import load_rows
from billing.invoicing.snapshot import InvoiceSnapshot, to_json
from billing.invoicing.snapshotting import payment_url, take_snapshot
from billing.locks import lock_invoice, lock_payments, lock_subscription
from billing.models import BillingPeriod, Delivery, Invoice, NumberSeries
from billing.rating.terms import TermsBook
from billing.reductions.credits import CreditTaken, spend, usable_credits, use_credits
from squill.lib.actor import Actor
from squill.lib.failpoints import passing
from squill.lib.refusal import Refused


class UnableToFinalize(Refused):
    """The invoice cannot be finalised; `code` is stable, the message is for a person."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A draft that lacks only its number: all that it takes is locked, its notice is queued, its snapshot is taken."""

    invoice: Invoice
    snapshot: InvoiceSnapshot


@transaction.atomic
def finalize_invoice(
    *, invoice_id: int, as_of: datetime, actor: Actor, now: datetime, terms_book: TermsBook | None = None, refresh: bool = True
) -> Invoice:
    """
    Give a draft its number, freeze it, and queue its delivery. Idempotent: a final invoice is returned as it is.

    With `refresh` the draft is first worked out by the usage now known; a run that has just drafted it does without. Credits in
    the customer's favour are used, and what earlier payments left over pays what is due. Locks the subscription, the invoice,
    the customer's credits and payments and, last, the counter, which is held until the caller's transaction ends (I6).

    :raises UnableToFinalize: void (a void invoice stays void), nothing_to_bill (no usage is left on the draft), or negative (the
        reductions of a one-off invoice come to more than what it bills)
    """
    prepared = prepare(invoice_id=invoice_id, as_of=as_of, actor=actor, now=now, terms_book=terms_book, refresh=refresh)
    return prepared if isinstance(prepared, Invoice) else give_number(prepared, as_of=as_of, actor=actor, now=now)


def prepare(
    *, invoice_id: int, as_of: datetime, actor: Actor, now: datetime, terms_book: TermsBook | None = None, refresh: bool = True
) -> Prepared | Invoice:
    """
    Do the part of finalising that needs no number, which is most of it; `give_number` must follow in the same transaction.

    Those who finalise a customer's invoices at once do this in the order of the numbers. A final invoice is returned as it is.

    :raises UnableToFinalize: as finalize_invoice
    """
    if refresh:
        try:
            refreshed = refresh_draft(invoice_id=invoice_id, as_of=as_of, terms_book=terms_book or TermsBook())
        except ItemsRefused as refused:
            raise UnableToFinalize(str(refused), code=refused.code) from None
        if refreshed is None:
            raise UnableToFinalize(_("there is nothing left to bill on this draft"), code="nothing_to_bill")
    else:
        lock_subscription(Invoice.objects.values_list("subscription_id", flat=True).get(pk=invoice_id))
    invoice = lock_invoice(invoice_id)
    if invoice.status == Invoice.Status.VOID:
        raise UnableToFinalize(_("the invoice is void and stays so"), code="void")
    if invoice.status != Invoice.Status.DRAFT:
        return invoice
    used = _use_credits(invoice, as_of=as_of, now=now, actor=actor)
    paid = _take_from_payments(invoice, now=now, actor=actor)
    snapshot = take_snapshot(load_rows(invoice, used), number="", finalized_at=as_of, payments=paid)
    BillingPeriod.objects.filter(Q(arrears_invoice=invoice) | Q(advance_invoice=invoice), attempts__gt=0).update(
        attempts=0, last_error="", parked_at=None
    )
    queue_notice(invoice, kind=Delivery.Kind.INVOICE, recipient=invoice.customer.email, now=now)
    return Prepared(invoice, snapshot)


def give_number(prepared: Prepared, *, as_of: datetime, actor: Actor, now: datetime) -> Invoice:
    """Give a prepared draft its number and freeze it. Short, since whoever comes next waits for the counter meanwhile."""
    invoice = prepared.invoice
    given = next_number(invoice.billing_entity, kind=NumberSeries.Kind.INVOICE, issued_on=invoice.issued_on)
    url = payment_url(invoice.billing_entity, number=given.text, amount_minor=invoice.left_minor, currency=invoice.currency)
    move_invoice(
        invoice,
        settled_status(invoice),  # nothing due is paid
        action="invoice.finalized",
        actor=actor,
        now=now,
        facts={"due_minor": invoice.due_minor, "currency": invoice.currency},
        number=given.text,
        counter=given.counter,
        sequence=given.sequence,
        finalized_at=as_of,
        snapshot=to_json(replace(prepared.snapshot, number=given.text, payment_url=url)),
        credits_minor=invoice.credits_minor,
        due_minor=invoice.due_minor,
    )
    passing("finalize-before-commit")
    return invoice


def _use_credits(invoice: Invoice, *, as_of: datetime, now: datetime, actor: Actor) -> tuple[CreditTaken, ...]:
    """Use the customer's credits for the draft's total, now that they are locked; what the draft said of them was an estimate."""
    usable = usable_credits(customer_id=invoice.customer_id, currency=invoice.currency, at=as_of, lock=True)
    used = spend(usable, invoice.total_minor)
    use_credits(used, invoice=invoice, now=now, recorded_by=actor.label)
    invoice.credits_minor = sum(taken.amount_minor for taken in used)
    invoice.due_minor = invoice.total_minor - invoice.credits_minor
    # Credits that are used lower what is due, which the sum of the payments must not exceed: so they are written first.
    Invoice.objects.filter(pk=invoice.pk).update(credits_minor=invoice.credits_minor, due_minor=invoice.due_minor)
    return used


def _take_from_payments(invoice: Invoice, *, now: datetime, actor: Actor) -> list[Allocation]:
    if not invoice.due_minor:
        return []
    payments = lock_payments(customer_id=invoice.customer_id, currency=invoice.currency)
    allocations = share_out(payments, invoice.due_minor)
    allocate(invoice, allocations, now=now, recorded_by=actor.label)
    return allocations
