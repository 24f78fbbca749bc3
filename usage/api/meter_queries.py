"""The usage of a meter by windows, over HTTP: in the shape that OpenMeter's clients know."""

import csv
import io
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from customers.api.authentication import visible_customers
from customers.models import Customer, Scope
from squill.lib.clock import parse_instant
from squill.lib.decimals import plain
from squill.web.problems import Problem, invalid
from usage import querying
from usage.api.events import AnyAccept
from usage.api.meters import find_meter
from usage.api.serializers import MeterQuerySerializer, MeterUsageSerializer
from usage.encoding import exact_json
from usage.models import Meter

_TAGS = ["Usage"]
_FILTER: Final = "filterGroupBy"
_SINGLE: Final = ("from", "to", "windowSize", "windowTimeZone")
_LISTS: Final = ("subject", "groupBy", "filterCustomerId")
_MOST_NAMES: Final = 100  # values of one list
_DESCRIPTION: Final = (
    "Windows without usage are left out; the first and the last are cut to `from` and `to`. Values are exact JSON numbers. "
    "Totals, and days and months in a customer's own time zone, are read from daily totals, whatever the number of events. "
    "All else is read from single events: at most 200,000 for one answer, which has at most 10,000 rows; where events of a month "
    "were put away, the answer is 400 and names it. "
    "`Accept: text/csv` answers the same as CSV."
)


class MeterQueryView(APIView):
    """What a meter counted, in windows of time, split and filtered. A narrowed key sees its own customer's usage alone."""

    required_scopes: ClassVar[dict[str, str]] = {"POST": Scope.READ}
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="query_meter",
        summary="Query a meter's usage",
        description=_DESCRIPTION,
        tags=_TAGS,
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATETIME, description="Included; the first counted day if not given."),
            OpenApiParameter("to", OpenApiTypes.DATETIME, description="Not included; after the last counted day if not given."),
            OpenApiParameter("windowSize", str, enum=list(querying.WindowSize), description="One total if not given."),
            OpenApiParameter(
                "windowTimeZone", str, description="Where days and months begin, such as Europe/Paris; UTC if not given."
            ),
            OpenApiParameter("subject", str, many=True, description="Only usage of these subjects."),
            OpenApiParameter("filterCustomerId", str, many=True, description="Only usage of these customers, by external id."),
            OpenApiParameter("groupBy", str, many=True, description="Split by dimensions of the meter, and by `subject`."),
            OpenApiParameter(
                _FILTER,
                {"type": "object", "additionalProperties": {"type": "string"}},
                style="deepObject",
                explode=True,
                description="`filterGroupBy[model]=gpt-4o`: only usage with this value; repeated, with any of them.",
            ),
        ],
        responses={(200, "application/json"): MeterUsageSerializer, (200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """Answer the question in the parameters."""
        query = request.query_params
        asked: dict[str, Any] = {}
        filters: dict[str, list[str]] = {}
        for name, values in query.lists():
            if name.startswith(f"{_FILTER}[") and name.endswith("]"):
                filters[name[len(_FILTER) + 1 : -1]] = list(values)
            elif name in _SINGLE:
                asked[name] = values[-1]
                if name in ("from", "to"):  # a plus that was not escaped arrives as a space
                    asked[name] = values[-1].replace(" ", "+")
            else:
                asked[name] = list(values)
        if filters:
            asked[_FILTER] = filters
        return _answer(request, code, asked)

    @extend_schema(
        operation_id="query_meter_by_post",
        summary="Query a meter's usage, with a body",
        description="The same as the GET, for questions that are too long for an address. It writes nothing. " + _DESCRIPTION,
        tags=_TAGS,
        request=MeterQuerySerializer,
        responses={(200, "application/json"): MeterUsageSerializer, (200, "text/csv"): OpenApiTypes.STR},
    )
    def post(self, request: Request, code: str) -> HttpResponse:
        """Answer the question in the body."""
        if not isinstance(request.data, Mapping):
            raise invalid({"": _("Send a JSON object.")})
        return _answer(request, code, dict(request.data))


def _answer(request: Request, code: str, asked: dict[str, Any]) -> HttpResponse:
    query = _read(asked, find_meter(code), visible_customers(request), narrowed=_is_narrowed(request))
    try:
        rows = querying.usage_rows(query)
    except querying.TooMuch as error:
        raise too_much(events=error.events) from None
    except querying.EventsPutAway as error:
        hint = _("Ask for whole days of a customer (filterCustomerId) in its own windowTimeZone, and not by subject.")
        raise invalid({"from": f"{error} {hint}"}) from None
    if "text/csv" in request.headers.get("Accept", "").lower():
        return HttpResponse(_csv(query, rows), content_type="text/csv; charset=utf-8")
    return HttpResponse(_json(query, rows), content_type="application/json")


def _is_narrowed(request: Request) -> bool:
    return getattr(request.auth, "customer_id", None) is not None


def too_much(*, events: bool) -> Problem:
    """Return the problem for an answer that is too large, saying what to narrow."""
    if events:
        message = _(
            "The answer would have to read more than 200,000 events. Ask for less time, a larger windowSize, or one customer "
            "(filterCustomerId) in its own windowTimeZone, whose days and months are read from totals."
        )
        return invalid({"from": message})
    return invalid(
        {"groupBy": _("The answer would have more than 10,000 rows: ask for less time, larger windows or fewer groups.")}
    )


def _read(asked: dict[str, Any], meter: Meter, customers: QuerySet[Customer], *, narrowed: bool) -> querying.MeterQuery:
    """
    Return the question that was asked.

    :raises Problem: naming all that cannot be used
    """
    errors = {name: _("There is no such parameter.") for name in asked if name not in (*_SINGLE, *_LISTS, _FILTER)}
    asked = {name: value for name, value in asked.items() if value is not None and name not in errors}
    values: dict[str, Any] = {}
    readers = {"from": _instant, "to": _instant, "windowSize": _window_size, "windowTimeZone": _zone}
    for name, value in asked.items():
        try:
            if name == _FILTER:
                values[name] = _filters(value, meter)
            elif name in readers:
                values[name] = readers[name](value)
            else:
                values[name] = _texts(value)
        except ValueError as error:
            errors[name] = str(error)
    group_by = tuple(dict.fromkeys(values.get("groupBy", ())))
    if unknown := [name for name in group_by if name != "subject" and name not in meter.dimensions]:
        errors["groupBy"] = _no_dimension(unknown, meter)
    if values.get("from") and values.get("to") and values["from"] >= values["to"]:
        errors["to"] = _("must be after from")
    if errors:
        raise invalid(errors)
    return querying.MeterQuery(
        meter=meter,
        start=values.get("from"),
        end=values.get("to"),
        window_size=values.get("windowSize"),
        zone=values.get("windowTimeZone", ZoneInfo("UTC")),
        customer_ids=_customer_ids(customers, values, narrowed=narrowed),
        subjects=frozenset(values["subject"]) if values.get("subject") else None,
        group_by=group_by,
        filters=values.get(_FILTER, {}),
    )


def _customer_ids(customers: QuerySet[Customer], values: dict[str, Any], *, narrowed: bool) -> tuple[int, ...] | None:
    """Return the customers to look at, None for all; the subjects of a question belong to customers too."""
    chosen = customers
    if values.get("filterCustomerId"):
        chosen = chosen.filter(external_id__in=values["filterCustomerId"])
    if values.get("subject"):
        chosen = chosen.filter(subjects__key__in=values["subject"]).distinct()
    if chosen is customers and not narrowed:
        return None
    return tuple(chosen.order_by("pk").values_list("pk", flat=True))


def _text(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(_("Write a text without NUL."))
    return value


def _texts(value: object) -> list[str]:
    """Read a list of texts, or one text that stands for a list of it."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list):
        raise ValueError(_("Write a list of texts."))
    if len(items) > _MOST_NAMES:
        raise ValueError(_("Write at most %(most)d.") % {"most": _MOST_NAMES})
    return [_text(item) for item in items]


def _instant(value: object) -> Any:
    try:
        return parse_instant(_text(value))
    except (ValueError, OverflowError):
        raise ValueError(_("Write an instant with its offset, such as 2026-03-01T00:00:00Z.")) from None


def _window_size(value: object) -> querying.WindowSize:
    try:
        return querying.WindowSize(_text(value))
    except ValueError:
        raise ValueError(_("Write one of %(sizes)s.") % {"sizes": ", ".join(querying.WindowSize)}) from None


def _zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(_text(value))
    except (ValueError, OSError, KeyError):
        raise ValueError(_("Write an IANA time zone, such as Europe/Paris.")) from None


def _filters(value: object, meter: Meter) -> dict[str, list[str]]:
    if not isinstance(value, Mapping):
        example = f"{_FILTER}[model]=gpt-4o"
        raise ValueError(_("Name the dimension: %(example)s.") % {"example": example})
    if unknown := [str(name) for name in value if name not in meter.dimensions]:
        raise ValueError(_no_dimension(unknown, meter))
    return {str(name): _texts(values) for name, values in value.items()}


def _no_dimension(names: list[str], meter: Meter) -> str:
    known = ", ".join(meter.dimensions) or _("none")
    return _("%(names)s is no dimension of the meter, which has: %(known)s.") % {"names": ", ".join(names), "known": known}


def _json(query: querying.MeterQuery, rows: list[querying.UsageRow]) -> bytes:
    answer: dict[str, Any] = {"from": query.start, "to": query.end, "windowSize": query.window_size}
    answer = {name: value for name, value in answer.items() if value is not None}
    answer["data"] = [
        {
            # The number itself, never a float; clients that read it as one lose digits beyond the 15th on their side.
            "value": Decimal(plain(row.value)),
            "windowStart": row.start,
            "windowEnd": row.end,
            "subject": row.groups.get("subject"),
            "groupBy": {name: row.groups[name] for name in query.group_by if name != "subject"},
        }
        for row in rows
    ]
    return exact_json.encode(answer)


def _csv(query: querying.MeterQuery, rows: list[querying.UsageRow]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    names = [name for name in query.group_by if name != "subject"]
    writer.writerow(["window_start", "window_end", "subject", *names, "value"])
    for row in rows:
        bounds = [json.loads(exact_json.encode(bound)) for bound in (row.start, row.end)]
        groups = [row.groups.get("subject"), *(row.groups[name] for name in names)]
        writer.writerow([*bounds, *("" if value is None else value for value in groups), plain(row.value)])
    return text.getvalue()
