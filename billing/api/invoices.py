"""Invoices over HTTP, read only: lists, one with all that it says, and what the next one will say."""

from typing import Final

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import examples
from billing.api.access import find_customer, find_invoice, visible_invoices
from billing.api.fields import amount_text, flag
from billing.api.invoice_serializers import InvoiceSerializer, InvoiceSummarySerializer, UpcomingSerializer
from billing.invoicing.preview import upcoming_invoices
from billing.invoicing.rows import invoice_rows
from billing.invoicing.standing import with_overdue
from billing.models import Invoice, InvoiceLine, InvoiceTax, Payment
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND
from squill.web.problems import invalid
from usage.api import queries

_TAGS = ["Invoices"]
_FILTERS: Final = frozenset({"customer", "status", "number", "issued_from", "issued_to", "overdue"})


class InvoiceListView(GenericAPIView[Invoice]):
    """All invoices, drafts too."""

    serializer_class = InvoiceSummarySerializer

    @extend_schema(
        operation_id="list_invoices",
        summary="List invoices",
        tags=_TAGS,
        parameters=[
            OpenApiParameter("customer", str, description="Only those of the customer with this external id."),
            OpenApiParameter("status", str, enum=Invoice.Status.values, description="Only those in this state."),
            OpenApiParameter("number", str, description="Only the one with this number."),
            OpenApiParameter("issued_from", OpenApiTypes.DATE, description="Only those issued on this day or later."),
            OpenApiParameter("issued_to", OpenApiTypes.DATE, description="Only those issued before this day."),
            OpenApiParameter("overdue", bool, description="`true`: only those past their due date; `false`: all others."),
        ],
        responses={200: InvoiceSummarySerializer(many=True)} | INVALID | FORBIDDEN,
        examples=[examples.answered(examples.INVOICE_SUMMARY)],
    )
    def get(self, request: Request) -> Response:
        """Return a page of invoices without their lines, newest first."""
        rows = _filtered(with_overdue(visible_invoices(request), now=clock.now()), request)
        page = self.paginate_queryset(rows.select_related("customer", "subscription"))
        return self.get_paginated_response(InvoiceSummarySerializer(page or (), many=True).data)


class InvoiceView(GenericAPIView[Invoice]):
    """One invoice, by its number or id."""

    serializer_class = InvoiceSerializer

    @extend_schema(
        operation_id="get_invoice",
        summary="Get an invoice",
        tags=_TAGS,
        responses={200: InvoiceSerializer} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.INVOICE)],
    )
    def get(self, request: Request, number: str) -> Response:
        """Return the invoice with its lines, taxes and payments. A draft is found by its id: it has no number yet."""
        return Response(InvoiceSerializer(find_invoice(whole_invoices(request), number)).data)


class UpcomingInvoiceView(APIView):
    """What a customer's next invoices would say."""

    @extend_schema(
        operation_id="get_upcoming_invoice",
        summary="Get a customer's upcoming invoice",
        description=(
            "The spend so far: for each live subscription the invoice of its running period, as if the period ended with the "
            "usage known now. The next period's fees in advance are not in it. Nothing is written."
        ),
        tags=_TAGS,
        responses={200: UpcomingSerializer} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.UPCOMING)],
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Return the spend so far."""
        now = clock.now()
        customer = find_customer(request, external_id)
        rows = [invoice_rows(invoice, now=now) for invoice in upcoming_invoices(customer, now=now)]
        answer = {
            "customer": customer.external_id,
            "currency": customer.currency,
            "as_of": now,
            "total": amount_text(sum(row.invoice.total_minor for row in rows), customer.currency),
            "invoices": rows,
        }
        return Response(UpcomingSerializer(answer).data)


def whole_invoices(request: Request) -> QuerySet[Invoice]:
    """Return the invoices that the key may know of, with all that their JSON says. Four queries for any number."""
    rows = with_overdue(visible_invoices(request), now=clock.now())
    return rows.select_related("customer", "subscription", "document").prefetch_related(
        Prefetch("lines", InvoiceLine.objects.order_by("position")),
        Prefetch("taxes", InvoiceTax.objects.order_by("rate_pct")),
        Prefetch("payments", Payment.objects.order_by("pk")),
    )


def _filtered(rows: QuerySet[Invoice], request: Request) -> QuerySet[Invoice]:
    query = request.query_params
    queries.refuse_unknown(query, _FILTERS | {"limit", "cursor"})
    if (customer := query.get("customer")) is not None:
        rows = rows.filter(customer__external_id=customer)
    if (number := query.get("number")) is not None:
        rows = rows.filter(number=number)
    if (status := query.get("status")) is not None:
        if status not in Invoice.Status.values:
            raise invalid({"status": _("Write one of %(statuses)s.") % {"statuses": ", ".join(Invoice.Status.values)}})
        rows = rows.filter(status=status)
    if first_day := queries.day(query, "issued_from"):
        rows = rows.filter(issued_on__gte=first_day)
    if end_day := queries.day(query, "issued_to"):
        rows = rows.filter(issued_on__lt=end_day)
    overdue = flag(query, "overdue")
    return rows if overdue is None else rows.filter(Q(overdue=overdue))
