"""Plans and add-ons for the tests of the lifecycle, written as rows: draft first, then published as the catalogue does it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from billing.models import Charge, Plan, PlanVersion
from billing.pricing.charge import charge_members, parse_charge
from tests.billing.builders import ACTOR, NOW
from usage.models import Meter
from usage.services import create_meter

SEAT_TIERS = [{"up_to": "3", "unit_amount": "30"}, {"up_to": None, "unit_amount": "15"}]


@dataclass(frozen=True, slots=True)
class Sold:
    """A charge before it is a row."""

    code: str
    terms: Mapping[str, object]
    meter: str = ""
    in_advance: bool = False
    quantity: Decimal | None = None
    filter: Mapping[str, str] = field(default_factory=dict)


def fee(amount: str, code: str = "fee", *, in_advance: bool = True) -> Sold:
    """A flat fee."""
    return Sold(code, {"model": "flat", "amount": amount}, in_advance=in_advance)


def seats(price: str = "31", code: str = "seats", *, quantity: str = "1", in_advance: bool = True, **terms: object) -> Sold:
    """A fee for each seat, or by the terms that are given instead."""
    members = terms or {"model": "per_unit", "unit_amount": price}
    return Sold(code, members, in_advance=in_advance, quantity=Decimal(quantity))


def calls(price: str = "0.01", code: str = "calls", *, meter: str = "calls", **terms: object) -> Sold:
    """Usage by the unit, or by the terms that are given instead."""
    return Sold(code, terms or {"model": "per_unit", "unit_amount": price}, meter=meter)


def make_meter(code: str = "calls", **fields: Any) -> Meter:
    """A meter that adds up `n` of the events of type "call"; the one of this code if there is one."""
    found = Meter.objects.filter(code=code).first()
    facts = {"name": code.title(), "event_type": "call", "aggregation": "sum", "value_path": "n"} | fields
    return found or create_meter(code=code, actor=ACTOR, now=NOW, **facts)


def sell(code: str, *charges: Sold, kind: Plan.Kind = Plan.Kind.PLAN, currency: str = "EUR", **version: Any) -> PlanVersion:
    """Publish a version of a plan, archiving the one before; the plan and the meters are made where they are missing."""
    plan, _created = Plan.objects.get_or_create(code=code, defaults={"name": code.title(), "kind": kind, "created_at": NOW})
    number = PlanVersion.objects.filter(plan=plan).count() + 1
    made = PlanVersion.objects.create(plan=plan, version=number, currency=currency, created_at=NOW, **version)
    for position, charge in enumerate(charges, start=1):
        Charge.objects.create(
            plan_version=made,
            position=position,
            code=charge.code,
            name=charge.code.title(),
            meter=make_meter(charge.meter) if charge.meter else None,
            filter=dict(charge.filter),
            terms=charge_members(parse_charge(charge.terms)),
            billed=Charge.Billed.IN_ADVANCE if charge.in_advance else Charge.Billed.IN_ARREARS,
            default_quantity=charge.quantity,
        )
    published = PlanVersion.objects.filter(plan=plan, currency=currency, customer=made.customer, status="published")
    published.update(status=PlanVersion.Status.ARCHIVED)
    PlanVersion.objects.filter(pk=made.pk).update(status=PlanVersion.Status.PUBLISHED, published_at=NOW)
    made.refresh_from_db()
    return made


def sell_add_on(code: str, *charges: Sold, once: bool = False, **version: Any) -> PlanVersion:
    """Publish a version of an add-on."""
    interval = PlanVersion.Interval.ONCE if once else version.pop("interval", PlanVersion.Interval.MONTHLY)
    return sell(code, *charges, kind=Plan.Kind.ADD_ON, interval=interval, **version)
