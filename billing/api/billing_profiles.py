"""How a customer is billed, and by whom, over HTTP."""

from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import examples
from billing.api.access import find_customer, refuse_customers_key, visible_entities
from billing.api.fields import WholeNumberField
from billing.invoicing.profiles import MEMBERS, ProfileError, billing_profile, change_billing
from billing.models import BillingEntity, BillingProfile, NumberSeries
from customers.api.authentication import actor_of
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND
from squill.web.problems import invalid
from squill.web.serializers import StrictCharField, StrictSerializer


class BillingProfileSerializer(StrictSerializer):
    """How a customer is billed where that differs from what its seller does; null and empty: as all are."""

    billing_entity = StrictCharField(allow_null=True, max_length=32, help_text="The code; null: the default one.")
    grace_minutes = WholeNumberField(
        allow_null=True, min_value=0, max_value=86_400, help_text="How long drafts wait for late usage; null: as the entity says."
    )
    finalizes_by_itself = serializers.BooleanField(
        allow_null=True, help_text="false: a person finalises; null: as the entity says."
    )
    tax_exemption_reason = StrictCharField(allow_blank=True, max_length=255, help_text="Printed on invoices; empty: not exempt.")
    tax_exemption_code = StrictCharField(allow_blank=True, max_length=32, help_text="VATEX code; may be empty.")
    buyer_reference = StrictCharField(allow_blank=True, max_length=64, help_text="Such as a Leitweg-ID.")
    reminders_paused = serializers.BooleanField()


class CustomerBillingSerializer(BillingProfileSerializer):
    """A customer's billing with its name."""

    customer = serializers.CharField()


class NumberSeriesSerializer(StrictSerializer):
    """How documents of a kind are numbered."""

    kind = serializers.ChoiceField(choices=NumberSeries.Kind.choices)
    pattern = serializers.CharField()
    resets_yearly = serializers.BooleanField()


class BillingEntitySerializer(StrictSerializer):
    """A legal seller."""

    code = serializers.CharField()
    name = serializers.CharField()
    legal_name = serializers.CharField()
    country = serializers.CharField(help_text="ISO 3166-1 alpha-2; may be empty.")
    tax_id = serializers.CharField()
    timezone = serializers.CharField(help_text="Invoices are dated by its day.")
    is_default = serializers.BooleanField(help_text="Bills customers of whom nothing else is said.")
    grace_minutes = serializers.IntegerField(allow_null=True, help_text="null: as the deployment says.")
    finalizes_by_itself = serializers.BooleanField()
    series = NumberSeriesSerializer(source="number_series", many=True)


class CustomerBillingView(APIView):
    """How one customer is billed."""

    @extend_schema(
        operation_id="get_customer_billing",
        summary="Get how a customer is billed",
        tags=["Customers"],
        responses={200: CustomerBillingSerializer} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.BILLING_PROFILE)],
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Return the customer's own terms of billing; null and empty where it is billed as all are."""
        customer = find_customer(request, external_id)
        return _answer(billing_profile(customer.pk), customer.external_id)

    @extend_schema(
        operation_id="update_customer_billing",
        summary="Change how a customer is billed",
        description=(
            "Set only the members that are sent. Invoices that are final stay as they are; drafts follow when they are next "
            "worked out, so that a new billing entity bills from the next invoice on."
        ),
        tags=["Customers"],
        request=BillingProfileSerializer(partial=True),
        responses={200: CustomerBillingSerializer} | INVALID | FORBIDDEN | NOT_FOUND,
        examples=[examples.sent(examples.BILLING_PROFILE_BODY), examples.answered(examples.BILLING_PROFILE)],
    )
    def patch(self, request: Request, external_id: str) -> Response:
        """Change the customer's terms of billing."""
        refuse_customers_key(request)
        customer = find_customer(request, external_id)
        serializer = BillingProfileSerializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        try:
            profile = change_billing(
                customer_id=customer.pk, changes=serializer.validated_data, actor=actor_of(request), now=clock.now()
            )
        except ProfileError as error:
            raise invalid(error.errors) from None
        return _answer(profile, customer.external_id)


class BillingEntityListView(GenericAPIView[BillingEntity]):
    """The legal sellers."""

    serializer_class = BillingEntitySerializer

    @extend_schema(
        operation_id="list_billing_entities",
        summary="List billing entities",
        tags=["Customers"],
        responses={200: BillingEntitySerializer(many=True)} | FORBIDDEN,
        examples=[examples.answered(examples.BILLING_ENTITY)],
    )
    def get(self, request: Request) -> Response:
        """Return a page of sellers with their number series. They are changed in the finance desk."""
        series = Prefetch("number_series", NumberSeries.objects.order_by("kind"))
        page = self.paginate_queryset(visible_entities(request).prefetch_related(series))
        return self.get_paginated_response(BillingEntitySerializer(page or (), many=True).data)


def _answer(profile: BillingProfile, external_id: str) -> Response:
    entity = profile.billing_entity
    answer = {name: getattr(profile, name) for name in MEMBERS} | {"customer": external_id}
    return Response(answer | {"billing_entity": None if entity is None else entity.code})
