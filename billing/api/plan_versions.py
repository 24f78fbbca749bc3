"""The versions of a plan over HTTP: what it costs and has cost, and what becomes of a version."""

from typing import ClassVar

from django.http import QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import examples
from billing.api.access import find_plan, find_version, refuse_narrowed, visible_versions
from billing.api.plan_answers import TAGS, change_members, read_object, refused, version_members, whole_version
from billing.api.plan_serializers import DeriveVersionSerializer, PlanComparisonSerializer, PlanSerializer
from billing.catalog.compare import compare_specs, member_changes
from billing.catalog.derive import derive_version
from billing.catalog.drafts import archive_version, publish_draft
from billing.catalog.errors import CatalogError
from billing.catalog.specs import plan_specs
from billing.models import PlanVersion
from customers.api.authentication import actor_of
from customers.models import Customer
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND, problem
from squill.web.problems import Problem, invalid
from usage.api import queries

_NO_DRAFT = problem(
    "conflict",
    "It is no draft, or says the same as what is on sale; nothing was written.",
    code="not_a_draft",
    message="version 2 is published, and never changes: save a new draft",
)
_NOT_ON_SALE = problem(
    "conflict",
    "It is a draft, or archived already; nothing was written.",
    code="not_published",
    message="version 1 is archived already",
)
_NOT_DERIVED = problem(
    "conflict",
    "It is a draft or a customer's own, or the customer has a draft of its own already; nothing was written.",
    field="customer",
    code="draft_exists",
    message="customer acme has a draft of its own already, version 2: change, publish or discard that",
)


class PlanVersionListView(GenericAPIView[PlanVersion]):
    """What a plan costs and has cost."""

    serializer_class = PlanSerializer
    ordering: ClassVar[str] = "-version"

    @extend_schema(
        operation_id="list_plan_versions",
        summary="List the versions of a plan",
        tags=TAGS,
        responses={200: PlanSerializer(many=True)} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.PLAN)],
    )
    def get(self, request: Request, code: str) -> Response:
        """
        Return a page of the versions, newest first: of every currency, everybody's and customers' own, drafts too.

        A narrowed key sees no drafts, and no other customer's own versions.
        """
        plan = find_plan(request, code)
        versions = visible_versions(request).filter(plan=plan).select_related("plan", "customer", "derived_from")
        return self.get_paginated_response(version_members(self.paginate_queryset(versions) or ()))


class PlanVersionView(APIView):
    """One version of a plan, by its number."""

    @extend_schema(
        operation_id="get_plan_version",
        summary="Get a version of a plan",
        tags=TAGS,
        responses={200: PlanSerializer} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.PLAN)],
    )
    def get(self, request: Request, code: str, version: int) -> Response:
        """Return the version, in the members of the catalogue file."""
        return Response(version_members([find_version(request, code, version)])[0])


class PlanVersionPublishView(APIView):
    """The publication of a draft."""

    @extend_schema(
        operation_id="publish_plan_version",
        summary="Publish a draft",
        description=(
            "Put the draft on sale and archive the version before: new subscriptions get it, those that run keep theirs. "
            "The body is empty."
        ),
        tags=TAGS,
        request=None,
        responses={200: PlanSerializer} | FORBIDDEN | NOT_FOUND | _NO_DRAFT,
        examples=[examples.answered({**examples.PLAN, "version": 2})],
    )
    def post(self, request: Request, code: str, version: int) -> Response:
        """Publish the draft."""
        refuse_narrowed(request)
        row = find_version(request, code, version)
        try:
            publish_draft(version_id=row.pk, actor=actor_of(request), now=clock.now())
        except CatalogError as error:
            raise refused(error) from None
        return Response(whole_version(row.pk))


class PlanVersionArchiveView(APIView):
    """The end of a version's sale."""

    @extend_schema(
        operation_id="archive_plan_version",
        summary="Stop selling a version",
        description="Archive the version: nobody can start with it any more, and whoever has it keeps it. The body is empty.",
        tags=TAGS,
        request=None,
        responses={200: PlanSerializer} | FORBIDDEN | NOT_FOUND | _NOT_ON_SALE,
        examples=[examples.answered({**examples.PLAN, "status": "archived"})],
    )
    def post(self, request: Request, code: str, version: int) -> Response:
        """Archive the version."""
        refuse_narrowed(request)
        row = find_version(request, code, version)
        try:
            archive_version(version_id=row.pk, actor=actor_of(request), now=clock.now())
        except CatalogError as error:
            raise refused(error) from None
        return Response(whole_version(row.pk))


class PlanVersionDeriveView(APIView):
    """A customer's own version."""

    @extend_schema(
        operation_id="derive_plan_version",
        summary="Derive a customer's own version",
        description=(
            "Write a draft that says what this version says, but for the members of the body, and that only `customer` can have. "
            "Change it by saving a draft with the same `customer` and currency; publish it by its number."
        ),
        tags=TAGS,
        request=DeriveVersionSerializer,
        responses={201: PlanSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _NOT_DERIVED,
        examples=[examples.sent(examples.DERIVE_BODY), examples.answered(examples.OWN_DRAFT, 201)],
    )
    def post(self, request: Request, code: str, version: int) -> Response:
        """Derive the version."""
        refuse_narrowed(request)
        row = find_version(request, code, version)
        changes = read_object(request.data)
        customer = _customer(changes.pop("customer", None))
        try:
            own = derive_version(version_id=row.pk, customer=customer, changes=changes, actor=actor_of(request), now=clock.now())
        except CatalogError as error:
            raise refused(error) from None
        return Response(whole_version(own.pk), status=status.HTTP_201_CREATED)


class PlanCompareView(APIView):
    """The difference between two versions."""

    @extend_schema(
        operation_id="compare_plan_versions",
        summary="Compare two versions",
        tags=TAGS,
        parameters=[
            OpenApiParameter("from", int, required=True, description="The number of the version before."),
            OpenApiParameter("to", int, required=True, description="The number of the version after."),
        ],
        responses={200: PlanComparisonSerializer} | INVALID | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.COMPARISON)],
    )
    def get(self, request: Request, code: str) -> Response:
        """Return what differs between two versions, in words and by member."""
        queries.refuse_unknown(request.query_params, frozenset({"from", "to"}))
        numbers = [_number(request.query_params, name) for name in ("from", "to")]
        before, after = plan_specs([find_version(request, code, number) for number in numbers])
        return Response(
            {
                "from": numbers[0],
                "to": numbers[1],
                "differences": compare_specs(before, after),
                "members": change_members(member_changes(before.members(), after.members())),
            }
        )


def _customer(external_id: object) -> Customer:
    if not isinstance(external_id, str):
        raise invalid({"customer": _("Write the external id of the customer.")})
    customer = Customer.objects.filter(external_id=external_id).first()
    if customer is None:
        message = _("There is no customer %(external_id)s.") % {"external_id": external_id}
        raise Problem(type="not-found", detail=message, errors=[{"field": "customer", "message": message}])
    return customer


def _number(query: QueryDict, name: str) -> int:
    text = query.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid({name: _("Write the number of a version, such as 1.")})
    return int(text)
