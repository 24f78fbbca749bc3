"""Stored events as a list, newest first, each with what became of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection

from customers.models import Subject
from usage.encoding import exact_json
from usage.encoding.identity import event_key
from usage.ingestion.checking import EARLIEST
from usage.models import Meter
from usage.models.event import UTC_DAY
from usage.rollups.rules import Rule

type Position = tuple[datetime, str, str]  # time, id and source of an event


@dataclass(frozen=True, slots=True)
class ListedEvent:
    """One event that was accepted, as it was sent."""

    source: str
    event_id: str
    event_type: str
    subject: str
    occurred_at: datetime
    received_at: datetime
    customer: str  # external id
    data: str  # JSON, exact

    @property
    def key(self) -> str:
        """The identity of the event, 32 hex digits."""
        return event_key(self.source, self.event_id)

    @property
    def position(self) -> Position:
        """Where the event stands in the list."""
        return self.occurred_at, self.event_id, self.source


# The events of one customer by usage_event_by_customer, from the newest day on; of all customers by usage_event_by_time, in
# spans of time (below). An empty condition is a constant to the planner, since parameters are bound by the client.
_EVENTS: Final = f"""
SELECT e.source, e.event_id, e.event_type, coalesce(e.subject, c.external_id), e.occurred_at, e.received_at, c.external_id, e.data
FROM usage_event e JOIN customers_customer c ON c.id = e.customer_id
WHERE (%(customer_id)s::bigint IS NULL OR e.customer_id = %(customer_id)s::bigint)
  AND (%(subject)s::text IS NULL OR coalesce(e.subject, c.external_id) = %(subject)s::text)
  AND (%(source)s::text IS NULL OR e.source = %(source)s::text)
  AND (%(event_type)s::text IS NULL OR e.event_type = %(event_type)s::text)
  AND e.occurred_at >= %(start)s AND e.occurred_at < %(end)s
  AND {UTC_DAY} BETWEEN (%(start)s AT TIME ZONE 'UTC')::date AND (%(end)s AT TIME ZONE 'UTC')::date
  AND (%(after_id)s::text IS NULL OR (e.occurred_at, e.event_id COLLATE "C", e.source COLLATE "C")
       < (%(after_time)s, %(after_id)s::text COLLATE "C", %(after_source)s::text COLLATE "C"))
ORDER BY {UTC_DAY} DESC, e.occurred_at DESC, e.event_id COLLATE "C" DESC, e.source COLLATE "C" DESC LIMIT %(limit)s
"""  # noqa: S608 (constants only)
_FIRST_SPAN: Final = timedelta(hours=1)
_MICROSECOND: Final = timedelta(microseconds=1)


def newest_events(
    *,
    now: datetime,
    customer_id: int | None = None,
    subject: str | None = None,
    source: str | None = None,
    event_type: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    after: Position | None = None,
    limit: int,
) -> list[ListedEvent]:
    """
    Return accepted events, newest first, which happened in [start, end); None leaves a filter out.

    `after` is the position of the last event of the page before. A subject is looked for among the events of the customer
    that has it now, if one has. Without a customer, time is searched backwards in spans that grow fourfold until there is
    enough: a few queries, none of which reads what is older than need be.
    """
    first, last = start or EARLIEST, end or now + timedelta(seconds=settings.SQUILL_EVENTS_FUTURE_SECONDS, days=1)
    if after is not None:
        last = min(last, after[0] + _MICROSECOND)
    if customer_id is None and subject is not None:
        customer_id = Subject.objects.filter(key=subject).values_list("customer_id", flat=True).first()
    parameters: dict[str, Any] = {
        "customer_id": customer_id,
        "subject": subject,
        "source": source,
        "event_type": event_type,
        "after_time": after[0] if after else None,
        "after_id": after[1] if after else None,
        "after_source": after[2] if after else None,
    }
    found: list[ListedEvent] = []
    span = last - first if customer_id is not None else _FIRST_SPAN
    while first < last and len(found) < limit:
        since = max(first, last - span)
        found += _read(parameters | {"start": since, "end": last, "limit": limit - len(found)})
        last, span = since, span * 4
    return found


def _read(parameters: dict[str, Any]) -> list[ListedEvent]:
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, parameters)
        return [ListedEvent(*row) for row in cursor.fetchall()]


def meters_of(events: Sequence[ListedEvent]) -> list[list[str]]:
    """Return for each event the codes of the meters that count it, or did before it was corrected, sorted. One query."""
    rules: dict[str, list[tuple[str, Rule]]] = {}
    for meter in Meter.objects.filter(event_type__in={event.event_type for event in events}).order_by("code"):
        rules.setdefault(meter.event_type, []).append((meter.code, Rule.of(meter)))
    return [_counting(rules.get(event.event_type, ()), exact_json.decode(event.data)) for event in events]


def _counting(rules: Iterable[tuple[str, Rule]], data: dict[str, Any]) -> list[str]:
    return [code for code, rule in rules if rule.read_stored(data) is not None]


def subjects_of_others(customer_id: int, subjects: Iterable[str]) -> set[str]:
    """Return those of the subjects that do not name this customer. One query."""
    asked = set(subjects)
    return asked - set(Subject.objects.filter(customer_id=customer_id, key__in=asked).values_list("key", flat=True))
