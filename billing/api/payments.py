"""Payments over HTTP: recorded for a customer, listed, read and reversed; and what a customer has left with us."""

from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import examples
from billing.api.access import find_customer, find_invoice, visible_invoices, visible_payments
from billing.api.fields import flag, minor_units, refusal
from billing.api.invoice_serializers import InvoiceSerializer
from billing.api.invoices import whole_invoices
from billing.api.payment_serializers import (
    CustomerBalanceSerializer,
    PaymentSerializer,
    RecordCustomerPaymentSerializer,
    ReversePaymentSerializer,
)
from billing.invoicing.paying.balances import HAS_LEFT, UnableToApply, allocate_balance, customer_balance
from billing.invoicing.paying.matching import invoices_named_in
from billing.invoicing.paying.payments import PaymentError, record_customer_payment
from billing.invoicing.paying.reversing import UnableToReverse, reverse_payment
from billing.models import Payment, PaymentAllocation
from customers.api.authentication import actor_of
from squill.lib import clock
from squill.lib.currency import CODES
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND, problem
from squill.web.problems import invalid
from usage.api import queries

_TAGS = ["Payments"]
_FILTERS: Final = frozenset({"customer", "invoice", "reference", "from", "to", "reversed", "left"})
# The members of a body that a refusal is about.
REFUSED_FIELDS: Final = {
    "amount_too_large": "amount",
    "currency_differs": "currency",
    "in_future": "received_on",
    "invoice_not_found": "invoices",
    "reference_differs": "reference",
    "too_long_ago": "received_on",
}
_NOT_RECORDED = problem(
    "conflict",
    "An invoice that is named is not there, not open, or in another currency; the day lies ahead; or the reference is known with "
    "another amount. Nothing was written.",
    code="reference_differs",
    message="this reference is recorded with another amount or date",
    field="reference",
)
_NOT_APPLIED = problem(
    "conflict",
    "The invoice is not open, or nothing is left over of the customer's payments; nothing was written.",
    code="no_balance",
    message="no payment of Acme has anything left in EUR",
)


class CustomerPaymentsView(APIView):
    """Money received of a customer."""

    @extend_schema(
        operation_id="record_customer_payment",
        summary="Record a payment of a customer",
        description=(
            "Record money that has come in, and pay invoices with it: those that you name, or those whose numbers stand in the "
            "reference or in the remittance text, or else the open ones, what is due first first. What is too much stays with "
            "the payment and pays the next invoices when they are made final. The reference makes it safe to repeat: the same "
            "reference is one payment, and sending it again is answered with the payment that is there."
        ),
        tags=_TAGS,
        request=RecordCustomerPaymentSerializer,
        responses={201: PaymentSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _NOT_RECORDED,
        examples=[examples.sent(examples.CUSTOMER_PAYMENT_BODY), examples.answered(examples.CUSTOMER_PAYMENT, 201)],
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Record a payment of a customer."""
        customer = find_customer(request, external_id)
        values = _validated(RecordCustomerPaymentSerializer(data=request.data))
        currency = values.get("currency", customer.currency)
        if currency not in CODES:
            raise invalid({"currency": _("Write the code of a currency, such as EUR.")})
        numbers = values.get("invoices")
        if numbers is None:
            named = invoices_named_in(f"{values['reference']}\n{values.get('remittance', '')}", customer)
            numbers = named or None
        try:
            payment = record_customer_payment(
                customer_id=customer.pk,
                currency=currency,
                amount_minor=minor_units(values["amount"], currency, field="amount"),
                received_on=values["received_on"],
                method=values["method"],
                reference=values["reference"],
                invoices=numbers,
                actor=actor_of(request),
                now=clock.now(),
            )
        except PaymentError as error:
            raise refusal(str(error), code=error.code, field=REFUSED_FIELDS.get(error.code, ""), is_conflict=True) from None
        return Response(PaymentSerializer(whole_payments(request).get(pk=payment.pk)).data, status=status.HTTP_201_CREATED)


class PaymentListView(GenericAPIView[Payment]):
    """All payments."""

    serializer_class = PaymentSerializer

    @extend_schema(
        operation_id="list_payments",
        summary="List payments",
        tags=_TAGS,
        parameters=[
            OpenApiParameter("customer", str, description="Only those of the customer with this external id."),
            OpenApiParameter("invoice", str, description="Only those that were recorded for this invoice, or paid some of it."),
            OpenApiParameter("reference", str, description="Only those with this reference."),
            OpenApiParameter("from", OpenApiTypes.DATE, description="Only those received on this day or later."),
            OpenApiParameter("to", OpenApiTypes.DATE, description="Only those received before this day."),
            OpenApiParameter("reversed", bool, description="`true`: only those that were reversed; `false`: all others."),
            OpenApiParameter("left", bool, description="`true`: only those with something left over; `false`: all others."),
        ],
        responses={200: PaymentSerializer(many=True)} | INVALID | FORBIDDEN,
        examples=[examples.answered(examples.PAYMENT)],
    )
    def get(self, request: Request) -> Response:
        """Return a page of payments, the one that was recorded last first."""
        page = self.paginate_queryset(_filtered(whole_payments(request), request))
        return self.get_paginated_response(PaymentSerializer(page or (), many=True).data)


class PaymentView(GenericAPIView[Payment]):
    """One payment."""

    serializer_class = PaymentSerializer

    @extend_schema(
        operation_id="get_payment",
        summary="Get a payment",
        tags=_TAGS,
        responses={200: PaymentSerializer} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.PAYMENT)],
    )
    def get(self, request: Request, payment_id: UUID) -> Response:
        """Return the payment with what it paid."""
        return Response(PaymentSerializer(_find(request, payment_id)).data)


class PaymentReverseView(APIView):
    """The reversal of a payment."""

    @extend_schema(
        operation_id="reverse_payment",
        summary="Reverse a payment",
        description=(
            "Take back a payment that bounced, was charged back, or was recorded by mistake: all of it, for good. What it paid "
            "is taken back from its invoices, and those that were paid are open again. One that is reversed already is answered "
            "as it is."
        ),
        tags=_TAGS,
        request=ReversePaymentSerializer,
        responses={200: PaymentSerializer} | INVALID | FORBIDDEN | NOT_FOUND,
        examples=[examples.sent(examples.REVERSE_BODY), examples.answered(examples.REVERSED_PAYMENT)],
    )
    def post(self, request: Request, payment_id: UUID) -> Response:
        """Reverse the payment."""
        payment = _find(request, payment_id)
        values = _validated(ReversePaymentSerializer(data=request.data))
        try:
            reverse_payment(payment_id=payment.pk, reason=values["reason"], actor=actor_of(request), now=clock.now())
        except UnableToReverse as error:
            raise refusal(str(error), code=error.code, field="reason", is_conflict=False) from None
        return Response(PaymentSerializer(_find(request, payment_id)).data)


class InvoiceApplyBalanceView(APIView):
    """What payments left over, applied to an open invoice by hand."""

    @extend_schema(
        operation_id="apply_balance",
        summary="Pay an invoice from the balance",
        description=(
            "Pay an open invoice, as far as it reaches, from what earlier payments of its customer left over, the oldest first. "
            "Invoices that are made final later take it by themselves. The body is empty."
        ),
        tags=["Invoices"],
        request=None,
        responses={200: InvoiceSerializer} | FORBIDDEN | NOT_FOUND | _NOT_APPLIED,
        examples=[examples.answered(examples.INVOICE)],
    )
    def post(self, request: Request, number: str) -> Response:
        """Pay the invoice from the balance."""
        invoice = find_invoice(visible_invoices(request), number)
        try:
            allocate_balance(invoice_id=invoice.pk, actor=actor_of(request), now=clock.now())
        except UnableToApply as error:
            raise refusal(str(error), code=error.code, is_conflict=True) from None
        return Response(InvoiceSerializer(whole_invoices(request).get(pk=invoice.pk)).data)


class CustomerBalanceView(APIView):
    """What a customer has with us."""

    @extend_schema(
        operation_id="get_customer_balance",
        summary="Get a customer's balance",
        description=(
            "By currency: what is left over of payments, what is left of credits, and what is left to pay of open invoices. The "
            "first two pay invoices when they are made final, credits first."
        ),
        tags=["Customers"],
        responses={200: CustomerBalanceSerializer} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.CUSTOMER_BALANCE)],
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Return the balances."""
        now = clock.now()
        customer = find_customer(request, external_id)
        balances = customer_balance(customer_id=customer.pk, at=now)
        answer = {"customer": customer.external_id, "as_of": now, "balances": balances}
        return Response(CustomerBalanceSerializer(answer).data)


def whole_payments(request: Request) -> QuerySet[Payment]:
    """Return the payments that the key may know of, with all that their JSON says. Two queries for any number."""
    allocations = PaymentAllocation.objects.select_related("invoice").order_by("pk")
    rows = visible_payments(request).select_related("customer", "invoice")
    return rows.prefetch_related(Prefetch("allocations", allocations))


def _find(request: Request, payment_id: UUID) -> Payment:
    payment = whole_payments(request).filter(public_id=payment_id).first()
    if payment is None:
        raise Http404(_("There is no payment %(id)s.") % {"id": payment_id})
    return payment


def _filtered(rows: QuerySet[Payment], request: Request) -> QuerySet[Payment]:
    query = request.query_params
    queries.refuse_unknown(query, _FILTERS | {"limit", "cursor"})
    if (customer := query.get("customer")) is not None:
        rows = rows.filter(customer__external_id=customer)
    if (number := query.get("invoice")) is not None:
        paid = PaymentAllocation.objects.filter(payment=OuterRef("pk"), invoice__number=number)
        rows = rows.filter(Q(invoice__number=number) | Exists(paid))
    if (reference := query.get("reference")) is not None:
        rows = rows.filter(reference=reference)
    if first_day := queries.day(query, "from"):
        rows = rows.filter(received_on__gte=first_day)
    if end_day := queries.day(query, "to"):
        rows = rows.filter(received_on__lt=end_day)
    if (is_reversed := flag(query, "reversed")) is not None:
        rows = rows.filter(reversed_at__isnull=not is_reversed)
    if (has_left := flag(query, "left")) is not None:
        rows = rows.filter(HAS_LEFT if has_left else ~HAS_LEFT)
    return rows


def _validated(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
