"""What is due, asked of the stored periods and never of the calendar: a tick that was missed is caught up by the next."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from billing.models import BillingPeriod, Invoice
from billing.subscriptions.periods import LIVE


@dataclass(frozen=True, slots=True, order=True)
class DueBoundary:
    """A subscription that has something to bill at an instant. Sorts in the order in which invoices are numbered."""

    boundary_at: datetime
    customer: str  # external id
    subscription: str  # external id
    subscription_id: int


def due_boundaries(*, as_of: datetime) -> list[DueBoundary]:
    """
    Return all that is unbilled at or before `as_of`, oldest boundary first. Two queries, by partial indexes.

    A subscription with a parked period waits as a whole: what comes after it would be numbered out of order.
    """
    parked = BillingPeriod.objects.filter(parked_at__isnull=False).values("subscription_id")
    waiting = BillingPeriod.objects.filter(LIVE).exclude(subscription_id__in=parked)
    names = {"customer": F("subscription__customer__external_id"), "subscription_name": F("subscription__external_id")}
    arrears = waiting.filter(arrears_billed_at=None, ends_at__lte=as_of)
    advance = waiting.filter(advance_billed_at=None, bills_in_advance=True, starts_at__lte=as_of)
    found = {
        DueBoundary(instant, customer, subscription, subscription_id)
        for periods, column in ((arrears, "ends_at"), (advance, "starts_at"))
        for instant, customer, subscription, subscription_id in periods.values_list(
            column, names["customer"], names["subscription_name"], "subscription_id"
        )
    }
    return sorted(found)


def drafts_at(boundary_at: datetime) -> list[tuple[int, int]]:
    """
    Return (invoice id, subscription id) of the drafts at or before a boundary in the order of their numbers. One query.

    Without those of parked subscriptions.
    """
    parked = BillingPeriod.objects.filter(parked_at__isnull=False).values("subscription_id")
    drafts = Invoice.objects.filter(status=Invoice.Status.DRAFT, boundary_at__lte=boundary_at)
    ordered = drafts.exclude(subscription_id__in=parked).order_by(
        "boundary_at", "customer__external_id", "subscription__external_id"
    )
    return list(ordered.values_list("pk", "subscription_id"))


def parked_count() -> int:
    """Return how many periods wait for a person. One query."""
    return BillingPeriod.objects.filter(Q(parked_at__isnull=False)).count()
