"""Write what is due at a boundary as a draft, or work an existing draft out anew. The subscription's lock is held throughout."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from billing.invoicing.composing import ComposedInvoice, charges_of, compose_invoice
from billing.invoicing.items import OneOff, item_rows, keep_items, kept_items
from billing.invoicing.rows import InvoiceRows, invoice_rows
from billing.invoicing.surroundings import surroundings_of
from billing.locks import lock_invoice, lock_subscription
from billing.models import BillingPeriod, Invoice, InvoiceDiscount, InvoiceLine, InvoiceTax, Subscription
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
    invoice = None
    if composed.lines:
        rows = invoice_rows(composed, now=as_of)
        rows.invoice.replaces = _void_one(subscription.pk, boundary_at)
        invoice = save_rows(rows)
    _mark_billed(ending, beginning, invoice, as_of)
    passing("draft-before-commit")
    return invoice


@transaction.atomic
def refresh_draft(*, invoice_id: int, as_of: datetime, terms_book: TermsBook) -> Invoice | None:
    """
    Work a draft out anew by the usage now known; None where nothing is left to bill, and the draft is gone.

    A one-off invoice keeps its items: taxes, coupons and credits are looked at again. An invoice that is final already is
    returned as it is. Locks the subscription, then the invoice.

    :raises ItemsRefused: negative, if a one-off invoice would come to less than nothing by the taxes now
    """
    subscription_id = Invoice.objects.values_list("subscription_id", flat=True).get(pk=invoice_id)
    subscription = lock_subscription(subscription_id)
    invoice = lock_invoice(invoice_id)
    if invoice.status != Invoice.Status.DRAFT:
        return invoice
    if subscription is None or invoice.boundary_at is None:
        return write_items(invoice, kept_items(invoice), as_of=as_of)
    ending = invoice.arrears_periods.first()
    beginning = invoice.advance_periods.first()
    composed = _compose(subscription, invoice.boundary_at, as_of, terms_book, ending, beginning, invoice.pk)
    clear_draft(invoice)
    if not composed.lines:
        BillingPeriod.objects.filter(arrears_invoice=invoice).update(arrears_invoice=None)
        BillingPeriod.objects.filter(advance_invoice=invoice).update(advance_invoice=None)
        invoice.delete()
        return None
    rows = invoice_rows(composed, now=as_of)
    rows.invoice.pk, rows.invoice.public_id, rows.invoice.replaces_id = invoice.pk, invoice.public_id, invoice.replaces_id
    return save_rows(rows)


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
    surroundings = surroundings_of(
        subscription.customer,
        subscription_id=subscription.pk,
        boundary_at=boundary_at,
        as_of=as_of,
        currency=subscription.customer.currency,
        charge_ids=charges_of(rated),
        except_invoice_id=invoice_id,
    )
    return compose_invoice(rated, surroundings)


def _void_one(subscription_id: int, boundary_at: datetime) -> Invoice | None:
    """Return the invoice that billed this boundary last and was voided: the new one takes its place. One query."""
    voided = Invoice.objects.filter(subscription_id=subscription_id, boundary_at=boundary_at, status=Invoice.Status.VOID)
    return voided.order_by("-voided_at", "-pk").first()


def write_items(invoice: Invoice, wanted: OneOff, *, as_of: datetime) -> Invoice:
    """
    Write the draft of a one-off invoice, new or known, by its items. A known one must be locked by the caller.

    :raises ItemsRefused: negative, if reductions come to more than what is billed
    """
    surroundings = surroundings_of(
        invoice.customer,
        subscription_id=None,
        boundary_at=as_of,
        as_of=as_of,
        currency=invoice.currency,
        charge_ids=(),
        except_invoice_id=invoice.pk,
    )
    keep_items(invoice, wanted)
    rows = item_rows(invoice, wanted, surroundings)
    invoice.drafted_at = as_of
    if invoice.pk is not None:
        clear_draft(invoice)
    return save_rows(rows)


def save_rows(rows: InvoiceRows) -> Invoice:
    """Save an invoice with its parts."""
    rows.invoice.save()
    InvoiceLine.objects.bulk_create(rows.lines)
    InvoiceDiscount.objects.bulk_create(rows.discounts)
    InvoiceTax.objects.bulk_create(rows.taxes)
    return rows.invoice


def clear_draft(invoice: Invoice) -> None:
    """Delete the parts of a draft, which is worked out anew or deleted itself."""
    for part in (InvoiceLine, InvoiceDiscount, InvoiceTax):
        part.objects.filter(invoice=invoice).delete()


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
