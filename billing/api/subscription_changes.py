"""
Changes of a subscription over HTTP: plan, quantities, add-ons, pause, end, and what was decided so far.

Each can be sent again without harm, and each can be asked for what it would make of the next invoice.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from billing.api import examples
from billing.api.access import find_subscription, visible_subscriptions
from billing.api.fields import flag
from billing.api.subscription_answers import TAGS, shown_subscriptions, subscription_json, subscription_problem
from billing.api.subscription_serializers import (
    ChangePlanSerializer,
    ChangePreviewSerializer,
    ChangeQuantitySerializer,
    EndSubscriptionSerializer,
    MomentSerializer,
    PutAddOnSerializer,
    SubscriptionChangeSerializer,
    SubscriptionSerializer,
)
from billing.invoicing.preview import preview_change
from billing.models import Subscription, SubscriptionChange
from billing.subscriptions.changing import (
    change_plan,
    change_quantity,
    end_subscription,
    pause_subscription,
    put_add_on,
    resume_subscription,
    undo_change,
)
from billing.subscriptions.refusals import SubscriptionError
from billing.subscriptions.standing import told
from customers.api.authentication import actor_of
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND, Answers, problem
from usage.api import queries

_ONE: Final = Decimal(1)
_ANSWER: Final[Any] = PolymorphicProxySerializer(
    component_name="SubscriptionOrChangePreview",
    serializers=[SubscriptionSerializer, ChangePreviewSerializer],
    resource_type_field_name=None,
)
_PREVIEW: Final = OpenApiParameter(
    "preview",
    bool,
    description="`true` only says what the next invoice would be without and with the change, and writes nothing.",
)


def _refused(description: str, *, field: str, code: str, message: str) -> Answers:
    return problem("conflict", f"{description}; nothing was written.", field=field, code=code, message=message)


_NOT_RUNNING = _refused(
    "It does not run on that day, or its state does not allow the change",
    field="when",
    code="not_running",
    message="it does not run on 2026-01-01: it begins on 2026-02-01 and ends on no day yet",
)
_BILLED = _refused(
    "It has ended, or does not run on that day; usage of that day or a later one is on an invoice; or it does not fit",
    field="when",
    code="period_billed",
    message="the period from 2026-01-01 is billed already: void its invoice first, or choose 2026-02-01 or a later day",
)
_NOT_ENDED = _refused(
    "It has ended, ends sooner already, or a later period is billed",
    field="ends_at",
    code="period_billed",
    message="the period from 2026-01-01 is billed already: void its invoice first, or choose 2026-02-01 or a later day",
)
_NOT_UNDONE = _refused(
    "It has taken effect, is the start, or a later change needs it",
    field="change",
    code="in_effect",
    message="it holds since 2026-02-01: what has taken effect cannot be undone, but changed again",
)


class SubscriptionPlanView(APIView):
    """The plan of a subscription."""

    @extend_schema(
        operation_id="change_plan",
        summary="Change the plan of a subscription",
        description=(
            "Put it on the version of a plan that is sold to the customer now: another plan, or a newer version of its own. Fees "
            "are prorated on both sides by whole days; usage is priced by the version of its day. On that version already: "
            "nothing happens."
        ),
        tags=TAGS,
        parameters=[_PREVIEW],
        request=ChangePlanSerializer,
        responses={200: _ANSWER} | INVALID | FORBIDDEN | NOT_FOUND | _BILLED,
        examples=[examples.sent(examples.CHANGE_PLAN_BODY), *examples.CHANGED],
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Change the plan, or say what that would change."""
        return _answer(request, external_id, change_plan, ChangePlanSerializer, plan="plan_code")


class SubscriptionQuantityView(APIView):
    """The quantities of a subscription."""

    @extend_schema(
        operation_id="change_quantity",
        summary="Change a quantity of a subscription",
        description=(
            "Set how many of a fee by quantity (seats) it has from a day on, which may lie in the past. The fee is prorated by "
            "whole days; what differs from billed fees comes on the next invoice. So many already: nothing happens."
        ),
        tags=TAGS,
        parameters=[_PREVIEW],
        request=ChangeQuantitySerializer,
        responses={200: _ANSWER} | INVALID | FORBIDDEN | NOT_FOUND | _NOT_RUNNING,
        examples=[examples.sent(examples.CHANGE_QUANTITY_BODY), *examples.CHANGED],
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Change the quantity, or say what that would change."""
        return _answer(request, external_id, change_quantity, ChangeQuantitySerializer, charge="charge_code")


class SubscriptionAddOnView(APIView):
    """The add-ons of a subscription."""

    @extend_schema(
        operation_id="put_add_on",
        summary="Put an add-on on a subscription, or take it off",
        description=(
            "Set how many of an add-on it has from a day on; 0 takes it off. So many already: nothing happens. One that is "
            "charged once is put on again under another `code`."
        ),
        tags=TAGS,
        parameters=[_PREVIEW],
        request=PutAddOnSerializer,
        responses={200: _ANSWER} | INVALID | FORBIDDEN | NOT_FOUND | _NOT_RUNNING,
        examples=[examples.sent(examples.PUT_ADD_ON_BODY), *examples.CHANGED],
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Put the add-on on, or say what that would change."""
        once = partial(put_add_on, quantity=_ONE)  # unless the body says how many
        return _answer(request, external_id, once, PutAddOnSerializer, add_on="plan_code")


class SubscriptionPauseView(APIView):
    """The pause of a subscription."""

    @extend_schema(
        operation_id="pause_subscription",
        summary="Pause a subscription",
        description=(
            "From a day on there are no fees, and usage is not priced, but reported. Fees that are billed for days of the pause "
            "come back on the next invoice. Paused from that day already: nothing happens."
        ),
        tags=TAGS,
        parameters=[_PREVIEW],
        request=MomentSerializer,
        responses={200: _ANSWER} | INVALID | FORBIDDEN | NOT_FOUND | _BILLED,
        examples=[examples.sent(examples.MOMENT_BODY), *examples.CHANGED],
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Pause the subscription, or say what that would change."""
        return _answer(request, external_id, pause_subscription, MomentSerializer)


class SubscriptionResumeView(APIView):
    """The end of a pause."""

    @extend_schema(
        operation_id="resume_subscription",
        summary="Resume a subscription",
        description="End its pause, in the periods that it would have had. Resumed from that day already: nothing happens.",
        tags=TAGS,
        parameters=[_PREVIEW],
        request=MomentSerializer,
        responses={200: _ANSWER} | INVALID | FORBIDDEN | NOT_FOUND | _BILLED,
        examples=[examples.sent(examples.MOMENT_BODY), *examples.CHANGED],
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Resume the subscription, or say what that would change."""
        return _answer(request, external_id, resume_subscription, MomentSerializer)


class SubscriptionEndView(APIView):
    """The end of a subscription."""

    @extend_schema(
        operation_id="end_subscription",
        summary="End a subscription",
        description=(
            "End it with the running period, or at the beginning of the local day that contains `ends_at`. A fee that was billed "
            "in advance for longer comes back as an adjustment on its last invoice. An end can be moved to an earlier day, not "
            "to a later one; one that lies ahead can be undone. It ends on that day already: nothing happens."
        ),
        tags=TAGS,
        parameters=[_PREVIEW],
        request=EndSubscriptionSerializer,
        responses={200: _ANSWER} | INVALID | FORBIDDEN | NOT_FOUND | _NOT_ENDED,
        examples=[examples.sent(examples.END_BODY), *examples.CHANGED],
    )
    def post(self, request: Request, external_id: str) -> Response:
        """End the subscription, or say what that would change."""
        return _answer(request, external_id, end_subscription, EndSubscriptionSerializer)


class SubscriptionChangeListView(GenericAPIView[SubscriptionChange]):
    """What was decided about a subscription."""

    serializer_class = SubscriptionChangeSerializer

    @extend_schema(
        operation_id="list_subscription_changes",
        summary="List the changes of a subscription",
        description="All that was decided about it, undone or not, newest first.",
        tags=TAGS,
        responses={200: SubscriptionChangeSerializer(many=True)} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.CHANGE)],
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Return a page of changes, by when they were recorded."""
        queries.refuse_unknown(request.query_params, frozenset({"limit", "cursor"}))
        subscription = find_subscription(visible_subscriptions(request).select_related("customer"), external_id)
        today = clock.now().astimezone(ZoneInfo(subscription.customer.timezone)).date()
        changes = SubscriptionChange.objects.filter(subscription=subscription).select_related("plan_version__plan")
        page = self.paginate_queryset(changes) or ()
        rows = [told(change, today=today, ended_on=subscription.ended_on) for change in page]
        return self.get_paginated_response(SubscriptionChangeSerializer(rows, many=True).data)


class SubscriptionUndoView(APIView):
    """The undoing of a change whose day lies ahead."""

    @extend_schema(
        operation_id="undo_subscription_change",
        summary="Undo a change of a subscription",
        description=(
            "Take back a change whose day lies ahead: the subscription goes on as if it had not been decided. The body is empty. "
            "One that is undone already: nothing happens. A start is not undone but withdrawn (`DELETE`)."
        ),
        tags=TAGS,
        parameters=[_PREVIEW],
        request=None,
        responses={200: _ANSWER} | INVALID | FORBIDDEN | NOT_FOUND | _NOT_UNDONE,
        examples=examples.CHANGED,
    )
    def post(self, request: Request, external_id: str, change_id: int) -> Response:
        """Undo the change, or say what that would change."""
        subscription = find_subscription(visible_subscriptions(request), external_id)
        change = SubscriptionChange.objects.filter(subscription=subscription, pk=change_id).first()
        if change is None:
            raise Http404(_("There is no change %(id)d of this subscription.") % {"id": change_id})
        undo = partial(undo_change, change_id=change.pk) if change.undone_at is None else _nothing
        return _carried_out(request, subscription, undo, now=clock.now())


def _answer(
    request: Request, external_id: str, change: Callable[..., Any], body_of: type[BaseSerializer[Any]], **renamed: str
) -> Response:
    """Read the body, and carry the change out with its members; `renamed` are those that the service calls otherwise."""
    subscription = find_subscription(visible_subscriptions(request), external_id)
    body = body_of(data=request.data)
    body.is_valid(raise_exception=True)
    now = clock.now()
    asked = {renamed.get(name, name): now if value == "now" else value for name, value in body.validated_data.items()}
    plan_member = next((name for name, known_as in renamed.items() if known_as == "plan_code"), "plan")
    return _carried_out(request, subscription, partial(change, **asked), now=now, plan_member=plan_member)


def _carried_out(
    request: Request, subscription: Subscription, change: Callable[..., Any], *, now: datetime, plan_member: str = "plan"
) -> Response:
    """Carry a change out and answer with the subscription, or with what the change would make of its next invoice."""
    queries.refuse_unknown(request.query_params, frozenset({"preview"}))
    carry_out = partial(change, subscription_id=subscription.pk, actor=actor_of(request), now=now)
    try:
        if flag(request.query_params, "preview"):
            preview = preview_change(subscription_id=subscription.pk, change=carry_out, now=now)
            return Response(ChangePreviewSerializer(preview, context={"now": now}).data)
        carry_out()
    except SubscriptionError as error:
        raise subscription_problem(error, plan_member=plan_member) from None
    return Response(subscription_json(shown_subscriptions(request).get(pk=subscription.pk), now))


def _nothing(**_asked: Any) -> None:
    """What is so already needs no doing."""
