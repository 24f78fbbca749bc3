"""What a plan would cost for quantities that somebody tries: priced by the engine that bills, in the members of `calculate`."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec
from django.utils.translation import gettext as _

from billing.admin.shown import locale
from billing.catalog.document import ChargeSpec, PlanSpec
from billing.delivery.rendering.lines import PrintedStep, printed_step
from billing.invoicing.snapshot import BreakdownStep
from billing.pricing.charge import charge_members
from billing.pricing.document import DocumentError, calculate
from squill.lib.decimals import plain
from squill.web import formatting
from usage.models import Meter

_PREFIX: Final = "try-"
_COMMITMENT: Final = ":commitment"  # no charge has such a code


@dataclass(slots=True)
class TriedLine:
    """A charge with what was typed for it, and what came of it."""

    name: str
    field: str
    given: str
    asks: str  # what to type, in words; empty for a flat fee, which takes nothing
    unit: str = ""
    error: str = ""
    quantity: str = ""
    amount: str = ""
    steps: tuple[PrintedStep, ...] = ()


@dataclass(slots=True)
class Trial:
    """The box on the page: a line for each charge, and the total once everything can be priced."""

    lines: list[TriedLine]
    error: str = ""
    total: str = ""
    true_up: str = ""

    @property
    def is_priced(self) -> bool:
        """Whether there is a total to show."""
        return bool(self.total)


def is_tried(data: Mapping[str, str]) -> bool:
    """Say whether somebody has asked for a price."""
    return any(key.startswith(_PREFIX) for key in data)


def trial_of(spec: PlanSpec, data: Mapping[str, str], *, priced: bool) -> Trial:
    """
    Return the box for a plan with the quantities of a request, priced if so asked.

    What is left empty is the quantity that a subscription starts with, or none.
    """
    units = dict(Meter.objects.filter(code__in={charge.meter for charge in spec.charges}).values_list("code", "unit"))
    trial = Trial([_line(charge, data, units) for charge in spec.charges])
    if priced:
        _price(trial, spec)
    return trial


def _line(charge: ChargeSpec, data: Mapping[str, str], units: Mapping[str, str]) -> TriedLine:
    name = f"{_PREFIX}{charge.code}"
    default = "" if charge.default_quantity is None else plain(charge.default_quantity)
    if charge.terms.needs_events:
        asks = _("amounts of the events, with spaces between")
    elif charge.meter or charge.default_quantity is not None:
        asks = _("quantity")
    else:
        asks = ""
    return TriedLine(charge.name, name, str(data.get(name, default)).strip(), asks, units.get(charge.meter, ""))


def _price(trial: Trial, spec: PlanSpec) -> None:
    places = {charge.code: place for place, charge in enumerate(spec.charges)}
    document = {
        "currency": spec.currency,
        "lines": [_document_line(charge, line.given) for charge, line in zip(spec.charges, trial.lines, strict=True)],
    }
    if spec.minimum_commitment is not None:
        commitment = {"id": _COMMITMENT, "amount": plain(spec.minimum_commitment), "applies_to": list(places)}
        document["commitments"] = [commitment]
    try:
        answer: Any = calculate(document)
    except DocumentError as error:
        _show(trial, error)
        return
    for line, priced in zip(trial.lines, answer["lines"], strict=True):
        line.quantity = formatting.format_decimal(Decimal(priced["quantity"]), locale())
        line.amount = _money(priced["amount"], spec)
        steps = [msgspec.convert(step, BreakdownStep, strict=False) for step in priced["breakdown"]]
        line.steps = tuple(printed_step(step, spec.currency, locale()) for step in steps)
    trial.true_up = next((_money(added["amount"], spec) for added in answer["true_ups"] if Decimal(added["amount"])), "")
    trial.total = _money(answer["total"], spec)


def _document_line(charge: ChargeSpec, given: str) -> dict[str, object]:
    line: dict[str, object] = {"id": charge.code, "charge": charge_members(charge.terms)}
    if charge.terms.needs_events:
        line["events"] = given.split()
    elif charge.meter or charge.default_quantity is not None:
        line["quantity"] = given or "0"
    return line


def _show(trial: Trial, error: DocumentError) -> None:
    """Put the refusal of `calculate` at its line."""
    place = error.path.removeprefix("lines[").partition("]")[0]
    if error.path.startswith("lines[") and place.isdecimal():
        trial.lines[int(place)].error = error.message
    else:
        trial.error = str(error)


def _money(amount: str, spec: PlanSpec) -> str:
    return formatting.format_unit_price(Decimal(amount), spec.currency, locale())
