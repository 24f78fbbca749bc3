"""What the resources of subscriptions share: which rows a key may see, their JSON, and how refusals are answered."""

from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.request import Request

from billing.api.access import visible_subscriptions
from billing.api.fields import refusal
from billing.api.subscription_serializers import SubscriptionSerializer
from billing.models import Subscription
from billing.subscriptions.refusals import SubscriptionError
from billing.subscriptions.standing import standing_of, with_changes

TAGS: Final = ["Subscriptions"]
# Refusals that say something about the request itself; all others are about the state that it meets.
_ABOUT_THE_REQUEST: Final = frozenset(
    {
        "charge_not_found",
        "code_unusable",
        "currency_mismatch",
        "ends_before_start",
        "external_id_unusable",
        "not_a_plan",
        "out_of_range",
        "plan_not_found",
        "quantity_unusable",
        "trial_unusable",
    }
)


def shown_subscriptions(request: Request) -> QuerySet[Subscription]:
    """Return the subscriptions that the key may know of, with all that their JSON says. Three queries for any number."""
    return with_changes(visible_subscriptions(request))


def subscription_json(subscription: Subscription, now: datetime) -> dict[str, Any]:
    """Write a subscription that was read by `shown_subscriptions`."""
    return dict(SubscriptionSerializer(standing_of(subscription, now=now)).data)


def subscription_problem(error: SubscriptionError, *, plan_member: str = "plan") -> Exception:
    """
    Return (for raising) what answers a service's refusal.

    `plan_member` is what the request calls the plan or add-on that it names.
    """
    if error.code == "not_found":  # withdrawn since it was found
        return Http404(error.message)
    field = plan_member if error.field == "plan" else error.field
    return refusal(error.message, code=error.code, field=field, is_conflict=error.code not in _ABOUT_THE_REQUEST)
