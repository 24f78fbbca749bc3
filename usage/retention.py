"""
Put away the events of months that nothing open needs any more (docs/adr/0017-retention.md).

Two steps, each a transaction. First the month's partition is set aside, in an instant: a table of its own, with an empty
partition in its place. Then the table, which nobody writes to any more, is counted into usage_putawayrollup, for as long as
that takes. Whoever is interrupted is finished by the next run.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from psycopg.errors import LockNotAvailable

from customers import audit
from squill.lib.actor import Actor
from usage.ingestion import partitions
from usage.models import Event, PutAwayMonth, QuarantinedEvent
from usage.rollups.recounting import COLUMNS, recounted

# Packages above usage say what still needs the events of the instants [start, end): in words, for the operator; nothing where
# nothing does.
type Veto = Callable[[datetime, datetime], Iterable[str]]
_vetoes: Final[list[Veto]] = []
_TOLD: Final = 20  # reasons that are told before the rest is only counted


def add_veto(veto: Veto) -> None:
    """Let this veto hold months back. To be called while Django starts."""
    if veto not in _vetoes:
        _vetoes.append(veto)


class Outcome(StrEnum):
    """What became of a month that is old enough."""

    PUT_AWAY = "put_away"
    DUE = "due"  # would be put away, were it no dry run
    HELD = "held"
    BUSY = "busy"  # the next run tries again


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthReport:
    """What became of one month; `held_by` are sentences for a person."""

    month: date
    outcome: Outcome
    event_count: int | None = None
    held_by: tuple[str, ...] = ()


def put_away_due(
    *, now: datetime, actor: Actor, dry_run: bool = False, deadline: Callable[[], bool] = lambda: False
) -> list[MonthReport]:
    """
    Put away each month of events that ended SQUILL_EVENTS_RETENTION_MONTHS months ago or earlier, unless it is held.

    Return what became of each, oldest first; takes up no month after the deadline. Idempotent, may run twice at once. Ingestion
    waits two seconds for it at most, and loses nothing. A month is audited as events.put_away.
    """
    uncounted = list(PutAwayMonth.objects.filter(counted_at=None).order_by("month").values_list("month", flat=True))
    reports: list[MonthReport] = []
    for month in sorted({*uncounted, *_old_enough(now)}):
        if deadline():
            break
        held_by = [] if month in uncounted else _held_by(month)
        if held_by:
            reports.append(MonthReport(month=month, outcome=Outcome.HELD, held_by=_told(held_by)))
        elif dry_run:
            reports.append(MonthReport(month=month, outcome=Outcome.DUE))
        else:
            reports.append(_put_away(month, now=now, actor=actor))
    return reports


def _old_enough(now: datetime) -> list[date]:
    """Return the months that ended long enough ago, and have events that nobody has put away yet."""
    months = settings.SQUILL_EVENTS_RETENTION_MONTHS
    if not months:
        return []
    # A month ends when the next begins, so the newest that may go began a month earlier still.
    newest = _number(partitions.month_of(now)) - months - 1
    known = set(PutAwayMonth.objects.values_list("month", flat=True))
    old = [month for month in partitions.existing_months() if _number(month) <= newest and month not in known]
    return [month for month in old if Event.objects.filter(**_within(month)).exists()]


def _held_by(month: date) -> list[str]:
    # Asked before anything is locked. What is opened again meanwhile finds its totals all the same: bills need no raw events.
    span = PutAwayMonth(month=month)
    found = [reason for veto in _vetoes for reason in veto(span.start, span.end)]
    if waiting := QuarantinedEvent.objects.filter(status=QuarantinedEvent.Status.WAITING, **_within(month)).count():
        told = ngettext("%(count)d event of it waits in quarantine", "%(count)d events of it wait in quarantine", waiting)
        found.append(told % {"count": waiting})
    return found


def _number(month: date) -> int:
    """Count months since the year 0."""
    return month.year * 12 + month.month - 1


def _within(month: date) -> dict[str, datetime]:
    span = PutAwayMonth(month=month)
    return {"occurred_at__gte": span.start, "occurred_at__lt": span.end}


def _told(reasons: list[str]) -> tuple[str, ...]:
    if len(reasons) <= _TOLD:
        return tuple(reasons)
    return (*reasons[:_TOLD], _("and %(count)d more") % {"count": len(reasons) - _TOLD})


def _put_away(month: date, *, now: datetime, actor: Actor) -> MonthReport:
    try:
        _set_aside(month, now=now)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        return MonthReport(month=month, outcome=Outcome.BUSY)
    return _count(month, now=now, actor=actor)


# Whoever reads or writes events has this lock on the whole in a weaker form until its transaction ends, and is waited for.
# Ingestion queues up behind us meanwhile, so the wait is short, and another run may have it later. Nothing else is locked
# before, and nothing after that anybody waits for us with: no deadlock.
_ALONE: Final = "SET LOCAL lock_timeout = '2s'; LOCK TABLE ONLY usage_event IN ACCESS EXCLUSIVE MODE"

# By the index over meter and day.
_METERS: Final = """
SELECT coalesce(array_agg(m.id ORDER BY m.id), '{}') FROM usage_meter m
WHERE EXISTS (SELECT 1 FROM usage_rollup r WHERE r.meter_id = m.id AND r.day >= %s AND r.day <= %s)
"""


@transaction.atomic
def _set_aside(month: date, *, now: datetime) -> None:
    """Take the month out of usage_event, unless it is out already. Writes and locks for milliseconds."""
    with connection.cursor() as cursor:
        cursor.execute(_ALONE)
        if PutAwayMonth.objects.filter(month=month).exists():
            return
        row = PutAwayMonth(month=month, put_away_at=now)
        cursor.execute(_METERS, row.days)
        row.meter_ids = cursor.fetchone()[0]
    row.save(force_insert=True)
    partitions.swap_out(month)


# In SQL: what is compared with the rollups for ever does not come from the code that moves them. A meter that has counted keeps
# its meaning (trigger), and a put-away event cannot be corrected any more.
_COUNT: Final = (
    f"INSERT INTO usage_putawayrollup (month, {COLUMNS}) SELECT %(month)s::date, {COLUMNS} FROM (<counted>) AS counted"  # noqa: S608
)
_COUNTED_METERS: Final = "m.id = ANY(%(meter_ids)s::bigint[])"


@transaction.atomic
def _count(month: date, *, now: datetime, actor: Actor) -> MonthReport:
    """Keep what the month's events add up to. Locks only the month's row, so that one run counts it."""
    row = PutAwayMonth.objects.select_for_update(skip_locked=True).filter(month=month).first()
    if row is None:
        return MonthReport(month=month, outcome=Outcome.BUSY)
    if row.counted_at is None:
        table = partitions.put_away_table(month)  # made of digits
        with connection.cursor() as cursor:
            counted = recounted(table, meters=_COUNTED_METERS)
            cursor.execute(_COUNT.replace("<counted>", counted), {"month": month, "meter_ids": row.meter_ids})
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
            row.event_count = cursor.fetchone()[0]
        row.counted_at = now
        row.save(update_fields=["counted_at", "event_count"])
        after = {"events": row.event_count, "table": table}
        audit.record(action="events.put_away", object_type="events", object_id=str(row), actor=actor, now=now, after=after)
    return MonthReport(month=month, outcome=Outcome.PUT_AWAY, event_count=row.event_count)
