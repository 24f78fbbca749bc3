"""Month partitions of the events (UTC months of `occurred_at`), made before the first event of a month needs them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from django.db import connection, transaction

from usage.ingestion import locks

# Months whose partition is committed, so that this process need not ask again. Only a commit adds to it.
_known: set[date] = set()

_EXISTING = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'usage_event'::regclass"


def ensure_partitions(now: datetime, months_ahead: int = 3) -> None:
    """Make the partitions of the present month and of the months ahead, where they are missing."""
    present = month_of(now)
    months = [present]
    for _ in range(months_ahead):
        months.append(_following(months[-1]))
    make_missing(months)


def month_of(instant: datetime) -> date:
    """Return the first day of the UTC month that the instant lies in."""
    return instant.astimezone(UTC).date().replace(day=1)


def make_missing(months: Iterable[date]) -> None:
    """
    Make the partitions of these months (first days) that do not exist.

    Locks out other makers until the transaction ends, only if one is missing. Readers and writers of events go on: a table
    is made beside and attached, which unlike PARTITION OF does not lock the whole.
    """
    unknown = sorted(set(months) - _known)
    if not unknown:
        return
    with transaction.atomic():
        if missing := _missing(unknown):
            locks.make_partitions_alone()
            for month in _missing(missing):
                _make(month)
        transaction.on_commit(lambda: _known.update(unknown))


def _missing(months: list[date]) -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(_EXISTING)
        existing = {name for (name,) in cursor.fetchall()}
    return [month for month in months if _table(month) not in existing]


def _make(month: date) -> None:
    # Both names are made of digits alone.
    table, start, end = _table(month), month.isoformat(), _following(month).isoformat()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} (LIKE usage_event INCLUDING ALL)")
        cursor.execute(
            f"ALTER TABLE usage_event ATTACH PARTITION {table} FOR VALUES FROM ('{start} 00:00:00+00') TO ('{end} 00:00:00+00')"
        )


def _table(month: date) -> str:
    return f"usage_event_{month:%Y_%m}"


def _following(month: date) -> date:
    return month.replace(year=month.year + 1, month=1) if month.month == 12 else month.replace(month=month.month + 1)
