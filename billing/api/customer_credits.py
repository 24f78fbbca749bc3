"""The credits of a customer over HTTP: grant one, take back or pay out what is left of it, and the ledger of all."""

from collections.abc import Callable
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import reduction_examples as examples
from billing.api.access import find_customer, refuse_narrowed
from billing.api.fields import minor_units
from billing.api.reduction_answers import TAGS, reduction_problem, validated
from billing.api.reduction_serializers import CreditEntrySerializer, CreditSerializer, GrantCreditSerializer, UndoCreditSerializer
from billing.models import Credit, CreditEntry
from billing.reductions.granting import grant_credit, refund_credit, void_credit
from billing.reductions.ledger import state_of, with_balance, with_left
from billing.reductions.offering import check_currency
from billing.reductions.refusals import ReductionError
from customers.api.authentication import actor_of
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND, problem
from usage.api import queries

_DIFFERS = problem(
    "conflict",
    "The reference is another credit, or the customer is archived; nothing was written.",
    field="reference",
    code="reference_differs",
    message="reference welcome-2026 is another credit already: choose a new reference",
)
_NOT_UNDONE = problem(
    "conflict",
    "It is of a kind that this is not done to, or nothing is left of it; nothing was written.",
    code="nothing_left",
    message="nothing is left of it that could be paid out",
)
_CURRENCY = OpenApiParameter("currency", str, description="Only those in this currency.")


class CustomerCreditListView(GenericAPIView[Credit]):
    """The credits of a customer."""

    serializer_class = CreditSerializer

    @extend_schema(
        operation_id="list_credits",
        summary="List the credits of a customer",
        tags=TAGS,
        parameters=[_CURRENCY],
        responses={200: CreditSerializer(many=True)} | INVALID | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.CREDIT)],
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Return a page of the customer's credits with what is left of each, the newest first."""
        customer = find_customer(request, external_id)
        credits = with_left(Credit.objects.filter(customer=customer, **_narrowed(request, "currency")))
        page = self.paginate_queryset(credits) or ()
        return self.get_paginated_response([_json(credit) for credit in page])

    @extend_schema(
        operation_id="grant_credit",
        summary="Grant a credit",
        description=(
            "Give the customer money that pays its invoices when they are made final, after tax. The reference makes it safe to "
            "repeat: 201 says that the credit is new, 200 that it was there."
        ),
        tags=TAGS,
        request=GrantCreditSerializer,
        responses={200: CreditSerializer, 201: CreditSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _DIFFERS,
        examples=[examples.sent(examples.GRANT_BODY), examples.answered(examples.CREDIT, 200, 201)],
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Grant the credit."""
        refuse_narrowed(request)
        customer = find_customer(request, external_id)
        values = validated(GrantCreditSerializer(data=request.data))
        currency = values.pop("currency", customer.currency)
        amount, cost = values.pop("amount"), values.pop("cost_basis", None)
        try:
            check_currency(currency)
            credit, is_new = grant_credit(
                customer_id=customer.pk,
                currency=currency,
                amount_minor=minor_units(amount, currency, field="amount"),
                cost_basis_minor=0 if cost is None else minor_units(cost, currency, field="cost_basis"),
                actor=actor_of(request),
                now=clock.now(),
                **values,
            )
        except ReductionError as error:
            raise reduction_problem(error) from None
        return _answer(credit, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


class CreditVoidView(APIView):
    """The taking back of a credit."""

    @extend_schema(
        operation_id="void_credit",
        summary="Take back what is left of a credit",
        description="It pays no invoice any more; what it paid stays paid. Taken back already: nothing happens.",
        tags=TAGS,
        request=UndoCreditSerializer,
        responses={200: CreditSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _NOT_UNDONE,
        examples=[
            examples.sent(examples.UNDO_BODY),
            examples.answered(examples.CREDIT | {"left": "0", "state": "voided", "voided_at": "2026-02-10T12:00:00Z"}),
        ],
    )
    def post(self, request: Request, external_id: str, reference: str) -> Response:
        """Take the credit back."""
        return _undone(request, external_id, reference, void_credit)


class CreditRefundView(APIView):
    """The paying out of a prepaid credit."""

    @extend_schema(
        operation_id="refund_credit",
        summary="Pay out what is left of a prepaid credit",
        description="Record that the customer got back what is left of it. Squill itself moves no money.",
        tags=TAGS,
        request=UndoCreditSerializer,
        responses={200: CreditSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _NOT_UNDONE,
        examples=[examples.sent(examples.UNDO_BODY), examples.answered(examples.CREDIT | {"left": "0", "state": "used_up"})],
    )
    def post(self, request: Request, external_id: str, reference: str) -> Response:
        """Record the refund."""
        return _undone(request, external_id, reference, refund_credit)


class CreditEntryListView(GenericAPIView[CreditEntry]):
    """The ledger of a customer's credits."""

    serializer_class = CreditEntrySerializer

    @extend_schema(
        operation_id="list_credit_entries",
        summary="List the entries of a customer's credits",
        tags=TAGS,
        parameters=[_CURRENCY, OpenApiParameter("credit", str, description="Only those of the credit with this reference.")],
        responses={200: CreditEntrySerializer(many=True)} | INVALID | FORBIDDEN | NOT_FOUND,
        examples=[examples.answered(examples.CREDIT_ENTRY)],
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Return a page of what came in and went out, the newest first, with the balance after each."""
        customer = find_customer(request, external_id)
        narrowed = _narrowed(request, "currency", "credit")
        conditions = {{"currency": "credit__currency", "credit": "credit__reference"}[name]: narrowed[name] for name in narrowed}
        entries = CreditEntry.objects.filter(credit__customer=customer, **conditions).select_related("credit", "invoice")
        page = self.paginate_queryset(with_balance(entries)) or ()
        return self.get_paginated_response(CreditEntrySerializer(page, many=True).data)


def _narrowed(request: Request, *names: str) -> dict[str, str]:
    """Return the filters that the query has."""
    query = request.query_params
    queries.refuse_unknown(query, frozenset({*names, "limit", "cursor"}))
    return {name: str(query[name]).replace("\0", "\N{REPLACEMENT CHARACTER}") for name in names if name in query}


def _undone(request: Request, external_id: str, reference: str, service: Callable[..., Any]) -> Response:
    refuse_narrowed(request)
    customer = find_customer(request, external_id)
    values = validated(UndoCreditSerializer(data=request.data))
    credit = Credit.objects.filter(customer=customer, reference=reference).first() if "\0" not in reference else None
    if credit is None:
        raise Http404(_("The customer has no credit %(reference)s.") % {"reference": reference})
    try:
        service(credit_id=credit.pk, reason=values.get("reason", ""), actor=actor_of(request), now=clock.now())
    except ReductionError as error:
        raise reduction_problem(error) from None
    return _answer(credit)


def _json(credit: Any) -> dict[str, Any]:
    """Write a credit that is annotated with what is left of it."""
    credit.state = state_of(credit, now=clock.now())
    return dict(CreditSerializer(credit).data)


def _answer(credit: Credit, code: int = status.HTTP_200_OK) -> Response:
    return Response(_json(with_left(Credit.objects.filter(pk=credit.pk)).get()), status=code)
