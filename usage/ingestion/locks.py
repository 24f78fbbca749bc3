"""
The locks that keep the meaning of usage still while events are counted.

Ingestion decides by meters and by customers' time zones, then writes. Who changes a meter (or, by a database trigger, a
zone) takes the same lock exclusively, so that no event slips between the old meaning and the new one. Advisory locks of
the transaction: they cost no write and are released by commit or rollback.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final

from django.db import connection

_SPACE: Final = 7301  # first half of every key here; the trigger zone_fixed_with_usage knows it too
_ZONES: Final = 0
_PARTITIONS: Final = -1
_BUCKETS: Final = 64  # event types share this many locks, so that a request never fills the server's lock table

HOLD_STILL: Final = "SELECT count(pg_advisory_xact_lock_shared(%s, bucket)) FROM unnest(%s::int[]) AS bucket"
_EXCLUDE: Final = "SELECT count(pg_advisory_xact_lock(%s, bucket)) FROM unnest(%s::int[]) AS bucket"


def held_still(event_types: Iterable[str]) -> list[Any]:
    """
    Return the parameters of HOLD_STILL for these types.

    That statement waits for changes to their meters and to time zones, and keeps new ones out until the transaction ends.
    """
    return _parameters({_ZONES, *map(_bucket, event_types)})


def keep_ingestion_out(event_types: Iterable[str]) -> None:
    """Wait for ingestion of these event types and keep it out until the transaction ends."""
    _exclude(set(map(_bucket, event_types)))


def keep_all_counting_out() -> None:
    """Wait for all who count events, of whatever type, and keep them out until the transaction ends: a time zone changes."""
    _exclude({_ZONES})


def make_partitions_alone() -> None:
    """Let one transaction at a time make partitions."""
    _exclude({_PARTITIONS})


def _bucket(event_type: str) -> int:
    return 1 + blake2b(event_type.encode(), digest_size=1).digest()[0] % _BUCKETS


def _exclude(buckets: set[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_EXCLUDE, _parameters(buckets))


def _parameters(buckets: set[int]) -> list[Any]:
    # In ascending order, as everywhere: two transactions that want the same locks cannot wait for each other.
    return [_SPACE, "{" + ",".join(map(str, sorted(buckets))) + "}"]
