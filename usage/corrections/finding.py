"""Find stored events by their identity, and what was corrected about them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from usage import put_away
from usage.corrections.errors import CorrectionError
from usage.encoding.columns import column
from usage.encoding.identity import event_key
from usage.models import Correction, QuarantinedEvent
from usage.models.event import UTC_DAY


class StoredEvent(NamedTuple):
    """One event as it is stored; `data` is exact JSON."""

    customer_id: int
    occurred_at: datetime
    source: str
    event_id: str
    event_type: str
    subject: str
    data: str

    @property
    def key(self) -> str:
        """The identity of the event, 32 hex digits."""
        return event_key(self.source, self.event_id)


# The key says where the event lies; then by usage_event_by_customer, in the partition of that day.
_BY_NAME: Final = f"""
SELECT e.customer_id, e.occurred_at, e.source, e.event_id, e.event_type, coalesce(e.subject, c.external_id), e.data
FROM unnest(string_to_array(%(key)s, chr(30))::uuid[], string_to_array(%(source)s, chr(30)),
            string_to_array(%(event_id)s, chr(30)))
  AS t(key, source, event_id)
JOIN usage_eventkey k ON k.key = t.key
JOIN usage_event e ON e.customer_id = k.customer_id AND {UTC_DAY} = k.day
  AND e.occurred_at >= k.day::timestamp AT TIME ZONE 'UTC' AND e.occurred_at < (k.day + 1)::timestamp AT TIME ZONE 'UTC'
  AND e.source = t.source AND e.event_id = t.event_id
JOIN customers_customer c ON c.id = e.customer_id
ORDER BY e.source, e.event_id
"""  # noqa: S608 (constants only)


def stored_events(names: Iterable[tuple[str, str]]) -> list[StoredEvent]:
    """Return the events with these sources and ids, sorted by them. One query."""
    wanted = sorted(set(names))
    if not wanted:
        return []
    parameters = {
        "key": column([event_key(*name) for name in wanted]),
        "source": column([source for source, _event_id in wanted]),
        "event_id": column([event_id for _source, event_id in wanted]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_BY_NAME, parameters)
        return [StoredEvent(*row) for row in cursor.fetchall()]


def find_event(*, source: str, event_id: str, customer_id: int | None = None) -> StoredEvent:
    """
    Return the event that was accepted under this source and id, corrected or not. One or two queries.

    `customer_id` is the customer that the caller is narrowed to: what belongs to others is not there for it.

    :raises CorrectionError: not_found, quarantined (what does not count cannot be corrected), or put_away
    """
    named = {"source": source, "id": event_id}
    is_possible = source.isprintable() and event_id.isprintable()  # nothing else was ever taken in
    for event in stored_events([(source, event_id)] if is_possible else []):
        if customer_id is None or event.customer_id == customer_id:
            return event
    key = UUID(event_key(source, event_id))
    if customer_id is None and QuarantinedEvent.objects.filter(key=key).exclude(status="replayed").exists():
        raise CorrectionError(
            "quarantined",
            _("The event %(id)s of %(source)s is in quarantine and counts for nobody: discard it there instead.") % named,
        )
    if put_away.was_put_away(key.hex, customer_id=customer_id):
        message = _("The event %(id)s of %(source)s was put away with its month, and cannot be corrected any more.")
        raise CorrectionError("put_away", message % named)
    message = _("No stored event of %(source)s has the id %(id)s.") % named
    if since := put_away.complete_since():
        message += " " + _("Events from before %(day)s may have been put away with their month.") % {"day": since}
    raise CorrectionError("not_found", message)


def corrections_of(keys: Iterable[str]) -> dict[str, Correction]:
    """Return the corrections of the events with these keys (32 hex digits), by key. One query."""
    found = Correction.objects.filter(event_key__in=[UUID(key) for key in keys])
    return {correction.event_key.hex: correction for correction in found}
