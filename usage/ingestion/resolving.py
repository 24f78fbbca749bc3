"""Decide whom an event belongs to and what it counts for. Ingestion and replay decide here, rebuilding by the same rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

import msgspec
from django.db import connection
from django.utils.translation import gettext as _

from usage.encoding.columns import column
from usage.ingestion import locks
from usage.models import QuarantinedEvent
from usage.rollups.rules import Reading, Rule, Unusable, local_day, rule_of
from usage.rollups.totals import Moment

Reason = QuarantinedEvent.Reason


class Known(Protocol):
    """What an event is known by, whether it has just come or waits in quarantine."""

    @property
    def source(self) -> str: ...
    @property
    def event_id(self) -> str: ...
    @property
    def event_type(self) -> str: ...
    @property
    def subject(self) -> str: ...


class Customer(NamedTuple):
    """Whom a subject names."""

    customer_id: int
    timezone: str
    external_id: str


class Resolution(msgspec.Struct, frozen=True, gc=False):
    """Whom an event counts for, when, and what its meters read from it; or, with a reason, why it must wait."""

    occurred_at: datetime
    customer: Customer | None = None
    moment: Moment | None = None
    readings: Sequence[Reading] = ()
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """Who the subjects of some events are, and which meters count their types."""

    customers: Mapping[str, Customer]
    rules: Mapping[str, tuple[Rule, ...]]

    def resolve(self, event: Known, occurred_at: datetime, data: Mapping[str, Any]) -> Resolution:
        """
        Decide about one event. If any meter of its type cannot use it, the event waits whole.

        An event that the filters of all its meters leave out is taken, and counts for none.
        """
        customer = self.customers.get(event.subject)
        rules = self.rules.get(event.event_type)
        if customer is None or rules is None:
            return _unknown(event, occurred_at, is_subject=customer is None)
        try:
            readings = [reading for rule in rules if (reading := rule.read(data)) is not None]
        except Unusable as error:
            return Resolution(occurred_at, reason=Reason.UNUSABLE_VALUE, detail=str(error))
        timezone = customer.timezone
        moment = Moment(occurred_at, local_day(occurred_at, timezone), timezone, event.source, event.event_id)
        return Resolution(occurred_at, customer, moment, readings)


def _unknown(event: Known, occurred_at: datetime, *, is_subject: bool) -> Resolution:
    if is_subject:
        detail = _("no customer has the subject %(subject)s") % {"subject": event.subject}
        return Resolution(occurred_at, reason=Reason.UNKNOWN_SUBJECT, detail=detail)
    detail = _("no meter counts the type %(type)s") % {"type": event.event_type}
    return Resolution(occurred_at, reason=Reason.UNKNOWN_TYPE, detail=detail)


# Three statements in one message, each with a snapshot of its own: what is read after the lock is what the lock holds still.
# Archived customers are not billed any more: what they send waits for a person. By the unique index on the key, and the index
# on the event type.
_LOOK_UP: Final = f"""
{locks.HOLD_STILL};
SELECT s.key, c.id, c.timezone, c.external_id FROM customers_subject s JOIN customers_customer c ON c.id = s.customer_id
WHERE s.key = ANY(string_to_array(%s, chr(30))) AND c.archived_at IS NULL;
SELECT event_type, id, aggregation, value_path, dimensions, filters::text FROM usage_meter
WHERE event_type = ANY(string_to_array(%s, chr(30))) ORDER BY id
"""  # noqa: S608 (constants only)


def directory(*, subjects: set[str], event_types: set[str]) -> Directory:
    """
    Look up the customers and meters of some events, and hold still what they say until the transaction ends.

    One round trip.
    """
    rules: dict[str, tuple[Rule, ...]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LOOK_UP, [*locks.held_still(event_types), column(subjects), column(event_types)])
        cursor.nextset()
        customers = {key: Customer(*facts) for key, *facts in cursor.fetchall()}
        cursor.nextset()
        for event_type, meter_id, aggregation, value_path, dimensions, filters in cursor.fetchall():
            rule = rule_of(meter_id, aggregation, value_path, tuple(dimensions), filters)
            rules[event_type] = (*rules.get(event_type, ()), rule)
    return Directory(customers, rules)
