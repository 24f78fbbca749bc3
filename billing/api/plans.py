"""Plans over HTTP: what is sold, what was, and how a new price is published."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import examples
from billing.api.access import find_plan, refuse_narrowed, visible_plans
from billing.api.plan_serializers import PlanSerializer, PublishPlanSerializer
from billing.catalog.apply import UnpublishedChanges, apply_catalog
from billing.catalog.document import CatalogSpec, LocatedError, PlanSpec, read_plan
from billing.catalog.plans import CatalogError, published_version
from billing.catalog.specs import plan_specs
from billing.models import Plan, PlanVersion
from customers.api.authentication import actor_of
from squill.lib import clock
from squill.web.answers import FORBIDDEN, NOT_FOUND, problem
from squill.web.problems import Problem, invalid

_TAGS = ["Plans"]
_DIFFERS = problem(
    "conflict",
    "The plan is published and says something else, or is in another currency; nothing was written.",
    field="charges.calls.tiers[1].unit_amount",
    code="published_plan_differs",
    message="0.005 → 0.004",
)
_BAD = problem(
    "invalid",
    "The plan cannot be read; nothing was written.",
    field="charges[1].tiers[0].up_to",
    message="must be below the next bound",
)


class PlanListView(GenericAPIView[Plan]):
    """All plans that are published."""

    serializer_class = PlanSerializer
    ordering: ClassVar[str] = "code"

    @extend_schema(
        operation_id="list_plans",
        summary="List plans",
        tags=_TAGS,
        responses={200: PlanSerializer(many=True)} | FORBIDDEN,
        examples=[examples.answered(examples.PLAN)],
    )
    def get(self, request: Request) -> Response:
        """Return a page of plans, each in its published version, by code. A narrowed key sees the plans of its customer."""
        sold = PlanVersion.objects.filter(status=PlanVersion.Status.PUBLISHED)
        plans = self.paginate_queryset(visible_plans(request).filter(pk__in=sold.values("plan_id")))
        versions = sold.filter(plan__in=plans or ()).select_related("plan").order_by("plan__code")
        return self.get_paginated_response(_members(versions))


class PlanView(GenericAPIView[Plan]):
    """One plan, by its code."""

    serializer_class = PlanSerializer

    @extend_schema(
        operation_id="get_plan",
        summary="Get a plan",
        tags=_TAGS,
        responses={200: PlanSerializer} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.PLAN)],
    )
    def get(self, request: Request, code: str) -> Response:
        """Return the published version of the plan, in the members of the catalogue file."""
        version = published_version(find_plan(request, code))
        if version is None:
            raise Http404(_("The plan %(code)s is not published yet.") % {"code": code})
        return Response(_members([version])[0])

    @extend_schema(
        operation_id="publish_plan",
        summary="Publish a plan",
        description=(
            "Make the plan sell what the body says. 201 says that the plan is new; 200 that it says so already, or that a new "
            "version was published. A published plan changes only with `new_version`: subscriptions keep the version that "
            "they have. Sending the same body again changes nothing."
        ),
        tags=_TAGS,
        request=PublishPlanSerializer,
        responses={200: PlanSerializer, 201: PlanSerializer} | _BAD | FORBIDDEN | _DIFFERS,
        examples=[examples.sent(examples.PLAN_BODY), examples.answered(examples.PLAN, 200, 201)],
    )
    def put(self, request: Request, code: str) -> Response:
        """Publish the plan."""
        refuse_narrowed(request)
        spec, wants_new_version = _read(request.data, code)
        try:
            changes = apply_catalog(
                spec=CatalogSpec(meters=(), plans=(spec,)),
                actor=actor_of(request),
                now=clock.now(),
                new_versions=wants_new_version,
            )
        except UnpublishedChanges as error:
            raise _differing(error) from None
        except CatalogError as error:
            is_currency = error.member == "currency"
            entry = {"field": error.member, "message": error.message}
            raise Problem(type="conflict" if is_currency else "invalid", detail=error.message, errors=[entry]) from None
        version = PlanVersion.objects.select_related("plan").get(plan__code=code, status=PlanVersion.Status.PUBLISHED)
        created = changes[0].kind == "created"
        return Response(_members([version])[0], status=status.HTTP_201_CREATED if created else status.HTTP_200_OK)


class PlanVersionListView(GenericAPIView[PlanVersion]):
    """What a plan costs and has cost."""

    serializer_class = PlanSerializer
    ordering: ClassVar[str] = "-version"

    @extend_schema(
        operation_id="list_plan_versions",
        summary="List the versions of a plan",
        tags=_TAGS,
        responses={200: PlanSerializer(many=True)} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.PLAN)],
    )
    def get(self, request: Request, code: str) -> Response:
        """Return a page of the versions that are or were published, newest first."""
        plan = find_plan(request, code)
        versions = PlanVersion.objects.filter(plan=plan).exclude(status=PlanVersion.Status.DRAFT).select_related("plan")
        return self.get_paginated_response(_members(self.paginate_queryset(versions) or ()))


def _members(versions: Iterable[PlanVersion]) -> list[dict[str, Any]]:
    """Return the JSON of versions whose plan is loaded. One query for all charges."""
    rows = list(versions)
    return [
        {**spec.members(), "version": row.version, "status": row.status, "published_at": row.published_at}
        for row, spec in zip(rows, plan_specs(rows), strict=True)
    ]


def _read(body: Any, code: str) -> tuple[PlanSpec, bool]:
    """
    Read the body of a publication: the plan, and whether a new version is wanted.

    :raises Problem: naming the member that cannot be used
    """
    if not isinstance(body, Mapping):
        raise invalid({"": _("Write an object with the members of a plan.")})
    members = dict(body)
    wants_new_version = members.pop("new_version", False)
    if not isinstance(wants_new_version, bool):
        raise invalid({"new_version": _("Write true or false.")})
    if members.setdefault("code", code) != code:
        raise invalid({"code": _("The path says %(code)s: write the same, or leave it out.") % {"code": code}})
    try:
        return read_plan(members), wants_new_version
    except LocatedError as error:
        raise invalid({error.path.removeprefix("plans[0]").removeprefix("."): error.message}) from None


def _differing(error: UnpublishedChanges) -> Problem:
    told = [difference.partition(": ") for change in error.changes for difference in change.differences]
    errors = [{"field": path, "code": "published_plan_differs", "message": change} for path, _colon, change in told]
    listed = "; ".join(f"{path}: {change}" for path, _colon, change in told[:5])
    detail = _(
        "The plan is published and says something else: %(differences)s. To publish a new version, add “new_version”: true."
    )
    return Problem(type="conflict", detail=detail % {"differences": listed}, errors=errors)
