"""The coupons of a customer over HTTP: redeem one, see what became of it, take it away."""

from typing import ClassVar

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import reduction_examples as examples
from billing.api.access import find_customer, refuse_narrowed
from billing.api.reduction_answers import TAGS, reduction_problem, validated
from billing.api.reduction_serializers import HeldCouponSerializer, RedeemCouponSerializer
from billing.models import CouponRedemption
from billing.reductions.redeeming import held_coupons, redeem_coupon, take_away_coupon
from billing.reductions.refusals import ReductionError
from customers.api.authentication import actor_of
from customers.models import Customer
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND, problem
from usage.api import queries

_NOT_REDEEMED = problem(
    "conflict",
    "The customer has it already or is archived, or the coupon is archived, out of time or given out; nothing was written.",
    field="coupon",
    code="has_it",
    message="customer acme has coupon WELCOME10 already: take it away before giving it anew",
)


class CustomerCouponListView(GenericAPIView[CouponRedemption]):
    """The coupons that a customer has or had."""

    serializer_class = HeldCouponSerializer
    ordering: ClassVar[str] = "-id"

    @extend_schema(
        operation_id="list_customer_coupons",
        summary="List the coupons of a customer",
        tags=TAGS,
        responses={200: HeldCouponSerializer(many=True)} | INVALID | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.HELD_COUPON)],
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Return a page of the coupons that the customer has or had, the newest first."""
        queries.refuse_unknown(request.query_params, frozenset({"limit", "cursor"}))
        customer = find_customer(request, external_id)
        page = self.paginate_queryset(CouponRedemption.objects.filter(customer=customer)) or ()
        held = {one.redemption.pk: one for one in held_coupons(customer_id=customer.pk)}
        return self.get_paginated_response(HeldCouponSerializer([held[row.pk] for row in page], many=True).data)

    @extend_schema(
        operation_id="redeem_coupon",
        summary="Redeem a coupon for a customer",
        description=(
            "Give the customer a coupon, for all it is billed or for one subscription. It reduces the invoices whose boundary "
            "lies on the customer's day of today or later; drafts of today too, once they are worked out anew."
        ),
        tags=TAGS,
        request=RedeemCouponSerializer,
        responses={201: HeldCouponSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _NOT_REDEEMED,
        examples=[examples.sent(examples.REDEEM_BODY), examples.answered(examples.HELD_COUPON, 201)],
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Redeem the coupon."""
        refuse_narrowed(request)
        customer = find_customer(request, external_id)
        values = validated(RedeemCouponSerializer(data=request.data))
        try:
            redemption = redeem_coupon(
                customer_id=customer.pk,
                code=values["coupon"],
                subscription=values.get("subscription") or "",
                actor=actor_of(request),
                now=clock.now(),
            )
        except ReductionError as error:
            raise reduction_problem(error) from None
        return _answer(customer, redemption, status.HTTP_201_CREATED)


class CustomerCouponView(APIView):
    """A coupon that a customer has."""

    @extend_schema(
        operation_id="take_away_coupon",
        summary="Take a coupon away from a customer",
        description=(
            "Final invoices stay as they are; drafts lose it when they are worked out anew. Taken away already: nothing happens."
        ),
        tags=TAGS,
        responses={200: HeldCouponSerializer} | FORBIDDEN | NOT_FOUND,
        examples=[
            examples.answered(examples.HELD_COUPON | {"state": "taken_away", "ended_at": "2026-02-10T12:00:00Z"}),
        ],
    )
    def delete(self, request: Request, external_id: str, code: str) -> Response:
        """Take the coupon away."""
        refuse_narrowed(request)
        customer = find_customer(request, external_id)
        had = CouponRedemption.objects.filter(customer=customer, coupon__code=code).order_by("-pk") if "\0" not in code else None
        redemption = had.first() if had is not None else None
        if redemption is None:
            raise Http404(_("The customer has no coupon %(code)s.") % {"code": code})
        take_away_coupon(redemption_id=redemption.pk, actor=actor_of(request), now=clock.now())
        return _answer(customer, redemption)


def _answer(customer: Customer, redemption: CouponRedemption, code: int = status.HTTP_200_OK) -> Response:
    held = next(one for one in held_coupons(customer_id=customer.pk) if one.redemption.pk == redemption.pk)
    return Response(HeldCouponSerializer(held).data, status=code)
