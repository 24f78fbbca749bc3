"""What a customer's next invoice would say by the usage now known. Reads only."""

from datetime import datetime

from billing.invoicing.composing import ComposedInvoice, compose_invoice
from billing.invoicing.entities import known_default_entity
from billing.models import BillingPeriod, Subscription
from billing.rating.subscription import rate_boundary
from billing.rating.terms import TermsBook


def upcoming_invoice(subscription: Subscription, *, now: datetime, terms_book: TermsBook | None = None) -> ComposedInvoice | None:
    """
    Compose the invoice of the period that contains `now`, as if it ended with the usage so far; None between periods.

    Needs the customer loaded. The next period's fees in advance are left out: the number is the spend so far.
    """
    book = terms_book or TermsBook()
    current = BillingPeriod.objects.filter(subscription=subscription, starts_at__lte=now, ends_at__gt=now).first()
    if current is None or current.arrears_billed_at is not None:
        return None
    rated = rate_boundary(subscription, boundary_at=current.ends_at, terms_book=book, ending=current, beginning=None)
    return compose_invoice(rated, billing_entity=known_default_entity(), terms_book=book, as_of=current.ends_at)
