"""Subscriptions over HTTP: who is on which plan, since when, and which periods that makes."""

from typing import ClassVar, Final

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import examples
from billing.api.access import find_subscription, visible_subscriptions
from billing.api.fields import flag, refusal
from billing.api.subscription_serializers import (
    BillingPeriodSerializer,
    EndSubscriptionSerializer,
    StartSubscriptionSerializer,
    SubscriptionSerializer,
)
from billing.models import BillingPeriod, Subscription
from billing.subscriptions.services import SubscriptionError, end_subscription, start_subscription
from customers.api.authentication import actor_of, visible_customers
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND, problem
from squill.web.problems import Problem
from usage.api import queries

_TAGS = ["Subscriptions"]
# Refusals that say something about the request itself; all others are about the state that it meets.
_ABOUT_THE_REQUEST: Final = frozenset(
    {"plan_not_found", "currency_mismatch", "ends_before_start", "external_id_unusable", "out_of_range"}
)
_TAKEN = problem(
    "conflict",
    "Usage would be billed twice, the external id is taken, or the customer is archived; nothing was written.",
    field="plan",
    code="overlaps",
    message="customer acme is on plan scale at that time already: end that subscription first",
)
_BILLED = problem(
    "conflict",
    "It has ended, ends sooner already, or a later period is billed; nothing was written.",
    field="ends_at",
    code="period_billed",
    message="a period after 2026-02-10 is billed already: void its invoice first, or choose a later day",
)


class SubscriptionListView(GenericAPIView[Subscription]):
    """All subscriptions, newest first; or a new one."""

    serializer_class = SubscriptionSerializer

    @extend_schema(
        operation_id="list_subscriptions",
        summary="List subscriptions",
        tags=_TAGS,
        parameters=[
            OpenApiParameter("customer", str, description="Only those of the customer with this external id."),
            OpenApiParameter("plan", str, description="Only those on the plan with this code."),
            OpenApiParameter("active", bool, description="`true`: begun and not ended; `false`: all others."),
        ],
        responses={200: SubscriptionSerializer(many=True)} | INVALID | FORBIDDEN,
        examples=[examples.answered(examples.SUBSCRIPTION)],
    )
    def get(self, request: Request) -> Response:
        """Return a page of subscriptions, newest first."""
        query = request.query_params
        queries.refuse_unknown(query, frozenset({"customer", "plan", "active", "limit", "cursor"}))
        rows = _shown(request)
        if (customer := query.get("customer")) is not None:
            rows = rows.filter(customer__external_id=customer)
        if (plan := query.get("plan")) is not None:
            rows = rows.filter(plan__code=plan)
        active = flag(query, "active")
        if active is not None:
            rows = rows.filter(Q(active=active))
        return self.get_paginated_response(SubscriptionSerializer(self.paginate_queryset(rows) or (), many=True).data)

    @extend_schema(
        operation_id="start_subscription",
        summary="Start a subscription",
        description=(
            "Put a customer on the published version of a plan, from the local day that contains `starts_at`. A day in the past "
            "is fine: the periods since then are billed by the next run."
        ),
        tags=_TAGS,
        request=StartSubscriptionSerializer,
        responses={201: SubscriptionSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _TAKEN,
        examples=[examples.sent(examples.SUBSCRIPTION_BODY), examples.answered(examples.SUBSCRIPTION, 201)],
    )
    def post(self, request: Request) -> Response:
        """Start a subscription."""
        body = StartSubscriptionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        customer = visible_customers(request).filter(external_id=values["customer"]).first()
        if customer is None:
            message = _("There is no customer %(external_id)s.") % {"external_id": values["customer"]}
            raise Problem(type="not-found", detail=message, errors=[{"field": "customer", "message": message}])
        try:
            started = start_subscription(
                customer_id=customer.pk,
                plan_code=values["plan"],
                starts_at=values["starts_at"],
                ends_at=values.get("ends_at"),
                external_id=values.get("external_id", ""),
                actor=actor_of(request),
                now=clock.now(),
            )
        except SubscriptionError as error:
            raise _problem(error) from None
        shown = _shown(request).get(pk=started.pk)
        return Response(SubscriptionSerializer(shown).data, status=status.HTTP_201_CREATED)


class SubscriptionView(GenericAPIView[Subscription]):
    """One subscription, by its external id."""

    serializer_class = SubscriptionSerializer

    @extend_schema(
        operation_id="get_subscription",
        summary="Get a subscription",
        tags=_TAGS,
        responses={200: SubscriptionSerializer} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.SUBSCRIPTION)],
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Return the subscription, ended or not."""
        return Response(SubscriptionSerializer(find_subscription(_shown(request), external_id)).data)


class SubscriptionEndView(GenericAPIView[Subscription]):
    """The end of a subscription."""

    serializer_class = SubscriptionSerializer

    @extend_schema(
        operation_id="end_subscription",
        summary="End a subscription",
        description=(
            "End it at the beginning of the local day that contains `ends_at`. A fee that was billed in advance for longer comes "
            "back as an adjustment on its last invoice. An end can be moved to an earlier day, not to a later one."
        ),
        tags=_TAGS,
        request=EndSubscriptionSerializer,
        responses={200: SubscriptionSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _BILLED,
        examples=[
            examples.sent(examples.END_BODY),
            examples.answered({**examples.SUBSCRIPTION, "ended_on": "2026-07-01", "ends_at": "2026-07-01T00:00:00Z"}),
        ],
    )
    def post(self, request: Request, external_id: str) -> Response:
        """End the subscription."""
        subscription = find_subscription(_shown(request), external_id)
        body = EndSubscriptionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        ends_at = body.validated_data["ends_at"]
        try:
            end_subscription(subscription_id=subscription.pk, ends_at=ends_at, actor=actor_of(request), now=clock.now())
        except SubscriptionError as error:
            raise _problem(error) from None
        return Response(SubscriptionSerializer(_shown(request).get(pk=subscription.pk)).data)


class BillingPeriodListView(GenericAPIView[BillingPeriod]):
    """The stored periods of a subscription."""

    serializer_class = BillingPeriodSerializer
    ordering: ClassVar[str] = "-index"

    @extend_schema(
        operation_id="list_billing_periods",
        summary="List the billing periods of a subscription",
        tags=_TAGS,
        responses={200: BillingPeriodSerializer(many=True)} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.PERIOD)],
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Return a page of periods, newest first, with the invoices that bill them."""
        subscription = find_subscription(_shown(request), external_id)
        periods = BillingPeriod.objects.filter(subscription=subscription)
        rows = self.paginate_queryset(periods.select_related("plan_version", "advance_invoice", "arrears_invoice"))
        return self.get_paginated_response(BillingPeriodSerializer(rows or (), many=True).data)


def _shown(request: Request) -> QuerySet[Subscription]:
    """Return the subscriptions that the key may know of, with all that their JSON says."""
    now = clock.now()
    active = Q(starts_at__lte=now) & (Q(ends_at__isnull=True) | Q(ends_at__gt=now))
    rows = visible_subscriptions(request).select_related("customer", "plan", "plan_version")
    return rows.annotate(active=ExpressionWrapper(active, output_field=BooleanField()))


def _problem(error: SubscriptionError) -> Problem:
    return refusal(error.message, code=error.code, field=error.field, is_conflict=error.code not in _ABOUT_THE_REQUEST)
