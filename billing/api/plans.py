"""Plans and add-ons over HTTP: what is sold, and how a new price is published at once."""

from typing import ClassVar

from django.db.models import F
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import examples
from billing.api.access import find_plan, refuse_narrowed, visible_versions
from billing.api.plan_answers import (
    BAD,
    CURRENCY,
    CUSTOMER,
    TAGS,
    chosen,
    differing,
    read_object,
    read_spec,
    refused,
    version_members,
    whole_version,
)
from billing.api.plan_serializers import PlanSerializer, PublishPlanSerializer
from billing.catalog.apply import UnpublishedChanges, apply_catalog
from billing.catalog.errors import CatalogError
from billing.catalog.values import CatalogSpec
from billing.models import Plan, PlanVersion
from customers.api.authentication import actor_of, calling_key
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND, problem
from squill.web.problems import invalid
from usage.api import queries

_DIFFERS = problem(
    "conflict",
    "It is published and says something else, or the code is of the other kind; nothing was written.",
    field="charges.calls.tiers[1].unit_amount",
    code="published_plan_differs",
    message="0.005 → 0.004",
)


class PlanListView(GenericAPIView[Plan]):
    """All that is on sale."""

    serializer_class = PlanSerializer
    ordering: ClassVar[str] = "code"

    @extend_schema(
        operation_id="list_plans",
        summary="List plans",
        tags=TAGS,
        parameters=[
            OpenApiParameter("kind", str, enum=Plan.Kind.values, description="Only plans, or only add-ons."),
            OpenApiParameter("currency", str, description="Only what is sold in this currency."),
            OpenApiParameter("customer", str, description="External id: this customer's own versions, and not the public ones."),
        ],
        responses={200: PlanSerializer(many=True)} | INVALID | FORBIDDEN,
        examples=[examples.answered(examples.PLAN)],
    )
    def get(self, request: Request) -> Response:
        """
        Return a page of plans and add-ons, each in its published versions, by code.

        `limit` counts codes: what is sold in several currencies has an item for each. A narrowed key sees what its customer has
        or had, and its customer's own versions; other keys see own versions by `customer`.
        """
        query = request.query_params
        queries.refuse_unknown(query, frozenset({"kind", "currency", "customer", "limit", "cursor"}))
        sold = visible_versions(request).filter(status=PlanVersion.Status.PUBLISHED)
        if (customer := query.get("customer")) is not None:
            sold = sold.filter(customer__external_id=customer)
        elif calling_key(request).customer_id is None:
            sold = sold.filter(customer=None)
        if (currency := query.get("currency")) is not None:
            sold = sold.filter(currency=currency)
        if (kind := query.get("kind")) is not None:
            if kind not in Plan.Kind.values:
                raise invalid({"kind": _("Write plan or add_on.")})
            sold = sold.filter(plan__kind=kind)
        plans = self.paginate_queryset(Plan.objects.filter(pk__in=sold.values("plan_id")))
        versions = sold.filter(plan__in=plans or ()).select_related("plan", "customer", "derived_from")
        ordered = versions.order_by("plan__code", "currency", F("customer__external_id").asc(nulls_first=True))
        return self.get_paginated_response(version_members(ordered))


class PlanView(GenericAPIView[Plan]):
    """One plan or add-on, by its code."""

    serializer_class = PlanSerializer

    @extend_schema(
        operation_id="get_plan",
        summary="Get a plan",
        tags=TAGS,
        parameters=[CURRENCY, CUSTOMER],
        responses={200: PlanSerializer} | INVALID | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.PLAN)],
    )
    def get(self, request: Request, code: str) -> Response:
        """
        Return what is on sale under the code, in the members of the catalogue file.

        A narrowed key gets its customer's own version, where there is one.
        """
        queries.refuse_unknown(request.query_params, frozenset({"currency", "customer"}))
        plan = find_plan(request, code)
        sold = visible_versions(request).filter(plan=plan, status=PlanVersion.Status.PUBLISHED)
        missing = _("The plan %(code)s is not on sale, or not so.") % {"code": code}
        caller = calling_key(request).customer_id
        return Response(version_members([chosen(sold, request.query_params, missing=missing, caller=caller)])[0])

    @extend_schema(
        operation_id="publish_plan",
        summary="Publish a plan",
        description=(
            "Make the plan or add-on sell what the body says, in its currency, to everybody or to its `customer`. 201 says that "
            "the offer is new; 200 that it says so already, or that a new version was published. What is published changes only "
            "with `new_version`: subscriptions keep the version that they have. Sending the same body again changes nothing."
        ),
        tags=TAGS,
        request=PublishPlanSerializer,
        responses={200: PlanSerializer, 201: PlanSerializer} | BAD | FORBIDDEN | _DIFFERS,
        examples=[examples.sent(examples.PLAN_BODY), examples.answered(examples.PLAN, 200, 201)],
    )
    def put(self, request: Request, code: str) -> Response:
        """Publish the plan."""
        refuse_narrowed(request)
        members = read_object(request.data)
        wants_new_version = members.pop("new_version", False)
        if not isinstance(wants_new_version, bool):
            raise invalid({"new_version": _("Write true or false.")})
        spec = read_spec(members, code)
        try:
            changes = apply_catalog(
                spec=CatalogSpec(meters=(), plans=(spec,)),
                actor=actor_of(request),
                now=clock.now(),
                new_versions=wants_new_version,
            )
        except UnpublishedChanges as error:
            raise differing(error) from None
        except CatalogError as error:
            raise refused(error) from None
        offer = PlanVersion.objects.filter(plan__code=code, currency=spec.currency).exclude(status=PlanVersion.Status.DRAFT)
        owned = offer.filter(customer__external_id=spec.customer) if spec.customer else offer.filter(customer=None)
        created = changes[0].kind == "created"
        answer = whole_version(owned.values_list("pk", flat=True).latest("version"))
        return Response(answer, status=status.HTTP_201_CREATED if created else status.HTTP_200_OK)
