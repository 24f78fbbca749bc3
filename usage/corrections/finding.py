"""Find stored events by their identity, and what was corrected about them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from usage import put_away
from usage.corrections.errors import CorrectionError
from usage.models import Correction, QuarantinedEvent
from usage.rollups import exact_json


class StoredEvent(NamedTuple):
    """One event as it is stored; `key` has 32 hex digits, `data` is exact JSON."""

    key: str
    customer_id: int
    occurred_at: datetime
    source: str
    event_id: str
    event_type: str
    subject: str
    data: str


# By usage_event_by_key of each month's partition, which holds a hash of the key.
_BY_KEY: Final = """
SELECT replace(key::text, '-', ''), customer_id, occurred_at, source, event_id, event_type, subject, data::text
FROM usage_event
WHERE uuid_hash(key) = ANY(ARRAY(SELECT uuid_hash(k) FROM unnest(%s::uuid[]) AS k)) AND key = ANY(%s::uuid[])
"""


def stored_events(keys: Sequence[str]) -> list[StoredEvent]:
    """Return the events with these keys, in the order of the keys. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_KEY, [list(keys)] * 2)
        return sorted((StoredEvent(*row) for row in cursor.fetchall()), key=lambda event: event.key)


def find_event(*, source: str, event_id: str, customer_id: int | None = None) -> StoredEvent:
    """
    Return the event that was accepted under this source and id, corrected or not. One or two queries.

    `customer_id` is the customer that the caller is narrowed to: what belongs to others is not there for it.

    :raises CorrectionError: not_found, quarantined (what does not count cannot be corrected), or put_away
    """
    named = {"source": source, "id": event_id}
    key = exact_json.digest([source, event_id])
    for event in stored_events([key]):
        if customer_id is None or event.customer_id == customer_id:
            return event
    if customer_id is None and QuarantinedEvent.objects.filter(key=UUID(key)).exclude(status="replayed").exists():
        raise CorrectionError(
            "quarantined",
            _("The event %(id)s of %(source)s is in quarantine and counts for nobody: discard it there instead.") % named,
        )
    if customer_id is None and put_away.was_put_away(key):
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
