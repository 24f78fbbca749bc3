"""What is on sale, and how a specification is put on sale at once. A published version never changes (I8)."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.catalog.errors import CatalogError
from billing.catalog.specs import plan_spec
from billing.catalog.values import PlanSpec
from billing.catalog.writing import (
    lock_plan_of,
    note,
    owner_of,
    put_on_sale,
    refuse_bad_meters,
    refuse_other_currency,
    write_draft,
)
from billing.models import Plan, PlanVersion
from customers.models import Customer
from squill.lib.actor import Actor

__all__ = ["CatalogError", "draft_version", "publish_plan", "published_version", "version_for"]


@transaction.atomic
def publish_plan(*, spec: PlanSpec, actor: Actor, now: datetime) -> PlanVersion:
    """
    Make the plan sell what the specification says: write a new version, publish it, archive the one before.

    Idempotent: where the published version already says the same, it is returned and nothing is written. A new name alone
    renames the plan and needs no version. A draft of the offer stays a draft, under the next number. Locks the catalogue
    and the plan.

    :raises CatalogError: if a meter, dimension or customer is unknown, or the code is that of another kind
    """
    plan, created = lock_plan_of(spec, now)
    owner = owner_of(spec)
    published = published_version(plan, currency=spec.currency, customer_id=owner.pk if owner else None)
    if published is not None and plan_spec(published) == spec:
        return published
    before = plan_spec(published).members() if published else {}
    renamed = _rename(plan, spec)
    if published is not None and renamed:
        published.plan.name = spec.name
        if plan_spec(published) == spec:
            note("renamed", published, actor=actor, now=now, before={"name": before["name"]}, after={"name": spec.name})
            return published
    refuse_other_currency(spec, owner)
    refuse_bad_meters(spec)
    draft = draft_version(plan, currency=spec.currency, customer_id=owner.pk if owner else None)
    kept = plan_spec(draft) if draft else None
    origin = published.derived_from_id if published else None
    version = write_draft(plan, spec, owner, derived_from_id=origin, now=now)
    version = put_on_sale(version, now=now)
    if draft is not None and kept is not None and replace(kept, name=spec.name) != spec:
        write_draft(plan, kept, owner, derived_from_id=draft.derived_from_id, now=now)
    action = "created" if created else "version_published"
    note(action, version, actor=actor, now=now, before=before, after=spec.members())
    return version


def published_version(plan: Plan, *, currency: str, customer_id: int | None = None) -> PlanVersion | None:
    """Return the public version that is sold in a currency, or a customer's own; None if there is none. One query."""
    return _version(plan, currency, customer_id, PlanVersion.Status.PUBLISHED)


def draft_version(plan: Plan, *, currency: str, customer_id: int | None = None) -> PlanVersion | None:
    """Return the draft of what may be sold in a currency, or as a customer's own; None if there is none. One query."""
    return _version(plan, currency, customer_id, PlanVersion.Status.DRAFT)


def version_for(plan: Plan, customer: Customer) -> PlanVersion | None:
    """Return the version that a new subscription of the customer gets: their own before the public one. Two queries at most."""
    own = published_version(plan, currency=customer.currency, customer_id=customer.pk)
    return own or published_version(plan, currency=customer.currency)


def _version(plan: Plan, currency: str, customer_id: int | None, status: str) -> PlanVersion | None:
    found = PlanVersion.objects.filter(plan=plan, currency=currency, customer=customer_id, status=status)
    return found.select_related("plan", "customer").first()


def _rename(plan: Plan, spec: PlanSpec) -> bool:
    """Give the plan the name of the specification; return whether it had another. A customer's own version cannot."""
    if plan.name == spec.name:
        return False
    if spec.customer:
        message = _("the plan is called %(name)s, and a customer's own version does not rename it: write that")
        raise CatalogError(message % {"name": plan.name}, member="name", line=spec.line)
    Plan.objects.filter(pk=plan.pk).update(name=spec.name)
    plan.name = spec.name
    return True
