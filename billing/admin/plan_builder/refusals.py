"""Read what the form holds as a plan, and show each refusal of the catalogue beside the field that it names."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.forms import Form

from billing.admin.plan_builder.choices import QUANTITY
from billing.admin.plan_builder.forms import ChargeForms, PlanForms
from billing.admin.plan_builder.rows import ONLY, charge_members
from billing.catalog.document import LocatedError, PlanSpec, member_of, read_plan

_INDEXED: Final = re.compile(r"charges\[([0-9]+)\]\.?(.*)")
_TIER: Final = re.compile(r"tiers\[([0-9]+)\]\.?(.*)")
# Members of the file that have another name in the form.
_RENAMED: Final = {"charge_when_unused": "free_when_unused"}
# What stands in for the rest while a part of a plan is read alone.
_SOME_CHARGE: Final = {"code": "x", "model": "flat", "amount": "1"}
_SOME_FACTS: Final = {"code": "x", "currency": "EUR"}


def read_forms(page: PlanForms, *, customer: str) -> PlanSpec | None:
    """
    Read the forms as a plan; None with every refusal at its field.

    Call it once the forms are valid. `customer` is whose own version it is, if anybody's.
    """
    facts = page.facts.members()
    kind = str(page.facts.cleaned_data.get("kind") or "plan")
    if customer:
        facts["customer"] = customer
    charges = [charge_members(charge.row) for charge in page.charges]
    try:
        return read_plan({**facts, "charges": charges}, kind=kind)
    except LocatedError as error:
        found = {member_of(error): error.message}
    # The reader stops at the first refusal; whoever fills in a form wants to see those of all charges at once.
    for index, charge in enumerate(charges):
        alone = _refusal({**_SOME_FACTS, "charges": [charge]}, kind)
        found |= {path.replace("charges[0]", f"charges[{index}]", 1): message for path, message in alone.items()}
    found |= _refusal({**facts, "charges": [_SOME_CHARGE]}, kind)
    for path, message in found.items():
        show_refusal(page, path, message)
    return None


def _refusal(members: Mapping[str, Any], kind: str) -> dict[str, str]:
    try:
        read_plan(members, kind=kind)
    except LocatedError as error:
        return {member_of(error): error.message}
    return {}


def show_refusal(page: PlanForms, path: str, message: str) -> None:
    """
    Put a message at the field that a path names: charges[1].tiers[0].up_to, charges.calls.filter.region, or minimum_commitment.

    What names no field of the form stands on top of it, with its path.
    """
    charge, inner = _charge_at(page, path)
    if charge is not None:
        _show_at_charge(charge, inner, message)
    elif path in page.facts.fields:
        page.facts.add_error(path, ValidationError(message))
    else:
        page.errors.append(f"{path}: {message}" if path and path != "charges" else message)


def _charge_at(page: PlanForms, path: str) -> tuple[ChargeForms | None, str]:
    """Return the charge that a path names by its place or its code, and the rest of the path."""
    match = _INDEXED.fullmatch(path)
    if match is not None:
        index = int(match[1])
        return (page.charges[index] if index < len(page.charges) else None), match[2]
    for charge in sorted(page.charges, key=lambda each: -len(each.row.fields.get("code", ""))):
        prefix = f"charges.{charge.row.fields.get('code', '')}."
        if len(prefix) > len("charges..") and path.startswith(prefix):
            return charge, path.removeprefix(prefix)
    return None, path


def _show_at_charge(charge: ChargeForms, path: str, message: str) -> None:
    form: Form = charge.form
    match = _TIER.fullmatch(path)
    name = _RENAMED.get(path, path)
    if match is not None:
        if int(match[1]) < len(charge.tiers):
            form, name = charge.tiers[int(match[1])], match[2]
        else:
            name = "tiers"
    elif path.startswith("filter."):
        name = f"{ONLY}{path.removeprefix('filter.')}"
    elif path == "filter":
        name = next((each for each in charge.row.fields if each.startswith(ONLY)), "meter")
    elif path == "meter" and charge.row.fields.get("prices") == QUANTITY:
        name = "default_quantity"  # without one the reader takes it for usage
    if name in form.fields:
        form.add_error(name, ValidationError(message))
    else:
        charge.form.add_error(None, ValidationError(f"{path}: {message}" if path else message))
