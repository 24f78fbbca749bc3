"""Rate one stored period by the usage now known, apart from invoices."""

from billing.models import BillingPeriod, Subscription
from billing.rating.lines import RatedPeriod, rate_period
from billing.rating.single import single_amounts
from billing.rating.terms import TermsBook, load_terms
from billing.subscriptions.periods import load_timeline
from usage.selectors import metered_usage_by_span


def rated(subscription: Subscription, index: int = 0) -> RatedPeriod:
    period = BillingPeriod.objects.get(subscription=subscription, index=index, superseded_at=None)
    (usage,) = metered_usage_by_span(customer_id=subscription.customer_id, spans=[(period.first_day, period.end_day)])
    terms = load_terms(period.plan_version_id)
    return rate_period(
        period,
        terms,
        usage=usage,
        timeline=load_timeline(subscription),
        terms_book=TermsBook(),
        single=single_amounts(subscription.customer_id, terms),
    )
