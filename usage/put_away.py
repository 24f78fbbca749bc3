"""
What whoever reads raw events must ask: which of them were put away, and what they add up to.

To be asked after the events were read, in the same transaction: whoever has read usage_event keeps all months from being put
away until that transaction ends.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from usage.models import EventKey, PutAwayMonth
from usage.rollups.rules import Group
from usage.rollups.totals import Latest, Place, Total, Totals


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


def was_put_away(key: str, *, customer_id: int | None) -> bool:
    """
    Say whether the event with this key (32 hex digits) was put away. One or two queries.

    The caller has found it neither stored nor in quarantine; its identity is kept for ever. `customer_id` is the customer that
    the caller is narrowed to: of others it learns nothing.
    """
    if not PutAwayMonth.objects.exists():
        return False
    known = EventKey.objects.filter(key=UUID(key))
    return (known if customer_id is None else known.filter(customer_id=customer_id)).exists()


def has_totals_of(customer_id: int) -> bool:
    """Say whether days of this customer are known by their totals alone, or may be: a month is being counted. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_ANY_TOTALS, [customer_id])
        return bool(cursor.fetchone()[0])


_ANY_TOTALS: Final = """
SELECT EXISTS (SELECT 1 FROM usage_putawayrollup WHERE customer_id = %s)
    OR EXISTS (SELECT 1 FROM usage_putawaymonth WHERE counted_at IS NULL)
"""

# Grain: rollup. Both by an index over the customer and the day.
_TOTALS: Final = """
SELECT k.customer_id, k.meter_id, k.day, replace(k.dimensions_key::text, '-', ''), r.dimensions::text, r.item,
       sum(p.event_count)::bigint, sum(p.value_sum), min(p.value_min), max(p.value_max), sum(p.value_weight), max(p.latest_at),
       (array_agg(p.latest_event ORDER BY p.latest_at DESC, p.latest_event DESC))[1],
       (array_agg(p.value_latest ORDER BY p.latest_at DESC, p.latest_event DESC))[1]
FROM unnest(%s::bigint[], %s::bigint[], %s::date[], %s::uuid[]) AS k(customer_id, meter_id, day, dimensions_key)
JOIN usage_rollup r USING (customer_id, meter_id, day, dimensions_key)
JOIN usage_putawayrollup p
  ON (p.customer_id, p.meter_id, p.day, p.dimensions, coalesce(p.item, ''))
   = (r.customer_id, r.meter_id, r.day, r.dimensions, coalesce(r.item, ''))
GROUP BY k.customer_id, k.meter_id, k.day, k.dimensions_key, r.dimensions, r.item
"""


def totals_of(places: Collection[Place]) -> Totals:
    """
    Return what events that were put away add to each of these rollups; those without any are left out. At most two queries.

    :raises BeingPutAway: if a month that reaches into one of the days is not counted yet
    """
    found = Totals()
    if not places:
        return found
    for month in PutAwayMonth.objects.filter(counted_at=None):
        first, last = month.days
        if any(first <= place.day <= last for place in places):
            raise BeingPutAway(_("The events of %(month)s are being put away just now: try again later.") % {"month": month})
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, [list(column) for column in zip(*places, strict=True)])
        for customer_id, meter_id, day, key, dimensions, item, *sums, latest_at, latest_event, value in cursor.fetchall():
            count, total, least, most, weight = sums
            latest = None if latest_at is None else Latest(latest_at, latest_event, value)
            place = Place(customer_id, meter_id, day, key)
            found[place] = Total(count, total, least, most, weight, latest)
            found.groups[place] = Group(meter_id, key, dimensions, item)
    return found
