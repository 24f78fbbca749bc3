"""Write what is due at a boundary as a draft, or work an existing draft out anew. The subscription's lock is held throughout."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from billing.invoicing.composing import ComposedInvoice, compose_invoice
from billing.invoicing.entities import default_entity
from billing.invoicing.rows import InvoiceRows, invoice_rows
from billing.locks import lock_invoice, lock_subscription
from billing.models import BillingPeriod, Invoice, InvoiceLine, InvoiceTax, Subscription
from billing.rating.subscription import rate_boundary
from billing.rating.terms import TermsBook
from billing.subscriptions.periods import LIVE
from squill.lib.failpoints import passing


class PeriodBilledElsewhere(Exception):
    """A part of a period got an invoice while its subscription was locked by us: a lock was bypassed. Nothing is written."""


class SubscriptionBusy(Exception):
    """Somebody else holds the subscription; come back later."""


@transaction.atomic
def draft_boundary(
    *, subscription_id: int, boundary_at: datetime, as_of: datetime, terms_book: TermsBook, skip_locked: bool = False
) -> Invoice | None:
    """
    Bill what is due of a subscription at a boundary, as a draft; None where nothing is due, or there is nothing to write.

    Idempotent: parts that are billed already are not due. Locks the subscription.

    :raises SubscriptionBusy: with `skip_locked`, if somebody else holds it
    """
    subscription = lock_subscription(subscription_id, skip_locked=skip_locked)
    if subscription is None:
        raise SubscriptionBusy(str(subscription_id))
    ending, beginning = due_parts(subscription.pk, boundary_at)
    if ending is None and beginning is None:
        return None
    composed = _compose(subscription, boundary_at, as_of, terms_book, ending, beginning, None)
    invoice = _save(invoice_rows(composed, now=as_of)) if composed.lines else None
    _mark_billed(ending, beginning, invoice, as_of)
    passing("draft-before-commit")
    return invoice


@transaction.atomic
def refresh_draft(*, invoice_id: int, as_of: datetime, terms_book: TermsBook) -> Invoice | None:
    """
    Work a draft out anew by the usage now known; None where nothing is left to bill, and the draft is gone.

    An invoice that is final already is returned as it is. Locks the subscription, then the invoice.
    """
    subscription_id = Invoice.objects.values_list("subscription_id", flat=True).get(pk=invoice_id)
    subscription = lock_subscription(subscription_id)
    invoice = lock_invoice(invoice_id)
    if subscription is None or invoice.status != Invoice.Status.DRAFT:
        return invoice
    ending = invoice.arrears_periods.first()
    beginning = invoice.advance_periods.first()
    composed = _compose(subscription, invoice.boundary_at, as_of, terms_book, ending, beginning, invoice.pk)
    InvoiceLine.objects.filter(invoice=invoice).delete()
    InvoiceTax.objects.filter(invoice=invoice).delete()
    if not composed.lines:
        BillingPeriod.objects.filter(arrears_invoice=invoice).update(arrears_invoice=None)
        BillingPeriod.objects.filter(advance_invoice=invoice).update(advance_invoice=None)
        invoice.delete()
        return None
    rows = invoice_rows(composed, now=as_of)
    rows.invoice.pk, rows.invoice.public_id = invoice.pk, invoice.public_id
    return _save(rows)


def due_parts(subscription_id: int, boundary_at: datetime) -> tuple[BillingPeriod | None, BillingPeriod | None]:
    """Return the period that ends and the one that begins at the boundary, each None if it is not there or billed. One query."""
    ending = beginning = None
    meeting = Q(ends_at=boundary_at) | Q(starts_at=boundary_at)
    for period in BillingPeriod.objects.filter(meeting, LIVE, subscription_id=subscription_id):
        if period.ends_at == boundary_at and period.arrears_billed_at is None:
            ending = period
        elif period.starts_at == boundary_at and period.bills_in_advance and period.advance_billed_at is None:
            beginning = period
    return ending, beginning


def _compose(
    subscription: Subscription,
    boundary_at: datetime,
    as_of: datetime,
    terms_book: TermsBook,
    ending: BillingPeriod | None,
    beginning: BillingPeriod | None,
    invoice_id: int | None,
) -> ComposedInvoice:
    rated = rate_boundary(
        subscription,
        boundary_at=boundary_at,
        terms_book=terms_book,
        ending=ending,
        beginning=beginning,
        except_invoice_id=invoice_id,
    )
    return compose_invoice(rated, billing_entity=default_entity(), as_of=as_of)


def _save(rows: InvoiceRows) -> Invoice:
    rows.invoice.save()
    InvoiceLine.objects.bulk_create(rows.lines)
    InvoiceTax.objects.bulk_create(rows.taxes)
    return rows.invoice


def _mark_billed(ending: BillingPeriod | None, beginning: BillingPeriod | None, invoice: Invoice | None, as_of: datetime) -> None:
    """Write into the one place that each part has; a count of zero means that somebody was there first (I4)."""
    marked = expected = 0
    if ending is not None:
        expected += 1
        unbilled = BillingPeriod.objects.filter(pk=ending.pk, arrears_billed_at=None)
        marked += unbilled.update(arrears_billed_at=as_of, arrears_invoice=invoice, last_error="", attempts=0, parked_at=None)
    if beginning is not None:
        expected += 1
        unbilled = BillingPeriod.objects.filter(pk=beginning.pk, advance_billed_at=None)
        marked += unbilled.update(advance_billed_at=as_of, advance_invoice=invoice, last_error="", attempts=0, parked_at=None)
    if marked != expected:
        raise PeriodBilledElsewhere(f"{marked} of {expected} parts were still unbilled")
