"""What a subscription still owes after its last invoice: late usage of its settled periods, on a draft of its own."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.invoicing.composing import charges_of, compose_invoice
from billing.invoicing.crediting.correcting import is_invoice_to_come
from billing.invoicing.drafting import save_rows
from billing.invoicing.rows import invoice_rows
from billing.invoicing.surroundings import surroundings_of
from billing.locks import lock_subscription
from billing.models import Invoice, Subscription
from billing.rating.subscription import rate_boundary
from billing.rating.terms import TermsBook
from customers.audit import record
from squill.lib.actor import Actor
from squill.lib.refusal import Refused


class UnableToBill(Refused):
    """There is no further invoice to write; `code` is stable, the message is for a person."""


@transaction.atomic
def draft_adjustments(*, subscription_id: int, actor: Actor, now: datetime) -> Invoice:
    """
    Bill the differences of a subscription whose last invoice is written, on a further draft whose boundary is `now`.

    It is a draft like any other: worked out anew, finalised by the next run or by hand, deleted when nothing is left. What
    lowers it is taken only while it stays at zero or above; the rest can be credited. Locks the subscription.

    :raises UnableToBill: invoice_to_come (it carries the differences), or nothing_to_bill
    :raises Subscription.DoesNotExist: if there is none
    """
    subscription = lock_subscription(subscription_id)
    if subscription is None:
        raise Subscription.DoesNotExist
    if is_invoice_to_come(subscription):
        raise UnableToBill(_("a later invoice of this subscription carries its differences by itself"), code="invoice_to_come")
    rated = rate_boundary(subscription, boundary_at=now, terms_book=TermsBook(), ending=None, beginning=None)
    if not any(adjustment.line.amount_minor > 0 for adjustment in rated.adjustments):
        raise UnableToBill(_("nothing of its settled periods is left to bill"), code="nothing_to_bill")
    surroundings = surroundings_of(
        subscription.customer,
        subscription_id=subscription.pk,
        boundary_at=now,
        as_of=now,
        currency=subscription.customer.currency,
        charge_ids=charges_of(rated),
    )
    invoice = save_rows(invoice_rows(compose_invoice(rated, surroundings), now=now))
    record(
        action="subscription.adjustments_drafted",
        object_type="subscription",
        object_id=subscription.external_id,
        customer_id=subscription.customer_id,
        actor=actor,
        now=now,
        after={"total_minor": invoice.total_minor, "currency": invoice.currency},
    )
    return invoice
