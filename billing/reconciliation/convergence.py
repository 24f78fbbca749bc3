"""I3 over time: what was billed for settled periods against the rating of the usage now known."""

from collections.abc import Iterator
from dataclasses import dataclass

from billing.models import BillingPeriod, Subscription
from billing.rating.subscription import rate_boundary
from billing.rating.terms import TermsBook
from billing.subscriptions.periods import WITHIN_SUBSCRIPTION
from squill.lib.decimals import plain


@dataclass(frozen=True, slots=True)
class Pending:
    """A difference that the next invoice will carry; `is_stuck` where no next invoice will come."""

    text: str
    is_stuck: bool


def pending_adjustments() -> Iterator[Pending]:
    """
    Compare metered with billed for every settled period of every subscription. Four queries a subscription.

    A difference is normal while an invoice is still to come; after the last one it is a difference for a person.
    """
    terms_book = TermsBook()
    for subscription in Subscription.objects.select_related("customer").order_by("external_id").iterator():
        if not BillingPeriod.objects.filter(subscription=subscription, arrears_billed_at__isnull=False).exists():
            continue
        unbilled = BillingPeriod.objects.filter(WITHIN_SUBSCRIPTION, subscription=subscription, arrears_billed_at=None).exists()
        try:
            rated = rate_boundary(
                subscription, boundary_at=subscription.starts_at, terms_book=terms_book, ending=None, beginning=None
            )
        except (ArithmeticError, ValueError) as error:  # unreadable terms are a ValueError too
            yield Pending(f"I3 {subscription.external_id} cannot be rated: {type(error).__name__}: {error}", is_stuck=True)
            continue
        for adjustment in rated.adjustments:
            line = adjustment.line
            period = f"{subscription.external_id} {adjustment.period.first_day}"
            text = f"I3 {period} {line.charge_code}: {plain(line.exact_amount)} not billed yet"
            yield Pending(text, is_stuck=not unbilled and subscription.ends_at is not None)
