"""Draft and publish plan versions. A published one never changes (I8); a change of price is a new version."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.catalog.document import ChargeSpec, PlanSpec
from billing.catalog.specs import plan_spec
from billing.models import Charge, Plan, PlanVersion
from billing.pricing.charge import charge_members
from customers.audit import record
from squill.lib.actor import Actor
from usage.models import Meter


class CatalogError(Exception):
    """A plan cannot be written or published as asked. `member` names what is wrong, the message says what to do."""

    def __init__(self, message: str, *, member: str = "") -> None:
        super().__init__(message)
        self.member = member
        self.message = message


@transaction.atomic
def publish_plan(*, spec: PlanSpec, actor: Actor, now: datetime) -> PlanVersion:
    """
    Make the plan sell what the specification says: write a new version, publish it, archive the one before.

    Idempotent: where the published version already says the same, it is returned and nothing is written. Locks the plan.

    :raises CatalogError: if a meter or dimension is unknown, or the currency differs from that of the plan
    """
    plan, created = Plan.objects.get_or_create(
        code=spec.code, defaults={"name": spec.name, "currency": spec.currency, "created_at": now}
    )
    plan = Plan.objects.select_for_update().get(pk=plan.pk)
    if plan.currency != spec.currency:
        message = _("plan %(plan)s is in %(currency)s: a plan keeps its currency, use another code for %(other)s")
        raise CatalogError(message % {"plan": plan.code, "currency": plan.currency, "other": spec.currency}, member="currency")
    published = published_version(plan)
    if published is not None and plan_spec(published) == spec:
        return published
    before = plan_spec(published).members() if published else {}
    if plan.name != spec.name:
        Plan.objects.filter(pk=plan.pk).update(name=spec.name)
        plan.name = spec.name
    version = _write_draft(plan, spec, now)
    if published is not None:
        PlanVersion.objects.filter(pk=published.pk).update(status=PlanVersion.Status.ARCHIVED)
    PlanVersion.objects.filter(pk=version.pk).update(status=PlanVersion.Status.PUBLISHED, published_at=now)
    version.refresh_from_db()
    record(
        action="plan.created" if created else "plan.version_published",
        object_type="plan",
        object_id=plan.code,
        actor=actor,
        now=now,
        before=before,
        after={"version": version.version, **spec.members()},
    )
    return version


def published_version(plan: Plan) -> PlanVersion | None:
    """Return the version that new subscriptions get; None before the first publication. One query."""
    return PlanVersion.objects.filter(plan=plan, status=PlanVersion.Status.PUBLISHED).select_related("plan").first()


def _write_draft(plan: Plan, spec: PlanSpec, now: datetime) -> PlanVersion:
    last = PlanVersion.objects.filter(plan=plan).order_by("-version").first()
    version = PlanVersion.objects.create(
        plan=plan,
        version=last.version + 1 if last else 1,
        interval=spec.interval,
        anchor=spec.anchor,
        minimum_commitment=spec.minimum_commitment,
        created_at=now,
    )
    meters = {meter.code: meter for meter in Meter.objects.filter(code__in={charge.meter for charge in spec.charges})}
    Charge.objects.bulk_create(
        Charge(
            plan_version=version,
            position=position,
            code=charge.code,
            name=charge.name,
            meter=_meter_of(charge, meters),
            filter=charge.filter,
            terms=charge_members(charge.terms),
            billed=charge.billed,
        )
        for position, charge in enumerate(spec.charges, start=1)
    )
    return version


def _meter_of(charge: ChargeSpec, meters: dict[str, Meter]) -> Meter | None:
    if not charge.meter:
        return None
    meter = meters.get(charge.meter)
    if meter is None:
        message = _("charge %(charge)s: there is no meter %(meter)s; create it first, or put it into the same file")
        raise _located(charge, message % {"charge": charge.code, "meter": charge.meter}, "meter")
    for dimension in charge.filter:
        if dimension not in meter.dimensions:
            message = _("charge %(charge)s: meter %(meter)s has no dimension %(dimension)s; it has %(known)s")
            known = ", ".join(meter.dimensions) or _("none")
            values = {"charge": charge.code, "meter": meter.code, "dimension": dimension, "known": known}
            raise _located(charge, message % values, f"filter.{dimension}")
    return meter


def _located(charge: ChargeSpec, message: str, member: str) -> CatalogError:
    where = _("line %(line)d: ") % {"line": charge.line} if charge.line else ""
    return CatalogError(where + message, member=f"charges.{charge.code}.{member}")
