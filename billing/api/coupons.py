"""Coupons over HTTP: what can be redeemed, and by whom it was."""

from typing import Any, ClassVar

from django.db.models import Count, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import reduction_examples as examples
from billing.api.access import refuse_narrowed
from billing.api.fields import flag, minor_units
from billing.api.reduction_answers import TAGS, reduction_problem, validated
from billing.api.reduction_serializers import CouponSerializer
from billing.models import Coupon, CouponRedemption
from billing.reductions.offering import archive_coupon, check_currency, create_coupon, update_coupon
from billing.reductions.refusals import ReductionError
from customers.api.authentication import actor_of, calling_key
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND, problem
from squill.web.problems import invalid
from usage.api import queries

_TAKEN = problem(
    "conflict",
    "There is a coupon of this code; nothing was written.",
    field="code",
    code="code_taken",
    message="there is a coupon WELCOME10 already: choose another code",
)
_FIXED = problem(
    "conflict",
    "Customers have it, or had it more often than the new limit says; nothing was written.",
    field="percent",
    code="terms_fixed",
    message="customers have it already, so what it takes off stays: make another coupon, and archive this one",
)


class CouponListView(GenericAPIView[Coupon]):
    """All coupons."""

    serializer_class = CouponSerializer
    ordering: ClassVar[str] = "code"

    @extend_schema(
        operation_id="list_coupons",
        summary="List coupons",
        tags=TAGS,
        parameters=[
            OpenApiParameter("archived", bool, description="`true`: only archived ones; `false`: only the others."),
        ],
        responses={200: CouponSerializer(many=True)} | INVALID | FORBIDDEN,
        examples=[examples.answered(examples.COUPON)],
    )
    def get(self, request: Request) -> Response:
        """Return a page of coupons by code. A narrowed key sees those that its customer has or had."""
        queries.refuse_unknown(request.query_params, frozenset({"archived", "limit", "cursor"}))
        rows = _visible_coupons(request)
        archived = flag(request.query_params, "archived")
        if archived is not None:
            rows = rows.filter(archived_at__isnull=not archived)
        return self.get_paginated_response(CouponSerializer(self.paginate_queryset(rows) or (), many=True).data)

    @extend_schema(
        operation_id="create_coupon",
        summary="Create a coupon",
        description=(
            "Make a coupon: a percentage, or an amount in one currency, off each invoice that it lasts for. What it takes off is "
            "fixed once a customer has it."
        ),
        tags=TAGS,
        responses={201: CouponSerializer} | INVALID | FORBIDDEN | _TAKEN,
        examples=[examples.sent(examples.COUPON_BODY), examples.answered(examples.COUPON, 201)],
    )
    def post(self, request: Request) -> Response:
        """Create the coupon."""
        refuse_narrowed(request)
        values = validated(self.get_serializer(data=request.data))
        try:
            coupon = create_coupon(**_arguments(values), actor=actor_of(request), now=clock.now())
        except ReductionError as error:
            raise reduction_problem(error) from None
        return _answer(coupon, status.HTTP_201_CREATED)


class CouponView(GenericAPIView[Coupon]):
    """One coupon, by its code."""

    serializer_class = CouponSerializer

    @extend_schema(
        operation_id="get_coupon",
        summary="Get a coupon",
        tags=TAGS,
        responses={200: CouponSerializer} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.COUPON)],
    )
    def get(self, request: Request, code: str) -> Response:
        """Return the coupon with how often it was redeemed."""
        return Response(CouponSerializer(_find_coupon(request, code)).data)

    @extend_schema(
        operation_id="update_coupon",
        summary="Change a coupon",
        description=(
            "Change the members that the body has. The name and the limits can always change, all others while no customer has "
            "or had the coupon. The code stays."
        ),
        tags=TAGS,
        responses={200: CouponSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _FIXED,
        examples=[examples.sent(examples.COUPON_PATCH), examples.answered(examples.COUPON)],
    )
    def patch(self, request: Request, code: str) -> Response:
        """Change the coupon."""
        refuse_narrowed(request)
        coupon = _find_coupon(request, code)
        values = validated(self.get_serializer(data=request.data, partial=True))
        if values.pop("code", code) != code:
            raise invalid({"code": _("The code stays: make another coupon.")})
        try:
            changes = _arguments(values, currency=coupon.currency)
            coupon = update_coupon(code=code, changes=changes, actor=actor_of(request), now=clock.now())
        except ReductionError as error:
            raise reduction_problem(error, is_path=True) from None
        return _answer(coupon)


class CouponArchiveView(APIView):
    """The end of a coupon."""

    @extend_schema(
        operation_id="archive_coupon",
        summary="Archive a coupon",
        description=(
            "Nobody can redeem it any more; customers who have it keep it. The body is empty. Archived already: nothing happens."
        ),
        tags=TAGS,
        request=None,
        responses={200: CouponSerializer} | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.COUPON | {"archived_at": "2026-06-01T00:00:00Z"})],
    )
    def post(self, request: Request, code: str) -> Response:
        """Archive the coupon."""
        refuse_narrowed(request)
        coupon = archive_coupon(code=_find_coupon(request, code).code, actor=actor_of(request), now=clock.now())
        return _answer(coupon)


def _visible_coupons(request: Request) -> QuerySet[Any]:
    """Return the coupons that the key may know of; a narrowed one those of its customer. Annotates `redemption_count`."""
    customer_id = calling_key(request).customer_id
    coupons = Coupon.objects.all()
    if customer_id is not None:
        coupons = coupons.filter(pk__in=CouponRedemption.objects.filter(customer_id=customer_id).values("coupon_id"))
    return coupons.annotate(redemption_count=Count("redemptions"))


def _find_coupon(request: Request, code: str) -> Any:
    coupon = _visible_coupons(request).filter(code=code).first() if "\0" not in code else None
    if coupon is None:
        raise Http404(_("There is no coupon %(code)s.") % {"code": code})
    return coupon


def _arguments(values: dict[str, Any], *, currency: str = "") -> dict[str, Any]:
    """Turn members into the arguments of the services: the amount in minor units, null texts empty."""
    arguments = {name: value for name, value in values.items() if name != "amount"}
    if "currency" in arguments:
        arguments["currency"] = arguments["currency"] or ""
    if "amount" in values:
        amount = values["amount"]
        currency = arguments.get("currency", currency)
        if amount is not None:
            check_currency(currency)
            arguments["amount_minor"] = minor_units(amount, currency, field="amount")
        else:
            arguments["amount_minor"] = None
    return arguments


def _answer(coupon: Coupon, code: int = status.HTTP_200_OK) -> Response:
    counted = Coupon.objects.annotate(redemption_count=Count("redemptions")).get(pk=coupon.pk)
    return Response(CouponSerializer(counted).data, status=code)
