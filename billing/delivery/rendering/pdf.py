"""
An invoice's snapshot, and nothing else, into a PDF.

WeasyPrint is imported when the first document is rendered, not before: the API's cold start must not load Pango.
"""

import re
from functools import lru_cache
from importlib.metadata import version
from typing import Final

import msgspec
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_supported_language_variant, override, pgettext

from billing.delivery.rendering.colors import Palette, palette
from billing.delivery.rendering.context import template_values
from billing.delivery.rendering.fonts import can_print
from billing.invoicing.snapshot import InvoiceSnapshot
from squill.web import formatting

# Grows with every change of the template, its styles or its fonts: it is kept beside each document.
TEMPLATE_VERSION: Final = 1


def render_invoice_pdf(snapshot: InvoiceSnapshot, *, estimate: bool = False) -> bytes:
    """
    Render the invoice as a tagged PDF (PDF/UA-1).

    The same snapshot gives the same bytes in every process that has the same renderer_version and the same Pango.
    An estimate carries no number and no bank details, and says on each page what it is.

    :param estimate: True for a draft
    :raises ValueError: if the snapshot has no number and is not an estimate, or its currency is unknown
    """
    if not snapshot.number and not estimate:
        raise ValueError("an invoice without a number can only be printed as an estimate")
    from billing.delivery.rendering import engine  # noqa: PLC0415 (loads Pango, which a cold start of the API must not)

    colors = palette(snapshot.brand_color)
    snapshot = _printable(snapshot)
    with override(_supported_language(snapshot.locale)):
        language = _catalogue_language()
        values = template_values(snapshot, palette=colors, language=language, estimate=estimate)
        html = render_to_string("invoices/invoice.html", values)
        return engine.write_pdf(html, styles=_styles(colors, pgettext("invoice", "Page {page} of {pages}")))


def renderer_version() -> str:
    """Name everything of ours that decides the bytes of a document, such as `weasyprint 70.0, template 1`."""
    return f"weasyprint {version('weasyprint')}, template {TEMPLATE_VERSION}"


@lru_cache(maxsize=32)
def _styles(colors: Palette, page_label: str) -> str:
    label = _css_content(page_label, page="counter(page)", pages="counter(pages)")
    return render_to_string("invoices/invoice.css", {"colors": colors, "page_label": label})


def _css_content(text: str, **counters: str) -> SafeString:
    """Turn a text with {names} into a value of the CSS property `content`, the names replaced by counters."""
    parts = []
    for part in re.split(r"(\{\w+\})", text):
        counter = counters.get(part.strip("{}"))
        parts.append(counter or '"' + "".join(f"\\{ord(letter):06x}" for letter in part) + '"')
    return SafeString(" ".join(parts))


def _printable(snapshot: InvoiceSnapshot) -> InvoiceSnapshot:
    # A date whose words are not in the fonts would be rows of empty boxes: English is the better answer.
    if can_print(formatting.format_date(snapshot.issued_on, snapshot.locale)):
        return snapshot
    return msgspec.structs.replace(snapshot, locale=settings.LANGUAGE_CODE)


def _supported_language(locale: str) -> str:
    try:
        return get_supported_language_variant(locale.replace("_", "-").lower())
    except LookupError:
        return str(settings.LANGUAGE_CODE)


def _catalogue_language() -> str:
    # A language whose texts nobody has translated yet reads as English, and the document must say so to screen readers.
    return pgettext("language of the translated invoice, as BCP 47", "en")
