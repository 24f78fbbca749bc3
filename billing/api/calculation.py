"""`calculate` over HTTP: the prices of a document, by the code that bills, without a row being read for it."""

from collections.abc import Mapping
from typing import IO, Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import examples
from billing.api.calculation_serializers import CalculatedSerializer, CalculationSerializer
from billing.pricing.document import DocumentError, calculate, read_json
from customers.models import Scope
from squill.web.answers import FORBIDDEN, problem
from squill.web.parsers import parse_json
from squill.web.problems import invalid

_BAD = problem(
    "invalid",
    "The document cannot be calculated.",
    field="lines[0].charge.tiers[0].up_to",
    message="must be a decimal string such as \"0.25\", got 'many'",
)


class DocumentParser(BaseParser):
    """Reads JSON as `manage.py calculate` does, so that a number that is no decimal string is refused by its path."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """
        Return the document.

        :raises ParseError: if it is not JSON as the whole API takes it
        """
        body = stream.read()
        parse_json(body)  # refuses what is too deep or not text; the second reading keeps numbers as they are written
        return read_json(body.decode())


class CalculationView(APIView):
    """The price of an invoice that need not exist."""

    required_scopes: ClassVar[dict[str, str]] = {"POST": Scope.READ}
    parser_classes = (DocumentParser,)

    @extend_schema(
        operation_id="calculate",
        summary="Calculate an invoice",
        description=(
            "Price charges and total an invoice with the code that bills, without reading or writing anything: for price pages, "
            "quotes, and tests of your own. The same document as `manage.py calculate` takes. Needs the scope `read`."
        ),
        tags=["Calculate"],
        request=CalculationSerializer,
        responses={200: CalculatedSerializer} | _BAD | FORBIDDEN,
        examples=[examples.sent(examples.CALCULATION_BODY), examples.answered(examples.CALCULATION)],
    )
    def post(self, request: Request) -> Response:
        """Calculate the document."""
        try:
            document: Any = request.data  # calculate looks at what it is
            return Response(calculate(document))
        except DocumentError as error:
            raise invalid({error.path: error.message}) from None
