"""A customer's usage by day."""

from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.http import Http404, QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.api.authentication import visible_customers
from customers.models import Customer
from squill.lib import clock
from squill.web.problems import invalid
from usage import selectors
from usage.api import queries
from usage.api.serializers import UsageHistorySerializer
from usage.models import Meter

DEFAULT_DAYS: Final = 30
MOST_DAYS: Final = 1100  # three years
MOST_ROWS: Final = 10_000


class UsageHistoryView(APIView):
    """What a customer used, day by day in its own time zone."""

    @extend_schema(
        operation_id="get_usage_history",
        summary="Get a customer's usage by day, month or in total",
        description=(
            "Days begin at midnight in the customer's time zone. Days and months without usage are left out. The total of the "
            "days of a billing period is what that period is billed by."
        ),
        tags=["Usage"],
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATE, description="The first day; 30 days before `to` if not given."),
            OpenApiParameter("to", OpenApiTypes.DATE, description="The day after the last one; tomorrow if not given."),
            OpenApiParameter("by", str, enum=["day", "month", "total"], description="What usage is taken together over: a day."),
            OpenApiParameter("meter", str, many=True, description="Only these meters, by code."),
            OpenApiParameter(
                "group_by", str, many=True, description="Split usage by these dimensions; else all values are taken together."
            ),
        ],
        responses=UsageHistorySerializer,
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Return the usage of the days asked for."""
        customer = _customer(request, external_id)
        query = request.query_params
        queries.refuse_unknown(query, frozenset({"from", "to", "by", "meter", "group_by"}))
        first_day, end_day = _days(query, customer)
        meters = _meters(query.getlist("meter"))
        group_by = _dimensions(query.getlist("group_by"), meters)
        rows = selectors.usage_by_span(
            customer_id=customer.pk,
            spans=_spans(query.get("by", "day"), first_day, end_day),
            meters=meters,
            group_by=group_by,
            limit=MOST_ROWS + 1,
        )
        if len(rows) > MOST_ROWS:
            raise invalid({"to": _("There are more than %(most)d rows: ask for fewer days or meters.") % {"most": MOST_ROWS}})
        answer = {
            "customer": customer.external_id,
            "timezone": customer.timezone,
            "first_day": first_day,
            "end_day": end_day,
            "items": rows,
        }
        return Response(UsageHistorySerializer(answer).data)


def _customer(request: Request, external_id: str) -> Customer:
    customer = visible_customers(request).filter(external_id=external_id).first() if "\0" not in external_id else None
    if customer is None:
        raise Http404(_("There is no customer %(external_id)s.") % {"external_id": external_id})
    return customer


def _days(query: QueryDict, customer: Customer) -> tuple[date, date]:
    today = clock.now().astimezone(ZoneInfo(customer.timezone)).date()
    end_day = queries.day(query, "to") or today + timedelta(days=1)
    first_day = queries.day(query, "from")
    if first_day is None:
        first_day = end_day - min(timedelta(days=DEFAULT_DAYS), end_day - date.min)
    if not timedelta(0) < end_day - first_day <= timedelta(days=MOST_DAYS):
        raise invalid({"to": _("Write a day after `from`, at most %(most)d days later.") % {"most": MOST_DAYS}})
    return first_day, end_day


def _spans(by: str, first_day: date, end_day: date) -> list[tuple[date, date]]:
    if by == "total":
        return [(first_day, end_day)]
    spans, day = [], first_day
    while day < end_day:
        if by == "day":
            following = day + timedelta(days=1)
        elif by == "month":
            following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        else:
            raise invalid({"by": _("Write day, month or total.")})
        spans.append((day, min(following, end_day)))
        day = following
    return spans


def _meters(codes: list[str]) -> list[Meter]:
    if not codes:
        return list(Meter.objects.all())
    meters = {meter.code: meter for meter in Meter.objects.filter(code__in=codes)}
    if unknown := [code for code in codes if code not in meters]:
        raise invalid({"meter": _("There is no meter %(codes)s.") % {"codes": ", ".join(unknown)}})
    return list(meters.values())


def _dimensions(names: list[str], meters: list[Meter]) -> list[str]:
    known: set[Any] = {name for meter in meters for name in meter.dimensions}
    if unknown := [name for name in names if name not in known]:
        raise invalid({"group_by": _("No such dimension: %(names)s.") % {"names": ", ".join(unknown)}})
    return sorted(set(names))
