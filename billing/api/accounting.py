"""The books of a month over HTTP, for the accountant's system."""

import tempfile
from typing import Any, Final

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from billing.accounting.export import export_month
from billing.accounting.period import NotExported, month_of
from billing.api.fields import flag, refusal
from customers.api.authentication import calling_key
from squill.web.answers import FORBIDDEN, INVALID, problem
from usage.api import queries

ZIP: Final = "application/zip"
# Held in memory up to here, and on disk beyond.
_IN_MEMORY_BYTES: Final = 2_000_000
_FIELDS: Final = {"month_unreadable": "month", "entity_not_found": "entity", "entity_missing": "entity"}
_BOOKS_DIFFER = problem(
    "conflict",
    "The totals are not what the documents themselves say, so nothing is handed out; `manage.py reconcile` says more.",
    code="books_differ",
    message="receivables in EUR: movements come to 1000, the documents say 900 (minor units)",
)


class ZipRenderer(BaseRenderer):
    """Names the type for content negotiation; the view answers with the bytes itself."""

    media_type = ZIP
    format = "zip"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> Any:
        """Return the bytes as they are; OPTIONS has none."""
        return data or b""


class AccountingView(APIView):
    """The books of a month."""

    renderer_classes = (ZipRenderer, JSONRenderer)

    @extend_schema(
        operation_id="export_accounting",
        summary="Export the books of a month",
        description=(
            "A ZIP of CSV files (RFC 4180, UTF-8): invoices, lines, taxes, discounts, credit notes with their lines and taxes, "
            "payments, credits, and totals that sum to the books. Documents are those issued in the month, payments those that "
            "came in, in the days of the billing entity. Texts are defused: none is a formula to a spreadsheet."
        ),
        tags=["Accounting"],
        parameters=[
            OpenApiParameter("month", str, OpenApiParameter.PATH, description="Such as 2026-03."),
            OpenApiParameter("entity", str, description="The code of the billing entity; needed where there are several."),
            OpenApiParameter("bom", bool, description="`true`: a mark before each file, by which Excel knows UTF-8."),
        ],
        responses={(200, ZIP): OpenApiResponse(OpenApiTypes.BINARY, description="The ZIP.")}
        | INVALID
        | FORBIDDEN
        | _BOOKS_DIFFER,
    )
    def get(self, request: Request, month: str) -> HttpResponseBase:
        """Return the ZIP."""
        if calling_key(request).customer_id is not None:
            raise PermissionDenied(_("This API key is narrowed to one customer and cannot read the books."))
        queries.refuse_unknown(request.query_params, frozenset({"entity", "bom"}))
        with_bom = bool(flag(request.query_params, "bom"))
        try:
            period = month_of(month, entity_code=request.query_params.get("entity", ""))
        except NotExported as error:
            raise refusal(str(error), code=error.code, field=_FIELDS[error.code], is_conflict=False) from None
        file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # the answer closes it
        totals = export_month(period, file, with_bom=with_bom)
        if totals.differences:
            file.close()
            raise refusal("; ".join(totals.differences), code="books_differ", is_conflict=True)
        file.seek(0)
        return FileResponse(file, as_attachment=True, filename=f"{period.name}.zip", content_type=ZIP)
