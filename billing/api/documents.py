"""The PDF of an invoice over HTTP: from disk through us, from S3 by a link that the storage signs."""

import logging
from typing import Any, Final

from django.core.files.storage import FileSystemStorage
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, quote_etag
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from billing.api.access import find_invoice, visible_invoices
from billing.delivery.documents import DocumentDamaged, documents_storage, read_document
from billing.models import Invoice, InvoiceDocument
from squill.web.answers import FORBIDDEN, NOT_FOUND, problem
from squill.web.problems import Problem

logger = logging.getLogger(__name__)
PDF: Final = "application/pdf"
# Rendering takes a second or two once a worker takes it up.
_RETRY_AFTER_SECONDS: Final = 10
_NOT_RENDERED = problem(
    "conflict",
    "The invoice is a draft, or its PDF is not rendered yet; then Retry-After says when to ask again.",
    code="not_rendered",
    message="The PDF is being made: try again in a moment.",
)


class PdfRenderer(BaseRenderer):
    """Names the type for content negotiation; the view answers with the bytes itself."""

    media_type = PDF
    format = "pdf"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> Any:
        """Return the bytes as they are; OPTIONS has none."""
        return data or b""


class InvoicePdfView(APIView):
    """The one PDF of a final invoice."""

    renderer_classes = (PdfRenderer, JSONRenderer)

    @extend_schema(
        operation_id="get_invoice_pdf",
        summary="Get the PDF of an invoice",
        description=(
            "The ETag is the SHA-256 of the bytes. Where documents lie on S3, a redirect leads to a link that works for minutes."
        ),
        tags=["Invoices"],
        responses={
            (200, PDF): OpenApiResponse(OpenApiTypes.BINARY, description="The document, byte for byte as it was sent."),
            302: OpenApiResponse(description="Location is a signed link to the document."),
            304: OpenApiResponse(description="The client has it already (If-None-Match)."),
        }
        | FORBIDDEN
        | NOT_FOUND
        | _NOT_RENDERED,
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        """Return the PDF, or lead to it."""
        invoice = find_invoice(visible_invoices(request).select_related("document"), number)
        document = _document(invoice)
        storage = documents_storage()
        if not isinstance(storage, FileSystemStorage):
            return HttpResponseRedirect(storage.url(document.storage_key), headers={"Cache-Control": "no-store"})
        response = HttpResponse(
            _content(document),
            content_type=PDF,
            headers={
                "ETag": quote_etag(document.sha256),
                "Cache-Control": "private, no-cache",
                "Content-Disposition": content_disposition_header(as_attachment=False, filename=f"{invoice.number}.pdf") or "",
            },
        )
        return get_conditional_response(request._request, etag=response["ETag"], response=response) or response


def _document(invoice: Invoice) -> InvoiceDocument:
    if invoice.status == Invoice.Status.DRAFT:
        message = _("A draft has no PDF: finalise it first.")
        raise Problem(type="conflict", detail=message, errors=[{"code": "draft", "message": message}])
    document: InvoiceDocument | None = getattr(invoice, "document", None)
    if document is None:
        message = _("The PDF is being made: try again in a moment.")
        headers = {"Retry-After": str(_RETRY_AFTER_SECONDS)}
        raise Problem(type="conflict", detail=message, errors=[{"code": "not_rendered", "message": message}], headers=headers)
    return document


def _content(document: InvoiceDocument) -> bytes:
    try:
        return read_document(document)
    except DocumentDamaged:
        logger.exception("document %s is damaged", document.storage_key)
    except FileNotFoundError:
        logger.exception("document %s is gone", document.storage_key)
    raise Problem(
        type="error", detail=_("The stored PDF is not the one that was rendered; it is not handed out, and has been logged.")
    )
