"""Credit notes over HTTP: lists, one with all that it says, its PDF, and that it was paid back."""

from typing import Any, Final

from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import credit_note_examples as told
from billing.api import examples
from billing.api.access import find_credit_note, visible_credit_notes
from billing.api.credit_note_serializers import CreditNoteSerializer, CreditNoteSummarySerializer, RefundedSerializer
from billing.api.documents import NOT_RENDERED, PdfRenderer, pdf_response, rendered
from billing.api.fields import refusal
from billing.delivery.serving import PDF
from billing.invoicing.crediting.issuing import mark_refunded
from billing.invoicing.crediting.settling import UnableToCredit
from billing.models import CreditNote, CreditNoteLine, CreditNoteTax
from customers.api.authentication import actor_of
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND, problem
from squill.web.problems import invalid
from usage.api import queries

TAGS: Final = ["Credit notes"]
_FILTERS: Final = frozenset({"customer", "invoice", "reason", "issued_from", "issued_to"})
_NOT_REFUNDED = problem(
    "conflict",
    "Nothing of it is to be paid back, or it was paid back under another reference; nothing was written.",
    code="nothing_to_refund",
    message="nothing of this credit note is to be paid back",
)


class CreditNoteListView(GenericAPIView[CreditNote]):
    """All credit notes."""

    serializer_class = CreditNoteSummarySerializer

    @extend_schema(
        operation_id="list_credit_notes",
        summary="List credit notes",
        tags=TAGS,
        parameters=[
            OpenApiParameter("customer", str, description="Only those of the customer with this external id."),
            OpenApiParameter("invoice", str, description="Only those of the invoice with this number."),
            OpenApiParameter("reason", str, enum=CreditNote.Reason.values, description="Only those for this reason."),
            OpenApiParameter("issued_from", OpenApiTypes.DATE, description="Only those issued on this day or later."),
            OpenApiParameter("issued_to", OpenApiTypes.DATE, description="Only those issued before this day."),
        ],
        responses={200: CreditNoteSummarySerializer(many=True)} | INVALID | FORBIDDEN,
        examples=[examples.answered(told.CREDIT_NOTE_SUMMARY)],
    )
    def get(self, request: Request) -> Response:
        """Return a page of credit notes without their lines, newest first."""
        rows = _filtered(visible_credit_notes(request), request)
        page = self.paginate_queryset(rows.select_related("customer", "invoice"))
        return self.get_paginated_response(CreditNoteSummarySerializer(page or (), many=True).data)


class CreditNoteView(GenericAPIView[CreditNote]):
    """One credit note, by its number or id."""

    serializer_class = CreditNoteSerializer

    @extend_schema(
        operation_id="get_credit_note",
        summary="Get a credit note",
        tags=TAGS,
        responses={200: CreditNoteSerializer} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(told.CREDIT_NOTE)],
    )
    def get(self, request: Request, number: str) -> Response:
        """Return the credit note with its lines and taxes."""
        return Response(CreditNoteSerializer(find_credit_note(whole_credit_notes(request), number)).data)


class CreditNotePdfView(APIView):
    """The one PDF of a credit note."""

    renderer_classes = (PdfRenderer, JSONRenderer)

    @extend_schema(
        operation_id="get_credit_note_pdf",
        summary="Get the PDF of a credit note",
        description=(
            "The ETag is the SHA-256 of the bytes. Where documents lie on S3, a redirect leads to a link that works for minutes."
        ),
        tags=TAGS,
        responses={
            (200, PDF): OpenApiResponse(OpenApiTypes.BINARY, description="The document, byte for byte as it was sent."),
            302: OpenApiResponse(description="Location is a signed link to the document."),
            304: OpenApiResponse(description="The client has it already (If-None-Match)."),
        }
        | FORBIDDEN
        | NOT_FOUND
        | NOT_RENDERED,
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        """Return the PDF, or lead to it."""
        note = find_credit_note(visible_credit_notes(request).select_related("document"), number)
        return pdf_response(request, rendered(note), filename=f"{note.number}.pdf")


class CreditNoteRefundedView(APIView):
    """The payment that a credit note promised."""

    @extend_schema(
        operation_id="mark_credit_note_refunded",
        summary="Mark a credit note as paid back",
        description="Write that the money was paid back, with what the bank calls it. The same reference again changes nothing.",
        tags=TAGS,
        request=RefundedSerializer,
        responses={200: CreditNoteSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _NOT_REFUNDED,
        examples=[examples.sent(told.REFUNDED_BODY), examples.answered(told.CREDIT_NOTE)],
    )
    def post(self, request: Request, number: str) -> Response:
        """Mark it."""
        note = find_credit_note(visible_credit_notes(request), number)
        body = RefundedSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        reference: Any = body.validated_data["reference"]
        try:
            mark_refunded(credit_note_id=note.pk, reference=reference, actor=actor_of(request), now=clock.now())
        except UnableToCredit as error:
            raise refusal(str(error), code=error.code, is_conflict=error.code != "reference_missing") from None
        return Response(CreditNoteSerializer(whole_credit_notes(request).get(pk=note.pk)).data)


def whole_credit_notes(request: Request) -> QuerySet[CreditNote]:
    """Return the credit notes that the key may know of, with all that their JSON says. Three queries for any number."""
    rows = visible_credit_notes(request).select_related("customer", "invoice", "document")
    return rows.prefetch_related(
        Prefetch("lines", CreditNoteLine.objects.select_related("invoice_line").order_by("position")),
        Prefetch("taxes", CreditNoteTax.objects.order_by("rate_pct", "category")),
    )


def _filtered(rows: QuerySet[CreditNote], request: Request) -> QuerySet[CreditNote]:
    query = request.query_params
    queries.refuse_unknown(query, _FILTERS | {"limit", "cursor"})
    if (customer := query.get("customer")) is not None:
        rows = rows.filter(customer__external_id=customer)
    if (invoice := query.get("invoice")) is not None:
        rows = rows.filter(invoice__number=invoice)
    if (reason := query.get("reason")) is not None:
        if reason not in CreditNote.Reason.values:
            raise invalid({"reason": _("Write one of %(reasons)s.") % {"reasons": ", ".join(CreditNote.Reason.values)}})
        rows = rows.filter(reason=reason)
    if first_day := queries.day(query, "issued_from"):
        rows = rows.filter(issued_on__gte=first_day)
    if end_day := queries.day(query, "issued_to"):
        rows = rows.filter(issued_on__lt=end_day)
    return rows
