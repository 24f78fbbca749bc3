"""Which customers a query is about, from when to when, and what of that the rollups know."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection

from customers.models import AuditEvent, Subject
from usage.querying.questions import SUBJECT, MeterQuery
from usage.querying.windows import WindowSize, midnight, whole_days


@dataclass(frozen=True, slots=True)
class Counted:
    """A customer for whom the meter has counted something, and the instants [start, end) of those days."""

    customer_id: int
    external_id: str
    timezone: str
    start: datetime
    end: datetime

    def between(self, start: datetime, end: datetime) -> "Counted | None":
        """Return the customer with only what lies in [start, end) too, None if nothing does."""
        cut = replace(self, start=max(self.start, start), end=min(self.end, end))
        return cut if cut.start < cut.end else None


@dataclass(frozen=True, slots=True)
class Part:
    """One customer's instants [start, end) to read as raw events, or its local days [first_day, end_day) of rollups."""

    customer_id: int
    start: datetime
    end: datetime
    days: tuple[date, date] | None = None


# Grain: customer. Two probes of the rollups' primary key each, whatever their number.
_COUNTED: Final = """
SELECT c.id, c.external_id, c.timezone, f.day, l.day
FROM customers_customer c
CROSS JOIN LATERAL (
  SELECT day FROM usage_rollup WHERE customer_id = c.id AND meter_id = %(meter_id)s ORDER BY day LIMIT 1
) f
CROSS JOIN LATERAL (
  SELECT day FROM usage_rollup WHERE customer_id = c.id AND meter_id = %(meter_id)s ORDER BY day DESC LIMIT 1
) l
WHERE %(customer_ids)s::bigint[] IS NULL OR c.id = ANY(%(customer_ids)s::bigint[])
ORDER BY c.id
"""


def counted(*, meter_id: int, customer_ids: Sequence[int] | None) -> list[Counted]:
    """Return the customers (None: all) for whom the meter counted something, from the first day to the last. One query."""
    parameters: dict[str, Any] = {
        "meter_id": meter_id,
        "customer_ids": None if customer_ids is None else list(customer_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, parameters)
        rows = cursor.fetchall()
    found = []
    for customer_id, external_id, timezone, first_day, last_day in rows:
        zone = ZoneInfo(timezone)
        since, until = midnight(first_day, zone), midnight(last_day + timedelta(days=1), zone)
        found.append(Counted(customer_id, external_id, timezone, since, until))
    return found


def parts(customer: Counted) -> list[Part]:
    """Cut the customer's instants into whole local days, which rollups know, and what is left at both ends."""
    zone = ZoneInfo(customer.timezone)
    first_day, end_day = whole_days(customer.start, customer.end, zone)
    if first_day >= end_day:
        return [Part(customer.customer_id, customer.start, customer.end)]
    start, end = midnight(first_day, zone), midnight(end_day, zone)
    cut = [
        Part(customer.customer_id, customer.start, start),
        Part(customer.customer_id, start, end, (first_day, end_day)),
        Part(customer.customer_id, end, customer.end),
    ]
    return [part for part in cut if part.start < part.end]


def with_only_subjects(customers: Sequence[Counted], subjects: frozenset[str]) -> set[int]:
    """
    Return those customers of whom all that was ever counted came in under these subjects, so that rollups tell of them.

    Keys that a customer has now are looked up; one that was taken from it stands in the audit trail. Two queries.
    """
    keys: dict[int, set[str]] = {customer.customer_id: set() for customer in customers}
    names = {customer.external_id: customer.customer_id for customer in customers}
    for customer_id, key in Subject.objects.filter(customer_id__in=keys).values_list("customer_id", "key"):
        keys[customer_id].add(key)
    trail = AuditEvent.objects.filter(object_type="customer", object_id__in=names, before__has_key="subject_keys")
    for external_id, before in trail.values_list("object_id", "before"):
        keys[names[external_id]].update(before["subject_keys"])
    return {customer_id for customer_id, had in keys.items() if had <= subjects}


def known_to_rollups(query: MeterQuery, customers: Sequence[Counted]) -> set[int]:
    """Return the customers whose rollups can answer, since they need not be split by subject."""
    if SUBJECT in query.group_by:
        return set()
    if query.subjects is None:
        return {customer.customer_id for customer in customers}
    return with_only_subjects(customers, query.subjects)


def are_of_days(query: MeterQuery, customer: Counted) -> bool:
    """Say whether the windows of the query begin and end with the customer's days."""
    is_whole = query.window_size in (WindowSize.DAY, WindowSize.MONTH) and query.zone.key == customer.timezone
    return query.window_size is None or is_whole
