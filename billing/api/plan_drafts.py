"""The draft of a plan over HTTP: saved as often as it takes, then published by its number, or discarded."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import examples
from billing.api.access import find_plan, refuse_narrowed
from billing.api.plan_answers import BAD, CURRENCY, CUSTOMER, TAGS, chosen, read_object, read_spec, refused, whole_version
from billing.api.plan_serializers import PlanBodySerializer, PlanSerializer
from billing.catalog.drafts import discard_draft, save_draft
from billing.catalog.errors import CatalogError
from billing.models import PlanVersion
from customers.api.authentication import actor_of
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND, problem
from usage.api import queries

_OTHER_KIND = problem(
    "conflict",
    "The code is of the other kind; nothing was written.",
    field="code",
    code="kind_differs",
    message="scale is the code of a plan: give the add-on another",
)


class PlanDraftView(APIView):
    """The draft of an offer."""

    @extend_schema(
        operation_id="save_draft",
        summary="Save a draft",
        description=(
            "Write the draft of the plan or add-on in its currency, for everybody or for its `customer`, over the one that is "
            "there. What is on sale stays as it is. Sending the same body again changes nothing."
        ),
        tags=TAGS,
        request=PlanBodySerializer,
        responses={200: PlanSerializer} | BAD | FORBIDDEN | _OTHER_KIND,
        examples=[examples.sent(examples.PLAN_BODY), examples.answered(examples.DRAFT)],
    )
    def put(self, request: Request, code: str) -> Response:
        """Save the draft."""
        refuse_narrowed(request)
        members: dict[str, Any] = read_object(request.data)
        spec = read_spec(members, code)
        try:
            draft = save_draft(spec=spec, actor=actor_of(request), now=clock.now())
        except CatalogError as error:
            raise refused(error) from None
        return Response(whole_version(draft.pk))

    @extend_schema(
        operation_id="discard_draft",
        summary="Discard a draft",
        tags=TAGS,
        parameters=[CURRENCY, CUSTOMER],
        responses={204: None} | INVALID | FORBIDDEN | NOT_FOUND,
    )
    def delete(self, request: Request, code: str) -> Response:
        """Delete the draft, and the code with it if nothing was ever on sale under it."""
        refuse_narrowed(request)
        queries.refuse_unknown(request.query_params, frozenset({"currency", "customer"}))
        drafts = PlanVersion.objects.filter(plan=find_plan(request, code), status=PlanVersion.Status.DRAFT)
        missing = _("There is no such draft of plan %(code)s.") % {"code": code}
        draft = chosen(drafts, request.query_params, missing=missing)
        try:
            discard_draft(version_id=draft.pk, actor=actor_of(request), now=clock.now())
        except CatalogError as error:  # published or discarded since it was found
            raise refused(error) from None
        return Response(status=status.HTTP_204_NO_CONTENT)
