"""What is due, asked of the stored periods and never of the calendar: a tick that was missed is caught up by the next."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import F, Q

from billing.invoicing.entities import Billing, known_default_entity
from billing.models import BillingEntity, BillingPeriod, BillingProfile, Invoice
from billing.subscriptions.periods import LIVE


class Draft(NamedTuple):
    """A draft of a subscription, and the instant at which its grace is over; None where a person finalises it."""

    invoice_id: int
    subscription_id: int
    customer: str  # external id
    boundary_at: datetime
    drafted_at: datetime  # the `as_of` that it was last worked out for
    ripe_at: datetime | None

    def is_ripe(self, as_of: datetime) -> bool:
        """Say whether a run may make it final."""
        return self.ripe_at is not None and self.ripe_at <= as_of


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


def drafts_at(boundary_at: datetime) -> list[Draft]:
    """
    Return the drafts at or before a boundary in the order of their numbers. Three queries.

    Without those of parked subscriptions, and without one-off invoices, which a person finalises.
    """
    parked = BillingPeriod.objects.filter(parked_at__isnull=False).values("subscription_id")
    drafts = Invoice.objects.filter(status=Invoice.Status.DRAFT, boundary_at__lte=boundary_at)
    ordered = drafts.exclude(subscription_id__in=parked).order_by(
        "boundary_at", "customer__external_id", "subscription__external_id"
    )
    profiles = {
        profile.customer_id: profile for profile in BillingProfile.objects.filter(customer_id__in=drafts.values("customer_id"))
    }
    entities = {entity.pk: entity for entity in BillingEntity.objects.all()}
    default = next((entity for entity in entities.values() if entity.is_default), known_default_entity())
    found = []
    columns = ("pk", "subscription_id", "customer_id", "customer__external_id", "boundary_at", "drafted_at")
    for invoice_id, subscription_id, customer_id, customer, boundary, drafted_at in ordered.values_list(*columns):
        profile = profiles.get(customer_id)
        entity_id = profile.billing_entity_id if profile is not None else None
        billing = Billing(default if entity_id is None else entities[entity_id], profile)
        ripe_at = boundary + timedelta(minutes=billing.grace_minutes) if billing.finalizes_by_itself else None
        found.append(Draft(invoice_id, subscription_id, customer, boundary, drafted_at, ripe_at))
    return found


def parked_count() -> int:
    """Return how many periods wait for a person. One query."""
    return BillingPeriod.objects.filter(Q(parked_at__isnull=False)).count()
