"""The rows of a version, written and put on sale. The services of the catalogue alone use this, holding its lock."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from billing.catalog.errors import CatalogError
from billing.catalog.values import ADD_ON, ChargeSpec, PlanSpec
from billing.locks import lock_catalog
from billing.models import Charge, Plan, PlanVersion
from billing.pricing.charge import charge_members
from customers.audit import record
from customers.models import Customer
from squill.lib.actor import Actor
from usage.models import Meter


def lock_plan_of(spec: PlanSpec, now: datetime) -> tuple[Plan, bool]:
    """
    Return the plan of a specification, locked, and whether it was made just now. Locks the catalogue first.

    :raises CatalogError: if the code is that of the other kind
    """
    lock_catalog()
    defaults = {"name": spec.name, "kind": spec.kind, "created_at": now}
    plan, created = Plan.objects.get_or_create(code=spec.code, defaults=defaults)
    plan = Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)
    refuse_other_kind(plan, spec)
    return plan, created


def refuse_other_kind(plan: Plan, spec: PlanSpec) -> None:
    """
    Refuse to make an add-on of a plan, or the other way round: a code belongs to one kind for good.

    :raises CatalogError: naming the kind that it has
    """
    if plan.kind != spec.kind:
        message = _("%(code)s is the code of a plan: give the add-on another")
        if plan.kind == ADD_ON:
            message = _("%(code)s is the code of an add-on: give the plan another")
        raise CatalogError(message % {"code": plan.code}, member="code", code="kind_differs", line=spec.line)


def lock_version(version_id: int) -> PlanVersion:
    """
    Return a version whose plan is locked, with plan and customer. Locks the catalogue first.

    :raises CatalogError: if there is none
    """
    lock_catalog()
    Plan.objects.select_for_update(of=("self",), no_key=True).filter(versions=version_id).first()
    version = PlanVersion.objects.select_related("plan", "customer").filter(pk=version_id).first()
    if version is None:
        raise CatalogError(_("the draft is not there any more: somebody discarded it"), code="not_a_draft")
    return version


def owner_of(spec: PlanSpec) -> Customer | None:
    """
    Return the customer whose own version this is, None for a public one.

    :raises CatalogError: if there is no such customer
    """
    if not spec.customer:
        return None
    owner = Customer.objects.filter(external_id=spec.customer).first()
    if owner is None:
        message = _("there is no customer %(customer)s: create it first, or take its own version of %(plan)s out")
        raise CatalogError(message % {"plan": spec.code, "customer": spec.customer}, member="customer", line=spec.line)
    return owner


def refuse_other_currency(spec: PlanSpec, owner: Customer | None) -> None:
    """
    Refuse an own version that its customer could not have.

    :raises CatalogError: naming the currency of the customer
    """
    if owner is not None and owner.currency != spec.currency:
        message = _("customer %(customer)s pays in %(currency)s, and so must its own version: write %(currency)s")
        values = {"customer": owner.external_id, "currency": owner.currency}
        raise CatalogError(message % values, member="currency", line=spec.line)


def write_draft(plan: Plan, spec: PlanSpec, owner: Customer | None, *, derived_from_id: int | None, now: datetime) -> PlanVersion:
    """Write the draft of the offer, over the one that is there, and return it. Checks nothing."""
    facts: dict[str, Any] = {
        "derived_from_id": derived_from_id,
        "interval": spec.interval,
        "interval_count": spec.interval_count,
        "anchor": spec.anchor,
        "billing_day": spec.billing_day,
        "trial_days": spec.trial_days,
        "minimum_commitment": spec.minimum_commitment,
    }
    offer: dict[str, Any] = {"plan": plan, "currency": spec.currency, "customer": owner}
    version = PlanVersion.objects.filter(status=PlanVersion.Status.DRAFT, **offer).first()
    if version is None:
        last = PlanVersion.objects.filter(plan=plan).order_by("-version").first()
        version = PlanVersion.objects.create(version=last.version + 1 if last else 1, created_at=now, **offer, **facts)
    else:
        PlanVersion.objects.filter(pk=version.pk).update(**facts)
        Charge.objects.filter(plan_version=version).delete()
    meters = _meters_of(spec)
    Charge.objects.bulk_create(
        Charge(
            plan_version=version,
            position=position,
            code=charge.code,
            name=charge.name,
            meter=meters[charge.meter] if charge.meter else None,
            filter=charge.filter,
            terms=charge_members(charge.terms),
            billed=charge.billed,
            default_quantity=charge.default_quantity,
            tax_class=charge.tax_class,
            tax_rate_pct=charge.tax_rate,
        )
        for position, charge in enumerate(spec.charges, start=1)
    )
    return version


def put_on_sale(version: PlanVersion, *, now: datetime) -> PlanVersion:
    """Publish a draft, archive the version of its offer before, and return it as it is now."""
    before = PlanVersion.objects.filter(plan=version.plan_id, currency=version.currency, customer=version.customer_id)
    before.filter(status=PlanVersion.Status.PUBLISHED).update(status=PlanVersion.Status.ARCHIVED)
    PlanVersion.objects.filter(pk=version.pk).update(status=PlanVersion.Status.PUBLISHED, published_at=now)
    return PlanVersion.objects.select_related("plan", "customer").get(pk=version.pk)


def note(
    action: str, version: PlanVersion, *, actor: Actor, now: datetime, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Record what was done to a version in the audit trail."""
    record(
        action=f"plan.{action}",
        object_type="plan",
        object_id=version.plan.code,
        actor=actor,
        now=now,
        customer_id=version.customer_id,
        before=before,
        after={"version": version.version, **after},
    )


def refuse_bad_meters(spec: PlanSpec) -> None:
    """
    Refuse charges whose meter cannot be priced by them.

    :raises CatalogError: if a meter or a dimension is unknown, or a percentage is charged on what is no sum
    """
    meters = _meters_of(spec)
    for charge in spec.charges:
        if charge.meter:
            _refuse_bad_meter(charge, meters.get(charge.meter))


def _refuse_bad_meter(charge: ChargeSpec, meter: Meter | None) -> None:
    values = {"charge": charge.code, "meter": charge.meter}
    if meter is None:
        message = _("charge %(charge)s: there is no meter %(meter)s; create it first, or put it into the same file")
        raise _located(charge, message % values, "meter")
    if charge.terms.prices_events and meter.aggregation != Meter.Aggregation.SUM:
        message = _(
            "charge %(charge)s: %(model)s prices amounts that add up, and meter %(meter)s has the aggregation %(aggregation)s; "
            "name a meter with the aggregation sum, or use another model"
        )
        values |= {"model": charge.terms.model.name, "aggregation": meter.aggregation}
        raise _located(charge, message % values, "meter")
    for dimension in charge.filter:
        if dimension not in meter.dimensions:
            message = _("charge %(charge)s: meter %(meter)s has no dimension %(dimension)s; it has %(known)s")
            known = ", ".join(meter.dimensions) or _("none")
            raise _located(charge, message % (values | {"dimension": dimension, "known": known}), f"filter.{dimension}")


def _meters_of(spec: PlanSpec) -> dict[str, Meter]:
    return {meter.code: meter for meter in Meter.objects.filter(code__in={charge.meter for charge in spec.charges})}


def _located(charge: ChargeSpec, message: str, member: str) -> CatalogError:
    return CatalogError(message, member=f"charges.{charge.code}.{member}", line=charge.line)
