"""Sums of events by rollup, in exact numbers: what ingestion adds, what counting again finds, what corrections take away."""

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from usage.encoding.identity import name_of
from usage.rollups.rules import Aggregation, Group, Number, Reading, end_of_day

_MICROSECOND: Final = timedelta(microseconds=1)


class Place(NamedTuple):
    """The primary key of a rollup; sorts as PostgreSQL sorts it."""

    customer_id: int
    meter_id: int
    day: date  # in the customer's time zone
    group_key: str  # 32 hex digits


class Latest(NamedTuple):
    """The latest value; of two with one time, the one whose event's name sorts last."""

    at: datetime
    event: str  # its name (usage.encoding.identity)
    value: Number


class Moment(msgspec.Struct, frozen=True, gc=False):
    """When an event happened, on which day of its customer's, and which event it is."""

    occurred_at: datetime
    day: date
    timezone: str
    source: str
    event_id: str


class Total(msgspec.Struct, gc=False):
    """
    What a rollup holds. Each aggregation keeps what it needs, and None elsewhere (usage.models.Rollup says which).

    Sums of values below 10^15 with 12 decimals: to be moved under `squill.lib.decimals.exact`.
    """

    event_count: int = 0
    value_sum: Number | None = None
    value_min: Number | None = None
    value_max: Number | None = None
    value_weight: Number | None = None
    latest: Latest | None = None


class Totals(dict[Place, Total]):
    """Totals by place, with the groups that they are of."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: dict[Place, Group] = {}

    def add(self, customer_id: int, moment: Moment, readings: Iterable[Reading]) -> None:
        """Count an event of a customer by what its meters read from it."""
        day = moment.day
        for rule, group, value in readings:
            place = customer_id, rule.meter_id, day, group.key  # equal to the Place, and made in half the time
            total = self.get(place)  # type: ignore[call-overload]
            if total is None:
                fresh = tuple.__new__(Place, place)  # as Place(*place), without its call in Python
                total = self[fresh] = Total()
                self.groups[fresh] = group
            total.event_count += 1
            fold = FOLDS[rule.aggregation]
            if fold is not None:
                fold(total, value, moment)


def _sum(total: Total, value: Number, _moment: Moment) -> None:
    total.value_sum = value if total.value_sum is None else total.value_sum + value


def _min(total: Total, value: Number, _moment: Moment) -> None:
    total.value_min = value if total.value_min is None else min(total.value_min, value)


def _max(total: Total, value: Number, _moment: Moment) -> None:
    total.value_max = value if total.value_max is None else max(total.value_max, value)


def _latest(total: Total, value: Number, moment: Moment) -> None:
    found = Latest(moment.occurred_at, name_of(moment.source, moment.event_id), value)
    total.latest = found if total.latest is None else max(total.latest, found)


def _weighted(total: Total, value: Number, moment: Moment) -> None:
    _sum(total, value, moment)
    weight = value * weight_of(moment)
    total.value_weight = weight if total.value_weight is None else total.value_weight + weight


def weight_of(moment: Moment) -> int:
    """Return the microseconds from an event to the end of its day."""
    return (end_of_day(moment.day, moment.timezone) - moment.occurred_at) // _MICROSECOND


# How an aggregation takes up one value; None where only events are counted. By plain texts, which are found sooner than members.
FOLDS: Final[Mapping[str, Callable[[Total, Number, Moment], None] | None]] = {
    Aggregation.COUNT.value: None,
    Aggregation.UNIQUE_COUNT.value: None,
    Aggregation.SUM.value: _sum,
    Aggregation.AVERAGE.value: _sum,
    Aggregation.MIN.value: _min,
    Aggregation.MAX.value: _max,
    Aggregation.LATEST.value: _latest,
    Aggregation.WEIGHTED_SUM.value: _weighted,
}


def merge(total: Total, other: Total) -> None:
    """Add another total of the same meter to this one."""
    total.event_count += other.event_count
    total.value_sum = _both(operator.add, total.value_sum, other.value_sum)
    total.value_min = _both(min, total.value_min, other.value_min)
    total.value_max = _both(max, total.value_max, other.value_max)
    total.value_weight = _both(operator.add, total.value_weight, other.value_weight)
    total.latest = _both(max, total.latest, other.latest)


def _both(combine: Callable[[Any, Any], Any], one: Any, other: Any) -> Any:
    if one is None or other is None:
        return other if one is None else one
    return combine(one, other)


def without(total: Total, taken: Total) -> Total | None:
    """
    Return what is left of a rollup after these events are taken out of it; None where only counting again can tell.

    That is where the smallest, largest or latest value may be among them.
    """
    left = Total(event_count=total.event_count - taken.event_count)
    if left.event_count <= 0:
        return Total()
    if _reaches(taken.value_max, total.value_max) or (taken.latest and total.latest and taken.latest >= total.latest):
        return None
    if taken.value_min is not None and total.value_min is not None and taken.value_min <= total.value_min:
        return None
    left.value_min, left.value_max, left.latest = total.value_min, total.value_max, total.latest
    left.value_sum = _less(total.value_sum, taken.value_sum)
    left.value_weight = _less(total.value_weight, taken.value_weight)
    return left


def _reaches(taken: Number | None, most: Number | None) -> bool:
    return taken is not None and most is not None and taken >= most


def _less(total: Number | None, taken: Number | None) -> Number | None:
    return total if total is None or taken is None else Decimal(total) - taken
