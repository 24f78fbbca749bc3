"""
What whoever reads raw events must ask: which of them were put away, and what they add up to.

To be asked after the events were read, in the same transaction: whoever has read usage_event keeps all months from being put
away until that transaction ends.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from usage.models import EventKey, PutAwayMonth

type RollupKey = tuple[int, int, str, str]  # customer, meter, ISO day, key of the dimensions (32 hex digits)
type Sums = tuple[int, Decimal, Decimal]  # events, sum and largest of their values


class BeingPutAway(Exception):
    """What the events of a month add up to is not known yet, since they are being counted just now."""


def reason_against(spans: Iterable[tuple[datetime, datetime]]) -> str:
    """Say which months that the instants [start, end) reach into were put away, for a person; empty if none. One query."""
    bounds = list(spans)
    months = PutAwayMonth.objects.order_by("month")
    touched = [str(month) for month in months if any(start < month.end and month.start < end for start, end in bounds)]
    if not touched:
        return ""
    return _("The events of %(months)s were put away: only the totals of their days are left.") % {"months": ", ".join(touched)}


def complete_since() -> date | None:
    """Return the first day (UTC) from which on every event is kept; None where none was ever put away. One query."""
    latest = PutAwayMonth.objects.order_by("-month").first()
    return latest.end.date() if latest else None


def was_put_away(key: str) -> bool:
    """
    Say whether the event with this key (32 hex digits) was put away. One or two queries.

    The caller has found it neither stored nor in quarantine; its identity is kept for ever.
    """
    return PutAwayMonth.objects.exists() and EventKey.objects.filter(key=UUID(key)).exists()


# Grain: rollup. Both by an index over the customer and the day.
_TOTALS: Final = """
SELECT r.customer_id, r.meter_id, r.day::text, replace(r.dimensions_key::text, '-', ''),
       sum(p.event_count)::bigint, sum(p.value_sum), max(p.value_max)
FROM unnest(%s::bigint[], %s::bigint[], %s::date[], %s::uuid[]) AS k(customer_id, meter_id, day, dimensions_key)
JOIN usage_rollup r USING (customer_id, meter_id, day, dimensions_key)
JOIN usage_putawayrollup p
  ON (p.customer_id, p.meter_id, p.day, p.dimensions) = (r.customer_id, r.meter_id, r.day, r.dimensions)
GROUP BY 1, 2, 3, 4
"""


def totals_of(keys: Collection[RollupKey]) -> dict[RollupKey, Sums]:
    """
    Return what events that were put away add to each of these rollups; those without any are left out. At most two queries.

    :raises BeingPutAway: if a month that reaches into one of the days is not counted yet
    """
    if not keys:
        return {}
    days = [date.fromisoformat(day) for _customer_id, _meter_id, day, _dimensions_key in keys]
    for month in PutAwayMonth.objects.filter(counted_at=None):
        first, last = month.days
        if any(first <= day <= last for day in days):
            raise BeingPutAway(_("The events of %(month)s are being put away just now: try again later.") % {"month": month})
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, [list(column) for column in zip(*keys, strict=True)])
        return {(row[0], row[1], row[2], row[3]): (row[4], row[5], row[6]) for row in cursor.fetchall()}
