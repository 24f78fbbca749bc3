"""The words for the tax: the engine chose one (VAT, GST, sales tax), and the document says it in its own language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import pgettext, pgettext_lazy

from billing.delivery.rendering.rows import Row
from billing.delivery.rendering.texts import cut, isolated
from billing.invoicing.snapshot import InvoiceSnapshot, TaxTotal
from squill.web import formatting

# A longer word does not fit over the rates.
_COLUMN_CHARACTERS: Final = 10
_LABEL_CHARACTERS: Final = 60
_NOTE_CHARACTERS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxWords:
    """How one tax is spoken of; `identity` is the number that a party is registered by, with %(id)s for it."""

    word: str | Promise
    total_without: str | Promise
    identity: str | Promise


_KNOWN: Final[dict[str, TaxWords]] = {
    "": TaxWords(
        word=pgettext_lazy("invoice", "Tax"),
        total_without=pgettext_lazy("invoice", "Total excluding tax"),
        identity=pgettext_lazy("invoice", "Tax ID %(id)s"),
    ),
    "vat": TaxWords(
        word=pgettext_lazy("invoice", "VAT"),
        total_without=pgettext_lazy("invoice", "Total excluding VAT"),
        identity=pgettext_lazy("invoice", "VAT ID %(id)s"),
    ),
    "gst": TaxWords(
        word=pgettext_lazy("invoice", "GST"),
        total_without=pgettext_lazy("invoice", "Total excluding GST"),
        identity=pgettext_lazy("invoice", "GST No. %(id)s"),
    ),
    "sales tax": TaxWords(
        word=pgettext_lazy("invoice", "Sales tax"),
        total_without=pgettext_lazy("invoice", "Total excluding sales tax"),
        identity=pgettext_lazy("invoice", "Tax ID %(id)s"),
    ),
}
_KNOWN["tax"] = _KNOWN[""]


def words_for(label: str) -> TaxWords:
    """
    Return the words for a tax by the label that the snapshot has, in English or in the active language.

    One that is not known is printed as it is.
    """
    said = label.strip().casefold()
    for name, known in _KNOWN.items():
        if said in (name, str(known.word).casefold()):
            return known
    label = cut(label, _LABEL_CHARACTERS)
    without = pgettext("invoice", "Total excluding %(tax)s") % {"tax": label}
    return TaxWords(word=label, total_without=without, identity=_KNOWN[""].identity)


def document_words(taxes: Sequence[TaxTotal]) -> TaxWords:
    """Return the words for all taxes of a document: their own where they agree, else those for tax in general."""
    labels = {tax.label for tax in taxes}
    return words_for(labels.pop() if len(labels) == 1 else "")


def column_word(taxes: Sequence[TaxTotal]) -> str:
    """Return what stands over the rates of the lines."""
    word = str(document_words(taxes).word)
    return word if len(word) <= _COLUMN_CHARACTERS else str(_KNOWN[""].word)


def tax_rows(snapshot: InvoiceSnapshot) -> list[Row]:
    """Return a row for each category and rate of tax, with what it is taken of."""
    return [
        Row(
            label=_named(tax, snapshot.locale),
            small=pgettext("invoice", "on %(base)s") % {"base": isolated(_money(tax.base_minor, snapshot))},
            value=_money(tax.amount_minor, snapshot),
        )
        for tax in snapshot.taxes
    ]


def tax_notes(snapshot: InvoiceSnapshot) -> list[str]:
    """Return the words that the law asks for; where there are several taxes, each says which it is about."""
    several = len(snapshot.taxes) > 1
    notes = []
    for tax in snapshot.taxes:
        if tax.note:
            note = cut(tax.note, _NOTE_CHARACTERS)
            notes.append(f"{_named(tax, snapshot.locale)}: {isolated(note)}" if several else note)
    return notes


def _named(tax: TaxTotal, locale: str) -> str:
    rate = formatting.format_percent(tax.rate, locale)
    return pgettext("invoice", "%(tax)s %(rate)s") % {"tax": words_for(tax.label).word, "rate": isolated(rate)}


def _money(minor: int, snapshot: InvoiceSnapshot) -> str:
    return formatting.format_money_minor(minor, snapshot.currency, snapshot.locale)
