"""The notices of an invoice over HTTP: what became of each, and sending it once more."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import examples
from billing.api.access import find_invoice, visible_invoices
from billing.api.fields import refusal
from billing.delivery.resending import UnableToResend, resend_invoice
from billing.models import Delivery
from customers.api.authentication import actor_of
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND, problem
from squill.web.serializers import StrictSerializer

_TAGS: Final = ["Invoices"]
_NOT_SENT = problem(
    "conflict",
    "The invoice is a draft or void, or nothing is sent to the address, since mail to it came back; nothing was written.",
    code="suppressed",
    message="mail to the address came back on 3 February 2026: send to another, or lift the suppression",
)
_BODY: Final[dict[str, Any]] = {"recipient": "accounts@acme.example"}
_DELIVERY: Final[dict[str, Any]] = {
    "kind": "invoice",
    "occasion": "",
    "recipient": "accounts@acme.example",
    "status": "queued",
    "attempts": 0,
    "last_error": "",
    "queued_at": "2026-02-20T09:00:00Z",
    "sent_at": None,
    "delivered_at": None,
    "bounced_at": None,
    "complained_at": None,
}


class DeliverySerializer(StrictSerializer):
    """One notice to one recipient, and what became of it."""

    kind = serializers.ChoiceField(choices=[Delivery.Kind.INVOICE, Delivery.Kind.REMINDER])
    occasion = serializers.CharField(help_text="Of a reminder: its day relative to the due date, such as +7. Else empty.")
    recipient = serializers.EmailField()
    status = serializers.ChoiceField(
        choices=Delivery.Status.choices, help_text="`held`: the provider's answer was lost, a person looks whether it arrived."
    )
    attempts = serializers.IntegerField()
    last_error = serializers.CharField(help_text="Why it was not sent, is held, was cancelled, or came back; may be empty.")
    queued_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True, help_text="As the provider reported; null if it did not.")
    bounced_at = serializers.DateTimeField(allow_null=True)
    complained_at = serializers.DateTimeField(allow_null=True)


class ResendInvoiceSerializer(StrictSerializer):
    """Where an invoice is to go once more."""

    recipient = serializers.EmailField(max_length=254, required=False, help_text="The customer's address if left out.")


class InvoiceDeliveriesView(APIView):
    """The notices of an invoice."""

    @extend_schema(
        operation_id="list_invoice_deliveries",
        summary="List the notices of an invoice",
        description="Every mail about the invoice: itself, and its reminders, with what the provider reported. Oldest first.",
        tags=_TAGS,
        responses={200: DeliverySerializer(many=True)} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(_DELIVERY)],
    )
    def get(self, request: Request, number: str) -> Response:
        """Return all of them; there are a few."""
        invoice = find_invoice(visible_invoices(request), number)
        return Response(DeliverySerializer(invoice.deliveries.order_by("pk"), many=True).data)


class InvoiceResendView(APIView):
    """The sending of an invoice once more."""

    @extend_schema(
        operation_id="resend_invoice",
        summary="Send an invoice again",
        description=(
            "Queue the mail of a final invoice to one address, which may be a new one. One that waits to be sent already goes "
            "out once."
        ),
        tags=_TAGS,
        request=ResendInvoiceSerializer,
        responses={202: DeliverySerializer} | INVALID | FORBIDDEN | NOT_FOUND | _NOT_SENT,
        examples=[examples.sent(_BODY), examples.answered(_DELIVERY, 202)],
    )
    def post(self, request: Request, number: str) -> Response:
        """Queue it."""
        invoice = find_invoice(visible_invoices(request).select_related("customer"), number)
        serializer = ResendInvoiceSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        recipient = serializer.validated_data.get("recipient") or invoice.customer.email
        try:
            delivery = resend_invoice(invoice_id=invoice.pk, recipient=recipient, actor=actor_of(request), now=clock.now())
        except UnableToResend as error:
            field = "recipient" if error.code in ("recipient_missing", "suppressed") else ""
            raise refusal(str(error), code=error.code, field=field, is_conflict=True) from None
        return Response(DeliverySerializer(delivery).data, status=status.HTTP_202_ACCEPTED)
