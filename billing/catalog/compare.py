"""What differs between two versions: in words for people, and by member for programs."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from billing.catalog.specs import plan_spec
from billing.catalog.values import ChargeSpec, PlanSpec
from billing.models import PlanVersion
from billing.pricing.compare import compare_charges
from billing.pricing.describe import describe_charge, number

_INTERVALS: Final = {"weekly": "weeks", "monthly": "months", "quarterly": "quarters", "yearly": "years"}


@dataclass(frozen=True, slots=True)
class MemberChange:
    """A member that differs: its path, such as charges.calls.tiers[1].unit_amount, and both values as the file has them."""

    path: str
    before: Any  # None: not there
    after: Any

    def __str__(self) -> str:
        return f"{self.path}: {self.change}"

    @property
    def change(self) -> str:
        """Return both values as text: "0.01 → 0.02"."""
        return f"{_shown(self.before)} → {_shown(self.after)}"


def compare_versions(before: PlanVersion, after: PlanVersion) -> list[str]:
    """Say what differs between two versions of a plan, a sentence each. Four queries at most."""
    return compare_specs(plan_spec(before), plan_spec(after))


def compare_specs(before: PlanSpec, after: PlanSpec) -> list[str]:
    """
    Say what differs, a sentence each: "API calls, tier 2: 0.0004 → 0.00035 EUR each".

    Charges are matched by their code. Equal specifications give none, others at least one.
    """
    changes = (
        ("name", before.name, after.name),
        ("currency", before.currency, after.currency),
        ("only for", before.customer or "everybody", after.customer or "everybody"),
        ("interval", _interval(before), _interval(after)),
        ("anchor", before.anchor, after.anchor),
        ("billing day", str(before.billing_day), str(after.billing_day)),
        ("trial", _trial(before), _trial(after)),
        ("minimum commitment", _amount(before.minimum_commitment), _amount(after.minimum_commitment)),
    )
    said = [f"{subject}: {old} → {new}" for subject, old, new in changes if old != new]
    return [*said, *_charge_sentences(before, after)]


def _charge_sentences(before: PlanSpec, after: PlanSpec) -> Iterator[str]:
    old_charges = {charge.code: charge for charge in before.charges}
    new_charges = {charge.code: charge for charge in after.charges}
    names = _names(before, after)
    for code in dict.fromkeys([*old_charges, *new_charges]):
        name, old, new = names[code], old_charges.get(code), new_charges.get(code)
        if old is None and new is not None:
            yield f"{name} added: {'; '.join(_facts(new, after.currency))}"
        elif new is None:
            yield f"{name} removed"
        elif old is not None:
            yield from (f"{name}{change}" for change in _within_charge(old, new, after.currency))
    kept = old_charges.keys() & new_charges.keys()
    if [code for code in old_charges if code in kept] != [code for code in new_charges if code in kept]:
        yield f"order of the charges: {', '.join(names[code] for code in new_charges)}"


def _within_charge(old: ChargeSpec, new: ChargeSpec, currency: str) -> Iterator[str]:
    """Yield what follows the name of the charge: ", tier 2: 1 → 2", or ": 499 → 549" where it is about the price itself."""
    changes = (
        ("name", old.name, new.name),
        ("meter", old.meter or "none", new.meter or "none"),
        ("only", _only(old), _only(new)),
        ("billed", _billed(old), _billed(new)),
        ("tax", _tax(old), _tax(new)),
    )
    yield from (f", {subject}: {before} → {after}" for subject, before, after in changes if before != after)
    if old.default_quantity != new.default_quantity:
        yield f": default quantity {_amount(old.default_quantity)} → {_amount(new.default_quantity)}"
    for subject, change in compare_charges(old.terms, new.terms, currency=currency):
        yield f", {subject}: {change}" if subject else f": {change}"


def _facts(charge: ChargeSpec, currency: str) -> Iterator[str]:
    """Yield what a charge that was not there before is: its price, then what it is a price of."""
    yield from describe_charge(charge.terms, currency=currency)
    if charge.meter:
        yield f"meter {charge.meter}" + (f", only {_only(charge)}" if charge.filter else "")
    if charge.default_quantity is not None:
        yield f"default quantity {number(charge.default_quantity)}"
    if charge.billed == "in_advance":
        yield f"billed {_billed(charge)}"
    if charge.tax_class != "standard" or charge.tax_rate is not None:
        yield f"tax {_tax(charge)}"


def _names(before: PlanSpec, after: PlanSpec) -> dict[str, str]:
    """Return how each charge is called, by code; where one name would be that of two charges, with the code."""
    names = {charge.code: charge.name for spec in (before, after) for charge in spec.charges}
    twice = {name for name, count in Counter(names.values()).items() if count > 1}
    return {code: f"{name} ({code})" if name in twice else name for code, name in names.items()}


def _interval(spec: PlanSpec) -> str:
    return spec.interval if spec.interval_count == 1 else f"every {spec.interval_count} {_INTERVALS[spec.interval]}"


def _trial(spec: PlanSpec) -> str:
    if not spec.trial_days:
        return "none"
    return f"{spec.trial_days} days" if spec.trial_days > 1 else "1 day"


def _amount(value: Decimal | None) -> str:
    return "none" if value is None else number(value)


def _only(charge: ChargeSpec) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(charge.filter.items())) or "what no other takes"


def _billed(charge: ChargeSpec) -> str:
    return charge.billed.replace("_", " ")


def _tax(charge: ChargeSpec) -> str:
    return charge.tax_class if charge.tax_rate is None else f"{charge.tax_class} at {number(charge.tax_rate)} %"


def member_changes(before: Any, after: Any, path: str = "") -> Iterator[MemberChange]:
    """
    Find what differs between two documents, member by member; charges are matched by their code.

    >>> list(map(str, member_changes({"charges": [{"code": "a", "amount": "1"}]}, {"charges": [{"code": "a", "amount": "2"}]})))
    ['charges.a.amount: 1 → 2']
    """
    old, new = _by_code(before), _by_code(after)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from member_changes(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
        kept = old.keys() & new.keys()
        if old is not before and [key for key in old if key in kept] != [key for key in new if key in kept]:
            yield MemberChange(path, list(old), list(new))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from member_changes(one, other, f"{path}[{index}]")
    elif old != new:
        yield MemberChange(path, before, after)


def _by_code(value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(item, Mapping) and "code" in item for item in value):
        return {item["code"]: {key: member for key, member in item.items() if key != "code"} for item in value}
    return value


def _shown(value: Any) -> str:
    return _("nothing") if value is None else str(value)
