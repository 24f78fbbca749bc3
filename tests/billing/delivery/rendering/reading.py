"""PDFs read back."""

import re
from io import BytesIO
from typing import Any

from pypdf import PdfReader


def open_pdf(document: bytes) -> PdfReader:
    return PdfReader(BytesIO(document))


def catalogue(document: bytes) -> Any:
    """Return the root dictionary of the file."""
    return open_pdf(document).trailer["/Root"]


def page_texts(document: bytes) -> list[str]:
    """Return the text of each page with every run of blanks, no-break ones too, as one blank."""
    return [re.sub(r"\s+", " ", page.extract_text()) for page in open_pdf(document).pages]


def whole_text(document: bytes) -> str:
    return " ".join(page_texts(document))


def embedded_fonts(document: bytes) -> set[str]:
    """Return the names of the fonts without the tag of their subset."""
    names = set()
    for page in open_pdf(document).pages:
        fonts: Any = page["/Resources"]
        for font in fonts["/Font"].values():
            descendant = font.get_object()["/DescendantFonts"][0].get_object()
            assert "/FontFile2" in descendant["/FontDescriptor"].get_object()
            names.add(str(font.get_object()["/BaseFont"]).partition("+")[2])
    return names
