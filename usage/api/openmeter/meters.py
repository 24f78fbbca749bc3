"""Meters as OpenMeter writes them."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from squill.lib import clock
from squill.web.problems import Problem, invalid
from usage import querying
from usage.api import meter_queries, queries
from usage.api.access import actor_for_everybody, narrowed_to
from usage.api.meters import delete_unused, find_meter
from usage.models import Meter
from usage.services import MeterError, create_meter, update_meter

_PATH: Final = re.compile(r"\$\.([^\s\[\]*?@()'\"$]+)")
_MEMBERS: Final = frozenset({"slug", "name", "aggregation", "eventType", "valueProperty", "groupBy"})
# Members of OpenMeter's that Squill has no place for; nothing is lost silently, so only an empty one is taken.
_NOT_KEPT: Final = frozenset({"description", "metadata", "eventFrom", "annotations", "dimensions"})
# Where the two differ in more than case.
_AGGREGATIONS: Final = {"AVG": Meter.Aggregation.AVERAGE}
_SHOWN: Final = {ours: theirs for theirs, ours in _AGGREGATIONS.items()}
_OPENMETER_NAMES: Final = {
    "code": "slug",
    "event_type": "eventType",
    "value_path": "valueProperty",
    "dimensions": "groupBy",
}


class MeterListView(APIView):
    """All meters as an array; or a new one."""

    schema = None  # OpenMeter's contract, not ours

    def get(self, request: Request) -> Response:
        """Return all meters, oldest first."""
        return Response([shown(meter) for meter in Meter.objects.order_by("pk")])

    def post(self, request: Request) -> Response:
        """Create a meter. It counts the past events of its type from its first moment."""
        actor = actor_for_everybody(request)
        fields = _fields(request.data)
        missing = [name for name in ("code", "event_type", "aggregation") if name not in fields]
        if missing:
            raise invalid({_OPENMETER_NAMES.get(name, name): _("is required") for name in missing})
        fields.setdefault("name", fields["code"])
        try:
            meter = create_meter(**fields, actor=actor, now=clock.now())
        except MeterError as error:
            raise _problem(error) from None
        return Response(shown(meter), status=status.HTTP_201_CREATED)


class MeterView(APIView):
    """One meter, by its slug, which is its id too."""

    schema = None

    def get(self, request: Request, code: str) -> Response:
        """Return the meter."""
        return Response(shown(find_meter(code)))

    def put(self, request: Request, code: str) -> Response:
        """Set the members that are sent. Once the meter has counted usage, only its name can change."""
        actor = actor_for_everybody(request)
        meter = find_meter(code)
        try:
            meter = update_meter(meter_id=meter.pk, changes=_fields(request.data), actor=actor, now=clock.now())
        except MeterError as error:
            raise _problem(error) from None
        return Response(shown(meter))

    def delete(self, request: Request, code: str) -> Response:
        """Delete a meter that has counted nothing and that no charge prices; any other is refused with 409."""
        delete_unused(code, actor_for_everybody(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeterQueryView(meter_queries.MeterQueryView):
    """The usage of a meter: one shape in both APIs."""

    schema = None


class MeterValuesView(APIView):
    """The values that a dimension of the meter has had."""

    schema = None

    def get(self, request: Request, code: str, name: str) -> Response:
        """Return the values, sorted, of the customers that the key may see; from daily totals."""
        queries.refuse_unknown(request.query_params, frozenset())
        meter = find_meter(code)
        if name not in meter.dimensions:
            raise Http404(_("The meter %(code)s has no dimension %(name)s.") % {"code": code, "name": name})
        customer_id = narrowed_to(request)
        question = querying.MeterQuery(
            meter=meter, group_by=(name,), customer_ids=None if customer_id is None else (customer_id,)
        )
        try:
            rows = querying.usage_rows(question)
        except querying.TooMuch as error:
            raise meter_queries.too_much(events=error.events) from None
        return Response([row.groups[name] for row in rows if row.groups[name] is not None])


def shown(meter: Meter) -> dict[str, Any]:
    """Return the meter as OpenMeter writes it."""
    answer: dict[str, Any] = {
        "id": meter.code,
        "slug": meter.code,
        "name": meter.name,
        "aggregation": _SHOWN.get(Meter.Aggregation(meter.aggregation), meter.aggregation.upper()),
        "eventType": meter.event_type,
        "groupBy": {name: f"$.{name}" for name in meter.dimensions},
        "createdAt": meter.created_at,
        "updatedAt": meter.created_at,
    }
    return answer | ({"valueProperty": f"$.{meter.value_path}"} if meter.value_path else {})


def _fields(body: object) -> dict[str, Any]:
    """
    Return the fields of a meter that the body sets.

    :raises Problem: naming each member that cannot be used
    """
    if not isinstance(body, Mapping):
        raise invalid({"": _("Send a JSON object.")})
    sent = {name: value for name, value in body.items() if value is not None}
    errors = {
        name: _("Squill has no place for it.") if name in _NOT_KEPT else _("There is no such member.")
        for name, value in sent.items()
        if name not in _MEMBERS and not (name in _NOT_KEPT and value in ("", {}))
    }
    fields: dict[str, Any] = {}
    for theirs, ours in (("slug", "code"), ("name", "name"), ("eventType", "event_type"), ("aggregation", "aggregation")):
        if theirs in sent:
            if isinstance(sent[theirs], str):
                fields[ours] = sent[theirs]
            else:
                errors[theirs] = _("must be a text")
    if "aggregation" in fields:
        fields["aggregation"] = _AGGREGATIONS.get(fields["aggregation"], fields["aggregation"].lower())
    try:
        # OpenMeter ignores what a count is told to read.
        if sent.get("valueProperty") and fields.get("aggregation") != Meter.Aggregation.COUNT:
            fields["value_path"] = _member(sent["valueProperty"])
    except ValueError as error:
        errors["valueProperty"] = str(error)
    try:
        if "groupBy" in sent:
            fields["dimensions"] = _dimensions(sent["groupBy"])
    except ValueError as error:
        errors["groupBy"] = str(error)
    if errors:
        raise invalid(errors)
    return fields


def _member(path: object) -> str:
    match = _PATH.fullmatch(path) if isinstance(path, str) else None
    if match is None:
        raise ValueError(_("must name one member of data, such as $.tokens or $.usage.tokens"))
    return match.group(1)


def _dimensions(group_by: object) -> list[str]:
    if not isinstance(group_by, Mapping):
        raise ValueError(_('must be an object, such as {"model": "$.model"}'))
    names = {str(name): _member(path) for name, path in group_by.items()}
    for name, member in names.items():
        if name != member:
            pair = {"name": name, "member": member}
            raise ValueError(_("%(name)s must have the name of its member, %(member)s: a dimension has one name") % pair)
    return list(names)


def _problem(error: MeterError) -> Problem:
    return invalid({_OPENMETER_NAMES.get(field, field): message for field, message in error.errors.items()})
