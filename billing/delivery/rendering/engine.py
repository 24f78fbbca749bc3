"""
HTML into PDF bytes: the only module that drives WeasyPrint.

Importing it loads Pango and reads the fonts (half a second), so the worker's process does so and no other.
"""

from functools import lru_cache
from threading import Lock

from billing.delivery.rendering.fonts import only_packaged_fonts
from billing.delivery.rendering.protocol import Page

with only_packaged_fonts():
    # The import reads fontconfig's settings too, and complains on a machine that has none.
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    _FONTS = FontConfiguration()

from billing.delivery.rendering.fetcher import OnlyWhatCameAlong

# Made once: each one would read the machine's certificates, which takes a tenth of the time of an invoice.
_FETCHER = OnlyWhatCameAlong()
# The fonts, the styles and the fetcher are shared, and Pango's font map serves one document at a time.
_one_at_a_time = Lock()


class _Document(HTML):  # type: ignore[misc]  # WeasyPrint has no types
    """HTML without the general stylesheet of the web: matching its hundreds of rules is a twelfth of the time of an invoice."""

    def _ua_stylesheets(self, forms: bool = False) -> list[CSS]:
        return []


def write_pdf(page: Page) -> bytes:
    """
    Lay the document out and return it as PDF/UA-1. One document at a time; others wait.

    The page's stylesheet is the only one: no element has a look that it does not give it (templates/invoices/elements.css). Keep
    to few different ones: each is parsed once and kept.
    """
    with _one_at_a_time:
        _FETCHER.bring(page.pictures)
        document = _Document(string=page.html, url_fetcher=_FETCHER)
        pdf: bytes = document.write_pdf(stylesheets=[_parsed(page.styles)], font_config=_FONTS, pdf_variant="pdf/ua-1")
        return pdf


@lru_cache(maxsize=32)
def _parsed(styles: str) -> CSS:
    # Parsing and fonts are a third of the time of a short invoice, so both are kept.
    return CSS(string=styles, font_config=_FONTS, url_fetcher=_FETCHER)
