"""The items of a one-off invoice: what was asked for, kept with the draft, and the rows that are worked out of it."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import override

from billing.invoicing.rows import InvoiceRows, rows_of
from billing.invoicing.snapshot import Line, from_json
from billing.invoicing.surroundings import ChargeFacts, Surroundings
from billing.invoicing.totalling import TaxedLine, total_document
from billing.invoicing.unit_codes import unit_code
from billing.models import Invoice, InvoiceLine
from billing.pricing.money import EXACT, round_to_minor
from billing.tax.errors import TaxUnknown
from squill.lib.currency import exponent
from squill.lib.refusal import Refused

# What one item may come to, in major units, exclusive: as for all amounts that come in.
_HIGHEST: Final = Decimal(10) ** 15
_PLACES: Final = 12
_KEY: Final = "one_off"  # in the snapshot of a draft, which has nothing else in it


class Item(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    One item. Price and quantity are exact; the price is in major units, below zero for a reduction.

    `tax_rate` in percent takes the place of what the tax rules say. Without days it is of the day on which the invoice is issued.
    """

    description: str
    quantity: Decimal
    unit_amount: Decimal
    unit: str = ""
    tax_class: str = "standard"
    tax_rate: Decimal | None = None
    first_day: date | None = None  # inclusive
    last_day: date | None = None  # inclusive


class OneOff(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asked for: the draft is worked out of it, as often as it takes."""

    items: tuple[Item, ...]
    payment_terms_days: int | None = None  # None: the customer's
    note: str = ""  # printed below the totals


class ItemsRefused(Refused):
    """The items cannot be billed; `code` is stable, `field` names the member, the message is for a person."""

    def __init__(self, message: str, *, code: str, field: str = "items") -> None:
        super().__init__(message, code=code)
        self.field = field


def kept_items(invoice: Invoice) -> OneOff:
    """
    Return what a one-off invoice was asked to be: a draft keeps it, a final one says it. At most one query.

    :raises ValueError: if the invoice is not a one-off one
    """
    if invoice.kind != Invoice.Kind.ONE_OFF:
        raise ValueError(f"{invoice} is no one-off invoice")
    if invoice.status == Invoice.Status.DRAFT:
        return msgspec.convert(invoice.snapshot[_KEY], OneOff)
    said = from_json(invoice.snapshot)
    classes = dict(invoice.lines.values_list("position", "tax_class"))
    return OneOff(
        items=tuple(_item(line, tax_class=classes[line.position], issued_on=said.issued_on) for line in said.lines),
        payment_terms_days=(said.due_on - said.issued_on).days,
        note="\n".join(said.notes),
    )


def _item(line: Line, *, tax_class: str, issued_on: date) -> Item:
    days = (line.first_day, line.last_day)
    first_day, last_day = (None, None) if days == (issued_on, issued_on) else days
    return Item(
        description=line.description,
        quantity=line.quantity,
        unit_amount=line.unit_amount or Decimal(0),
        unit=line.unit,
        tax_class=tax_class,
        tax_rate=line.tax_override,
        first_day=first_day,
        last_day=last_day,
    )


def keep_items(invoice: Invoice, wanted: OneOff) -> None:
    """Put what is wanted with the draft, not saved."""
    invoice.snapshot = {_KEY: msgspec.to_builtins(wanted)}


def check_items(wanted: OneOff) -> None:
    """
    Refuse what no invoice could say. Pure.

    :raises ItemsRefused: no_items, or item_invalid with the field
    """
    if not wanted.items:
        raise ItemsRefused(_("write at least one item"), code="no_items")
    for index, item in enumerate(wanted.items):
        problem = _problem(item)
        if problem:
            member, message = problem
            raise ItemsRefused(message, code="item_invalid", field=f"items[{index}].{member}")
    terms = wanted.payment_terms_days
    if terms is not None and not 0 <= terms <= 365:
        raise ItemsRefused(_("write 0 to 365 days"), code="item_invalid", field="payment_terms_days")


def _problem(item: Item) -> tuple[str, str] | None:
    """Return the member of an item that cannot be used, and why."""
    for member, number in (("quantity", item.quantity), ("unit_amount", item.unit_amount), ("tax_rate", item.tax_rate)):
        if number is not None and (not number.is_finite() or _places(number) > _PLACES or abs(number) >= _HIGHEST):
            return member, _("write a number below 10^15 with at most 12 decimals")
    if not item.description.strip():
        return "description", _("say what is billed")
    if item.quantity <= 0:
        return "quantity", _("write a quantity above zero; a reduction has a price below zero")
    if abs(EXACT.multiply(item.quantity, item.unit_amount)) >= _HIGHEST:
        return "unit_amount", _("the amount must be below 10^15")
    if item.tax_rate is not None and (not 0 <= item.tax_rate <= 100 or _places(item.tax_rate) > 4):
        return "tax_rate", _("write a rate from 0 to 100 percent with at most 4 decimals")
    for member, text in (("description", item.description), ("unit", item.unit), ("tax_class", item.tax_class)):
        longest: int = getattr(InvoiceLine._meta.get_field(member), "max_length")  # noqa: B009 (the stubs allow for relations)
        if len(text) > longest or "\0" in text:
            return member, _("write at most %(longest)d characters") % {"longest": longest}
    if item.first_day and item.last_day and item.last_day < item.first_day:
        return "last_day", _("the last day is before the first")
    return None


def _places(number: Decimal) -> int:
    """Return how many decimals a finite number has."""
    return max(-int(number.normalize(EXACT).as_tuple().exponent), 0)


def item_rows(invoice: Invoice, wanted: OneOff, surroundings: Surroundings) -> InvoiceRows:
    """
    Work a one-off invoice out of its items: each rounded once, then coupons, tax and credits as on every invoice. Saves nothing.

    Writes days and totals onto the invoice. Needs its customer loaded.

    :raises ItemsRefused: negative, if reductions come to more than what is billed, or tax_unknown
    """
    customer = invoice.customer
    invoice.billing_entity = surroundings.billing.entity
    invoice.issued_on = surroundings.issued_on
    terms = customer.payment_terms_days if wanted.payment_terms_days is None else wanted.payment_terms_days
    invoice.due_on = invoice.issued_on + timedelta(days=terms)
    lines = [_line(invoice, item, position) for position, item in enumerate(wanted.items, start=1)]
    try:
        with override(customer.locale):
            taxes = [
                surroundings.tax_of(ChargeFacts(item.tax_class, item.tax_rate, ""), last_day=line.last_day)
                for item, line in zip(wanted.items, lines, strict=True)
            ]
    except TaxUnknown as unknown:
        raise ItemsRefused(str(unknown), code="tax_unknown") from None
    document = total_document(
        currency=invoice.currency,
        lines=[
            TaxedLine(amount_minor=line.amount_minor, tax=tax, plan_code="", charge_code=line.charge_code)
            for line, tax in zip(lines, taxes, strict=True)
        ],
        coupons=surroundings.coupons,
        credits=surroundings.credits,
    )
    if document.totals.subtotal_minor < 0 or document.totals.total_minor < 0:
        raise ItemsRefused(_("the reductions come to more than what is billed: write a credit note instead"), code="negative")
    for line, tax, net in zip(lines, taxes, document.totals.lines, strict=True):
        line.tax_rate_pct, line.tax_category, line.discount_minor = tax.rate, tax.category, net.discount_minor
    invoice.first_day = min(line.first_day for line in lines)
    invoice.last_day = max(line.last_day for line in lines)
    return rows_of(invoice, lines, document)


def _days(item: Item, issued_on: date) -> tuple[date, date]:
    """Return the first and the last day of an item, both inclusive; one that names only one is of that day."""
    return item.first_day or item.last_day or issued_on, item.last_day or item.first_day or issued_on


def _line(invoice: Invoice, item: Item, position: int) -> InvoiceLine:
    first_day, last_day = _days(item, invoice.issued_on)
    exact_amount = EXACT.multiply(item.quantity, item.unit_amount)
    return InvoiceLine(
        invoice=invoice,
        position=position,
        group=InvoiceLine.Group.ITEM,
        charge_code=f"item-{position}",
        description=item.description.strip(),
        unit=item.unit,
        first_day=first_day,
        last_day=last_day,
        quantity=item.quantity,
        unit_amount=item.unit_amount,
        exact_amount=exact_amount,
        amount_minor=round_to_minor(exact_amount, exponent=exponent(invoice.currency)),
        tax_class=item.tax_class,
        unit_code=unit_code(item.unit),
    )
