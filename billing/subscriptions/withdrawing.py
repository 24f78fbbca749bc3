"""Take back a subscription that has not begun, as if it had never been: nothing was priced, and nothing will be."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from billing.locks import lock_subscription
from billing.models import BillingPeriod, SubscriptionChange
from billing.subscriptions.refusals import SubscriptionError
from billing.subscriptions.services import facts
from customers.audit import record
from squill.lib.actor import Actor


@transaction.atomic
def withdraw_subscription(*, subscription_id: int, actor: Actor, now: datetime) -> None:
    """
    Delete a subscription that starts after today and has no periods, with its changes and claims.

    The audit trail keeps what it was; its external id is free again. Locks the subscription.

    :raises SubscriptionError: not_found, or has_begun (its first day has come, or a billing run has made its first period)
    """
    subscription = lock_subscription(subscription_id)
    if subscription is None:
        raise SubscriptionError(_("there is no such subscription"), field="subscription", code="not_found")
    today = now.astimezone(ZoneInfo(subscription.customer.timezone)).date()
    if subscription.started_on <= today:
        message = _("it began on %(day)s: end it instead")
        raise SubscriptionError(message % {"day": subscription.started_on}, field="starts_at", code="has_begun")
    if BillingPeriod.objects.filter(subscription=subscription).exists():
        message = _("billing has reached its first day, %(day)s, already: end it instead")
        raise SubscriptionError(message % {"day": subscription.started_on}, field="starts_at", code="has_begun")
    record(
        action="subscription.withdrawn",
        object_type="subscription",
        object_id=subscription.external_id,
        customer_id=subscription.customer_id,
        actor=actor,
        now=now,
        before=facts(subscription),
    )
    SubscriptionChange.objects.filter(subscription=subscription).delete()
    subscription.delete()  # and its claims with it
