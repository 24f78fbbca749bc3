"""Tax rates over HTTP: those that were entered, and entering one. Rates that Squill knows by itself are not in the list."""

from typing import Any, ClassVar, Final

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models import TaxRate
from billing.tax.entering import TaxEntryError, save_tax_rate
from customers.api.authentication import actor_of, calling_key
from squill.lib import clock
from squill.web.answers import FORBIDDEN, problem
from squill.web.problems import invalid
from squill.web.serializers import PlainDecimalField, StrictCharField, StrictSerializer
from usage.api import queries

TAGS: Final = ["Tax rates"]
BODY: Final[dict[str, Any]] = {
    "country": "US",
    "region": "CA",
    "tax_class": "standard",
    "rate": "7.25",
    "label": "",
    "valid_from": "2026-01-01",
    "valid_until": None,
}
_BAD: Final = problem(
    "invalid",
    "A member cannot be used; nothing was written.",
    field="valid_from",
    message="There is a rate of this place and class from that day already: change that one.",
)


class TaxRateSerializer(StrictSerializer):
    """A rate that was entered, for a place, a tax class and a span of days."""

    country = StrictCharField(max_length=2, help_text="Two letters, ISO 3166.")
    region = StrictCharField(
        max_length=128, allow_blank=True, required=False, help_text="State or region; empty: the whole country."
    )
    tax_class = StrictCharField(
        max_length=32, required=False, help_text="What is sold, as charges name it; standard if left out."
    )
    rate = PlainDecimalField(source="rate_pct", max_digits=7, decimal_places=4, help_text="Percent, 0 to 100.")
    label = StrictCharField(  # type: ignore[assignment] # a member of the JSON, not the label of a form
        max_length=32, allow_blank=True, required=False, help_text="The word on documents; empty: the country's own."
    )
    valid_from = serializers.DateField(help_text="The first day with it.")
    valid_until = serializers.DateField(allow_null=True, required=False, help_text="The first day without it; null: no end.")


class TaxRateListView(GenericAPIView[TaxRate]):
    """The rates that were entered."""

    serializer_class = TaxRateSerializer
    ordering: ClassVar[str] = "-id"

    @extend_schema(
        operation_id="list_tax_rates",
        summary="List tax rates",
        tags=TAGS,
        parameters=[OpenApiParameter("country", str, description="Only those of this country.")],
        responses={200: TaxRateSerializer(many=True)} | _BAD | FORBIDDEN,
        examples=[OpenApiExample("Answer", value=BODY, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request) -> Response:
        """Return a page of the rates that were entered, newest first. Rates that Squill knows are not in it."""
        query = request.query_params
        queries.refuse_unknown(query, frozenset({"country", "limit", "cursor"}))
        rates = TaxRate.objects.all()
        if (country := query.get("country")) is not None:
            rates = rates.filter(country=country)
        return self.get_paginated_response(TaxRateSerializer(self.paginate_queryset(rates), many=True).data)

    @extend_schema(
        operation_id="create_tax_rate",
        summary="Enter a tax rate",
        tags=TAGS,
        responses={201: TaxRateSerializer} | _BAD | FORBIDDEN,
        examples=[
            OpenApiExample("Body", value=BODY, request_only=True),
            OpenApiExample("Answer", value=BODY, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Enter a rate, which goes before the one that Squill knows. Final documents keep theirs."""
        if calling_key(request).customer_id is not None:
            raise PermissionDenied(_("This API key is narrowed to one customer and cannot enter tax rates."))
        body = TaxRateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            rate = save_tax_rate(facts=body.validated_data, actor=actor_of(request), now=clock.now())
        except TaxEntryError as error:
            names = {"rate_pct": "rate"}
            raise invalid({names.get(field, field): message for field, message in error.errors.items()}) from None
        return Response(TaxRateSerializer(rate).data, status=status.HTTP_201_CREATED)
