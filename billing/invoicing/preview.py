"""What a customer's next invoice would say by what is known now, and what a change would make of it. Nothing is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from billing.invoicing.composing import ComposedInvoice, charges_of, compose_invoice
from billing.invoicing.drafting import draft_boundary, refresh_draft
from billing.invoicing.estimating import after_others
from billing.invoicing.surroundings import surroundings_of
from billing.locks import lock_subscription
from billing.models import BillingPeriod, Invoice, Subscription
from billing.rating.subscription import rate_boundary
from billing.rating.terms import TermsBook
from billing.subscriptions.periods import LIVE, extend_periods
from customers.models import Customer


def upcoming_invoice(
    subscription: Subscription,
    *,
    now: datetime,
    terms_book: TermsBook | None = None,
    others: Sequence[ComposedInvoice] = (),
) -> ComposedInvoice | None:
    """
    Compose the invoice of the period that contains `now`, as if it ended with the usage so far; None between periods.

    Needs the customer loaded. `others` are previews of the same customer that take their coupons and credits first. The next
    period's fees in advance are left out: the number is the spend so far. Reads only.
    """
    book = terms_book or TermsBook()
    current = BillingPeriod.objects.filter(LIVE, subscription=subscription, starts_at__lte=now, ends_at__gt=now).first()
    if current is None or current.arrears_billed_at is not None:
        return None
    return _composed(subscription, current.ends_at, book, current, None, others=others)


def upcoming_invoices(customer: Customer, *, now: datetime) -> list[ComposedInvoice]:
    """
    Compose the upcoming invoice of every subscription of a customer that runs now, oldest first: the spend so far.

    Those of which nothing is left to bill are left out. Reads only; five queries a subscription, and two for each plan version.
    """
    book = TermsBook()
    live = Subscription.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), customer=customer, starts_at__lte=now)
    subscriptions = live.select_related("customer", "plan", "plan_version").order_by("pk")
    composed: list[ComposedInvoice] = []
    for subscription in subscriptions:
        invoice = upcoming_invoice(subscription, now=now, terms_book=book, others=composed)
        composed += [] if invoice is None else [invoice]
    return composed


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """
    The next invoice of a subscription without a change and with it; None where there is none to come.

    A change that cuts the running period brings an invoice of its own, sooner than the other: the two are of other days. So
    `difference_minor` compares all invoices that are due without and with the change up to `compared_until`, the end of the
    running period, with the fees in advance that are due then: minor units, before tax.
    """

    before: ComposedInvoice | None
    after: ComposedInvoice | None
    difference_minor: int
    compared_until: datetime


def preview_change(*, subscription_id: int, change: Callable[[], Any], now: datetime) -> ChangePreview:
    """
    Say what the next invoice would be, without a change and with it: `change` is carried out and taken back.

    The next invoice is that of the first boundary which is not billed, with the fees in advance of the period after it. Locks
    the subscription for as long as it takes.

    :raises SubscriptionError: as the change does
    """
    with transaction.atomic():
        before = _next_invoice(subscription_id, now)
        until = _end_of_running(subscription_id, now)
        if before is not None:
            until = max(until, before.rated.boundary_at)
        without = _net_until(subscription_id, until)
        change()
        after = _next_invoice(subscription_id, now)
        difference = _net_until(subscription_id, until) - without
        transaction.set_rollback(True)
    return ChangePreview(before, after, difference, until)


def _end_of_running(subscription_id: int, now: datetime) -> datetime:
    """Return the end of the period that contains `now`, or of the first where none does; `now` where there is none at all."""
    periods = BillingPeriod.objects.filter(LIVE, subscription=subscription_id, ends_at__gt=now).order_by("index")
    first = periods.first()
    return now if first is None else first.ends_at


def _net_until(subscription_id: int, until: datetime) -> int:
    """Return what all invoices that are due up to an instant come to before tax, in minor units: drafted, and taken back."""
    with transaction.atomic():
        subscription = lock_subscription(subscription_id)
        if subscription is None:
            return 0
        extend_periods(subscription, until=until)
        unbilled = BillingPeriod.objects.filter(LIVE, subscription=subscription)
        ends = unbilled.filter(arrears_billed_at=None, ends_at__lte=until).values_list("ends_at", flat=True)
        starts = unbilled.filter(advance_billed_at=None, bills_in_advance=True, starts_at__lte=until)
        book = TermsBook()
        # A change may drop a draft, which is due again then: so drafts that are there count, worked out anew like the others.
        drafts = Invoice.objects.filter(subscription=subscription, status=Invoice.Status.DRAFT)
        for invoice_id in list(drafts.values_list("pk", flat=True)):
            refresh_draft(invoice_id=invoice_id, as_of=until, terms_book=book)
        for boundary_at in sorted({*ends, *starts.values_list("starts_at", flat=True)}):
            draft_boundary(subscription_id=subscription_id, boundary_at=boundary_at, as_of=boundary_at, terms_book=book)
        net = sum(draft.subtotal_minor - draft.discount_minor for draft in drafts.all())
        transaction.set_rollback(True)
    return net


def _next_invoice(subscription_id: int, now: datetime) -> ComposedInvoice | None:
    subscription = lock_subscription(subscription_id)
    if subscription is None:
        return None
    extend_periods(subscription, until=max(now, subscription.starts_at))
    unbilled = BillingPeriod.objects.filter(LIVE, subscription=subscription, arrears_billed_at=None).order_by("index")
    ending = unbilled.first()
    if ending is None:
        return None
    if ending.bills_in_advance and ending.advance_billed_at is None:
        return _composed(subscription, ending.starts_at, TermsBook(), None, ending)
    extend_periods(subscription, until=ending.ends_at)
    following = unbilled.filter(starts_at=ending.ends_at, bills_in_advance=True, advance_billed_at=None).first()
    return _composed(subscription, ending.ends_at, TermsBook(), ending, following)


def _composed(
    subscription: Subscription,
    boundary_at: datetime,
    terms_book: TermsBook,
    ending: BillingPeriod | None,
    beginning: BillingPeriod | None,
    *,
    others: Sequence[ComposedInvoice] = (),
) -> ComposedInvoice:
    rated = rate_boundary(subscription, boundary_at=boundary_at, terms_book=terms_book, ending=ending, beginning=beginning)
    surroundings = surroundings_of(
        subscription.customer,
        subscription_id=subscription.pk,
        boundary_at=boundary_at,
        as_of=boundary_at,
        currency=subscription.customer.currency,
        charge_ids=charges_of(rated),
        is_preview=True,
    )
    return compose_invoice(rated, after_others(surroundings, others))
