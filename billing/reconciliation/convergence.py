"""I3 over time: what was billed for settled periods against the rating of the usage now known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from billing.models import BillingPeriod, Subscription
from billing.rating.adjustments import Adjustment, billed_amounts
from billing.rating.subscription import rate_boundary
from billing.rating.terms import TermsBook
from billing.reconciliation.fees import due_fees
from billing.reconciliation.reference import half_up
from billing.subscriptions.periods import LIVE
from squill.lib.currency import exponent
from squill.lib.decimals import plain


@dataclass(frozen=True, slots=True)
class Found:
    """
    What is not as the documents say: `pending` is carried by the next invoice, `stuck` needs a person since none will come or
    since it is wrong, `unpriced` is usage that no charge of its plan takes.
    """

    kind: Literal["pending", "stuck", "unpriced"]
    text: str


def compare_with_metered() -> Iterator[Found]:
    """
    Compare metered with billed for every settled period of every subscription. Eight queries a subscription.

    A difference is normal while an invoice is still to come, or where no amount hangs on it; else, after the last invoice, it is
    one for a person, who credits or bills it. So is a fee that, counted day by day, is not what is billed and to come.
    """
    terms_book = TermsBook()
    for subscription in Subscription.objects.select_related("customer").order_by("external_id").iterator():
        if not BillingPeriod.objects.filter(subscription=subscription, arrears_billed_at__isnull=False).exists():
            continue
        unbilled = BillingPeriod.objects.filter(LIVE, subscription=subscription, arrears_billed_at=None).exists()
        try:
            rated = rate_boundary(
                subscription, boundary_at=subscription.starts_at, terms_book=terms_book, ending=None, beginning=None
            )
        except (ArithmeticError, ValueError) as error:  # unreadable terms are a ValueError too
            yield Found("stuck", f"I3 {subscription.external_id} cannot be rated: {type(error).__name__}: {error}")
            continue
        for adjustment in rated.adjustments:
            line = adjustment.line
            period = f"{subscription.external_id} {adjustment.period.first_day}"
            text = f"I3 {period} {line.charge_code}: {plain(line.exact_amount)} not billed yet"
            is_carried = unbilled or subscription.ends_at is None or not line.amount_minor
            yield Found("pending" if is_carried else "stuck", text)
        for settled, piece in rated.settled_unpriced:
            charges = terms_book.of(settled.plan_version_id).charges
            meter = next(charge.meter.code for charge in charges if charge.meter and charge.meter.pk == piece.meter_id)
            what = [meter, *(f"{name}={value}" for name, value in piece.dimensions.items())]
            text = f"{subscription.external_id} {settled.first_day} {' '.join(what)}: {piece.event_count} events have no price"
            yield Found("unpriced", text)
        yield from _fees_that_differ(subscription, rated.adjustments)


def _fees_that_differ(subscription: Subscription, adjustments: Sequence[Adjustment]) -> Iterator[Found]:
    found = {
        (period_id, code): billed.amount_minor
        for period_id, charges in billed_amounts(subscription.pk).items()
        for code, billed in charges.items()
    }
    for adjustment in adjustments:
        key = adjustment.period.pk, adjustment.line.charge_code
        found[key] = found.get(key, 0) + adjustment.line.amount_minor
    minor = 10 ** exponent(subscription.customer.currency)
    for fee in due_fees(subscription):
        told = found.get((fee.period.pk, fee.code), 0)
        if half_up(fee.amount * minor) != told:
            days = f"{subscription.external_id} {fee.period.first_day} {fee.code}"
            text = f"I3 {days}: by its days it costs {fee.amount}, billed and to come are {told} minor units"
            yield Found("stuck", text)
