"""A boundary of a subscription to everything that an invoice at that instant has to say. Reads; writes nothing."""

from dataclasses import dataclass
from datetime import datetime

from billing.models import BillingPeriod, Subscription
from billing.rating.adjustments import Adjustment, adjustments_of, billed_amounts, billed_periods, settled_parts
from billing.rating.lines import Part, RatedLine, RatedPeriod, rate_period
from billing.rating.terms import TermsBook
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
    Rate what ends and what begins at an instant, and all differences of settled parts. Three queries (and two a new version).

    `except_invoice_id` is the draft that is being worked out anew, whose own lines do not count as billed.
    """
    own: dict[int, Part] = {}
    if ending is not None:
        own[ending.pk] = "in_arrears"
    if beginning is not None:
        own[beginning.pk] = "in_advance"
    # The ending period may have a settled part too: a fee in advance, which an early end has made smaller.
    settled = settled_parts(billed_periods(subscription.pk))
    due = [period for period in (ending, beginning) if period is not None]
    to_rate = due + [period for period in settled if period.pk not in own]
    usage = metered_usage_by_span(
        customer_id=subscription.customer_id, spans=[(period.first_day, period.end_day) for period in to_rate]
    )
    rated = {
        period.pk: rate_period(period, terms_book.of(period.plan_version_id), started_on=subscription.started_on, usage=pieces)
        for period, pieces in zip(to_rate, usage, strict=True)
    }
    billed = billed_amounts(subscription.pk, except_invoice_id=except_invoice_id)
    adjustments = [
        adjustment
        for period, parts in settled.items()
        for adjustment in adjustments_of(period, rated[period.pk], terms_book.of(period.plan_version_id), parts, billed)
    ]
    for period in due:
        # Billed in full on this invoice: what other live invoices say of it (corrections of one that is void) comes off.
        terms = terms_book.of(period.plan_version_id)
        adjustments += adjustments_of(period, NOT_RATED, terms, (own[period.pk],), billed)
    return RatedBoundary(
        subscription=subscription,
        boundary_at=boundary_at,
        ending=ending,
        beginning=beginning,
        arrears_lines=_part(ending, rated).part("in_arrears"),
        advance_lines=_part(beginning, rated).part("in_advance"),
        adjustments=tuple(adjustments),
        unpriced=_part(ending, rated).unpriced,
    )


def _part(period: BillingPeriod | None, rated: dict[int, RatedPeriod]) -> RatedPeriod:
    return NOT_RATED if period is None else rated[period.pk]
