"""Meters over HTTP."""

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from squill.lib import clock
from squill.lib.actor import Actor
from squill.web.problems import Problem, invalid
from usage.api.access import actor_for_everybody
from usage.api.serializers import MeterSerializer, MeterSuccessorSerializer
from usage.models import Meter
from usage.services import MeterError, MeterInUse, create_meter, delete_meter, succeed_meter, update_meter

_TAGS = ["Meters"]


class MeterListView(GenericAPIView[Meter]):
    """All meters, newest first; or a new one. Meters name no customer: every key may read them."""

    serializer_class = MeterSerializer
    queryset = Meter.objects.select_related("predecessor", "successor")

    @extend_schema(operation_id="list_meters", summary="List meters", tags=_TAGS, responses=MeterSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return a page of meters, newest first."""
        rows = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    @extend_schema(operation_id="create_meter", summary="Create a meter", tags=_TAGS, responses={201: MeterSerializer})
    def post(self, request: Request) -> Response:
        """Create a meter. It counts the past events of its type from its first moment."""
        actor = actor_for_everybody(request)
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        try:
            meter = create_meter(**serializer.validated_data, actor=actor, now=clock.now())
        except MeterError as error:
            raise meter_problem(error) from None
        return Response(self.get_serializer(meter).data, status=status.HTTP_201_CREATED)


class MeterView(GenericAPIView[Meter]):
    """One meter, by its code."""

    serializer_class = MeterSerializer

    @extend_schema(operation_id="get_meter", summary="Get a meter", tags=_TAGS)
    def get(self, request: Request, code: str) -> Response:
        """Return the meter."""
        return Response(self.get_serializer(find_meter(code)).data)

    @extend_schema(operation_id="update_meter", summary="Change a meter", tags=_TAGS)
    def patch(self, request: Request, code: str) -> Response:
        """Set the members that are sent. Once the meter has counted usage, only its name and unit can change."""
        actor = actor_for_everybody(request)
        meter = find_meter(code)
        serializer = self.get_serializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        try:
            meter = update_meter(meter_id=meter.pk, changes=serializer.validated_data, actor=actor, now=clock.now())
        except MeterError as error:
            raise meter_problem(error) from None
        return Response(self.get_serializer(meter).data)

    @extend_schema(operation_id="delete_meter", summary="Delete a meter", tags=_TAGS, responses={204: None})
    def delete(self, request: Request, code: str) -> Response:
        """Delete a meter that has counted nothing and that no charge prices; any other is refused with 409."""
        delete_unused(code, actor_for_everybody(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeterSuccessorView(GenericAPIView[Meter]):
    """Puts another meter in the place of one whose meaning is fixed."""

    serializer_class = MeterSuccessorSerializer

    @extend_schema(operation_id="succeed_meter", summary="Succeed a meter", tags=_TAGS, responses={201: MeterSerializer})
    def post(self, request: Request, code: str) -> Response:
        """
        Make a meter that is like this one but for the members sent, and means something else; it counts the past too.

        The meter goes on counting for the plans that price it; new plan versions take its successor.
        """
        actor = actor_for_everybody(request)
        meter = find_meter(code)
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        changes = dict(serializer.validated_data)
        try:
            made = succeed_meter(meter_id=meter.pk, code=changes.pop("code"), changes=changes, actor=actor, now=clock.now())
        except MeterError as error:
            raise meter_problem(error) from None
        return Response(MeterSerializer(made).data, status=status.HTTP_201_CREATED)


def delete_unused(code: str, actor: Actor) -> None:
    """
    Delete the meter of this code.

    :raises Http404: if there is none
    :raises Problem: if it is in use
    """
    try:
        delete_meter(meter_id=find_meter(code).pk, actor=actor, now=clock.now())
    except MeterInUse as error:
        raise Problem(type="conflict", detail=str(error)) from None


def find_meter(code: str) -> Meter:
    """
    Return the meter of this code.

    :raises Http404: if there is none
    """
    meter = Meter.objects.filter(code=code).first() if "\0" not in code else None
    if meter is None:
        raise Http404(_("There is no meter %(code)s.") % {"code": code})
    return meter


def meter_problem(error: MeterError) -> Problem:
    """Return the problem for a meter that cannot be made or changed so; fields are named as in the JSON."""
    return invalid({{"value_path": "value"}.get(field, field): message for field, message in error.errors.items()})
