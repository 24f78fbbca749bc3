"""Month partitions of the events (UTC months of `occurred_at`), made before the first event of a month needs them."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Final

from django.db import connection, transaction

from usage.ingestion import locks

# Months whose partition is committed, so that this process need not ask again. Only a commit adds to it.
_known: set[date] = set()

_EXISTING = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'usage_event'::regclass"
_TABLE: Final = re.compile(r"usage_event_(\d{4})_(\d{2})", re.ASCII)


def ensure_partitions(now: datetime, months_ahead: int = 3) -> None:
    """Make the partitions of the present month and of the months ahead, where they are missing."""
    present = month_of(now)
    months = [present]
    for _ in range(months_ahead):
        months.append(following(months[-1]))
    make_missing(months)


def month_of(instant: datetime) -> date:
    """Return the first day of the UTC month that the instant lies in."""
    there = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return date(there.year, there.month, 1)


def following(month: date) -> date:
    """Return the first day of the month after."""
    return month.replace(year=month.year + 1, month=1) if month.month == 12 else month.replace(month=month.month + 1)


def existing_months() -> list[date]:
    """Return the months that have a partition, oldest first. One query."""
    names = [_TABLE.fullmatch(name) for name in _existing()]
    return sorted(date(int(name[1]), int(name[2]), 1) for name in names if name)


def months_of(instants: Iterable[datetime]) -> set[date]:
    """Return the first days of the UTC months that the instants lie in."""
    utc = [instant if instant.tzinfo is UTC else instant.astimezone(UTC) for instant in instants]
    if utc and (first := month_of(min(utc))) == month_of(max(utc)):  # nearly always, and found without asking each
        return {first}
    return {date(year, month, 1) for year, month in {(instant.year, instant.month) for instant in utc}}


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


def put_away_table(month: date) -> str:
    """Return the name of the table that holds the events of a month after `swap_out`."""
    return f"{_table(month)}_put_away"


def swap_out(month: date) -> None:
    """
    Take the month's partition out of usage_event, as a table of its own, and put an empty one in its place.

    The caller has locked usage_event exclusively in this transaction. Whoever comes afterwards finds a partition of the usual
    name, so that nobody must know that the month was put away to store an event of it.
    """
    table = _table(month)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE usage_event DETACH PARTITION {table}")
        cursor.execute(f"ALTER TABLE {table} RENAME TO {put_away_table(month)}")
    _make(month)


def _existing() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_EXISTING)
        return {name for (name,) in cursor.fetchall()}


def _missing(months: list[date]) -> list[date]:
    existing = _existing()
    return [month for month in months if _table(month) not in existing]


def _make(month: date) -> None:
    # By a function with the rights of the tables' owner: the application's own role may make no tables.
    with connection.cursor() as cursor:
        cursor.execute("SELECT squill_make_event_month(%s)", [month])


def _table(month: date) -> str:
    return f"usage_event_{month:%Y_%m}"
