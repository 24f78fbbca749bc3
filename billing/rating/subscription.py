"""A boundary of a subscription to everything that an invoice at that instant has to say. Reads; writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.models import BillingPeriod, Subscription
from billing.rating.adjustments import Adjustment, adjustments_of, billed_amounts, settled_parts, taken_back
from billing.rating.lines import Part, RatedLine, RatedPeriod, rate_period
from billing.rating.single import single_amounts
from billing.rating.terms import TermsBook
from billing.subscriptions.periods import load_timeline
from billing.subscriptions.timeline import Timeline
from usage.selectors import MeteredUsage, metered_usage_by_span

NOT_RATED = RatedPeriod((), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedBoundary:
    """
    The meeting of two periods: the one that ends is billed for its usage, the one that begins for its fees in advance.

    Each of the two is None where it is not due at this instant. `adjustments` are of periods that are settled.
    """

    subscription: Subscription
    boundary_at: datetime
    ending: BillingPeriod | None
    beginning: BillingPeriod | None
    arrears_lines: tuple[RatedLine, ...]
    advance_lines: tuple[RatedLine, ...]
    adjustments: tuple[Adjustment, ...]
    unpriced: tuple[MeteredUsage, ...]  # of the ending period
    settled_unpriced: tuple[tuple[BillingPeriod, MeteredUsage], ...]  # of periods that are settled


def rate_boundary(
    subscription: Subscription,
    *,
    boundary_at: datetime,
    terms_book: TermsBook,
    ending: BillingPeriod | None,
    beginning: BillingPeriod | None,
    except_invoice_id: int | None = None,
) -> RatedBoundary:
    """
    Rate what ends and what begins at an instant, and all differences of settled parts.

    Six queries, two for a version that is new to the book, and two a period and charge that prices single events.

    `except_invoice_id` is the draft that is being worked out anew, whose own lines do not count as billed.
    """
    own: dict[int, Part] = {}
    if ending is not None:
        own[ending.pk] = "in_arrears"
    if beginning is not None:
        own[beginning.pk] = "in_advance"
    # The ending period may have a settled part too: a fee in advance, which an early end has made smaller.
    settled = settled_parts(subscription.pk)
    due = [period for period in (ending, beginning) if period is not None]
    to_rate = due + [period for period in settled if period.pk not in own and period.superseded_at is None]
    usage = metered_usage_by_span(
        customer_id=subscription.customer_id, spans=[(period.first_day, period.end_day) for period in to_rate]
    )
    timeline = load_timeline(subscription)
    rated = {
        period.pk: _rated(subscription, period, pieces, timeline, terms_book)
        for period, pieces in zip(to_rate, usage, strict=True)
    }
    billed = billed_amounts(subscription.pk, except_invoice_id=except_invoice_id)
    adjustments = [
        adjustment
        for period, parts in settled.items()
        for adjustment in adjustments_of(period, rated.get(period.pk, NOT_RATED), parts, billed.get(period.pk, {}))
    ]
    for period in due:
        # Billed in full on this invoice: what other live invoices say of it (corrections of one that is void) comes off.
        adjustments += taken_back(period, rated[period.pk], own[period.pk], billed.get(period.pk, {}))
    return RatedBoundary(
        subscription=subscription,
        boundary_at=boundary_at,
        ending=ending,
        beginning=beginning,
        arrears_lines=_part(ending, rated).part("in_arrears"),
        advance_lines=_part(beginning, rated).part("in_advance"),
        adjustments=tuple(adjustments),
        unpriced=_part(ending, rated).unpriced,
        settled_unpriced=tuple(
            (period, piece) for period in to_rate if period.pk not in own for piece in rated[period.pk].unpriced
        ),
    )


def _rated(
    subscription: Subscription, period: BillingPeriod, usage: Sequence[MeteredUsage], timeline: Timeline, terms_book: TermsBook
) -> RatedPeriod:
    terms = terms_book.of(period.plan_version_id)
    single = single_amounts(subscription.customer_id, terms)
    return rate_period(period, terms, usage=usage, timeline=timeline, terms_book=terms_book, single=single)


def _part(period: BillingPeriod | None, rated: dict[int, RatedPeriod]) -> RatedPeriod:
    return NOT_RATED if period is None else rated[period.pk]
