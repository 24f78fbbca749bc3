"""Events as OpenMeter lists them: an array, without pages. Events come in as everywhere."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.request import Request

from squill.lib import clock
from usage import history
from usage.api import events, queries
from usage.api.access import narrowed_to
from usage.corrections import corrections_of
from usage.encoding import exact_json
from usage.models import Correction


class EventsView(events.EventsView):
    """`POST` takes events in, `GET` lists the newest that are stored."""

    schema = None  # OpenMeter's contract, not ours

    def get(self, request: Request) -> HttpResponse:
        """List at most `limit` events, newest first."""
        query = request.query_params
        queries.refuse_unknown(query, frozenset({"subject", "from", "to", "limit", "clientId"}))
        start, end = queries.kept_range(query)
        rows = history.newest_events(
            now=clock.now(),
            customer_id=narrowed_to(request),
            subject=query.get("subject"),
            start=start,
            end=end,
            limit=queries.limit(query),
        )
        corrections = corrections_of([row.key for row in rows])
        items = [_shown(row, corrections.get(row.key)) for row in rows]
        return HttpResponse(exact_json.encode(items), content_type="application/json")


def _shown(stored: history.ListedEvent, correction: Correction | None) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "event": events.cloud_event(stored),
        "customerId": stored.customer,
        "ingestedAt": stored.received_at,
        "storedAt": stored.received_at,
    }
    if correction is not None:
        # Where OpenMeter says why an event does not count.
        answer["validationError"] = _("The event does not count any more: %(reason)s") % {"reason": correction.reason}
    return answer
