"""Subscriptions over HTTP: who is on which plan, since when, and which periods that makes."""

from typing import ClassVar, Final

from django.db.models import Q
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import examples
from billing.api.access import find_subscription, visible_subscriptions
from billing.api.fields import flag
from billing.api.subscription_answers import TAGS, shown_subscriptions, subscription_json, subscription_problem
from billing.api.subscription_serializers import BillingPeriodSerializer, StartSubscriptionSerializer, SubscriptionSerializer
from billing.models import BillingPeriod, Subscription
from billing.subscriptions.periods import LIVE
from billing.subscriptions.refusals import SubscriptionError
from billing.subscriptions.services import start_subscription
from billing.subscriptions.withdrawing import withdraw_subscription
from customers.api.authentication import actor_of, visible_customers
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND, problem
from squill.web.problems import Problem
from usage.api import queries

_PARAMETERS: Final = frozenset({"customer", "plan", "active", "limit", "cursor"})
_TAKEN = problem(
    "conflict",
    "Usage would be billed twice, the external id is taken, or the customer is archived; nothing was written.",
    field="plan",
    code="overlaps",
    message="customer acme is on plan scale at that time already: end that subscription first",
)
_BEGUN = problem(
    "conflict",
    "Its first day has come; nothing was written.",
    field="starts_at",
    code="has_begun",
    message="it began on 2026-01-01: end it instead",
)


class SubscriptionListView(GenericAPIView[Subscription]):
    """All subscriptions, newest first; or a new one."""

    serializer_class = SubscriptionSerializer

    @extend_schema(
        operation_id="list_subscriptions",
        summary="List subscriptions",
        tags=TAGS,
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
        queries.refuse_unknown(query, _PARAMETERS)
        now = clock.now()
        rows = shown_subscriptions(request)
        if (customer := query.get("customer")) is not None:
            rows = rows.filter(customer__external_id=customer)
        if (plan := query.get("plan")) is not None:
            rows = rows.filter(plan__code=plan)
        active = flag(query, "active")
        if active is not None:
            running = Q(starts_at__lte=now) & (Q(ends_at__isnull=True) | Q(ends_at__gt=now))
            rows = rows.filter(running if active else ~running)
        page = self.paginate_queryset(rows) or ()
        return self.get_paginated_response([subscription_json(subscription, now) for subscription in page])

    @extend_schema(
        operation_id="start_subscription",
        summary="Start a subscription",
        description=(
            "Put a customer on the version of a plan that is sold to them, from the local day that contains `starts_at`. A day "
            "in the past is fine: the periods since then are billed by the next run."
        ),
        tags=TAGS,
        request=StartSubscriptionSerializer,
        responses={201: SubscriptionSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _TAKEN,
        examples=[examples.sent(examples.SUBSCRIPTION_BODY), examples.answered(examples.SUBSCRIPTION, 201)],
    )
    def post(self, request: Request) -> Response:
        """Start a subscription."""
        body = StartSubscriptionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        now = clock.now()
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
                trial_days=values.get("trial_days"),
                quantities=values.get("quantities"),
                actor=actor_of(request),
                now=now,
            )
        except SubscriptionError as error:
            raise subscription_problem(error) from None
        shown = shown_subscriptions(request).get(pk=started.pk)
        return Response(subscription_json(shown, now), status=status.HTTP_201_CREATED)


class SubscriptionView(GenericAPIView[Subscription]):
    """One subscription, by its external id."""

    serializer_class = SubscriptionSerializer

    @extend_schema(
        operation_id="get_subscription",
        summary="Get a subscription",
        tags=TAGS,
        responses={200: SubscriptionSerializer} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.SUBSCRIPTION)],
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Return the subscription, ended or not."""
        subscription = find_subscription(shown_subscriptions(request), external_id)
        return Response(subscription_json(subscription, clock.now()))

    @extend_schema(
        operation_id="withdraw_subscription",
        summary="Withdraw a subscription that has not begun",
        description="Delete it, as if it had never been; its external id is free again. One that has begun is ended instead.",
        tags=TAGS,
        responses={204: None} | FORBIDDEN | NOT_FOUND | _BEGUN,
    )
    def delete(self, request: Request, external_id: str) -> Response:
        """Withdraw the subscription."""
        subscription = find_subscription(visible_subscriptions(request), external_id)
        try:
            withdraw_subscription(subscription_id=subscription.pk, actor=actor_of(request), now=clock.now())
        except SubscriptionError as error:
            raise subscription_problem(error) from None
        return Response(status=status.HTTP_204_NO_CONTENT)


class BillingPeriodListView(GenericAPIView[BillingPeriod]):
    """The stored periods of a subscription."""

    serializer_class = BillingPeriodSerializer
    ordering: ClassVar[str] = "-index"

    @extend_schema(
        operation_id="list_billing_periods",
        summary="List the billing periods of a subscription",
        tags=TAGS,
        responses={200: BillingPeriodSerializer(many=True)} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.PERIOD)],
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Return a page of periods, newest first, with the invoices that bill them."""
        subscription = find_subscription(visible_subscriptions(request), external_id)
        periods = BillingPeriod.objects.filter(LIVE, subscription=subscription)
        rows = self.paginate_queryset(periods.select_related("plan_version__plan", "advance_invoice", "arrears_invoice"))
        return self.get_paginated_response(BillingPeriodSerializer(rows or (), many=True).data)
