"""The PDF of an invoice, and the receipt of a payment, over HTTP."""

from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from billing.api.access import find_invoice, find_payment, visible_invoices, visible_payments
from billing.delivery.documents import document_name
from billing.delivery.previewing import UnableToPreview, preview_pdf
from billing.delivery.serving import PDF, DocumentUnavailable, serve_document
from billing.models import CreditNote, Document, Invoice
from squill.lib import clock
from squill.web.answers import FORBIDDEN, NOT_FOUND, problem
from squill.web.problems import Problem

# Rendering takes a second or two once a worker takes it up.
_RETRY_AFTER_SECONDS: Final = 10
NOT_RENDERED = problem(
    "conflict",
    "It is a draft, or its PDF is not rendered yet; then Retry-After says when to ask again.",
    code="not_rendered",
    message="The PDF is being made: try again in a moment.",
)
_NO_RECEIPT = problem(
    "conflict",
    "No receipt of the payment was made: its seller sends none by itself, or it is being made.",
    code="no_receipt",
    message="There is no receipt of this payment yet.",
)
_ANSWERS = {
    (200, PDF): OpenApiResponse(OpenApiTypes.BINARY, description="The document, byte for byte as it was sent."),
    302: OpenApiResponse(description="Location is a signed link to the document."),
    304: OpenApiResponse(description="The client has it already (If-None-Match)."),
}
_DESCRIPTION: Final = (
    "The ETag is the SHA-256 of the bytes. Where documents lie on S3, a redirect leads to a link that works for minutes."
)


_NOT_PREVIEWED = problem(
    "conflict",
    "The invoice is final and has its PDF, or nothing is left to bill on the draft.",
    code="final",
    message="the invoice is final: its PDF says what it says",
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
        description=_DESCRIPTION,
        tags=["Invoices"],
        responses=_ANSWERS | FORBIDDEN | NOT_FOUND | NOT_RENDERED,
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        """Return the PDF, or lead to it."""
        invoice = find_invoice(visible_invoices(request).select_related("document"), number)
        if invoice.status == Invoice.Status.DRAFT:
            message = _("A draft has no PDF: finalise it first.")
            raise Problem(type="conflict", detail=message, errors=[{"code": "draft", "message": message}])
        return pdf_response(request, rendered(invoice), filename=document_name(invoice))


class PaymentReceiptView(APIView):
    """The receipt of a payment."""

    renderer_classes = (PdfRenderer, JSONRenderer)

    @extend_schema(
        operation_id="get_payment_receipt",
        summary="Get the receipt of a payment",
        description=_DESCRIPTION,
        tags=["Payments"],
        responses=_ANSWERS | FORBIDDEN | NOT_FOUND | _NO_RECEIPT,
    )
    def get(self, request: Request, payment_id: UUID) -> HttpResponse:
        """Return the PDF, or lead to it."""
        payment = find_payment(visible_payments(request).select_related("receipt"), payment_id)
        receipt: Document | None = getattr(payment, "receipt", None)
        if receipt is None:
            message = _("There is no receipt of this payment yet.")
            raise Problem(type="conflict", detail=message, errors=[{"code": "no_receipt", "message": message}])
        return pdf_response(request, receipt, filename=document_name(payment))


class InvoicePreviewView(APIView):
    """A draft as it would be printed now."""

    renderer_classes = (PdfRenderer, JSONRenderer)

    @extend_schema(
        operation_id="preview_invoice_pdf",
        summary="Preview the PDF of a draft",
        description=(
            "The draft by what is known now, in the template of the final document. It has no number, says on each page that it "
            "is an estimate, and is kept nowhere. A draft is named by its id."
        ),
        tags=["Invoices"],
        responses={(200, PDF): OpenApiResponse(OpenApiTypes.BINARY, description="The estimate.")}
        | FORBIDDEN
        | NOT_FOUND
        | _NOT_PREVIEWED,
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        """Return the estimate."""
        invoice = find_invoice(visible_invoices(request), number)
        try:
            content = preview_pdf(invoice_id=invoice.pk, as_of=clock.now())
        except UnableToPreview as refused:
            error = {"code": refused.code, "message": str(refused)}
            raise Problem(type="conflict", detail=str(refused), errors=[error]) from None
        except Invoice.DoesNotExist:  # gone since it was found
            raise Http404(_("There is no invoice %(name)s.") % {"name": number}) from None
        disposition = content_disposition_header(as_attachment=False, filename=f"{invoice.public_id}.pdf") or ""
        return HttpResponse(content, content_type=PDF, headers={"Cache-Control": "no-store", "Content-Disposition": disposition})


def pdf_response(request: Request, document: Document, *, filename: str) -> HttpResponse:
    """
    Hand out a document that the key may see, or lead to it where the storage signs links.

    :raises Problem: an error, if the stored file is not the one that was rendered
    """
    try:
        return serve_document(document, filename=filename, request=request._request)
    except DocumentUnavailable as unavailable:
        raise Problem(type="error", detail=str(unavailable)) from unavailable


def rendered(of: Invoice | CreditNote) -> Document:
    """
    Return the kept document of what was loaded with it.

    :raises Problem: not_rendered, with the time after which to ask again
    """
    document: Document | None = getattr(of, "document", None)
    if document is None:
        message = _("The PDF is being made: try again in a moment.")
        headers = {"Retry-After": str(_RETRY_AFTER_SECONDS)}
        raise Problem(type="conflict", detail=message, errors=[{"code": "not_rendered", "message": message}], headers=headers)
    return document
