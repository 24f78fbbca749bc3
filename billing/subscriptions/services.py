"""Start a subscription. Every refusal leaves nothing behind."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing.catalog.plans import version_for
from billing.models import Charge, Plan, PlanVersion, Subscription, SubscriptionChange
from billing.pricing.period import local_midnight
from billing.subscriptions.claims import write_claims
from billing.subscriptions.periods import extend_periods
from billing.subscriptions.refusals import SubscriptionError, explained, local_day
from billing.subscriptions.timeline import Timeline, timeline_of
from customers.audit import record
from customers.locks import lock_customer
from customers.models import Customer
from squill.lib.actor import Actor

_NAME_LENGTH: Final = 255
_LONGEST_TRIAL: Final = 730
QUANTITY_LIMIT: Final = Decimal(10) ** 15
QUANTITY_PLACES: Final = 12


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
    trial_days: int | None = None,
    quantities: Mapping[str, Decimal] | None = None,
) -> Subscription:
    """
    Put a customer on the version of a plan that is sold to them, from the local day that contains `starts_at`.

    `ends_at` (exclusive) is moved back to the beginning of its local day too. `trial_days` is the plan's if None, 0 for no
    trial; `quantities` are those of fees by quantity, by charge code, the plan's if left out. Locks the customer; writes the
    subscription, its changes, its claims and its periods up to now.

    :raises SubscriptionError: plan_not_found, plan_not_published, not_a_plan, currency_mismatch, customer_archived,
        ends_before_start, out_of_range, external_id_unusable, external_id_taken, trial_unusable, quantity_unusable,
        charge_not_found, overlaps (on this plan already), or meter_taken (another plan prices the same usage)
    """
    _check_external_id(external_id)
    customer = lock_customer(customer_id)
    version = sellable_version(plan_code, customer, kind=Plan.Kind.PLAN)
    zone = ZoneInfo(customer.timezone)
    started_on = local_day(starts_at, zone, "starts_at")
    ended_on = local_day(ends_at, zone, "ends_at") if ends_at else None
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
    trial_ends_on = _trial_end(version, started_on, trial_days)
    steps = _checked_quantities(version, quantities or {})
    timeline = _insert(subscription, trial_ends_on, steps, actor, now)
    extend_periods(subscription, until=now, timeline=timeline)
    record(
        action="subscription.started",
        object_type="subscription",
        object_id=subscription.external_id,
        customer_id=customer.pk,
        actor=actor,
        now=now,
        after=facts(subscription) | _said(trial_ends_on, steps),
    )
    return subscription


def sellable_version(plan_code: str, customer: Customer, *, kind: Plan.Kind) -> PlanVersion:
    """
    Return the version of a plan or add-on that is sold to the customer now: their own, or the public one of their currency.

    :raises SubscriptionError: plan_not_found, not_a_plan, plan_not_published, currency_mismatch, or customer_archived
    """
    plan = Plan.objects.filter(code=plan_code).first()
    if plan is None:
        known = ", ".join(Plan.objects.filter(kind=kind).order_by("code").values_list("code", flat=True)[:10]) or _("none")
        message = _("there is no plan %(plan)s; plans: %(known)s") % {"plan": plan_code, "known": known}
        raise SubscriptionError(message, field="plan", code="plan_not_found")
    if plan.kind != kind:
        message = _("%(plan)s is an add-on: add it to a subscription") if kind == Plan.Kind.PLAN else _("%(plan)s is no add-on")
        raise SubscriptionError(message % {"plan": plan_code}, field="plan", code="not_a_plan")
    version = version_for(plan, customer)
    if version is None:
        raise _not_sold(plan, customer)
    if customer.archived_at is not None:
        raise SubscriptionError(_("the customer is archived"), field="customer", code="customer_archived")
    return version


def _not_sold(plan: Plan, customer: Customer) -> SubscriptionError:
    sold = PlanVersion.objects.filter(plan=plan, customer=None, status=PlanVersion.Status.PUBLISHED)
    currencies = sorted(sold.values_list("currency", flat=True))
    if not currencies:
        message = _("plan %(plan)s is not published yet") % {"plan": plan.code}
        return SubscriptionError(message, field="plan", code="plan_not_published")
    message = _(
        "plan %(plan)s has no price in %(currency)s, in which the customer is billed, but in %(known)s: publish it in "
        "%(currency)s, or choose another plan"
    )
    values = {"plan": plan.code, "currency": customer.currency, "known": ", ".join(currencies)}
    return SubscriptionError(message % values, field="plan", code="currency_mismatch")


def checked_quantity(quantity: Decimal, field: str) -> Decimal:
    """
    Return a quantity that can be kept.

    :raises SubscriptionError: quantity_unusable
    """
    places = quantity.as_tuple().exponent
    if not quantity.is_finite() or not 0 <= quantity < QUANTITY_LIMIT or not isinstance(places, int) or places < -QUANTITY_PLACES:
        message = _("write a number of zero or more with at most %(places)d decimals") % {"places": QUANTITY_PLACES}
        raise SubscriptionError(message, field=field, code="quantity_unusable")
    return quantity


def check_charge(version: PlanVersion, charge_code: str, field: str) -> None:
    """
    Check that a version has a fee by quantity under this code.

    :raises SubscriptionError: charge_not_found
    """
    charges = Charge.objects.filter(plan_version=version, default_quantity__isnull=False).order_by("position")
    known = list(charges.values_list("code", flat=True))
    if charge_code not in known:
        message = _("%(plan)s has no fee by quantity %(charge)s; it has: %(known)s")
        values = {"plan": version, "charge": charge_code, "known": ", ".join(known) or _("none")}
        raise SubscriptionError(message % values, field=field, code="charge_not_found")


def facts(subscription: Subscription) -> dict[str, Any]:
    """Return what the audit trail says of a subscription."""
    return {
        "plan": subscription.plan.code,
        "version": subscription.plan_version.version,
        "started_on": subscription.started_on.isoformat(),
        "ended_on": subscription.ended_on.isoformat() if subscription.ended_on else None,
    }


def _said(trial_ends_on: date | None, steps: Mapping[str, Decimal]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if trial_ends_on is not None:
        said["trial_ends_on"] = trial_ends_on.isoformat()
    if steps:
        said["quantities"] = {code: str(quantity) for code, quantity in steps.items()}
    return said


def _check_external_id(external_id: str) -> None:
    if len(external_id) > _NAME_LENGTH or not external_id.isprintable() or external_id != external_id.strip():
        message = _("write at most %(most)d printable characters, with no space at the ends") % {"most": _NAME_LENGTH}
        raise SubscriptionError(message, field="external_id", code="external_id_unusable")


def _own_name(text: str) -> str:
    """Keep a name that was put together within its column; a long one ends with its hash, so that it stays the only one."""
    return text if len(text) <= _NAME_LENGTH else text[: _NAME_LENGTH - 33] + ":" + sha256(text.encode()).hexdigest()[:32]


def _trial_end(version: PlanVersion, started_on: date, trial_days: int | None) -> date | None:
    days = version.trial_days if trial_days is None else trial_days
    if not 0 <= days <= _LONGEST_TRIAL:
        message = _("a trial has 0 to %(most)d days") % {"most": _LONGEST_TRIAL}
        raise SubscriptionError(message, field="trial_days", code="trial_unusable")
    return started_on + timedelta(days=days) if days else None


def _checked_quantities(version: PlanVersion, quantities: Mapping[str, Decimal]) -> dict[str, Decimal]:
    for charge_code, quantity in quantities.items():
        check_charge(version, charge_code, f"quantities.{charge_code}")
        checked_quantity(quantity, f"quantities.{charge_code}")
    return dict(quantities)


def _insert(
    subscription: Subscription, trial_ends_on: date | None, steps: Mapping[str, Decimal], actor: Actor, now: datetime
) -> Timeline:
    """Insert with its changes and claims; the constraints are what decides, their names are what is explained."""
    try:
        with transaction.atomic():
            subscription.save(force_insert=True)
    except IntegrityError as error:
        raise explained(error, subscription) from error
    kinds = SubscriptionChange.Kind

    def decided(kind: SubscriptionChange.Kind, on: date, **columns: Any) -> SubscriptionChange:
        said = {"actor_kind": actor.kind, "actor_label": actor.label, "recorded_at": now}
        return SubscriptionChange(subscription=subscription, kind=kind, effective_on=on, **said, **columns)

    version, started_on = subscription.plan_version, subscription.started_on
    changes = [decided(kinds.START, started_on, plan_version=version, trial_ends_on=trial_ends_on)]
    changes += [decided(kinds.QUANTITY, started_on, charge_code=code, quantity=number) for code, number in steps.items()]
    if subscription.ended_on is not None:
        changes.append(decided(kinds.END, subscription.ended_on))
    SubscriptionChange.objects.bulk_create(changes)
    timeline = timeline_of(changes)
    write_claims(subscription, timeline)
    return timeline
