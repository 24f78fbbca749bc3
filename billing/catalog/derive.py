"""A customer's own version: what was agreed with one customer, derived from what everybody can have."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from billing.catalog.document import LocatedError, member_of, read_plan
from billing.catalog.errors import CatalogError
from billing.catalog.plans import draft_version
from billing.catalog.specs import plan_spec
from billing.catalog.values import PlanSpec
from billing.catalog.writing import lock_version, note, refuse_bad_meters, refuse_other_currency, write_draft
from billing.models import PlanVersion
from customers.models import Customer
from squill.lib.actor import Actor

# What makes it a version of this plan for this customer.
_FIXED: Final = frozenset({"code", "name", "kind", "currency", "customer"})
_PLACE: Final = re.compile(r"charges\[([0-9]+)\]")


@transaction.atomic
def derive_version(
    *, version_id: int, customer: Customer, actor: Actor, now: datetime, changes: Mapping[str, Any] | None = None
) -> PlanVersion:
    """
    Write a draft of the customer's own version of a plan. Locks the catalogue and the plan.

    `changes` are members of the file that take the place of those of the public version, null for the default. In `charges`
    each takes the place of the one with its code, or is added; the others stay.

    :raises CatalogError: if the version is no public one that is or was on sale, the customer pays in another currency or has
        a draft of its own already, or a change cannot be used
    """
    public = lock_version(version_id)
    if public.customer is not None or public.status == PlanVersion.Status.DRAFT:
        message = _("version %(version)d is not one for everybody that is or was on sale: derive from such a one")
        raise CatalogError(message % {"version": public.version}, code="not_public")
    base = plan_spec(public)
    if customer.currency != base.currency:
        message = _("customer %(customer)s pays in %(currency)s: derive from a version in %(currency)s")
        raise CatalogError(message % {"customer": customer.external_id, "currency": customer.currency}, member="customer")
    draft = draft_version(public.plan, currency=base.currency, customer_id=customer.pk)
    if draft is not None:
        message = _("customer %(customer)s has a draft of its own already, version %(version)d: change, publish or discard that")
        values = {"customer": customer.external_id, "version": draft.version}
        raise CatalogError(message % values, member="customer", code="draft_exists")
    spec = _changed(base, customer, changes or {})
    refuse_other_currency(spec, customer)
    refuse_bad_meters(spec)
    version = write_draft(public.plan, spec, customer, derived_from_id=public.pk, now=now)
    version = PlanVersion.objects.select_related("plan", "customer").get(pk=version.pk)
    note("version_derived", version, actor=actor, now=now, before={"version": public.version}, after=spec.members())
    return version


def _changed(base: PlanSpec, customer: Customer, changes: Mapping[str, Any]) -> PlanSpec:
    for name in changes:
        if name in _FIXED:
            raise CatalogError(_("stays what it is in the version that this one is derived from: leave it out"), member=name)
    members = {**base.members(), **changes, "customer": customer.external_id}
    if changes.get("charges") is None:
        members["charges"] = base.members()["charges"]
    elif isinstance(changes["charges"], list | tuple):
        members["charges"] = _merged(base.members()["charges"], changes["charges"])
    try:
        return read_plan(members, kind=base.kind)
    except LocatedError as error:
        raise CatalogError(error.message, member=_by_code(member_of(error), members["charges"])) from None


def _by_code(member: str, charges: Any) -> str:
    """Write charges[2].amount as charges.seats.amount, since the caller does not know the places of the merged charges."""
    match = _PLACE.match(member)
    charge = charges[int(match[1])] if match else None
    code = charge.get("code") if isinstance(charge, Mapping) else None
    return _PLACE.sub(f"charges.{code}", member, count=1) if isinstance(code, str) else member


def _merged(charges: list[dict[str, Any]], changes: Sequence[Any]) -> list[Any]:
    """Put each changed charge where the one of its code stands; what has no code, or a new one, goes to the end."""
    by_code = {charge["code"]: charge for charge in charges}
    added = []
    for change in changes:
        code = change.get("code") if isinstance(change, Mapping) else None
        if isinstance(code, str) and code in by_code:
            by_code[code] = dict(change)
        else:
            added.append(change)
    return [*by_code.values(), *added]
