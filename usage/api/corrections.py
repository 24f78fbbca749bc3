"""Corrections over HTTP: void an event, replace it, or void many; each can be looked at first."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.api.authentication import KeyPrincipal
from squill.lib import clock
from squill.lib.actor import Actor
from squill.web.answers import NOT_FOUND, problem
from squill.web.problems import Problem, invalid
from usage.api import queries
from usage.api.access import narrowed_to
from usage.api.correction_serializers import (
    BulkVoidSerializer,
    CorrectionSerializer,
    CorrectionTargetSerializer,
    ReplaceSerializer,
    VoidManySerializer,
    shown_correction,
    shown_preview,
    shown_selected,
)
from usage.corrections import Corrected, CorrectionError, bulk, replace_event, void_event
from usage.corrections.finding import find_event
from usage.corrections.previewing import preview
from usage.encoding import exact_json
from usage.ingestion import IncomingEvent
from usage.ingestion.checking import EventChecker, limits

_TAGS = ["Events"]
_INVALID = problem(
    "invalid", "A member cannot be used; nothing was corrected.", field="reason", message="This field is required."
)
_CONFLICT = problem("conflict", "The state of the event does not allow it; nothing was corrected.")
_PREVIEW = OpenApiParameter(
    "preview", bool, description="`true` only says what would change, in usage and on invoices, and writes nothing."
)
# What each refusal of a correction is answered with; the member that is to blame, where one is.
_CONFLICTS = frozenset({"quarantined", "put_away", "already_corrected", "id_taken", "changed"})
_FIELDS = {"bad_reason": "reason", "unusable": "event", "bad_range": "from", "too_many": "from"}


class VoidEventView(APIView):
    """Takes one event out of every count."""

    @extend_schema(
        operation_id="void_event",
        summary="Void an event",
        description=(
            "Take an event that was sent by mistake out of every count. It stays readable, and its id stays taken. Asking again "
            "changes nothing and answers the same. A period that is billed already is put right by the next invoice."
        ),
        tags=_TAGS,
        parameters=[_PREVIEW],
        request=CorrectionTargetSerializer,
        responses={200: CorrectionSerializer} | _INVALID | NOT_FOUND | _CONFLICT,
    )
    def post(self, request: Request) -> Response:
        """Void the event, or say what that would change."""
        serializer = CorrectionTargetSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        return _answer(request, asked, lambda common: void_event(reason=asked["reason"], **common))


class ReplaceEventView(APIView):
    """Puts one event in the place of another."""

    @extend_schema(
        operation_id="replace_event",
        summary="Replace an event",
        description=(
            "Void an event and count another of the same customer in its place, in one step. The new event has a source and id "
            "of its own; without a time it happened when the first did. Asking again with the same event answers the same."
        ),
        tags=_TAGS,
        parameters=[_PREVIEW],
        request=ReplaceSerializer,
        responses={200: CorrectionSerializer} | _INVALID | NOT_FOUND | _CONFLICT,
    )
    def post(self, request: Request) -> Response:
        """Replace the event, or say what that would change."""
        body = request.body  # read before the parser does, so that the event's numbers can be read as events are
        serializer = ReplaceSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        replacement = _replacement(exact_json.decode(body)["event"])
        return _answer(request, asked, lambda common: replace_event(reason=asked["reason"], replacement=replacement, **common))


class VoidManyEventsView(APIView):
    """Voids all events of a source or subject in a time range."""

    @extend_schema(
        operation_id="void_many_events",
        summary="Void many events",
        description=(
            "First send `dry_run: true`: the answer counts the events that still count and were sent by the source, for the "
            "subject, or both, in [from, to), and gives a token. Then send the same with the token in place of `dry_run`: "
            "exactly the events that were shown are voided, 10,000 a request; repeat it until `left` is 0. Where other events "
            "match meanwhile, nothing is voided and the answer is 409."
        ),
        tags=_TAGS,
        request=VoidManySerializer,
        responses={200: BulkVoidSerializer} | _INVALID | _CONFLICT,
    )
    def post(self, request: Request) -> Response:
        """Say what would be voided, or void it."""
        serializer = VoidManySerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        selection = bulk.Selection(
            start=asked["from"],
            end=asked["to"],
            source=asked.get("source"),
            subject=asked.get("subject"),
            customer_id=narrowed_to(request),
        )
        token = asked.get("token")
        if bool(token) == asked.get("dry_run", False):
            raise invalid({"token": _("Send either dry_run: true, or the token that a dry run has answered.")})
        try:
            if not token:
                return Response(shown_selected(bulk.select(selection)))
            voided = bulk.void_selected(
                selection, token=token, reason=asked.get("reason", ""), actor=_actor(request), now=clock.now()
            )
        except CorrectionError as error:
            raise problem_of(error) from None
        return Response({"voided": voided.event_count, "left": voided.left})


def _answer(request: Request, asked: dict[str, Any], correct: Any) -> Response:
    """Correct, or preview; `correct` is called with what all corrections take."""
    queries.refuse_unknown(request.query_params, frozenset({"preview"}))
    is_preview = request.query_params.get("preview", "false")
    if is_preview not in ("true", "false"):
        raise invalid({"preview": _("Write true or false.")})
    target = {"source": asked["source"], "event_id": asked["id"], "customer_id": narrowed_to(request)}
    common = target | {"actor": _actor(request), "now": clock.now()}

    def run() -> Corrected:
        corrected: Corrected = correct(common)
        return corrected

    try:
        if is_preview == "true":
            return Response(shown_preview(preview(find_event(**target), run)))
        return Response(shown_correction(run().correction))
    except CorrectionError as error:
        raise problem_of(error) from None


def _replacement(sent: Any) -> IncomingEvent:
    checker = EventChecker(limits=limits(backfill=True), now=clock.now(), specversion_required=False)
    event = checker.read(0, sent)
    if event is None:
        raise invalid({f"event.{problem.field}".rstrip("."): problem.message for problem in checker.problems})
    return event


def _actor(request: Request) -> Actor:
    principal: object = request.user
    if not isinstance(principal, KeyPrincipal):
        raise TypeError("the view has no key")
    return principal.actor


def problem_of(error: CorrectionError) -> Problem:
    """Return the answer to a refusal."""
    if error.code == "not_found":
        return Problem(type="not-found", detail=str(error))
    if error.code in _CONFLICTS:
        return Problem(type="conflict", detail=str(error))
    return invalid({_FIELDS.get(error.code, ""): str(error)})
