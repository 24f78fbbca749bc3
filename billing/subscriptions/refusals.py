"""What every change of a subscription checks of what it is given, and how it refuses."""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.db import IntegrityError
from django.utils.translation import gettext as _

from billing.models import Subscription
from squill.lib.refusal import Refused

# A day outside of these is a slip of the pen, and would make thousands of periods.
_FIRST_YEAR: Final = 2000
_END_YEAR: Final = 2200


class SubscriptionError(Refused):
    """A subscription cannot be started or changed as asked; `field` names the member, the message says what to do."""

    def __init__(self, message: str, *, field: str, code: str) -> None:
        super().__init__(message, code=code)
        self.message = message
        self.field = field


def local_day(instant: datetime, zone: ZoneInfo, field: str) -> date:
    """
    Return the local day that contains an instant.

    :raises SubscriptionError: out_of_range
    """
    try:
        day = instant.astimezone(zone).date()
    except OverflowError:
        day = date.min
    if not _FIRST_YEAR <= day.year < _END_YEAR:
        message = _("write a day from %(first)d to %(last)d") % {"first": _FIRST_YEAR, "last": _END_YEAR - 1}
        raise SubscriptionError(message, field=field, code="out_of_range")
    return day


def explained(error: IntegrityError, subscription: Subscription) -> SubscriptionError:
    """
    Turn the constraint that refused a subscription into words.

    :raises IntegrityError: the error itself, where it is none of those that a request can run into
    """
    text = str(error)
    customer, plan = subscription.customer.external_id, subscription.plan.code
    if "subscription_plan_once_at_a_time" in text:
        message = _("customer %(customer)s is on plan %(plan)s at that time already: end that subscription first")
        return SubscriptionError(message % {"customer": customer, "plan": plan}, field="plan", code="overlaps")
    if "meter_priced_once_at_a_time" in text:
        message = _(
            "another subscription of customer %(customer)s prices the same meter at that time: its usage would be billed twice"
        )
        return SubscriptionError(message % {"customer": customer}, field="plan", code="meter_taken")
    if "external_id" in text:
        message = _("there is a subscription %(id)s already: choose another external id")
        return SubscriptionError(message % {"id": subscription.external_id}, field="external_id", code="external_id_taken")
    raise error
