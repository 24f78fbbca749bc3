"""The lines of a snapshot as printed: grouped, formatted, and with as much of their price's making as a reader needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import pgettext, pgettext_lazy

from billing.delivery.rendering.texts import cut, isolated, joined
from billing.invoicing.snapshot import BreakdownStep, InvoiceSnapshot, Line, LineGroup
from squill.web import formatting

# As they stand on the document.
GROUP_ORDER: Final[tuple[LineGroup, ...]] = ("subscription", "usage", "item", "adjustment")
_HEADINGS: Final[dict[LineGroup, Promise]] = {
    "subscription": pgettext_lazy("invoice", "Subscription"),
    "usage": pgettext_lazy("invoice", "Usage"),
    "item": pgettext_lazy("invoice", "Items"),
    "adjustment": pgettext_lazy("invoice", "Adjustments"),
}
# A text that fills a page could not be kept together with its amount.
_NAME_CHARACTERS: Final = 300
_DETAIL_CHARACTERS: Final = 600
_UNIT_CHARACTERS: Final = 40
# The steps of a price that are not tiers (docs/tariffs.md, "Reading a breakdown").
_STEP_LABELS: Final[dict[str, Promise]] = {
    "unit_conversion": pgettext_lazy("invoice", "Converted units"),
    "free_units": pgettext_lazy("invoice", "Units included"),
    "usage_discount": pgettext_lazy("invoice", "Units taken off"),
    "free_events": pgettext_lazy("invoice", "Events included"),
    "free_amount": pgettext_lazy("invoice", "Amount included"),
    "flat": pgettext_lazy("invoice", "Flat fee"),
    "units": pgettext_lazy("invoice", "Units"),
    "packages": pgettext_lazy("invoice", "Packages"),
    "rate": pgettext_lazy("invoice", "Share of the amount"),
    "fixed_amount": pgettext_lazy("invoice", "Fee for each event"),
    "per_transaction_min": pgettext_lazy("invoice", "Raised to the minimum for an event"),
    "per_transaction_max": pgettext_lazy("invoice", "Lowered to the maximum for an event"),
    "percentage_discount": pgettext_lazy("invoice", "Discount"),
    "minimum_amount": pgettext_lazy("invoice", "Raised to the minimum"),
    "maximum_amount": pgettext_lazy("invoice", "Lowered to the maximum"),
    "proration": pgettext_lazy("invoice", "Part of the period"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedStep:
    """A row under a line: text as printed, empty where it has nothing to say."""

    label: str
    quantity: str
    unit_price: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedLine:
    """A line: text as printed, empty where it has nothing to say."""

    name: str
    detail: str
    quantity: str
    unit: str
    unit_price: str
    tax: str
    amount: str
    steps: tuple[PrintedStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedGroup:
    """Lines under one heading."""

    heading: str
    lines: tuple[PrintedLine, ...]


def printed_groups(snapshot: InvoiceSnapshot) -> list[PrintedGroup]:
    """Group the lines in the order of the document; a group without lines is left out. Speaks the active language."""
    groups = []
    for group in GROUP_ORDER:
        lines = sorted((line for line in snapshot.lines if line.group == group), key=lambda line: line.position)
        if lines:
            shared = _shared_days(lines) if group == "usage" else None
            said = shared or (snapshot.first_day, snapshot.last_day)
            groups.append(
                PrintedGroup(
                    heading=_heading(group, shared, snapshot.locale),
                    lines=tuple(_printed_line(line, snapshot, said=said) for line in lines),
                )
            )
    return groups


def _heading(group: LineGroup, shared: tuple[date, date] | None, locale: str) -> str:
    if shared is None:
        return str(_HEADINGS[group])
    return pgettext("invoice", "Usage, %(days)s") % {"days": isolated(formatting.format_date_range(*shared, locale))}


def _shared_days(lines: Sequence[Line]) -> tuple[date, date] | None:
    spans = {(line.first_day, line.last_day) for line in lines}
    return spans.pop() if len(spans) == 1 else None


def _printed_line(line: Line, snapshot: InvoiceSnapshot, *, said: tuple[date, date]) -> PrintedLine:
    """Print a line; its days are left out where they are those that the reader was told already."""
    locale, currency = snapshot.locale, snapshot.currency
    steps = () if _says_nothing_more(line) else line.breakdown
    unit_amount = _only_price(line) if line.unit_amount is None and not steps else line.unit_amount
    span = (line.first_day, line.last_day)
    days = "" if span == said else formatting.format_date_range(*span, locale)
    return PrintedLine(
        name=isolated(cut(line.description, _NAME_CHARACTERS)),
        detail=joined(cut(line.detail, _DETAIL_CHARACTERS), days),
        quantity=formatting.format_decimal(line.quantity, locale),
        unit=isolated(cut(line.unit, _UNIT_CHARACTERS)),
        unit_price="" if unit_amount is None else formatting.format_unit_price(unit_amount, currency, locale),
        tax=formatting.format_percent(line.tax_rate, locale),
        amount=formatting.format_money_minor(line.amount_minor, currency, locale),
        steps=tuple(printed_step(step, currency, locale) for step in steps),
    )


def _only_price(line: Line) -> Decimal | None:
    if not line.breakdown:
        return None
    only = line.breakdown[0]
    return only.flat_amount if only.unit_amount is None and line.quantity == 1 else only.unit_amount


def _says_nothing_more(line: Line) -> bool:
    """Say whether the breakdown only repeats the line: no rows, or one open row of units at a price or of a flat amount."""
    if len(line.breakdown) > 1:
        return False
    return all(
        not step.above
        and step.up_to is None
        and step.rate is None
        and (step.unit_amount is None or step.flat_amount is None)
        and (step.unit_amount is None or step.quantity == line.quantity)
        for step in line.breakdown
    )


def printed_step(step: BreakdownStep, currency: str, locale: str) -> PrintedStep:
    """Print a row of a breakdown. Speaks the active language."""
    label = _step_label(step, locale)
    flat = "" if step.flat_amount is None else formatting.format_unit_price(step.flat_amount, currency, locale)
    if step.unit_amount is not None:
        price = formatting.format_unit_price(step.unit_amount, currency, locale)
    else:
        price = flat if step.rate is None else formatting.format_percent(step.rate, locale)
    if flat and (step.unit_amount is not None or step.rate is not None):
        label = joined(label, pgettext("invoice", "flat %(amount)s") % {"amount": isolated(flat)})
    return PrintedStep(
        label=label,
        quantity="" if step.quantity is None else formatting.format_decimal(step.quantity, locale),
        unit_price=price,
        # Unrounded: the rows can be added up again to the last digit, and only the line is rounded.
        amount=formatting.format_unit_price(step.amount, currency, locale),
    )


def _step_label(step: BreakdownStep, locale: str) -> str:
    lower = formatting.format_decimal(step.above, locale) if step.above else ""
    upper = "" if step.up_to is None else formatting.format_decimal(step.up_to, locale)
    if lower and upper:
        return pgettext("invoice", "Above %(lower)s up to %(upper)s") % {"lower": isolated(lower), "upper": isolated(upper)}
    if lower:
        return pgettext("invoice", "Above %(lower)s") % {"lower": isolated(lower)}
    if upper:
        return pgettext("invoice", "Up to %(upper)s") % {"upper": isolated(upper)}
    known = _STEP_LABELS.get(step.step)
    return str(known) if known is not None else step.step.replace("_", " ").capitalize()
