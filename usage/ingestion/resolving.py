"""Decide whom an event belongs to and what it counts for. Ingestion and replay decide here, rebuilding by the same rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from django.db import connection
from django.utils.translation import gettext as _

from usage.ingestion import locks
from usage.models import QuarantinedEvent
from usage.rollups.columns import column
from usage.rollups.rules import Contribution, Rule, Unusable, local_day

Reason = QuarantinedEvent.Reason


class Customer(NamedTuple):
    """Whom a subject names."""

    customer_id: int
    timezone: str


class Resolution(msgspec.Struct, frozen=True):
    """Whom an event counts for and what it adds; or, with a reason, why it must wait."""

    customer_id: int | None
    contributions: tuple[Contribution, ...] = ()
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """Who the subjects of some events are, and which meters count their types."""

    customers: Mapping[str, Customer]
    rules: Mapping[str, tuple[Rule, ...]]

    def resolve(self, *, subject: str, event_type: str, occurred_at: datetime, data: Mapping[str, Any]) -> Resolution:
        """Decide about one event. If any meter of its type cannot use it, the event waits whole."""
        customer = self.customers.get(subject)
        if customer is None:
            return Resolution(
                None, (), Reason.UNKNOWN_SUBJECT, _("no customer has the subject %(subject)s") % {"subject": subject}
            )
        rules = self.rules.get(event_type)
        if rules is None:
            return Resolution(None, (), Reason.UNKNOWN_TYPE, _("no meter counts the type %(type)s") % {"type": event_type})
        day = local_day(occurred_at, customer.timezone)
        try:
            contributions = tuple([rule.contribution(data, day) for rule in rules])
        except Unusable as error:
            return Resolution(None, (), Reason.UNUSABLE_VALUE, str(error))
        return Resolution(customer.customer_id, contributions)


# Three statements in one message, each with a snapshot of its own: what is read after the lock is what the lock holds still.
# Archived customers are not billed any more: what they send waits for a person. By the unique index on the key, and the index
# on the event type.
_LOOK_UP: Final = f"""
{locks.HOLD_STILL};
SELECT s.key, c.id, c.timezone FROM customers_subject s JOIN customers_customer c ON c.id = s.customer_id
WHERE s.key = ANY(string_to_array(%s, chr(30))) AND c.archived_at IS NULL;
SELECT id, event_type, value_path, dimensions FROM usage_meter
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
        customers = {key: Customer(customer_id, timezone) for key, customer_id, timezone in cursor.fetchall()}
        cursor.nextset()
        for meter_id, event_type, value_path, dimensions in cursor.fetchall():
            rules[event_type] = (*rules.get(event_type, ()), Rule(meter_id, value_path, tuple(dimensions)))
    return Directory(customers, rules)
