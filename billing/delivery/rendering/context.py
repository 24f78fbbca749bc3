"""The snapshot as the template prints it: plain texts, already translated and formatted."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

from django.utils.safestring import SafeString
from django.utils.translation import get_language_bidi, pgettext

from billing.delivery.rendering.colors import Palette
from billing.delivery.rendering.fonts import can_print
from billing.delivery.rendering.heads import card, facts, heading
from billing.delivery.rendering.lines import printed_groups
from billing.delivery.rendering.payment import bank_code, bank_rows, online_address, settlement_rows
from billing.delivery.rendering.pictures import PrintedLogo
from billing.delivery.rendering.rows import Paragraph
from billing.delivery.rendering.taxes import column_word, document_words, tax_notes
from billing.delivery.rendering.texts import cut, direction_of, isolated, joined
from billing.delivery.rendering.totals import final_row, left_to_pay_minor, totals
from billing.invoicing.snapshot import InvoiceSnapshot, Party
from squill.web import charts, formatting

# Heads and the foot have a fixed height; the names that they cut stand in full between the parties.
_RUNNING_CHARACTERS: Final = 70
_LEGAL_CHARACTERS: Final = 220
# No part of a head or party may outgrow the first page, or it would be laid out twice.
_FIELD_CHARACTERS: Final = 300
_ADDRESS_LINES: Final = 12
_REASON_CHARACTERS: Final = 800
_NOTE_CHARACTERS: Final = 3000
# What is longer than this stands below the totals over the whole width, where it may break over pages.
_SHORT_NOTES_CHARACTERS: Final = 500
TEMPLATES: Final = {
    "invoice": "invoices/invoice.html",
    "credit_note": "invoices/credit_note.html",
    "receipt": "invoices/receipt.html",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedParty:
    """One of the two parties: the name in bold, and the lines below it."""

    label: str
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidInvoice:
    """An invoice that a receipt is about."""

    number: str
    issued_on: str
    amount: str


def template_values(
    snapshot: InvoiceSnapshot, *, palette: Palette, language: str, estimate: bool, logo: PrintedLogo | None = None
) -> dict[str, Any]:
    """
    Return everything that the template prints, in the active language and the snapshot's locale.

    `language` is that of the texts; amounts and dates follow the locale of the snapshot.
    """
    may_pay = snapshot.kind == "invoice" and not estimate and left_to_pay_minor(snapshot) > 0
    bank = bank_rows(snapshot) if may_pay else []
    short, long = _notes(snapshot)
    return {
        **_head(snapshot, language=language, estimate=estimate, logo=logo),
        "card": card(snapshot, estimate=estimate),
        "pay_url": online_address(snapshot) if may_pay else "",
        "facts": facts(snapshot),
        "parties": _parties(snapshot),
        "chart": _chart(snapshot, palette),
        "reason": _paragraph(cut(snapshot.reason, _REASON_CHARACTERS)),
        "groups": printed_groups(snapshot),
        "tax_word": column_word(snapshot.taxes),
        "paid_invoices": [
            PaidInvoice(
                number=cut(related.number, _FIELD_CHARACTERS),
                issued_on=formatting.format_date(related.issued_on, snapshot.locale),
                amount=formatting.format_money_minor(related.amount_minor, snapshot.currency, snapshot.locale),
            )
            for related in snapshot.related
        ],
        "totals": [*totals(snapshot), final_row(snapshot, estimate=estimate)],
        "bank": bank,
        "bank_code": bank_code(snapshot, amount_minor=left_to_pay_minor(snapshot)) if bank else None,
        "settlement": settlement_rows(snapshot),
        "notes": short,
        "long_notes": long,
    }


def _head(snapshot: InvoiceSnapshot, *, language: str, estimate: bool, logo: PrintedLogo | None) -> dict[str, Any]:
    name_of_kind = heading(snapshot, estimate=estimate)
    number = "" if estimate else cut(snapshot.number, _RUNNING_CHARACTERS)
    seller_name = cut(snapshot.seller.name or snapshot.seller.legal_name, _RUNNING_CHARACTERS)
    initial = seller_name[:1]
    return {
        "language": language,
        "direction": "rtl" if get_language_bidi() else "ltr",
        "estimate": estimate,
        "heading": name_of_kind,
        "number": number,
        "title": joined(f"{name_of_kind} {isolated(number)}".strip(), snapshot.seller.legal_name),
        "written_at": "" if snapshot.finalized_at is None else f"{snapshot.finalized_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "logo": logo,
        "seller_name": seller_name,
        "seller_legal_name": snapshot.seller.legal_name,
        "initial": initial.upper() if initial.isalnum() and can_print(initial) else "",
        "running_name": isolated(cut(snapshot.seller.legal_name, _RUNNING_CHARACTERS)),
        "running_number": f"{name_of_kind} {isolated(number)}".strip(),
        "legal": isolated(cut(snapshot.footer, _LEGAL_CHARACTERS)) or cut(_legal_line(snapshot), _LEGAL_CHARACTERS),
    }


def _parties(snapshot: InvoiceSnapshot) -> tuple[PrintedParty, PrintedParty]:
    of_kind = {
        "invoice": (pgettext("invoice", "From"), pgettext("invoice", "Bill to")),
        "credit_note": (pgettext("invoice", "From"), pgettext("invoice", "Credit to")),
        "receipt": (pgettext("invoice", "Received by"), pgettext("invoice", "Received from")),
    }
    seller, buyer = of_kind[snapshot.kind]
    return _party(seller, snapshot.seller, snapshot), _party(buyer, snapshot.buyer, snapshot)


def _party(label: str, party: Party, snapshot: InvoiceSnapshot) -> PrintedParty:
    country = formatting.country_name(party.country, snapshot.locale) if party.country else ""
    lines = (*party.address[:_ADDRESS_LINES], country, _identity(party, snapshot), party.email)
    printed = tuple(isolated(cut(line, _FIELD_CHARACTERS)) for line in lines if line)
    return PrintedParty(label=label, name=isolated(cut(party.legal_name, _FIELD_CHARACTERS)), lines=printed)


def _identity(party: Party, snapshot: InvoiceSnapshot) -> str:
    return str(document_words(snapshot.taxes).identity) % {"id": isolated(party.tax_id)} if party.tax_id else ""


def _legal_line(snapshot: InvoiceSnapshot) -> str:
    seller = snapshot.seller
    return joined(seller.legal_name, seller.registration, _identity(seller, snapshot), seller.email)


def _chart(snapshot: InvoiceSnapshot, palette: Palette) -> dict[str, str | SafeString] | None:
    if snapshot.chart is None or snapshot.kind != "invoice":
        return None
    kept = snapshot.chart
    chart = charts.DayChart(
        title=cut(kept.title, _RUNNING_CHARACTERS), unit=kept.unit, first_day=kept.first_day, values=kept.values
    )
    if not chart.is_worth_drawing:
        return None
    return {
        "title": isolated(chart.title),
        "svg": charts.document_svg(chart, color=palette.bar, mirrored=get_language_bidi()),
        "first": formatting.format_day_short(chart.days[0], snapshot.locale),
        "last": formatting.format_day_short(chart.days[-1], snapshot.locale),
    }


def _notes(snapshot: InvoiceSnapshot) -> tuple[list[Paragraph], list[Paragraph]]:
    """Return the notes that stand beside the totals, and those that are too long for that."""
    terms = [snapshot.payment_terms] if snapshot.kind == "invoice" else []
    notes = [_paragraph(cut(note, _NOTE_CHARACTERS)) for note in (*tax_notes(snapshot), *terms, *snapshot.notes) if note]
    return (notes, []) if sum(len(note.text) for note in notes) <= _SHORT_NOTES_CHARACTERS else ([], notes)


def _paragraph(text: str) -> Paragraph:
    return Paragraph(text=text, direction=direction_of(text))
