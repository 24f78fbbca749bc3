"""Why a line is what it is: its steps, its days, and the way to the events of each."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import examples
from billing.api.access import find_invoice, visible_invoices
from billing.api.invoice_serializers import InvoiceLineSerializer
from billing.models import InvoiceLine
from billing.rating.explaining import ExplainedUsage, explain_usage
from squill.lib.clock import instant_text
from squill.web.answers import FORBIDDEN, NOT_FOUND
from squill.web.serializers import PlainDecimalField, StrictSerializer


class ExplainedDaySerializer(StrictSerializer):
    """A day of a line of usage, by the usage now known."""

    day = serializers.DateField(help_text="In the customer's time zone.")
    quantity = PlainDecimalField(max_digits=38, decimal_places=12)
    events = serializers.CharField(help_text="Where the day's events of the meter are listed.")


class LineExplanationSerializer(StrictSerializer):
    """A line with what it is made of. A fee has no days."""

    invoice = serializers.CharField(allow_null=True, help_text="The number; null on a draft.")
    line = InvoiceLineSerializer()
    event_type = serializers.CharField(help_text="The type of the events that were counted; empty for a fee.")
    filter = serializers.DictField(
        child=serializers.CharField(),
        help_text="What the dimensions of the events are; empty: all that no other charge of the plan takes.",
    )
    days = ExplainedDaySerializer(many=True)


class InvoiceLineView(APIView):
    """One line of an invoice, explained down to the events."""

    @extend_schema(
        operation_id="explain_invoice_line",
        summary="Explain a line of an invoice",
        description=(
            "The line with its breakdown, whose amounts add up to `exact_amount`; the days of its usage; and for each day where "
            "its events are listed. Days and events are those known now: what came later than the line is on an adjustment."
        ),
        tags=["Invoices"],
        responses={200: LineExplanationSerializer} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.LINE_EXPLANATION)],
    )
    def get(self, request: Request, number: str, position: int) -> Response:
        """Return the line at a position."""
        invoice = find_invoice(visible_invoices(request), number)
        lines = InvoiceLine.objects.select_related("billing_period", "charge__meter", "invoice__customer")
        line = lines.filter(invoice=invoice, position=position).first()
        if line is None:
            raise Http404(_("Invoice %(name)s has no line %(position)d.") % {"name": number, "position": position})
        answer = {"invoice": invoice.number, "line": line, **_usage(request, line, explain_usage(line))}
        return Response(LineExplanationSerializer(answer).data)


def _usage(request: Request, line: InvoiceLine, usage: ExplainedUsage | None) -> dict[str, Any]:
    if usage is None:
        return {"event_type": "", "filter": {}, "days": []}
    address = request.build_absolute_uri(reverse("api:events"))
    customer = line.invoice.customer.external_id
    days = [
        {
            "day": day.day,
            "quantity": day.quantity,
            "events": address
            + "?"
            + urlencode(
                {
                    "customer": customer,
                    "type": usage.event_type,
                    "from": instant_text(day.starts_at),
                    "to": instant_text(day.ends_at),
                }
            ),
        }
        for day in usage.days
    ]
    return {"event_type": usage.event_type, "filter": usage.filter, "days": days}
