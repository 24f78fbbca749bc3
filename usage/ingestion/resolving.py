"""Decide whom an event belongs to and what it counts for. Ingestion and replay decide here, rebuilding by the same rules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils.translation import gettext as _

from usage.models import Meter, QuarantinedEvent
from usage.rollups.columns import column
from usage.rollups.rules import Contribution, Rule, Unusable, local_day

Reason = QuarantinedEvent.Reason


class Customer(NamedTuple):
    """Whom a subject names."""

    customer_id: int
    timezone: str


@dataclass(frozen=True, slots=True)
class Resolution:
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


def directory(*, subjects: Iterable[str], event_types: Iterable[str]) -> Directory:
    """Look up customers and meters of these events. Two queries."""
    rules: dict[str, tuple[Rule, ...]] = {}
    for meter in Meter.objects.filter(event_type__in=set(event_types)).order_by("pk"):
        rules[meter.event_type] = (*rules.get(meter.event_type, ()), Rule.of(meter))
    return Directory(_customers(set(subjects)), rules)


# Archived customers are not billed any more: what they send waits for a person. By the unique index on the key.
_CUSTOMERS = """
SELECT s.key, c.id, c.timezone FROM customers_subject s JOIN customers_customer c ON c.id = s.customer_id
WHERE s.key = ANY(string_to_array(%s, chr(30))) AND c.archived_at IS NULL
"""


def _customers(subjects: set[str]) -> dict[str, Customer]:
    with connection.cursor() as cursor:
        cursor.execute(_CUSTOMERS, [column(subjects)])
        return {key: Customer(customer_id, timezone) for key, customer_id, timezone in cursor.fetchall()}
