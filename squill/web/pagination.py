"""Lists in pages: a cursor that stays right while rows are added, and no counting of large tables."""

import base64
import binascii
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from squill.web.problems import invalid

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000


class CursorPages(BasePagination):
    """
    Answer `{"items": […], "nextCursor": "…" or null}`.

    The query takes `limit`, 1 to 1000 (100 if not given), and `cursor`, which is the `nextCursor` of the page before.
    Rows come newest first (`-id`). A view may set `ordering` to another field that is unique in its list, with `-` for downwards.
    """

    ordering = "-id"

    # A page after a position needs a queryset; the superclass would take any sequence.
    def paginate_queryset(  # type: ignore[override]
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """
        Return the rows of the page that the request asks for, in one query.

        :raises Problem: if `limit` or `cursor` cannot be used
        """
        ordering: str = getattr(view, "ordering", self.ordering)
        field = ordering.removeprefix("-")
        limit = _limit(request.query_params.get("limit"))
        if cursor := request.query_params.get("cursor"):
            comparison = "lt" if ordering.startswith("-") else "gt"
            queryset = queryset.filter(**{f"{field}__{comparison}": _position(cursor, ordering, queryset)})
        rows = list(queryset.order_by(ordering)[: limit + 1])
        page = rows[:limit]
        self._next_cursor = _cursor(page[-1], ordering) if len(rows) > limit else None
        return page

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page of serialized items."""
        return Response({"items": data, "nextCursor": self._next_cursor})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page of items of the given schema."""
        return {
            "type": "object",
            "required": ["items", "nextCursor"],
            "properties": {
                "items": schema,
                "nextCursor": {
                    "type": "string",
                    "nullable": True,
                    "description": "What to send as `cursor` for the next page; null on the last one.",
                    "example": "LWlkOjQyMTc",
                },
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """Describe the two query parameters."""
        return [
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "description": "How many items a page has at most.",
                "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            },
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "The `nextCursor` of the page before.",
                "schema": {"type": "string"},
            },
        ]


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_LIMIT and len(text) < 9:
        return int(text)
    raise invalid({"limit": _("Write a whole number from 1 to %(limit)d.") % {"limit": MAX_LIMIT}})


def _cursor(row: Any, ordering: str) -> str:
    field = ordering.removeprefix("-")
    value = row._meta.get_field(field).value_to_string(row)
    return base64.urlsafe_b64encode(f"{ordering}:{value}".encode()).decode().rstrip("=")


def _position(cursor: str, ordering: str, queryset: QuerySet[Any]) -> Any:
    field = queryset.model._meta.get_field(ordering.removeprefix("-"))
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        said_ordering, _colon, value = text.partition(":")
        if said_ordering != ordering or "\0" in value:
            raise ValueError(cursor)
        position = field.to_python(value)
        field.run_validators(position)
    except (ValueError, binascii.Error, ValidationError):
        raise invalid({"cursor": _("Send back the nextCursor of the page before, unchanged.")}) from None
    return position
