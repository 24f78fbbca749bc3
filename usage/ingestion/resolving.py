"""Decide whom an event belongs to and what it counts for. Ingestion and replay decide here, rebuilding by the same rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import msgspec
from django.db import connection
from django.utils.translation import gettext as _

from usage.encoding.columns import column
from usage.ingestion import locks
from usage.models import QuarantinedEvent
from usage.rollups.rules import Reading, Rule, Unusable, local_day, rule_of

Reason = QuarantinedEvent.Reason


class Customer(NamedTuple):
    """Whom a subject names."""

    customer_id: int
    timezone: str
    external_id: str


class Resolution(msgspec.Struct, frozen=True):
    """Whom an event counts for, on which day, and what its meters read from it; or, with a reason, why it must wait."""

    customer: Customer | None
    day: date | None = None  # in the customer's time zone
    readings: Sequence[Reading] = ()
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """Who the subjects of some events are, and which meters count their types."""

    customers: Mapping[str, Customer]
    rules: Mapping[str, tuple[Rule, ...]]

    def resolve(self, *, subject: str, event_type: str, occurred_at: datetime, data: Mapping[str, Any]) -> Resolution:
        """
        Decide about one event. If any meter of its type cannot use it, the event waits whole.

        An event that the filters of all its meters leave out is taken, and counts for none.
        """
        customer = self.customers.get(subject)
        if customer is None:
            return Resolution(
                None, reason=Reason.UNKNOWN_SUBJECT, detail=_("no customer has the subject %(subject)s") % {"subject": subject}
            )
        rules = self.rules.get(event_type)
        if rules is None:
            return Resolution(
                None, reason=Reason.UNKNOWN_TYPE, detail=_("no meter counts the type %(type)s") % {"type": event_type}
            )
        try:
            readings = [reading for rule in rules if (reading := rule.read(data)) is not None]
        except Unusable as error:
            return Resolution(None, reason=Reason.UNUSABLE_VALUE, detail=str(error))
        return Resolution(customer, local_day(occurred_at, customer.timezone), readings)


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
