"""Versions of plans and add-ons made as rows, with all that a version can say."""

from decimal import Decimal
from typing import Any

from billing.models import Charge, Plan, PlanVersion
from tests.billing.builders import NOW
from usage.models import Meter


def make_version(
    plan_code: str, *charges: dict[str, Any], kind: str = "plan", currency: str = "EUR", status: str = "published", **fields: Any
) -> PlanVersion:
    """
    Make the next version of a plan; a published one takes the place of the one before.

    A charge is {"code", "meter", "filter", "billed", "quantity", …}; its other members are its terms.
    """
    plan, _created = Plan.objects.get_or_create(
        code=plan_code, defaults={"name": plan_code.title(), "kind": kind, "created_at": NOW}
    )
    last = PlanVersion.objects.filter(plan=plan).order_by("-version").first()
    number = last.version + 1 if last else 1
    version = PlanVersion.objects.create(plan=plan, version=number, currency=currency, created_at=NOW, **fields)
    for position, members in enumerate(charges, start=1):
        terms = dict(members)
        quantity = terms.pop("quantity", None)
        meter = terms.pop("meter", None)
        Charge.objects.create(
            plan_version=version,
            position=position,
            code=terms.pop("code"),
            name=members["code"].title(),
            meter=Meter.objects.get(code=meter) if meter else None,
            filter=terms.pop("filter", {}),
            billed=terms.pop("billed", "in_arrears"),
            default_quantity=None if quantity is None else Decimal(quantity),
            terms=terms,
        )
    if status == "published":
        sold = PlanVersion.objects.filter(plan=plan, currency=currency, customer=version.customer, status="published")
        sold.update(status="archived")
    if status != "draft":
        PlanVersion.objects.filter(pk=version.pk).update(status=status, published_at=NOW)
    version.refresh_from_db()
    return version


def flat(code: str, amount: str, **members: Any) -> dict[str, Any]:
    return {"code": code, "model": "flat", "amount": amount, **members}


def per_unit(code: str, amount: str, **members: Any) -> dict[str, Any]:
    return {"code": code, "model": "per_unit", "unit_amount": amount, **members}
