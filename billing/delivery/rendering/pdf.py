"""
A document's snapshot, and nothing else, into a PDF: the front door.

WeasyPrint and Pango are never loaded here, but in the worker's process: neither the API's cold start nor what a customer wrote
into a name may touch this one.
"""

from importlib.metadata import version
from typing import Final

from django.conf import settings

from billing.delivery.rendering.page import compose
from billing.delivery.rendering.worker import RenderingFailed, shared_worker
from billing.invoicing.snapshot import InvoiceSnapshot

# Grows with every change of the templates, their styles, fonts or translations: it is kept beside each document.
TEMPLATE_VERSION: Final = 2


def render_pdf(snapshot: InvoiceSnapshot, *, logo: bytes | None = None, estimate: bool = False) -> bytes:
    """
    Render an invoice, a credit note or a receipt as a tagged PDF (PDF/UA-1), in a process of its own.

    The same snapshot and logo give the same bytes in every process that has the same renderer_version and the same Pango.
    An estimate carries no number and no bank details, and says on each page what it is.

    :param logo: the bytes of the seller's logo, SVG or PNG; None prints the initial
    :param estimate: True for a draft of an invoice
    :raises ValueError: if the snapshot has no number and is not an estimate, or its currency is unknown
    :raises RenderingFailed: if it takes longer than SQUILL_PDF_SECONDS or more memory than SQUILL_PDF_MEMORY_MB
    """
    if not snapshot.number and not estimate:
        raise ValueError("a document without a number can only be printed as an estimate")
    page = compose(snapshot, logo=logo, estimate=estimate)
    worker = shared_worker(memory_bytes=settings.SQUILL_PDF_MEMORY_MB << 20, seconds=settings.SQUILL_PDF_SECONDS)
    return worker.write_pdf(page)


def renderer_version() -> str:
    """Name everything of ours that decides the bytes of a document, such as `weasyprint 70.0, template 2`."""
    return f"weasyprint {version('weasyprint')}, template {TEMPLATE_VERSION}"


__all__ = ["TEMPLATE_VERSION", "RenderingFailed", "render_pdf", "renderer_version"]
