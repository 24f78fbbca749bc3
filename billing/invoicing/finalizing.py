"""A draft becomes a document: numbered from a locked counter, frozen, and queued for delivery, in one transaction."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app as job_queue

from billing.invoicing.drafting import refresh_draft
from billing.invoicing.entities import ensure_series
from billing.invoicing.snapshot import to_json
from billing.invoicing.snapshotting import take_snapshot
from billing.locks import lock_invoice, lock_series, lock_subscription
from billing.models import BillingPeriod, Delivery, Invoice, NumberSeries
from billing.rating.terms import TermsBook
from customers.audit import record
from squill.lib.actor import Actor
from squill.lib.failpoints import passing

# The job that renders and sends; delivery lies above this package, so it is named and not imported.
DELIVER_JOB = "billing.deliver_invoice"


class UnableToFinalize(Exception):
    """The invoice cannot be finalised; `code` is stable, the message is for a person."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


@transaction.atomic
def finalize_invoice(
    *, invoice_id: int, as_of: datetime, actor: Actor, now: datetime, terms_book: TermsBook | None = None, refresh: bool = True
) -> Invoice:
    """
    Give a draft its number, freeze it, and queue its delivery. Idempotent: a final invoice is returned as it is.

    With `refresh` the draft is first worked out by the usage now known; a run that has just drafted it does without.
    Locks the subscription, the invoice and, last, the counter, which is held until the caller's transaction ends (I6).

    :raises UnableToFinalize: void (a void invoice stays void), or nothing_to_bill (no usage is left on the draft)
    """
    if refresh:
        refreshed = refresh_draft(invoice_id=invoice_id, as_of=as_of, terms_book=terms_book or TermsBook())
        if refreshed is None:
            raise UnableToFinalize(_("there is nothing left to bill on this draft"), code="nothing_to_bill")
    else:
        lock_subscription(Invoice.objects.values_list("subscription_id", flat=True).get(pk=invoice_id))
    invoice = lock_invoice(invoice_id)
    if invoice.status == Invoice.Status.VOID:
        raise UnableToFinalize(_("the invoice is void and stays so"), code="void")
    if invoice.status != Invoice.Status.DRAFT:
        return invoice
    lines = list(invoice.lines.order_by("position"))
    taxes = list(invoice.taxes.order_by("rate_pct"))
    series = _next_number(invoice)
    number = f"{series.prefix}-{series.last_number:06d}"
    snapshot = take_snapshot(invoice, lines, taxes, number=number, finalized_at=as_of)
    invoice.number, invoice.series, invoice.sequence = number, series, series.last_number
    invoice.status = Invoice.Status.FINALIZED if invoice.due_minor else Invoice.Status.PAID  # nothing due is paid
    invoice.finalized_at = as_of
    invoice.snapshot = to_json(snapshot)
    invoice.save(update_fields=["number", "series", "sequence", "status", "finalized_at", "snapshot"])
    passing("finalize-before-commit")
    BillingPeriod.objects.filter(Q(arrears_invoice=invoice) | Q(advance_invoice=invoice), attempts__gt=0).update(
        attempts=0, last_error="", parked_at=None
    )
    _queue_delivery(invoice, now)
    record(
        action="invoice.finalized",
        object_type="invoice",
        object_id=number,
        customer_id=invoice.customer_id,
        actor=actor,
        now=now,
        before={"status": "draft"},
        after={"status": invoice.status, "due_minor": invoice.due_minor, "currency": invoice.currency},
    )
    return invoice


def _next_number(invoice: Invoice) -> NumberSeries:
    """Raise the counter; a transaction that fails takes the number back with it, so there is never a gap."""
    series = lock_series(billing_entity_id=invoice.billing_entity_id, kind=invoice.kind)
    if series is None:
        ensure_series(invoice.billing_entity, kind=invoice.kind)
        return _next_number(invoice)
    series.last_number += 1
    series.save(update_fields=["last_number"])
    return series


def _queue_delivery(invoice: Invoice, now: datetime) -> None:
    """Write who gets a notice, and enqueue the job in this transaction: it exists if and only if the invoice is final."""
    if invoice.customer.email:
        Delivery.objects.create(invoice=invoice, recipient=invoice.customer.email, queued_at=now)
    enqueue_delivery(invoice.pk)


def enqueue_delivery(invoice_id: int) -> None:
    """Enqueue the job that renders and sends an invoice, in the caller's transaction; one job of an invoice runs at a time."""
    job_queue.configure_task(DELIVER_JOB, queue="delivery", lock=f"invoice-{invoice_id}").defer(invoice_id=invoice_id)
