"""Bring what was parked back into the next run, once a person has looked at it."""

from datetime import datetime

from django.db import transaction

from billing.locks import lock_subscription
from billing.models import BillingPeriod
from customers.audit import record
from squill.lib.actor import Actor


@transaction.atomic
def unpark_subscription(*, subscription_id: int, actor: Actor, now: datetime) -> int:
    """
    Have the next run try the subscription's parked periods again, and return how many there were.

    Idempotent: without parked periods nothing is written. The last error stays on the period until it is billed. Locks the
    subscription; audited as subscription.unparked.
    """
    subscription = lock_subscription(subscription_id)
    if subscription is None:
        return 0
    parked = BillingPeriod.objects.filter(subscription=subscription, parked_at__isnull=False)
    errors = list(parked.order_by("index").values_list("last_error", flat=True))
    if not errors:
        return 0
    parked.update(attempts=0, parked_at=None)
    record(
        action="subscription.unparked",
        object_type="subscription",
        object_id=subscription.external_id,
        customer_id=subscription.customer_id,
        actor=actor,
        now=now,
        before={"parked": len(errors), "errors": errors},
        after={"parked": 0},
    )
    return len(errors)
