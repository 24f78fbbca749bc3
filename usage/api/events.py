"""Events over HTTP: the door through which usage comes in, and the list of what came."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from customers.api.authentication import visible_customers
from customers.models import ApiKey, Scope
from squill.aws import metrics
from squill.lib import clock
from squill.web.answers import problem
from squill.web.problems import Problem
from usage import history
from usage.api import queries
from usage.api.access import narrowed_to
from usage.api.correction_serializers import StoredEventPageSerializer, shown_correction
from usage.api.serializers import CloudEventSerializer, EventFatesSerializer
from usage.corrections import corrections_of
from usage.encoding import exact_json
from usage.ingestion import Fate, IncomingEvent, Outcome, decoding, ingest
from usage.ingestion.checking import MalformedEvents, limits
from usage.models import Correction

_TAGS = ["Events"]
_TOLD: Final = 5  # problems that `detail` spells out; `errors` has them all
_REFUSED = (
    problem("malformed", "An event cannot be used; nothing was stored.", message="Nothing was stored. event 0 id: is missing")
    | problem("forbidden", "The key lacks the scope, or is narrowed to a customer who is not the subject; nothing was stored.")
    | problem("too-large", "The body or the number of events is over its limit; nothing was stored.")
    | problem("unsupported-media-type", "The type or the encoding of the body is not understood; nothing was stored.")
)


class AnyAccept(BaseContentNegotiation):
    """Answer in JSON whatever the client says it accepts: clients of CloudEvents ask for all sorts of types, and get 204."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        """Return the first parser; the body is read without one."""
        return next(iter(parsers))

    def select_renderer(self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None) -> tuple[Any, str]:
        """Return the first renderer."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class EventsView(APIView):
    """`POST` takes events in, `GET` lists the ones that count."""

    required_scopes: ClassVar[dict[str, str]] = {"POST": Scope.EVENTS_WRITE}
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="send_events",
        summary="Send events",
        description=(
            "CloudEvents 1.0 over HTTP: structured, batch and binary mode, plain JSON of the same shape (an object or an "
            "array), and NDJSON; gzip and chunked bodies too. 204 says that every event is durably stored, was there "
            "already, or is in quarantine until its customer or meter exists. A malformed event refuses the whole "
            "request, and nothing of it is stored. An event is known by its source and id: sending it again does no harm."
        ),
        tags=_TAGS,
        parameters=[
            OpenApiParameter(
                "Prefer",
                str,
                OpenApiParameter.HEADER,
                description="`return=representation` answers 200 with the fate of each event.",
            )
        ],
        request={
            decoding.STRUCTURED: CloudEventSerializer,
            decoding.BATCH: CloudEventSerializer(many=True),
            decoding.PLAIN: CloudEventSerializer(many=True),
            decoding.LINES[0]: OpenApiTypes.STR,
        },
        responses={
            200: EventFatesSerializer,
            204: OpenApiResponse(description="All events are stored, were stored before, or wait in quarantine."),
        }
        | _REFUSED,
    )
    def post(self, request: Request) -> HttpResponse:
        """Take events in."""
        now = clock.now()
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            events = decoding.decode_request(
                request.body, headers=headers, limits=limits(backfill=_may_backfill(request)), now=now
            )
        except MalformedEvents as error:
            raise _malformed(error) from None
        except decoding.TooMuch as error:
            raise Problem(type="too-large", detail=str(error)) from None
        except decoding.UnsupportedBody as error:
            raise Problem(type="unsupported-media-type", detail=str(error)) from None
        _refuse_others(request, events)
        fates = ingest(events, now=now)
        _count(fates)
        if not _wants_representation(headers.get("prefer", "")):
            return HttpResponse(status=204)
        answer = HttpResponse(exact_json.encode(_told(events, fates)), content_type="application/json")
        answer["Preference-Applied"] = "return=representation"
        return answer

    @extend_schema(
        operation_id="list_events",
        summary="List events",
        description=(
            "Stored events, newest first, each with its fate (accepted, or voided or replaced by a correction, which is told) "
            "and the meters that it counted for. Quarantined events are not among them. Where events since `from` were put away "
            "with their month, the answer is 400."
        ),
        tags=_TAGS,
        parameters=[
            OpenApiParameter("customer", str, description="Only events of the customer with this external id."),
            OpenApiParameter("subject", str, description="Only events of this subject."),
            OpenApiParameter("source", str, description="Only events of this source."),
            OpenApiParameter("type", str, description="Only events of this type."),
            OpenApiParameter("from", OpenApiTypes.DATETIME, description="Only events at or after this instant."),
            OpenApiParameter("to", OpenApiTypes.DATETIME, description="Only events before this instant."),
            OpenApiParameter("limit", int, description="How many items a page has at most: 1 to 1000, 100 if not given."),
            OpenApiParameter("cursor", str, description="The `nextCursor` of the page before."),
        ],
        responses={200: StoredEventPageSerializer} | problem("invalid", "A parameter cannot be used."),
    )
    def get(self, request: Request) -> HttpResponse:
        """List events, newest first."""
        query = request.query_params
        queries.refuse_unknown(query, frozenset({"customer", "subject", "source", "type", "from", "to", "limit", "cursor"}))
        limit = queries.limit(query)
        start, end = queries.kept_range(query)
        customer_id = narrowed_to(request)
        if (name := query.get("customer")) is not None:
            customer_id = visible_customers(request).filter(external_id=name).values_list("pk", flat=True).first()
            if customer_id is None:
                return _page([], None)
        rows = history.newest_events(
            now=clock.now(),
            customer_id=customer_id,
            subject=query.get("subject"),
            source=query.get("source"),
            event_type=query.get("type"),
            start=start,
            end=end,
            after=queries.position(query),
            limit=limit + 1,
        )
        page = rows[:limit]
        next_cursor = queries.cursor(page[-1].position) if len(rows) > limit else None
        corrections = corrections_of([event.key for event in page])
        items = [
            _shown(event, corrections.get(event.key), meters) for event, meters in zip(page, history.meters_of(page), strict=True)
        ]
        return _page(items, next_cursor)


def _count(fates: Sequence[Fate]) -> None:
    outcomes = Counter(fate.outcome for fate in fates)
    metrics.count("EventsReceived", len(fates))
    metrics.count("EventsDuplicate", outcomes[Outcome.DUPLICATE])
    metrics.count("EventsQuarantined", outcomes[Outcome.QUARANTINED])


def _page(items: Sequence[dict[str, Any]], next_cursor: str | None) -> HttpResponse:
    body = exact_json.encode({"items": items, "nextCursor": next_cursor})
    return HttpResponse(body, content_type="application/json")


def _may_backfill(request: Request) -> bool:
    return isinstance(request.auth, ApiKey) and Scope.EVENTS_BACKFILL in request.auth.scopes


def _refuse_others(request: Request, events: Sequence[IncomingEvent]) -> None:
    """Refuse, for a key that is narrowed to one customer, events of anybody else (I12)."""
    customer_id = narrowed_to(request)
    if customer_id is None:
        return
    others = history.subjects_of_others(customer_id, {event.subject for event in events})
    if not others:
        return
    message = _("is not a subject of the customer that this API key is for")
    errors = [
        {"index": index, "field": "subject", "message": message} for index, event in enumerate(events) if event.subject in others
    ]
    detail = _("This API key may send events of one customer only; the subjects of %(count)d events are not that customer's.")
    raise Problem(type="forbidden", detail=detail % {"count": len(errors)}, errors=errors)


def _malformed(error: MalformedEvents) -> Problem:
    told = "; ".join(str(each) for each in error.problems[:_TOLD])
    if len(error.problems) > _TOLD:
        told += "; " + _("and %(count)d more") % {"count": len(error.problems) - _TOLD}
    errors: list[dict[str, Any]] = []
    for each in error.problems:
        named: dict[str, Any] = {} if each.index is None else {"index": each.index}
        errors.append(named | ({"field": each.field} if each.field else {}) | {"message": each.message})
    return Problem(type="malformed", detail=_("Nothing was stored. %(problems)s") % {"problems": told}, errors=errors)


def _wants_representation(prefer: str) -> bool:
    return any(part.strip().replace(" ", "").lower() == "return=representation" for part in prefer.replace(";", ",").split(","))


def _told(events: Sequence[IncomingEvent], fates: Sequence[Fate]) -> dict[str, Any]:
    return {
        "events": [
            {
                "index": index,
                "source": event.source,
                "id": event.event_id,
                "fate": fate.outcome,
                "reason": fate.reason,
                "detail": fate.detail,
            }
            for index, (event, fate) in enumerate(zip(events, fates, strict=True))
        ]
    }


def _shown(stored: history.ListedEvent, correction: Correction | None, meters: list[str]) -> dict[str, Any]:
    corrected = None if correction is None else shown_correction(correction)
    return {
        "event": cloud_event(stored),
        "customer": stored.customer,
        "received_at": stored.received_at,
        "fate": corrected["fate"] if corrected else Outcome.ACCEPTED.value,
        "meters": meters,
        "correction": corrected,
    }


def cloud_event(stored: history.ListedEvent) -> dict[str, Any]:
    """Return the event as a CloudEvent, for `exact_json.encode`."""
    return {
        "specversion": "1.0",
        "id": stored.event_id,
        "source": stored.source,
        "type": stored.event_type,
        "subject": stored.subject,
        "time": stored.occurred_at,
        "data": exact_json.decode(stored.data),
    }
