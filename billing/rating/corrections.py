"""What a correction of usage means for periods that are billed: the adjustments that the next invoice will carry."""

from collections.abc import Callable
from typing import Any, NamedTuple

from billing.models import Subscription
from billing.pricing.money import from_minor
from billing.rating.subscription import rate_boundary
from billing.rating.terms import TermsBook
from squill.lib.currency import exponent
from squill.lib.decimals import plain


class _Billed(NamedTuple):
    """One charge of one settled period."""

    subscription: str
    charge: str
    first_day: str
    end_day: str
    currency: str


def watch_adjustments(customer_id: int) -> Callable[[], list[dict[str, Any]]]:
    """
    Rate the customer's settled periods; the function that is returned rates them again and names what differs.

    Each row says, in major units, what the next invoice would carry `before` and carries `after` as an adjustment of the
    charge and period, and the `difference`. Four queries a subscription each time; writes nothing.
    """
    terms_book = TermsBook()
    before = _pending(customer_id, terms_book)

    def changes() -> list[dict[str, Any]]:
        after = _pending(customer_id, terms_book)
        differing = sorted(key for key in before | after if before.get(key, 0) != after.get(key, 0))
        return [_row(key, before.get(key, 0), after.get(key, 0)) for key in differing]

    return changes


def _pending(customer_id: int, terms_book: TermsBook) -> dict[_Billed, int]:
    """Return the adjustments to come in minor units, rounded as their lines will be."""
    found: dict[_Billed, int] = {}
    for subscription in Subscription.objects.filter(customer_id=customer_id).select_related("customer").order_by("pk"):
        rated = rate_boundary(
            subscription, boundary_at=subscription.starts_at, terms_book=terms_book, ending=None, beginning=None
        )
        for adjustment in rated.adjustments:
            line, period = adjustment.line, adjustment.period
            currency = terms_book.of(period.plan_version_id).currency
            days = period.first_day.isoformat(), period.end_day.isoformat()
            found[_Billed(subscription.external_id, line.charge_code, *days, currency)] = line.amount_minor
    return found


def _row(billed: _Billed, before: int, after: int) -> dict[str, Any]:
    amounts = {"before": before, "after": after, "difference": after - before}
    places = exponent(billed.currency)
    return billed._asdict() | {name: plain(from_minor(minor, exponent=places)) for name, minor in amounts.items()}
