"""Make the database sell what a catalogue file says, and say in words what that changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from django.db import transaction
from django.utils.translation import gettext as _

from billing.catalog.compare import MemberChange, compare_specs, member_changes
from billing.catalog.errors import CatalogError
from billing.catalog.plans import publish_plan, published_version
from billing.catalog.specs import meter_members, meter_spec, plan_spec
from billing.catalog.values import ADD_ON, CatalogSpec, MeterSpec, PlanSpec
from billing.catalog.writing import owner_of, refuse_other_kind
from billing.locks import lock_catalog
from billing.models import Plan
from squill.lib.actor import Actor
from usage.models import Meter
from usage.services import MeterError, create_meter, succeed_meter, update_meter


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that the file makes different; `differences` are sentences such as "Calls, tier 2: 0.01 → 0.02 EUR each"."""

    kind: Literal["created", "changed", "unchanged"]
    what: Literal["meter", "plan", "add-on"]
    code: str
    differences: tuple[str, ...] = ()
    members: tuple[MemberChange, ...] = ()  # the same by member, for programs
    currency: str = ""  # of a plan or add-on
    customer: str = ""  # whose own version it is

    @property
    def label(self) -> str:
        """Return what it is about: "plan scale in EUR for acme"."""
        label = f"{self.what} {self.code}"
        label += _(" in %(currency)s") % {"currency": self.currency} if self.currency else ""
        return label + (_(" for %(customer)s") % {"customer": self.customer} if self.customer else "")


class UnpublishedChanges(CatalogError):
    """The file changes published plans, and nobody said that new versions are wanted."""

    def __init__(self, changes: list[Change]) -> None:
        lines = [f"  {change.label}: {difference}" for change in changes for difference in change.differences]
        message = _("a published plan never changes; publishing new versions must be asked for (--new-versions):")
        super().__init__("\n".join([message, *lines]))
        self.changes = changes


@transaction.atomic
def apply_catalog(*, spec: CatalogSpec, actor: Actor, now: datetime, new_versions: bool = False) -> list[Change]:
    """
    Create what is missing, publish new versions of what differs, and return what changed. All or nothing, idempotent.

    Meters and offers that the file does not name are left alone. Subscriptions keep their version. Locks the catalogue.

    :raises UnpublishedChanges: if a published plan differs and `new_versions` is false
    :raises CatalogError: if a meter that is in use would mean something else, or a plan cannot be published
    """
    lock_catalog()
    changes = [_apply_meter(meter, actor, now) for meter in _predecessors_first(spec.meters)]
    plans = [_compare_plan(plan) for plan in spec.plans]
    refused = [change for change in plans if change.kind == "changed"]
    if refused and not new_versions:
        raise UnpublishedChanges(refused)
    for plan, change in zip(spec.plans, plans, strict=True):
        if change.kind != "unchanged":
            publish_plan(spec=plan, actor=actor, now=now)
    return changes + plans


def preview_catalog(*, spec: CatalogSpec, actor: Actor, now: datetime) -> list[Change]:
    """
    Return what `apply_catalog` with new versions would change, and write nothing. Locks the catalogue while it looks.

    :raises CatalogError: as it would
    """
    with transaction.atomic():
        changes = apply_catalog(spec=spec, actor=actor, now=now, new_versions=True)
        transaction.set_rollback(True)
    return changes


def _predecessors_first(specs: Sequence[MeterSpec]) -> list[MeterSpec]:
    """Return the meters in their order, but each after the one that it succeeds, where the file has that too."""
    ordered: list[MeterSpec] = []
    waiting = list(specs)
    while waiting:
        codes = {spec.code for spec in waiting}
        free = [spec for spec in waiting if spec.succeeds not in codes]
        if not free:
            message = _("these meters succeed one another in a circle: %(codes)s") % {"codes": ", ".join(sorted(codes))}
            raise CatalogError(message, member="meters")
        ordered += free
        waiting = [spec for spec in waiting if spec not in free]
    return ordered


def _apply_meter(spec: MeterSpec, actor: Actor, now: datetime) -> Change:
    meter = Meter.objects.select_related("predecessor").filter(code=spec.code).first()
    fields: dict[str, Any] = {"name": spec.name, "event_type": spec.event_type, "aggregation": spec.aggregation}
    fields |= {"value_path": spec.value, "unit": spec.unit, "dimensions": list(spec.dimensions), "filters": spec.filters}
    try:
        if meter is None:
            _make_meter(spec, fields, actor, now)
            return Change("created", "meter", spec.code)
        before = meter_spec(meter)
        if before == spec:
            return Change("unchanged", "meter", spec.code)
        if before.succeeds != spec.succeeds:
            raise MeterError({"succeeds": _("is decided when a meter is made, and cannot change")})
        update_meter(meter_id=meter.pk, changes=fields, actor=actor, now=now)
    except MeterError as error:
        raise CatalogError(f"meter {spec.code}: {error}", member=f"meters.{spec.code}") from error
    members = tuple(member_changes(meter_members(before), meter_members(spec)))
    return Change("changed", "meter", spec.code, tuple(map(str, members)), members)


def _make_meter(spec: MeterSpec, fields: dict[str, Any], actor: Actor, now: datetime) -> None:
    if not spec.succeeds:
        create_meter(code=spec.code, actor=actor, now=now, **fields)
        return
    earlier = Meter.objects.filter(code=spec.succeeds).first()
    if earlier is None:
        raise MeterError({"succeeds": _("there is no meter %(code)s") % {"code": spec.succeeds}})
    succeed_meter(meter_id=earlier.pk, code=spec.code, changes=fields, actor=actor, now=now)


def _compare_plan(spec: PlanSpec) -> Change:
    plan = Plan.objects.filter(code=spec.code).first()
    if plan:
        refuse_other_kind(plan, spec)
    owner = owner_of(spec)
    version = published_version(plan, currency=spec.currency, customer_id=owner.pk if owner else None) if plan else None
    change = partial(
        Change,
        what="add-on" if spec.kind == ADD_ON else "plan",
        code=spec.code,
        currency=spec.currency,
        customer=spec.customer,
    )
    if version is None:
        return change("created")
    before = plan_spec(version)
    if before == spec:
        return change("unchanged")
    members = tuple(member_changes(before.members(), spec.members()))
    return change("changed", differences=tuple(compare_specs(before, spec)), members=members)
