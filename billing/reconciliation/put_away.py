"""I1 and I2 where months of events were put away: what is still checked, and what cannot be any more."""

from collections.abc import Iterator

from django.db import connection
from django.utils.translation import gettext as _

from usage.models import PutAwayMonth

# Every identity is that of an event, stored or put away, or of a row of the quarantine that has not become one. A conflict came
# under the identity of another.
_IDENTITIES = """
SELECT (SELECT count(*) FROM usage_eventkey), (SELECT count(*) FROM usage_event),
       (SELECT sum(event_count)::bigint FROM usage_putawaymonth),
       (SELECT count(*) FROM usage_quarantinedevent WHERE status <> 'replayed' AND reason <> 'conflict'),
       EXISTS (SELECT 1 FROM usage_putawaymonth) AND NOT EXISTS (SELECT 1 FROM usage_putawaymonth WHERE counted_at IS NULL)
"""


def check_put_away() -> Iterator[str]:
    """I1: compare the number of identities with the number of events, where not every event can be looked at. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_IDENTITIES)
        identities, stored, put_away, waiting, is_known = cursor.fetchone()
    if is_known and identities != stored + put_away + waiting:
        told = f"{stored} events are stored, {put_away} were put away, {waiting} wait in quarantine or were discarded"
        yield f"I1 {identities} identities were taken in, and {told}"


def unchecked() -> list[str]:
    """Say what cannot be recomputed any more, a sentence for each month that was put away. One query."""
    return [_sentence(month) for month in PutAwayMonth.objects.order_by("month")]


def _sentence(month: PutAwayMonth) -> str:
    if month.counted_at is None:
        return _("I1, I2 %(month)s: its events are being put away and are not counted yet") % {"month": month}
    named = {"month": month, "count": month.event_count, "day": month.put_away_at.date().isoformat()}
    return (
        _("I1, I2 %(month)s: %(count)d events were put away on %(day)s; rollups are compared with what they added up to") % named
    )
