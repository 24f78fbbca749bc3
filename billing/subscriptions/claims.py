"""What a subscription has to itself, and since when: written from its timeline, kept apart by constraints (ADR 0012)."""

from collections.abc import Iterable, Iterator
from datetime import date

from django.db import IntegrityError, transaction

from billing.models import BillingPeriod, Charge, Subscription, SubscriptionClaim
from billing.subscriptions.refusals import explained
from billing.subscriptions.timeline import Segment, Timeline
from customers.locks import lock_customer

# (plan id, meter id), one of them None.
type _Subject = tuple[int | None, int | None]
type _Span = tuple[date, date | None]


def write_claims(subscription: Subscription, timeline: Timeline) -> None:
    """
    Write the claims that follow from the timeline: its plan throughout, the meters of its version while it is not paused.

    Locks the customer where they change: two subscriptions that want what the other has would wait for each other otherwise.

    :raises SubscriptionError: overlaps, or meter_taken; nothing is written
    """
    wanted = set(_claims(timeline.segments))
    rows = SubscriptionClaim.objects.filter(subscription=subscription)
    if wanted == {(row.plan_id, row.meter_id, row.first_day, row.end_day) for row in rows}:
        return
    lock_customer(subscription.customer_id)
    try:
        with transaction.atomic():
            rows.delete()
            SubscriptionClaim.objects.bulk_create(
                SubscriptionClaim(
                    subscription=subscription,
                    customer=subscription.customer,
                    plan_id=plan_id,
                    meter_id=meter_id,
                    first_day=first_day,
                    end_day=end_day,
                )
                for plan_id, meter_id, first_day, end_day in sorted(wanted, key=str)
            )
    except IntegrityError as error:
        raise explained(error, subscription) from error


def _claims(segments: Iterable[Segment]) -> Iterator[tuple[int | None, int | None, date, date | None]]:
    spans: dict[_Subject, list[_Span]] = {}
    meters: dict[int, list[int]] = {}
    for segment in segments:
        version = segment.version
        if version.pk not in meters:
            priced = Charge.objects.filter(plan_version=version, meter__isnull=False)
            meters[version.pk] = sorted(set(priced.values_list("meter_id", flat=True)))
        claimed: list[_Subject] = [(version.plan_id, None)]
        if segment.kind != BillingPeriod.Kind.PAUSED:
            claimed += [(None, meter_id) for meter_id in meters[version.pk]]
        for subject in claimed:
            _append(spans.setdefault(subject, []), (segment.first_day, segment.end_day))
    for (plan_id, meter_id), found in spans.items():
        for first_day, end_day in found:
            yield plan_id, meter_id, first_day, end_day


def _append(spans: list[_Span], span: _Span) -> None:
    """Add a span, as a part of the last one where it follows without a gap."""
    if spans and spans[-1][1] == span[0]:
        spans[-1] = (spans[-1][0], span[1])
    else:
        spans.append(span)
