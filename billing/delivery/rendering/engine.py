"""
HTML into PDF bytes: the only module that drives WeasyPrint.

Importing it loads Pango and reads the fonts (half a second), so `billing.delivery.rendering.pdf` does so for the first
document and not before.
"""

from functools import lru_cache
from threading import Lock

from billing.delivery.rendering.fonts import only_packaged_fonts

with only_packaged_fonts():
    # The import reads fontconfig's settings too, and complains on a machine that has none.
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    _FONTS = FontConfiguration()

from billing.delivery.rendering.fetcher import NothingMayBeFetched

# Made once: each one would read the machine's certificates, which takes a tenth of the time of an invoice.
_FETCHER = NothingMayBeFetched()
# The fonts and styles are shared, and Pango's font map serves one document at a time.
_one_at_a_time = Lock()


def write_pdf(html: str, *, styles: str) -> bytes:
    """
    Lay the document out and return it as PDF/UA-1. One document at a time; others wait.

    :param styles: the whole stylesheet; keep to few different ones, each is parsed once and kept
    """
    with _one_at_a_time:
        document = HTML(string=html, url_fetcher=_FETCHER)
        pdf: bytes = document.write_pdf(stylesheets=[_parsed(styles)], font_config=_FONTS, pdf_variant="pdf/ua-1")
        return pdf


@lru_cache(maxsize=32)
def _parsed(styles: str) -> CSS:
    # Parsing and fonts are a third of the time of a short invoice, so both are kept.
    return CSS(string=styles, font_config=_FONTS, url_fetcher=_FETCHER)
