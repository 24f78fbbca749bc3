"""Drafts: versions that are being written. One is saved as often as it takes, then published or discarded."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.catalog.errors import CatalogError
from billing.catalog.plans import draft_version, published_version
from billing.catalog.specs import plan_spec
from billing.catalog.values import PlanSpec
from billing.catalog.writing import (
    lock_plan_of,
    lock_version,
    note,
    owner_of,
    put_on_sale,
    refuse_bad_meters,
    refuse_other_currency,
    write_draft,
)
from billing.models import Charge, Plan, PlanVersion
from squill.lib.actor import Actor


@transaction.atomic
def save_draft(*, spec: PlanSpec, actor: Actor, now: datetime) -> PlanVersion:
    """
    Write the draft of an offer, over the one that is there. Idempotent. Locks the catalogue and the plan.

    What is on sale stays as it is. A plan that has nothing but drafts takes the name of each.

    :raises CatalogError: if a meter, dimension or customer is unknown, the code is that of another kind, or the draft would
        rename a plan that is or was on sale
    """
    plan, _created = lock_plan_of(spec, now)
    owner = owner_of(spec)
    draft = draft_version(plan, currency=spec.currency, customer_id=owner.pk if owner else None)
    before = plan_spec(draft) if draft else None
    if draft is not None and before == spec:
        return draft
    _rename(plan, spec)
    refuse_other_currency(spec, owner)
    refuse_bad_meters(spec)
    version = write_draft(plan, spec, owner, derived_from_id=draft.derived_from_id if draft else None, now=now)
    version = PlanVersion.objects.select_related("plan", "customer").get(pk=version.pk)
    note("draft_saved", version, actor=actor, now=now, before=before.members() if before else {}, after=spec.members())
    return version


@transaction.atomic
def publish_draft(*, version_id: int, actor: Actor, now: datetime) -> PlanVersion:
    """
    Put a draft on sale and archive the version of its offer before. Locks the catalogue and the plan.

    :raises CatalogError: if it is no draft, says the same as what is on sale, or a meter cannot be priced by it any more
    """
    draft = _locked_draft(version_id)
    spec = plan_spec(draft)
    published = published_version(draft.plan, currency=draft.currency, customer_id=draft.customer_id)
    before = plan_spec(published) if published else None
    if published is not None and before == spec:
        message = _("version %(draft)d says the same as version %(published)d, which is on sale: change it first, or discard it")
        raise CatalogError(message % {"draft": draft.version, "published": published.version}, code="nothing_changed")
    refuse_other_currency(spec, draft.customer)
    refuse_bad_meters(spec)
    version = put_on_sale(draft, now=now)
    note("version_published", version, actor=actor, now=now, before=before.members() if before else {}, after=spec.members())
    return version


@transaction.atomic
def discard_draft(*, version_id: int, actor: Actor, now: datetime) -> None:
    """
    Delete a draft, and with its last version a plan that never was on sale. Locks the catalogue and the plan.

    :raises CatalogError: if it is no draft
    """
    draft = _locked_draft(version_id)
    note("draft_discarded", draft, actor=actor, now=now, before=plan_spec(draft).members(), after={})
    Charge.objects.filter(plan_version=draft).delete()
    PlanVersion.objects.filter(pk=draft.pk).delete()
    if not PlanVersion.objects.filter(plan=draft.plan_id).exists():
        Plan.objects.filter(pk=draft.plan_id).delete()


@transaction.atomic
def archive_version(*, version_id: int, actor: Actor, now: datetime) -> PlanVersion:
    """
    Stop selling a published version. Whoever has it keeps it. Locks the catalogue and the plan.

    :raises CatalogError: if it is not published
    """
    version = lock_version(version_id)
    if version.status == PlanVersion.Status.DRAFT:
        message = _("version %(version)d is a draft, which is not on sale: discard it instead")
        raise CatalogError(message % {"version": version.version}, code="not_published")
    if version.status == PlanVersion.Status.ARCHIVED:
        raise CatalogError(_("version %(version)d is archived already") % {"version": version.version}, code="not_published")
    PlanVersion.objects.filter(pk=version.pk).update(status=PlanVersion.Status.ARCHIVED)
    before, after = {"status": version.status}, {"status": PlanVersion.Status.ARCHIVED}
    version.status = PlanVersion.Status.ARCHIVED
    note("version_archived", version, actor=actor, now=now, before=before, after=after)
    return version


def _locked_draft(version_id: int) -> PlanVersion:
    version = lock_version(version_id)
    if version.status != PlanVersion.Status.DRAFT:
        message = _("version %(version)d is %(status)s, and never changes: save a new draft")
        values = {"version": version.version, "status": version.get_status_display()}
        raise CatalogError(message % values, code="not_a_draft")
    return version


def _rename(plan: Plan, spec: PlanSpec) -> None:
    if plan.name == spec.name:
        return
    if PlanVersion.objects.filter(plan=plan).exclude(status=PlanVersion.Status.DRAFT).exists():
        message = _("the plan is called %(name)s in all its versions, and a draft does not rename it: write that")
        raise CatalogError(message % {"name": plan.name}, member="name")
    Plan.objects.filter(pk=plan.pk).update(name=spec.name)
