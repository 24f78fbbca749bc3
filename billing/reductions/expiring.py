"""What is left of a credit when its time is over goes out of the ledger, so that the balance is money that can be used."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet, Sum

from billing.locks import lock_credits
from billing.models import Credit, CreditEntry
from customers.audit import record
from squill.lib.actor import Actor


@dataclass(frozen=True, slots=True)
class Expired:
    """What has gone of one credit."""

    credit: Credit
    amount_minor: int


def expire_credits(*, now: datetime, actor: Actor, deadline: Callable[[], bool] = lambda: False) -> list[Expired]:
    """
    Write an entry `expired` for what is left of every credit whose `expires_at` has come, and return them.

    Idempotent: what has nothing left is passed over. What a void invoice gave back since then expires once more. Each customer
    has a transaction of its own, with its credits locked; `deadline` is asked between them and ends the work where it says so.
    """
    due = _due(now).values_list("customer_id", "currency").distinct().order_by("customer_id", "currency")
    expired: list[Expired] = []
    for customer_id, currency in list(due):
        if deadline():
            break
        expired += _expire(customer_id, currency, now, actor)
    return expired


@transaction.atomic
def _expire(customer_id: int, currency: str, now: datetime, actor: Actor) -> list[Expired]:
    lock_credits(customer_id=customer_id, currency=currency)
    credits = list(_due(now).filter(customer_id=customer_id, currency=currency).select_related("customer").order_by("pk"))
    expired = [Expired(credit, int(credit.left_sum)) for credit in credits]
    for one in expired:
        CreditEntry.objects.create(
            credit=one.credit,
            kind=CreditEntry.Kind.EXPIRED,
            amount_minor=-one.amount_minor,
            recorded_at=now,
            recorded_by=actor.label,
        )
        record(
            action="credit.expired",
            object_type="credit",
            object_id=one.credit.reference,
            customer_id=customer_id,
            actor=actor,
            now=now,
            after={"currency": currency, "expired_minor": one.amount_minor},
        )
    return expired


def _due(now: datetime) -> QuerySet[Any]:
    """Return the credits that have expired with something left. Annotates `left_sum`."""
    left: QuerySet[Any] = Credit.objects.annotate(left_sum=Sum("entries__amount_minor", default=0))
    return left.filter(expires_at__lte=now, left_sum__gt=0)
