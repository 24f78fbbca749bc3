"""What can be asked of a meter, and what is answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from usage.models import Meter
from usage.querying.windows import WindowSize

MOST_EVENTS: Final = 200_000  # raw events that one answer reads
MOST_ROWS: Final = 10_000  # rows that one answer has
SUBJECT: Final = "subject"  # what a query may be split by besides the meter's dimensions

type Group = tuple[str | None, ...]  # the values of what a query is split by, in its order


@dataclass(frozen=True, slots=True)
class MeterQuery:
    """What is asked of a meter. Every name in `group_by` and `filters` is `subject` or one of the meter's dimensions."""

    meter: Meter
    start: datetime | None = None  # included; None: from the first counted day
    end: datetime | None = None  # excluded; None: to the end of the last counted day
    window_size: WindowSize | None = None  # None: one window for all
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    customer_ids: tuple[int, ...] | None = None  # None: all customers
    subjects: frozenset[str] | None = None  # None: all subjects
    group_by: tuple[str, ...] = ()
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by dimension: the values that count


@dataclass(frozen=True, slots=True)
class UsageRow:
    """The usage of one window [start, end) and one set of the values asked for."""

    start: datetime
    end: datetime
    groups: dict[str, str | None]  # by the names in `group_by`; None where the event had no such member
    value: Decimal


class TooMuch(Exception):
    """The answer would have more rows, or need more raw events, than one answer may. `events` tells which."""

    def __init__(self, *, events: bool) -> None:
        super().__init__("too many events" if events else "too many rows")
        self.events = events


class EventsPutAway(Exception):
    """The answer needs raw events of months that were put away. The message names them, for a person."""


def sortable(group: Group) -> list[tuple[bool, str]]:
    """Return what groups are sorted by: missing values first."""
    return [(name is not None, name or "") for name in group]
