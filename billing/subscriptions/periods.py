"""Billing periods as rows: worked out once from the timeline, made ahead of need, never recomputed once billed (I4)."""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, Max, OuterRef, Q
from django.utils.translation import gettext as _

from billing.models import (
    BillingPeriod,
    Charge,
    Invoice,
    InvoiceDiscount,
    InvoiceLine,
    InvoiceTax,
    PlanVersion,
    Subscription,
    SubscriptionChange,
)
from billing.pricing.period import local_midnight
from billing.subscriptions.timeline import Segment, Timeline, add_on_stretches, days_of_period, timeline_of

# Rows that are part of their subscription. Others were taken away by a change; void invoices may still speak of them.
LIVE: Final = Q(superseded_at=None)


class PeriodBilled(Exception):
    """A change would alter days that are billed. The message says what to do."""


def load_timeline(subscription: Subscription) -> Timeline:
    """Read the changes of a subscription and work its timeline out. One query."""
    changes = SubscriptionChange.objects.filter(subscription=subscription, undone_at=None)
    return timeline_of(changes.select_related("plan_version__plan"))


def extend_periods(subscription: Subscription, *, until: datetime, timeline: Timeline | None = None) -> int:
    """
    Make the periods of a subscription up to and including the one that contains `until`; return how many were made.

    Needs the subscription's customer loaded. The caller holds the subscription's lock, so that two callers do not make the
    same period (the exclusion constraint would refuse the second). Moves the subscription to the version of the newest.
    """
    timeline = timeline or load_timeline(subscription)
    zone = ZoneInfo(subscription.customer.timezone)
    last = BillingPeriod.objects.filter(LIVE, subscription=subscription).order_by("-index").first()
    day, reached = (last.end_day, last.ends_at) if last else (subscription.started_on, subscription.starts_at)
    made: list[BillingPeriod] = []
    while reached <= until and (segment := timeline.segment_on(day)) is not None:
        period = BillingPeriod(subscription=subscription, index=last.index + 1 if last else 0, first_day=day)
        # The midnight of the first day, unless the time zone has changed since: no instant lies in two periods, or in none.
        period.starts_at = last.ends_at if last else local_midnight(day, zone)
        _lay_out(period, segment, timeline, zone)
        made.append(period)
        last, day, reached = period, period.end_day, period.ends_at
    BillingPeriod.objects.bulk_create(made)
    if made:
        _move_to(subscription, made[-1].plan_version)
    return len(made)


def _lay_out(period: BillingPeriod, segment: Segment, timeline: Timeline, zone: ZoneInfo) -> None:
    """Write into a period all that follows from its first day."""
    _lay_out_days(period, segment, zone)
    period.kind, period.plan_version = segment.kind, segment.version
    period.bills_in_advance = _bills_in_advance(period, timeline) and not _has_invoice(period)


def _lay_out_days(period: BillingPeriod, segment: Segment, zone: ZoneInfo) -> None:
    period.end_day, (period.whole_first_day, period.whole_end_day) = days_of_period(segment, period.first_day)
    # The instant of the subscription's end was fixed with it, whatever the time zone is now.
    fixed = period.subscription.ends_at if period.end_day == period.subscription.ended_on else None
    period.ends_at = fixed or local_midnight(period.end_day, zone)


def _has_invoice(period: BillingPeriod) -> bool:
    """
    Say whether the instant at which a period begins has its invoice already, which bills what ended then.

    There is one for each instant, and this one is final: fees in advance come with the rest of the period.
    """
    live = Invoice.objects.filter(subscription=period.subscription, boundary_at=period.starts_at)
    return live.exclude(status__in=[Invoice.Status.VOID, Invoice.Status.DRAFT]).exists()


def _bills_in_advance(period: BillingPeriod, timeline: Timeline) -> bool:
    in_advance = Charge.objects.filter(billed=Charge.Billed.IN_ADVANCE)
    is_regular = period.kind == BillingPeriod.Kind.REGULAR
    if is_regular and in_advance.filter(plan_version=period.plan_version_id).exists():
        return True
    versions = [
        add_on.version.pk
        for add_on in timeline.add_ons
        if (period.first_day <= add_on.steps[0][0] < period.end_day)
        or (is_regular and not add_on.is_once and add_on_stretches(add_on, period.first_day, period.end_day))
    ]
    return bool(versions) and in_advance.filter(plan_version__in=versions).exists()


def _move_to(subscription: Subscription, version: PlanVersion) -> None:
    if subscription.plan_version_id != version.pk:
        subscription.plan_version, subscription.plan = version, version.plan
        subscription.save(update_fields=["plan_version", "plan"])


def refit_periods(subscription: Subscription, timeline: Timeline, *, from_day: date, now: datetime) -> int:
    """
    Make the stored periods follow a timeline that is another from a day on, and make those up to `now`.

    The period that the day lies within is cut there, or goes on to where it would have ended; one that begins on the day is
    laid out anew, even if its fees in advance are billed (they come back as an adjustment); later ones are made again.
    Drafts of these periods are dropped, since their boundaries may move: the next run writes them anew. Return how many were.

    :raises PeriodBilled: if usage of the day or of a later one is on a final invoice; nothing is written
    """
    zone = ZoneInfo(subscription.customer.timezone)
    dropped = _drop_drafts(subscription, from_day)
    touched = BillingPeriod.objects.filter(LIVE, subscription=subscription, end_day__gte=from_day)
    touched = touched.annotate(has_lines=Exists(InvoiceLine.objects.filter(billing_period=OuterRef("pk"))))
    periods = list(touched.order_by("index"))
    for period in periods:
        period.subscription = subscription
        _refuse_billed(period, timeline, from_day)
    # The last first: a period that goes on again needs the room of those after it.
    for period in reversed(periods):
        segment = timeline.segment_on(period.first_day)
        if period.first_day < from_day and segment is not None:
            _refit_end(period, segment, zone)
        elif segment is not None and _is_laid_out_anew(period, from_day):
            _lay_out(period, segment, timeline, zone)
            period.bills_in_advance, period.arrears_billed_at = True, None  # what differs is an adjustment
            period.save()
        elif period.has_lines:
            period.superseded_at, period.parked_at = now, None
            period.advance_billed_at = period.arrears_billed_at = None
            period.save()
        else:
            period.delete()
    extend_periods(subscription, until=now, timeline=timeline)
    newest = BillingPeriod.objects.filter(LIVE, subscription=subscription).order_by("-index").first()
    _move_to(subscription, timeline.segments[0].version if newest is None else newest.plan_version)
    return dropped


def _drop_drafts(subscription: Subscription, from_day: date) -> int:
    """Take the drafts away that bill what ends on a day or later, or what begins then: what they bill is due again."""
    drafts = Invoice.objects.filter(subscription=subscription, status=Invoice.Status.DRAFT)
    later = Q(arrears_periods__end_day__gte=from_day) | Q(advance_periods__first_day__gte=from_day)
    dropped = list(drafts.filter(later).values_list("pk", flat=True).distinct())
    BillingPeriod.objects.filter(arrears_invoice__in=dropped).update(arrears_invoice=None, arrears_billed_at=None)
    BillingPeriod.objects.filter(advance_invoice__in=dropped).update(advance_invoice=None, advance_billed_at=None)
    for part in (InvoiceLine, InvoiceDiscount, InvoiceTax):
        part.objects.filter(invoice__in=dropped).delete()
    Invoice.objects.filter(pk__in=dropped).delete()
    return len(dropped)


def _refit_end(period: BillingPeriod, segment: Segment, zone: ZoneInfo) -> None:
    if days_of_period(segment, period.first_day)[0] != period.end_day:
        _lay_out_days(period, segment, zone)
        period.arrears_billed_at = None  # where nothing was written about its days, they are due again
        period.save()


def _is_laid_out_anew(period: BillingPeriod, from_day: date) -> bool:
    return period.first_day == from_day and period.advance_invoice_id is not None


def _refuse_billed(period: BillingPeriod, timeline: Timeline, from_day: date) -> None:
    segment = timeline.segment_on(period.first_day)
    billed = period.arrears_invoice_id
    if segment is not None and period.first_day < from_day:
        if days_of_period(segment, period.first_day)[0] == period.end_day:
            return
    elif segment is None or not _is_laid_out_anew(period, from_day):
        billed = billed or period.advance_invoice_id
    if billed is not None:
        message = _("the period from %(day)s is billed already: void its invoice first, or choose %(end)s or a later day")
        raise PeriodBilled(message % {"day": period.first_day, "end": period.end_day})


def subscriptions_to_extend(*, until: datetime) -> list[int]:
    """Return the ids of subscriptions whose periods end at or before `until` though the subscription goes on. One query."""
    reached = Subscription.objects.annotate(reached=Max("periods__ends_at", filter=Q(periods__superseded_at=None)))
    wanting = reached.filter(Q(reached__lte=until) | Q(reached__isnull=True, starts_at__lte=until))
    open_ended = Q(ends_at__isnull=True) | Q(reached__isnull=True) | Q(ends_at__gt=F("reached"))
    return list(wanting.filter(open_ended).order_by("pk").values_list("pk", flat=True))
