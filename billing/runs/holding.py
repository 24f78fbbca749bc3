"""What still needs the events of a span of time: the veto that billing has when old events are put away."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from billing.models import BillingPeriod, Charge, Invoice, InvoiceLine, Subscription
from billing.pricing.charge import parse_charge
from billing.rating.single import reads_events
from billing.subscriptions.periods import LIVE, subscriptions_to_extend

# No time zone is further from UTC.
_SLACK: Final = timedelta(days=1)


def what_holds(start: datetime, end: datetime) -> Iterator[str]:
    """
    Say what is open in the instants [start, end), a day more on both sides: one sentence each, for the operator.

    Periods that are not billed in both their parts (parked ones among them), that a draft bills, or that single events are
    priced in, since settled periods are rated again for ever; and subscriptions whose periods are not made yet. Six queries.
    """
    since, until = start - _SLACK, end + _SLACK
    periods = BillingPeriod.objects.filter(LIVE, starts_at__lt=until, ends_at__gt=since)
    unbilled = Q(arrears_billed_at=None) | Q(advance_billed_at=None, bills_in_advance=True)
    draft = InvoiceLine.objects.filter(invoice__status=Invoice.Status.DRAFT, billing_period__in=periods)
    drafted = (
        Q(arrears_invoice__status=Invoice.Status.DRAFT)
        | Q(advance_invoice__status=Invoice.Status.DRAFT)
        | Q(pk__in=draft.values("billing_period_id"))
    )
    for period in _named(periods.filter(unbilled)):
        if period.parked_at is None:
            yield _("%(period)s is not billed yet") % {"period": _name(period)}
        else:
            yield _("%(period)s is parked") % {"period": _name(period)}
    for period in _named(periods.exclude(unbilled).filter(drafted)):
        yield _("%(period)s is on a draft invoice") % {"period": _name(period)}
    for period in _named(periods.exclude(unbilled).exclude(drafted).filter(plan_version__in=_pricing_events(periods))):
        yield _("%(period)s has prices of single events, which are rated again with every invoice") % {"period": _name(period)}
    wanting = Subscription.objects.filter(pk__in=subscriptions_to_extend(until=until))
    for name in wanting.exclude(ends_at__lte=since).order_by("external_id").values_list("external_id", flat=True):
        yield _("the subscription %(name)s lacks billing periods there") % {"name": name}


def _pricing_events(periods: QuerySet[BillingPeriod]) -> set[int]:
    """Return the ids of the versions among those of the periods that have a charge which needs single events. One query."""
    regular = periods.filter(kind=BillingPeriod.Kind.REGULAR)
    charges = Charge.objects.filter(meter__isnull=False, plan_version__in=regular.values("plan_version_id"))
    return {version for version, terms in charges.values_list("plan_version_id", "terms") if reads_events(parse_charge(terms))}


def _named(periods: QuerySet[BillingPeriod]) -> QuerySet[BillingPeriod]:
    return periods.select_related("subscription").order_by("subscription__external_id", "starts_at")


def _name(period: BillingPeriod) -> str:
    named = {"day": period.first_day.isoformat(), "name": period.subscription.external_id}
    return _("the period from %(day)s of the subscription %(name)s") % named
