"""Billing periods as rows: worked out once from the version's cadence, made ahead of need, never recomputed (I4)."""

from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from django.db.models import F, Max, Q

from billing.models import BillingPeriod, Charge, PlanVersion, Subscription
from billing.pricing.period import Anchor, Cadence, CadenceInterval, local_midnight, period_days

# Periods that begin after an early end are no part of the subscription any more (void invoices may still speak of them).
WITHIN_SUBSCRIPTION = Q(subscription__ends_at=None) | Q(starts_at__lt=F("subscription__ends_at"))


def cadence_of(version: PlanVersion) -> Cadence:
    """Return how often the version is billed."""
    return Cadence(interval=cast("CadenceInterval", version.interval), anchor=cast("Anchor", version.anchor))


def extend_periods(subscription: Subscription, *, until: datetime) -> int:
    """
    Make the periods of a subscription up to and including the one that contains `until`; return how many were made.

    Needs the subscription's customer and version loaded. The caller holds the subscription's lock, so that two callers
    do not make the same period (the exclusion constraint would refuse the second).
    """
    zone = ZoneInfo(subscription.customer.timezone)
    last = BillingPeriod.objects.filter(subscription=subscription).order_by("-index").first()
    index = last.index + 1 if last else 0
    reached = last.ends_at if last else subscription.starts_at
    in_advance = Charge.objects.filter(plan_version=subscription.plan_version, billed=Charge.Billed.IN_ADVANCE).exists()
    made: list[BillingPeriod] = []
    while reached <= until and (subscription.ends_at is None or reached < subscription.ends_at):
        first, end = period_days(cadence_of(subscription.plan_version), started_on=subscription.started_on, index=index)
        if subscription.ended_on is not None:
            end = min(end, subscription.ended_on)
        period = BillingPeriod(
            subscription=subscription,
            plan_version=subscription.plan_version,
            index=index,
            first_day=first,
            end_day=end,
            # The midnight of the first day, unless the time zone has changed since: no instant lies in two periods, or in none.
            starts_at=last.ends_at if last else local_midnight(first, zone),
            ends_at=local_midnight(end, zone),
            bills_in_advance=in_advance,
        )
        made.append(period)
        last, reached, index = period, period.ends_at, index + 1
    BillingPeriod.objects.bulk_create(made)
    return len(made)


def subscriptions_to_extend(*, until: datetime) -> list[int]:
    """Return the ids of subscriptions whose periods end at or before `until` though the subscription goes on. One query."""
    reached = Subscription.objects.annotate(reached=Max("periods__ends_at"))
    wanting = reached.filter(Q(reached__lte=until) | Q(reached__isnull=True, starts_at__lte=until))
    open_ended = Q(ends_at__isnull=True) | Q(reached__isnull=True) | Q(ends_at__gt=F("reached"))
    return list(wanting.filter(open_ended).order_by("pk").values_list("pk", flat=True))
