"""Customers over HTTP."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.authentication import actor_of, calling_key, visible_customers
from customers.api.serializers import ADDRESS_FIELDS, CustomerSerializer, replaced
from customers.models import Customer, Subject
from customers.services import CustomerError, archive_customer, create_customer, update_customer
from squill.lib import clock
from squill.web.problems import invalid

_TAGS = ["Customers"]


class CustomerListView(GenericAPIView[Customer]):
    """All customers, newest first; or a new one."""

    serializer_class = CustomerSerializer

    def get_queryset(self) -> QuerySet[Customer]:
        """Return the customers that the key may see, with their keys."""
        return _with_keys(visible_customers(self.request))

    @extend_schema(
        operation_id="list_customers",
        summary="List customers",
        tags=_TAGS,
        parameters=[
            OpenApiParameter("external_id", str, description="Only the customer with this external id."),
            OpenApiParameter("email", str, description="Only customers with this e-mail address, in any case."),
            OpenApiParameter("archived", bool, description="`true` for archived customers only, `false` for all others."),
        ],
        responses=CustomerSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return a page of customers, newest first."""
        rows = self.paginate_queryset(_filtered(self.get_queryset(), request))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    @extend_schema(operation_id="create_customer", summary="Create a customer", tags=_TAGS, responses={201: CustomerSerializer})
    def post(self, request: Request) -> Response:
        """Create a customer. Its external id and subject keys must be free."""
        if calling_key(request).customer_id is not None:
            raise PermissionDenied(_("This API key is narrowed to one customer and cannot create others."))
        values = _validated(self.get_serializer(data=request.data))
        try:
            customer = create_customer(**values, actor=actor_of(request), now=clock.now())
        except CustomerError as error:
            raise invalid(_as_members(error)) from None
        return Response(self.get_serializer(customer).data, status=status.HTTP_201_CREATED)


class CustomerView(GenericAPIView[Customer]):
    """One customer, by its external id."""

    serializer_class = CustomerSerializer

    def get_customer(self, external_id: str) -> Customer:
        """
        Return the customer with its keys.

        :raises Http404: if there is none, or the key may not know of it
        """
        customers = _with_keys(visible_customers(self.request)).filter(external_id=external_id)
        # PostgreSQL holds no NUL, and would refuse the query.
        customer = customers.first() if "\0" not in external_id else None
        if customer is None:
            raise Http404(_("There is no customer %(external_id)s.") % {"external_id": external_id})
        return customer

    @extend_schema(operation_id="get_customer", summary="Get a customer", tags=_TAGS)
    def get(self, request: Request, external_id: str) -> Response:
        """Return the customer, archived or not."""
        return Response(self.get_serializer(self.get_customer(external_id)).data)

    @extend_schema(operation_id="replace_customer", summary="Replace a customer", tags=_TAGS)
    def put(self, request: Request, external_id: str) -> Response:
        """Set every member of the customer; those left out go back to their defaults."""
        customer = self.get_customer(external_id)
        return self._update(customer, replaced(_validated(self.get_serializer(data=request.data))), request)

    @extend_schema(operation_id="update_customer", summary="Change a customer", tags=_TAGS)
    def patch(self, request: Request, external_id: str) -> Response:
        """Set only the members that are sent; `subject_keys` is replaced as a whole, `address` member by member."""
        customer = self.get_customer(external_id)
        return self._update(customer, _validated(self.get_serializer(data=request.data, partial=True)), request)

    @extend_schema(
        operation_id="archive_customer",
        summary="Archive a customer",
        tags=_TAGS,
        responses={204: OpenApiResponse(description="Archived.")},
    )
    def delete(self, request: Request, external_id: str) -> Response:
        """Archive the customer. Nothing is deleted: its usage, invoices and subscriptions stay."""
        customer = self.get_customer(external_id)
        archive_customer(customer_id=customer.pk, actor=actor_of(request), now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _update(self, customer: Customer, changes: dict[str, Any], request: Request) -> Response:
        try:
            update_customer(customer_id=customer.pk, changes=changes, actor=actor_of(request), now=clock.now())
        except CustomerError as error:
            raise invalid(_as_members(error)) from None
        return Response(self.get_serializer(self.get_customer(customer.external_id)).data)


def _with_keys(customers: QuerySet[Customer]) -> QuerySet[Customer]:
    return customers.prefetch_related(Prefetch("subjects", Subject.objects.order_by("key")))


def _validated(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _as_members(error: CustomerError) -> dict[str, str]:
    """Name the members of the JSON instead of the columns."""
    columns = {column: f"address.{member}" for member, column in ADDRESS_FIELDS.items()}
    return {columns.get(field, field): message for field, message in error.errors.items()}


def _filtered(customers: QuerySet[Customer], request: Request) -> QuerySet[Customer]:
    query = request.query_params
    if "\0" in query.get("external_id", "") + query.get("email", ""):
        return customers.none()  # PostgreSQL holds no such text, and would refuse the query
    if (external_id := query.get("external_id")) is not None:
        customers = customers.filter(external_id=external_id)
    if (email := query.get("email")) is not None:
        customers = customers.filter(email__iexact=email)
    match query.get("archived"):
        case None:
            return customers
        case "true":
            return customers.filter(archived_at__isnull=False)
        case "false":
            return customers.filter(archived_at__isnull=True)
    raise invalid({"archived": _("Write true or false.")})
