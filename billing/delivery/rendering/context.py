"""The snapshot as the template prints it: plain texts, already translated and formatted."""

import re
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from billing.delivery.rendering.colors import Palette
from billing.delivery.rendering.fonts import can_print
from billing.delivery.rendering.lines import printed_groups
from billing.invoicing.snapshot import InvoiceSnapshot, Party
from squill.web import charts, formatting

# Heads and the foot have a fixed height; the names that they cut stand in full between the parties.
_RUNNING_CHARACTERS: Final = 70
_LEGAL_CHARACTERS: Final = 220
# No part of a head or party may outgrow the first page, or it would be laid out twice.
_FIELD_CHARACTERS: Final = 300
_ADDRESS_LINES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A label, its value, and a small addition to the label; `kind` is a class of the stylesheet."""

    label: str
    value: str
    small: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedParty:
    """One of the two parties: the name in bold, and the lines below it."""

    label: str
    name: str
    lines: tuple[str, ...]


def template_values(snapshot: InvoiceSnapshot, *, palette: Palette, language: str, estimate: bool) -> dict[str, Any]:
    """
    Return everything that the template prints, in the active language and the snapshot's locale.

    `language` is that of the texts; amounts and dates follow the locale of the snapshot.
    """
    heading = pgettext("invoice", "Estimate") if estimate else pgettext("invoice", "Invoice")
    number = "" if estimate else snapshot.number
    seller_name = _cut(snapshot.seller.name or snapshot.seller.legal_name, _RUNNING_CHARACTERS)
    initial = seller_name[:1]
    return {
        "language": language,
        "estimate": estimate,
        "heading": heading,
        "number": number,
        "title": " ".join(part for part in (heading, number) if part) + f" · {snapshot.seller.legal_name}",
        "written_at": "" if snapshot.finalized_at is None else f"{snapshot.finalized_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "seller_name": seller_name,
        "seller_legal_name": snapshot.seller.legal_name,
        "initial": initial.upper() if initial.isalnum() and can_print(initial) else "",
        "running_name": _cut(snapshot.seller.legal_name, _RUNNING_CHARACTERS),
        "running_number": f"{heading} {number}".strip(),
        "legal": _cut(snapshot.footer or _legal_line(snapshot.seller), _LEGAL_CHARACTERS),
        "due": _due(snapshot, estimate=estimate),
        "facts": _facts(snapshot),
        "parties": (
            _party(pgettext("invoice", "From"), snapshot.seller, snapshot.locale),
            _party(pgettext("invoice", "Bill to"), snapshot.buyer, snapshot.locale),
        ),
        "chart": _chart(snapshot, palette),
        "groups": printed_groups(snapshot),
        "totals": _totals(snapshot),
        "amount_due": formatting.format_money_minor(snapshot.due_minor, snapshot.currency, snapshot.locale),
        "currency": snapshot.currency,
        "bank": [] if estimate or snapshot.due_minor <= 0 else _bank(snapshot),
        "notes": snapshot.notes,
    }


def _due(snapshot: InvoiceSnapshot, *, estimate: bool) -> Row:
    amount = formatting.format_money_minor(snapshot.due_minor, snapshot.currency, snapshot.locale)
    if estimate:
        note = pgettext("invoice", "Not an invoice: the amount may still change.")
        return Row(label=pgettext("invoice", "Estimated amount"), value=amount, small=note)
    label = pgettext("invoice", "Amount due")
    if snapshot.due_minor <= 0:
        return Row(label=label, value=amount, small=pgettext("invoice", "Nothing to pay"))
    due_on = formatting.format_date(snapshot.due_on, snapshot.locale)
    return Row(label=label, value=amount, small=pgettext("invoice", "Due by %(day)s") % {"day": due_on})


def _facts(snapshot: InvoiceSnapshot) -> list[Row]:
    locale = snapshot.locale
    period = formatting.format_date_range(snapshot.first_day, snapshot.last_day, locale)
    rows = [
        Row(label=pgettext("invoice", "Issue date"), value=formatting.format_date(snapshot.issued_on, locale)),
        Row(label=pgettext("invoice", "Service period"), value=period),
        Row(label=pgettext("invoice", "Your reference"), value=_cut(snapshot.purchase_order, _FIELD_CHARACTERS)),
        Row(label=pgettext("invoice", "Customer number"), value=_cut(snapshot.buyer.reference, _FIELD_CHARACTERS)),
    ]
    return [row for row in rows if row.value]


def _party(label: str, party: Party, locale: str) -> PrintedParty:
    tax_id = pgettext("invoice", "Tax ID %(id)s") % {"id": party.tax_id} if party.tax_id else ""
    country = formatting.country_name(party.country, locale) if party.country else ""
    lines = (*party.address[:_ADDRESS_LINES], country, tax_id, party.email)
    printed = tuple(_cut(line, _FIELD_CHARACTERS) for line in lines if line)
    return PrintedParty(label=label, name=_cut(party.legal_name, _FIELD_CHARACTERS), lines=printed)


def _legal_line(seller: Party) -> str:
    tax_id = pgettext("invoice", "Tax ID %(id)s") % {"id": seller.tax_id} if seller.tax_id else ""
    return " · ".join(part for part in (seller.legal_name, tax_id, seller.email) if part)


def _chart(snapshot: InvoiceSnapshot, palette: Palette) -> dict[str, str | SafeString] | None:
    if snapshot.chart is None:
        return None
    kept = snapshot.chart
    chart = charts.DayChart(title=kept.title, unit=kept.unit, first_day=kept.first_day, values=kept.values)
    if not chart.is_worth_drawing:
        return None
    return {
        "title": chart.title,
        "svg": charts.document_svg(chart, color=palette.bar),
        "first": formatting.format_day_short(chart.days[0], snapshot.locale),
        "last": formatting.format_day_short(chart.days[-1], snapshot.locale),
    }


def _totals(snapshot: InvoiceSnapshot) -> list[Row]:
    def money(minor: int) -> str:
        return formatting.format_money_minor(minor, snapshot.currency, snapshot.locale)

    rows = [Row(label=pgettext("invoice", "Subtotal"), value=money(snapshot.subtotal_minor))]
    if snapshot.discount_minor:
        net = snapshot.subtotal_minor - snapshot.discount_minor
        rows.append(Row(label=pgettext("invoice", "Discount"), value=money(-snapshot.discount_minor)))
        rows.append(Row(label=pgettext("invoice", "Total excluding tax"), value=money(net)))
    for tax in snapshot.taxes:
        rate = formatting.format_percent(tax.rate, snapshot.locale)
        rows.append(
            Row(
                label=pgettext("invoice", "Tax %(rate)s") % {"rate": rate},
                small=pgettext("invoice", "on %(base)s") % {"base": money(tax.base_minor)},
                value=money(tax.amount_minor),
            )
        )
    rows.append(Row(label=pgettext("invoice", "Total"), value=money(snapshot.total_minor), kind="total"))
    if snapshot.credits_minor:
        rows.append(Row(label=pgettext("invoice", "Credits applied"), value=money(-snapshot.credits_minor)))
    return rows


def _bank(snapshot: InvoiceSnapshot) -> list[Row]:
    bank = snapshot.bank
    if not (bank.iban or bank.account_holder or bank.bank_name):
        return []
    rows = [
        Row(label=pgettext("invoice", "Bank"), value=bank.bank_name),
        Row(label=pgettext("invoice", "Account holder"), value=bank.account_holder),
        Row(label="IBAN", value=_in_fours(bank.iban)),
        Row(label="BIC", value=bank.bic),
        Row(label=pgettext("invoice", "Reference"), value=snapshot.number),
    ]
    return [row for row in rows if row.value]


def _in_fours(iban: str) -> str:
    return " ".join(re.findall(".{1,4}", re.sub(r"\s", "", iban)))


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"
