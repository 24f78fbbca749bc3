"""What is done to an invoice over HTTP: finalise, void, record money. Each can be repeated without harm."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import examples
from billing.api.access import find_invoice, refuse_customers_key, visible_invoices
from billing.api.fields import minor_units, refusal
from billing.api.invoice_serializers import InvoiceSerializer, ReasonSerializer, VoidInvoiceSerializer
from billing.api.invoices import whole_invoices
from billing.api.payment_serializers import PaymentSerializer, RecordPaymentSerializer
from billing.api.payments import REFUSED_FIELDS, whole_payments
from billing.invoicing.finalizing import UnableToFinalize, finalize_invoice
from billing.invoicing.giving_up import UnableToGiveUp, give_up_invoice, take_up_invoice
from billing.invoicing.paying.payments import PaymentError, record_payment
from billing.invoicing.voiding import UnableToVoid, void_invoice
from billing.models import Invoice
from customers.api.authentication import actor_of
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND, problem

_TAGS = ["Invoices"]
_NOT_FINALIZED = problem(
    "conflict",
    "The invoice is void, or no usage is left on the draft; nothing was written.",
    code="nothing_to_bill",
    message="there is nothing left to bill on this draft",
)
_NOT_VOIDED = problem(
    "conflict",
    "The invoice is a draft, or money has come in for it; nothing was written.",
    code="paid",
    message="money has come in for this invoice: it cannot be voided",
)
_NOT_GIVEN_UP = problem(
    "conflict",
    "The invoice is not in the state that the move starts from; nothing was written.",
    code="not_open",
    message="only an open invoice can be uncollectible",
)
_NOT_RECORDED = problem(
    "conflict",
    "The invoice is not open, the day lies ahead, or the reference is known with another amount; nothing was written.",
    code="reference_differs",
    message="this reference is recorded with another amount or date",
    field="reference",
)


class InvoiceFinalizeView(APIView):
    """The finalisation of a draft."""

    @extend_schema(
        operation_id="finalize_invoice",
        summary="Finalise a draft",
        description=(
            "Work the draft out by the usage now known, give it its number, freeze it, and queue its PDF and e-mail. "
            "The body is empty. An invoice that is final already is answered as it is."
        ),
        tags=_TAGS,
        request=None,
        responses={200: InvoiceSerializer} | FORBIDDEN | NOT_FOUND | _NOT_FINALIZED,
        examples=[examples.answered(examples.INVOICE)],
    )
    def post(self, request: Request, number: str) -> Response:
        """Finalise the draft."""
        invoice = find_invoice(visible_invoices(request), number)
        now = clock.now()
        try:
            finalize_invoice(invoice_id=invoice.pk, as_of=now, actor=actor_of(request), now=now)
        except UnableToFinalize as error:
            raise refusal(str(error), code=error.code, is_conflict=True) from None
        except Invoice.DoesNotExist:  # gone since it was found: a run emptied the draft
            raise Http404(_("There is no invoice %(name)s.") % {"name": number}) from None
        return _whole(request, invoice)


class InvoiceVoidView(APIView):
    """The voiding of a final invoice."""

    @extend_schema(
        operation_id="void_invoice",
        summary="Void an invoice",
        description=(
            "The document stays as it is and keeps its number; what it billed is due again, and the next run bills it on a "
            "corrected invoice; with `reissue` that is drafted at once. An invoice that is void already is answered as it is."
        ),
        tags=_TAGS,
        request=VoidInvoiceSerializer,
        responses={200: InvoiceSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _NOT_VOIDED,
        examples=[
            examples.sent(examples.VOID_BODY),
            examples.answered({**examples.INVOICE, "status": "void", "void_reason": examples.VOID_BODY["reason"]}),
        ],
    )
    def post(self, request: Request, number: str) -> Response:
        """Void the invoice."""
        invoice = find_invoice(visible_invoices(request), number)
        values = _validated(VoidInvoiceSerializer(data=request.data))
        try:
            void_invoice(invoice_id=invoice.pk, **values, actor=actor_of(request), now=clock.now())
        except UnableToVoid as error:
            raise refusal(str(error), code=error.code, is_conflict=True) from None
        return _whole(request, invoice)


class InvoiceUncollectibleView(APIView):
    """The giving up of an invoice's money."""

    @extend_schema(
        operation_id="mark_invoice_uncollectible",
        summary="Mark an invoice as uncollectible",
        description=(
            "It is owed still, but counts no longer as open or overdue, and nobody is reminded of it. It can be paid, voided, or "
            "taken up again. An invoice that is so already is answered as it is."
        ),
        tags=_TAGS,
        request=ReasonSerializer,
        responses={200: InvoiceSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _NOT_GIVEN_UP,
        examples=[
            examples.sent(examples.GIVE_UP_BODY),
            examples.answered({**examples.INVOICE, "status": "uncollectible"}),
        ],
    )
    def post(self, request: Request, number: str) -> Response:
        """Give the invoice up."""
        refuse_customers_key(request)
        invoice = find_invoice(visible_invoices(request), number)
        values = _validated(ReasonSerializer(data=request.data))
        try:
            give_up_invoice(invoice_id=invoice.pk, reason=values["reason"], actor=actor_of(request), now=clock.now())
        except UnableToGiveUp as error:
            raise refusal(str(error), code=error.code, is_conflict=True) from None
        return _whole(request, invoice)


class InvoiceReopenView(APIView):
    """The taking up again of an invoice that was given up."""

    @extend_schema(
        operation_id="reopen_invoice",
        summary="Take an uncollectible invoice up again",
        description="It is open as before, with its due date. The body is empty. An open invoice is answered as it is.",
        tags=_TAGS,
        request=None,
        responses={200: InvoiceSerializer} | FORBIDDEN | NOT_FOUND | _NOT_GIVEN_UP,
        examples=[examples.answered(examples.INVOICE)],
    )
    def post(self, request: Request, number: str) -> Response:
        """Take the invoice up again."""
        refuse_customers_key(request)
        invoice = find_invoice(visible_invoices(request), number)
        try:
            take_up_invoice(invoice_id=invoice.pk, actor=actor_of(request), now=clock.now())
        except UnableToGiveUp as error:
            raise refusal(str(error), code=error.code, is_conflict=True) from None
        return _whole(request, invoice)


class InvoicePaymentsView(APIView):
    """Money received for an invoice."""

    @extend_schema(
        operation_id="record_payment",
        summary="Record a payment",
        description=(
            "Record money that has come in. The reference makes it safe to repeat: the same reference is one payment, and "
            "sending it again is answered with the payment that is there. The invoice is paid when nothing is left to pay; what "
            "is too much stays with the payment and pays the customer's next invoices when they are made final."
        ),
        tags=_TAGS,
        request=RecordPaymentSerializer,
        responses={201: PaymentSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _NOT_RECORDED,
        examples=[examples.sent(examples.PAYMENT_BODY), examples.answered(examples.PAYMENT, 201)],
    )
    def post(self, request: Request, number: str) -> Response:
        """Record a payment."""
        invoice = find_invoice(visible_invoices(request), number)
        values = _validated(RecordPaymentSerializer(data=request.data))
        try:
            payment = record_payment(
                invoice_id=invoice.pk,
                amount_minor=minor_units(values["amount"], invoice.currency, field="amount"),
                currency=values.get("currency", ""),
                received_on=values["received_on"],
                method=values["method"],
                reference=values["reference"],
                actor=actor_of(request),
                now=clock.now(),
            )
        except PaymentError as error:
            raise refusal(str(error), code=error.code, field=REFUSED_FIELDS.get(error.code, ""), is_conflict=True) from None
        return Response(PaymentSerializer(whole_payments(request).get(pk=payment.pk)).data, status=status.HTTP_201_CREATED)


def _validated(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _whole(request: Request, invoice: Invoice) -> Response:
    return Response(InvoiceSerializer(whole_invoices(request).get(pk=invoice.pk)).data)
