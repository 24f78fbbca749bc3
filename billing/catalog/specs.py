"""Rows of the catalogue back to the values of the file, so that both sides can be compared and exported."""

from collections.abc import Iterable, Sequence
from typing import Any

from billing.catalog.values import ADD_ON, PLAN, ChargeSpec, MeterSpec, PlanSpec
from billing.models import Charge, PlanVersion
from billing.pricing.charge import parse_charge
from usage.models import Meter


def meter_spec(meter: Meter) -> MeterSpec:
    """Return the meter as the file writes it."""
    return MeterSpec(
        code=meter.code,
        name=meter.name,
        event_type=meter.event_type,
        aggregation=meter.aggregation,
        value=meter.value_path,
        dimensions=tuple(meter.dimensions),
        filters=meter.filters,
        unit=meter.unit,
        succeeds=meter.predecessor.code if meter.predecessor else "",
    )


def plan_spec(version: PlanVersion) -> PlanSpec:
    """Return the version as the file writes a plan. One query (charges with their meters) where plan and customer are loaded."""
    return _plan_spec(version, version.charges.select_related("meter").order_by("position"))


def plan_specs(versions: Sequence[PlanVersion]) -> list[PlanSpec]:
    """Return each of the versions as the file writes a plan. One query for all of their charges."""
    charges: dict[int, list[Charge]] = {version.pk: [] for version in versions}
    for charge in Charge.objects.filter(plan_version__in=versions).select_related("meter").order_by("position"):
        charges[charge.plan_version_id].append(charge)
    return [_plan_spec(version, charges[version.pk]) for version in versions]


def _plan_spec(version: PlanVersion, charges: Iterable[Charge]) -> PlanSpec:
    return PlanSpec(
        code=version.plan.code,
        name=version.plan.name,
        kind=version.plan.kind,
        currency=version.currency,
        customer=version.customer.external_id if version.customer else "",
        interval=version.interval,
        interval_count=version.interval_count,
        anchor=version.anchor,
        billing_day=version.billing_day,
        trial_days=version.trial_days,
        minimum_commitment=version.minimum_commitment,
        charges=tuple(
            ChargeSpec(
                code=charge.code,
                name=charge.name,
                terms=parse_charge(charge.terms),
                meter=charge.meter.code if charge.meter else "",
                filter=dict(charge.filter),
                billed=charge.billed,
                default_quantity=charge.default_quantity,
                tax_class=charge.tax_class,
                tax_rate=charge.tax_rate_pct,
            )
            for charge in charges
        ),
    )


def export_catalog() -> dict[str, Any]:
    """
    Return every meter and every published version as the members of the catalogue file.

    Sorted by code, then currency; the public version is before the customers' own. Reading the result back with
    `read_catalog` and applying it changes nothing.
    """
    meters = [meter_members(meter_spec(meter)) for meter in Meter.objects.select_related("predecessor").order_by("code")]
    versions = PlanVersion.objects.filter(status=PlanVersion.Status.PUBLISHED).select_related("plan", "customer")
    specs = sorted(plan_specs(list(versions)), key=lambda spec: spec.offer)
    document: dict[str, Any] = {"meters": meters, "plans": [spec.members() for spec in specs if spec.kind == PLAN]}
    add_ons = [spec.members() for spec in specs if spec.kind == ADD_ON]
    return {**document, "add_ons": add_ons} if add_ons else document


def meter_members(spec: MeterSpec) -> dict[str, Any]:
    """Return the members that the file writes for a meter, defaults left out."""
    document: dict[str, Any] = {
        "code": spec.code,
        "name": spec.name,
        "event_type": spec.event_type,
        "aggregation": spec.aggregation,
    }
    if spec.value:
        document["value"] = spec.value
    if spec.dimensions:
        document["dimensions"] = list(spec.dimensions)
    if spec.filters:
        document["filters"] = spec.filters
    if spec.unit:
        document["unit"] = spec.unit
    if spec.succeeds:
        document["succeeds"] = spec.succeeds
    return document
