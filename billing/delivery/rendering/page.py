"""A snapshot into the page that the worker lays out: HTML and styles, in the customer's language."""

import logging
import re
from functools import lru_cache
from typing import Final

import msgspec
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language_bidi, get_supported_language_variant, override, pgettext

from billing.delivery.rendering.colors import Palette, palette
from billing.delivery.rendering.context import TEMPLATES, template_values
from billing.delivery.rendering.fonts import FAMILIES, can_print
from billing.delivery.rendering.pictures import Picture, PrintedLogo
from billing.delivery.rendering.protocol import Page
from billing.delivery.rendering.texts import printable_snapshot
from billing.invoicing.logo_files import LogoRefused, read_logo
from billing.invoicing.snapshot import InvoiceSnapshot
from squill.web import formatting

logger = logging.getLogger(__name__)
_FONT_FAMILY: Final = ", ".join(f'"{family}"' for family in FAMILIES)


def compose(snapshot: InvoiceSnapshot, *, logo: bytes | None = None, estimate: bool = False) -> Page:
    """
    Write the document's page. The same snapshot and logo give the same page.

    :param logo: the bytes of an SVG or PNG; one that cannot be printed gives way to the seller's initial
    :raises ValueError: if the currency is unknown
    """
    colors = palette(snapshot.brand_color)
    snapshot = _with_printable_dates(printable_snapshot(snapshot))
    shown = _usable(logo)
    with override(_supported_language(snapshot.locale)):
        language = _catalogue_language()
        with override(language):
            values = template_values(snapshot, palette=colors, language=language, estimate=estimate, logo=shown)
            html = render_to_string(TEMPLATES[snapshot.kind], values)
            styles = _styles(colors, pgettext("invoice", "Page {page} of {pages}"), is_rtl=get_language_bidi())
    # Plain text: the frames know no SafeString.
    pictures = [shown.picture] if shown else []
    if values["bank_code"]:
        pictures.append(values["bank_code"])
    return Page(html=str.__str__(html), styles=str.__str__(styles), pictures=tuple(pictures))


@lru_cache(maxsize=32)
def _styles(colors: Palette, page_label: str, *, is_rtl: bool) -> str:
    values = {
        "colors": colors,
        "page_label": _css_content(page_label, page="counter(page)", pages="counter(pages)"),
        "direction": "rtl" if is_rtl else "ltr",
        "start": "right" if is_rtl else "left",
        "end": "left" if is_rtl else "right",
        "font_family": SafeString(_FONT_FAMILY),
    }
    return render_to_string("invoices/document.css", values)


def _css_content(text: str, **counters: str) -> SafeString:
    """Turn a text with {names} into a value of the CSS property `content`, the names replaced by counters."""
    parts = []
    for part in re.split(r"(\{\w+\})", text):
        counter = counters.get(part.strip("{}"))
        parts.append(counter or '"' + "".join(f"\\{ord(letter):06x}" for letter in part) + '"')
    return SafeString(" ".join(parts))


def _with_printable_dates(snapshot: InvoiceSnapshot) -> InvoiceSnapshot:
    # A date whose words are not in the fonts would be rows of empty boxes: English is the better answer.
    if can_print(formatting.format_date(snapshot.issued_on, snapshot.locale)):
        return snapshot
    return msgspec.structs.replace(snapshot, locale=settings.LANGUAGE_CODE)


def _usable(logo: bytes | None) -> PrintedLogo | None:
    if logo is None:
        return None
    try:
        file = read_logo(logo)
    except LogoRefused as refusal:
        # An invoice must not wait for a picture; whoever uploads one is told by the same check.
        logger.warning("a document is printed without its logo: %s", refusal)
        return None
    return PrintedLogo(picture=Picture(media_type=file.media_type, content=file.content), wide=file.wide)


def _supported_language(locale: str) -> str:
    try:
        return get_supported_language_variant(locale.replace("_", "-").lower())
    except LookupError:
        return str(settings.LANGUAGE_CODE)


def _catalogue_language() -> str:
    # A language whose texts nobody has translated yet reads as English, and the document must say so to screen readers.
    return pgettext("language of the translated document, as BCP 47", "en")
