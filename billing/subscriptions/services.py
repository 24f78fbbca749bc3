"""Start and end a subscription. Every refusal leaves nothing behind."""

from datetime import date, datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing.catalog.plans import published_version
from billing.locks import lock_subscription
from billing.models import BillingPeriod, Charge, Plan, PlanVersion, Subscription, SubscriptionMeter
from billing.pricing.period import local_midnight
from billing.subscriptions.periods import extend_periods
from customers.audit import record
from customers.locks import lock_customer
from customers.models import Customer
from squill.lib.actor import Actor

_NAME_LENGTH = 255
# A start outside of these is a slip of the pen, and would make thousands of periods.
_FIRST_YEAR, _END_YEAR = 2000, 2200


class SubscriptionError(Exception):
    """A subscription cannot be started or ended as asked; `field` names the member, the message says what to do."""

    def __init__(self, message: str, *, field: str, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code


@transaction.atomic
def start_subscription(
    *,
    customer_id: int,
    plan_code: str,
    starts_at: datetime,
    actor: Actor,
    now: datetime,
    ends_at: datetime | None = None,
    external_id: str = "",
) -> Subscription:
    """
    Put a customer on the published version of a plan, from the local day that contains `starts_at`.

    `ends_at` (exclusive) is moved back to the beginning of its local day too. Locks the customer; writes the subscription,
    its metered claims and its periods up to now.

    :raises SubscriptionError: plan_not_found, plan_not_published, currency_mismatch, customer_archived, ends_before_start,
        out_of_range, external_id_unusable, external_id_taken, overlaps (on this plan already), or meter_taken (another plan
        prices the same usage)
    """
    _check_external_id(external_id)
    customer = lock_customer(customer_id)
    version = _sellable_version(plan_code, customer)
    zone = ZoneInfo(customer.timezone)
    started_on = _local_day(starts_at, zone, "starts_at")
    ended_on = _local_day(ends_at, zone, "ends_at") if ends_at else None
    if ended_on is not None and ended_on <= started_on:
        raise SubscriptionError(_("it must end at least a day after it starts"), field="ends_at", code="ends_before_start")
    subscription = Subscription(
        customer=customer,
        plan=version.plan,
        plan_version=version,
        external_id=external_id or _own_name(f"{customer.external_id}:{plan_code}:{started_on.isoformat()}"),
        started_on=started_on,
        ended_on=ended_on,
        starts_at=local_midnight(started_on, zone),
        ends_at=local_midnight(ended_on, zone) if ended_on else None,
        created_at=now,
    )
    _insert(subscription)
    extend_periods(subscription, until=now)
    record(
        action="subscription.started",
        object_type="subscription",
        object_id=subscription.external_id,
        customer_id=customer.pk,
        actor=actor,
        now=now,
        after=_facts(subscription),
    )
    return subscription


@transaction.atomic
def end_subscription(*, subscription_id: int, ends_at: datetime, actor: Actor, now: datetime) -> Subscription:
    """
    End a subscription at the beginning of the local day that contains `ends_at`; that day is no longer part of it.

    Periods after it go, the one that contains it is cut short; a fee that was billed in advance for longer comes back as
    an adjustment on the last invoice. Locks the subscription.

    :raises SubscriptionError: not_found, ended_already, ends_before_start, ends_later (than it does already), out_of_range,
        or period_billed (the day lies in or before a period whose usage is on an invoice)
    """
    subscription = lock_subscription(subscription_id)
    if subscription is None:
        raise SubscriptionError(_("there is no such subscription"), field="subscription", code="not_found")
    zone = ZoneInfo(subscription.customer.timezone)
    ended_on = _local_day(ends_at, zone, "ends_at")
    if subscription.ends_at is not None and subscription.ends_at <= now:
        raise SubscriptionError(_("it has ended already"), field="ends_at", code="ended_already")
    if ended_on <= subscription.started_on:
        raise SubscriptionError(_("it must end at least a day after it starts"), field="ends_at", code="ends_before_start")
    if subscription.ended_on is not None and ended_on > subscription.ended_on:
        # Its last period is cut already, and may be billed as such.
        message = _("it ends on %(day)s already, which can only be moved forward: start another subscription from that day on")
        raise SubscriptionError(message % {"day": subscription.ended_on}, field="ends_at", code="ends_later")
    before = _facts(subscription)
    end_instant = local_midnight(ended_on, zone)
    _cut_periods(subscription, ended_on, end_instant)
    subscription.ended_on, subscription.ends_at = ended_on, end_instant
    subscription.save(update_fields=["ended_on", "ends_at"])
    SubscriptionMeter.objects.filter(subscription=subscription).update(ends_at=end_instant)
    record(
        action="subscription.ended",
        object_type="subscription",
        object_id=subscription.external_id,
        customer_id=subscription.customer_id,
        actor=actor,
        now=now,
        before=before,
        after=_facts(subscription),
    )
    return subscription


def _local_day(instant: datetime, zone: ZoneInfo, field: str) -> date:
    try:
        day = instant.astimezone(zone).date()
    except OverflowError:
        day = date.min
    if not _FIRST_YEAR <= day.year < _END_YEAR:
        message = _("write a day from %(first)d to %(last)d") % {"first": _FIRST_YEAR, "last": _END_YEAR - 1}
        raise SubscriptionError(message, field=field, code="out_of_range")
    return day


def _check_external_id(external_id: str) -> None:
    if len(external_id) > _NAME_LENGTH or not external_id.isprintable() or external_id != external_id.strip():
        message = _("write at most %(most)d printable characters, with no space at the ends") % {"most": _NAME_LENGTH}
        raise SubscriptionError(message, field="external_id", code="external_id_unusable")


def _own_name(text: str) -> str:
    """Keep a name that was put together within its column; a long one ends with its hash, so that it stays the only one."""
    return text if len(text) <= _NAME_LENGTH else text[: _NAME_LENGTH - 33] + ":" + sha256(text.encode()).hexdigest()[:32]


def _sellable_version(plan_code: str, customer: Customer) -> PlanVersion:
    plan = Plan.objects.filter(code=plan_code).first()
    if plan is None:
        known = ", ".join(Plan.objects.order_by("code").values_list("code", flat=True)[:10]) or _("none")
        message = _("there is no plan %(plan)s; plans: %(known)s") % {"plan": plan_code, "known": known}
        raise SubscriptionError(message, field="plan", code="plan_not_found")
    version = published_version(plan)
    if version is None:
        message = _("plan %(plan)s is not published yet") % {"plan": plan_code}
        raise SubscriptionError(message, field="plan", code="plan_not_published")
    if plan.currency != customer.currency:
        message = _(
            "plan %(plan)s is in %(plan_currency)s, the customer is billed in %(currency)s: choose a plan in that currency"
        )
        values = {"plan": plan.code, "plan_currency": plan.currency, "currency": customer.currency}
        raise SubscriptionError(message % values, field="plan", code="currency_mismatch")
    if customer.archived_at is not None:
        raise SubscriptionError(_("the customer is archived"), field="customer", code="customer_archived")
    return version


def _insert(subscription: Subscription) -> None:
    """Insert with the claims on meters; the exclusion constraints are what decides, their names are what is explained."""
    try:
        with transaction.atomic():
            subscription.save(force_insert=True)
            SubscriptionMeter.objects.bulk_create(
                SubscriptionMeter(
                    subscription=subscription,
                    customer=subscription.customer,
                    meter_id=meter_id,
                    starts_at=subscription.starts_at,
                    ends_at=subscription.ends_at,
                )
                for meter_id in _metered(subscription.plan_version)
            )
    except IntegrityError as error:
        raise _explained(error, subscription) from error


def _metered(version: PlanVersion) -> list[int]:
    meters = Charge.objects.filter(plan_version=version, meter__isnull=False).order_by("meter_id")
    return list(meters.values_list("meter_id", flat=True).distinct())


def _explained(error: IntegrityError, subscription: Subscription) -> SubscriptionError:
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


def _cut_periods(subscription: Subscription, ended_on: date, end_instant: datetime) -> None:
    later = BillingPeriod.objects.filter(subscription=subscription, ends_at__gt=end_instant)
    billed = later.filter(arrears_billed_at__isnull=False) | later.filter(
        starts_at__gte=end_instant, advance_billed_at__isnull=False
    )
    if billed.exists():
        message = _("a period after %(day)s is billed already: void its invoice first, or choose a later day")
        raise SubscriptionError(message % {"day": ended_on}, field="ends_at", code="period_billed")
    # A period that a void invoice speaks of stays as a row; starting after the end, it is no part of the subscription.
    later.filter(starts_at__gte=end_instant, lines=None).delete()
    later.filter(starts_at__lt=end_instant).update(end_day=ended_on, ends_at=end_instant)


def _facts(subscription: Subscription) -> dict[str, Any]:
    return {
        "plan": subscription.plan.code,
        "version": subscription.plan_version.version,
        "started_on": subscription.started_on.isoformat(),
        "ended_on": subscription.ended_on.isoformat() if subscription.ended_on else None,
    }
