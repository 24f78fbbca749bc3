"""Invoices over HTTP, read only: lists, one with all that it says, and what the next one will say."""

from typing import Any, Final

from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import examples
from billing.api.access import find_customer, find_invoice, refuse_customers_key, visible_invoices
from billing.api.fields import amount_text, flag, refusal
from billing.api.invoice_serializers import (
    InvoiceSerializer,
    InvoiceSummarySerializer,
    OneOffItemsSerializer,
    OneOffSerializer,
    UpcomingSerializer,
)
from billing.invoicing.items import Item, ItemsRefused
from billing.invoicing.one_off import UnableToEdit, change_items, discard_one_off, draft_one_off
from billing.invoicing.preview import upcoming_invoices
from billing.invoicing.rows import invoice_rows
from billing.invoicing.standing import with_overdue
from billing.models import CreditNote, Invoice, InvoiceDiscount, InvoiceLine, InvoiceTax, PaymentAllocation
from customers.api.authentication import actor_of, visible_customers
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND, problem
from squill.web.problems import invalid
from usage.api import queries

_TAX_UNKNOWN: Final = problem(
    "conflict",
    "The tax of a line is not known; the message says which rate or fact to enter.",
    code="rate_missing",
    message="There is no tax rate for AU, class standard, on 2026-03-01.",
)
_TAGS = ["Invoices"]
NOT_EDITED: Final = problem(
    "conflict",
    "The invoice is final, or it is a subscription's; nothing was written.",
    code="final",
    message="a final invoice never changes: void or credit it instead",
)
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

    @extend_schema(
        operation_id="create_invoice",
        summary="Draft a one-off invoice",
        description=(
            "An invoice of items that belong to no subscription. It stays a draft until it is finalised; no run does it. Taxes, "
            "coupons and credits are those of every invoice, and looked at again when it is finalised."
        ),
        tags=_TAGS,
        request=OneOffSerializer,
        responses={201: InvoiceSerializer} | INVALID | FORBIDDEN,
        examples=[examples.sent(examples.ONE_OFF_BODY), examples.answered(examples.ONE_OFF, 201)],
    )
    def post(self, request: Request) -> Response:
        """Draft a one-off invoice."""
        refuse_customers_key(request)
        serializer = OneOffSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        customer = visible_customers(request).filter(external_id=values["customer"]).first()
        if customer is None:
            raise invalid({"customer": _("There is no customer %(name)s.") % {"name": values["customer"]}})
        try:
            draft = draft_one_off(
                customer_id=customer.pk,
                currency=values["currency"] or customer.currency,
                **asked_for(values),
                now=clock.now(),
                actor=actor_of(request),
            )
        except ItemsRefused as refused:
            raise refusal(str(refused), code=refused.code, field=refused.field, is_conflict=False) from None
        return Response(InvoiceSerializer(whole_invoices(request).get(pk=draft.pk)).data, status=status.HTTP_201_CREATED)


def asked_for(values: dict[str, Any]) -> dict[str, Any]:
    """Return validated members of a one-off invoice as its services take them."""
    items = [Item(**item) for item in values["items"]]
    return {"items": items, "payment_terms_days": values["payment_terms_days"], "note": values["note"]}


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

    @extend_schema(
        operation_id="discard_invoice",
        summary="Discard a one-off draft",
        tags=_TAGS,
        responses={204: OpenApiResponse(description="Discarded.")} | FORBIDDEN | NOT_FOUND | NOT_EDITED,
    )
    def delete(self, request: Request, number: str) -> Response:
        """Delete the draft of a one-off invoice. It has no number yet, so that none is missing."""
        refuse_customers_key(request)
        invoice = find_invoice(visible_invoices(request), number)
        try:
            discard_one_off(invoice_id=invoice.pk, now=clock.now(), actor=actor_of(request))
        except UnableToEdit as refused:
            raise refusal(str(refused), code=refused.code, is_conflict=True) from None
        except Invoice.DoesNotExist:  # discarded by somebody else since it was found
            raise Http404(_("There is no invoice %(name)s.") % {"name": number}) from None
        return Response(status=status.HTTP_204_NO_CONTENT)


class InvoiceItemsView(APIView):
    """The items of a one-off draft."""

    @extend_schema(
        operation_id="replace_invoice_items",
        summary="Replace the items of a one-off draft",
        description="The items, terms and note that are sent take the place of all that there were. The answer is the draft.",
        tags=_TAGS,
        request=OneOffItemsSerializer,
        responses={200: InvoiceSerializer} | INVALID | FORBIDDEN | NOT_FOUND | NOT_EDITED,
        examples=[examples.sent(examples.ONE_OFF_ITEMS_BODY), examples.answered(examples.ONE_OFF)],
    )
    def put(self, request: Request, number: str) -> Response:
        """Replace the items."""
        refuse_customers_key(request)
        invoice = find_invoice(visible_invoices(request), number)
        serializer = OneOffItemsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = asked_for(serializer.validated_data)
        try:
            change_items(invoice_id=invoice.pk, **asked, now=clock.now(), actor=actor_of(request))
        except ItemsRefused as refused:
            raise refusal(str(refused), code=refused.code, field=refused.field, is_conflict=False) from None
        except UnableToEdit as refused:
            raise refusal(str(refused), code=refused.code, is_conflict=True) from None
        except Invoice.DoesNotExist:  # discarded by somebody else since it was found
            raise Http404(_("There is no invoice %(name)s.") % {"name": number}) from None
        return Response(InvoiceSerializer(whole_invoices(request).get(pk=invoice.pk)).data)


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
        responses={200: UpcomingSerializer} | FORBIDDEN | NOT_FOUND | _TAX_UNKNOWN,
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
    """Return the invoices that the key may know of, with all that their JSON says. Five queries for any number."""
    paying = Prefetch("payment__allocations", PaymentAllocation.objects.select_related("invoice").order_by("pk"))
    allocations = PaymentAllocation.objects.select_related("payment__customer", "payment__invoice").prefetch_related(paying)
    rows = with_overdue(visible_invoices(request), now=clock.now())
    return rows.select_related("customer", "subscription", "document", "replaces").prefetch_related(
        "replaced_by",
        Prefetch("lines", InvoiceLine.objects.order_by("position")),
        Prefetch("discounts", InvoiceDiscount.objects.select_related("redemption__coupon").order_by("position")),
        Prefetch("taxes", InvoiceTax.objects.order_by("rate_pct")),
        Prefetch("allocations", allocations.order_by("pk")),
        Prefetch("credit_notes", CreditNote.objects.defer("snapshot").order_by("pk")),
    )


def _filtered(rows: QuerySet[Invoice], request: Request) -> QuerySet[Invoice]:
    query = request.query_params
    queries.refuse_unknown(query, _FILTERS | {"limit", "cursor"})
    if (customer := query.get("customer")) is not None:
        rows = rows.filter(customer__external_id=customer)
    if (number := query.get("number")) is not None:
        rows = rows.filter(number=number)
    if (state := query.get("status")) is not None:
        if state not in Invoice.Status.values:
            raise invalid({"status": _("Write one of %(statuses)s.") % {"statuses": ", ".join(Invoice.Status.values)}})
        rows = rows.filter(status=state)
    if first_day := queries.day(query, "issued_from"):
        rows = rows.filter(issued_on__gte=first_day)
    if end_day := queries.day(query, "issued_to"):
        rows = rows.filter(issued_on__lt=end_day)
    overdue = flag(query, "overdue")
    return rows if overdue is None else rows.filter(Q(overdue=overdue))
