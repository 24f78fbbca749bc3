"""What one event adds to one rollup: ingestion counts by these rules, and counting again does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from django.utils.translation import gettext as _

from squill.lib.decimals import plain
from usage.encoding import exact_json, numbers
from usage.models import Meter
from usage.rollups.filters import Condition, conditions_of, member, passes, text_of

VALUE_LIMIT: Final = 10**15  # values lie below
VALUE_DECIMALS: Final = 12
LONGEST_DIMENSION: Final = 255  # characters
_MOST_KNOWN: Final = 10_000  # groups that a rule remembers
Aggregation: Final = Meter.Aggregation
_UNIQUE_COUNT: Final = Aggregation.UNIQUE_COUNT.value
_WEIGHTED_SUM: Final = Aggregation.WEIGHTED_SUM.value

type Number = int | Decimal


class Group(msgspec.Struct, frozen=True):
    """What one meter counts together: the dimension values of events, and the item that a unique count counts."""

    meter_id: int
    key: str  # BLAKE2b-128 of the values and the item, 32 hex digits
    dimensions: str  # JSON object
    item: str | None


type Reading = tuple["Rule", Group, Number]


class Unusable(Exception):
    """A meter cannot take what the event's data holds. The message says which member and why."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """What one meter reads from the data of its events."""

    meter_id: int
    aggregation: str
    value_path: str  # empty: events are counted
    dimensions: tuple[str, ...]
    conditions: tuple[Condition, ...]
    _known: dict[tuple[str | None, ...], Group] = field(default_factory=dict, repr=False)
    _same: "Reading | None" = field(default=None, init=False, repr=False)  # what every event gives, whatever its data

    def __post_init__(self) -> None:
        if not (self.conditions or self.dimensions or self.value_path):
            object.__setattr__(self, "_same", self.read({}))  # as a frozen dataclass sets what it works out

    @classmethod
    def of(cls, meter: Meter) -> "Rule":
        """Return the rule of a meter."""
        filters = exact_json.encode(meter.filters).decode()
        return rule_of(meter.pk, meter.aggregation, meter.value_path, tuple(meter.dimensions), filters)

    def read(self, data: Mapping[str, Any]) -> Reading | None:
        """
        Return what an event with this data adds to which group; None if the filters leave it out.

        :raises Unusable: if the value or a dimension cannot be used
        """
        if self._same is not None:
            return self._same
        if self.conditions and not passes(self.conditions, data):
            return None
        # Short texts and whole numbers are nearly all there is; they are taken without a call.
        values: tuple[str | None, ...] = ()
        for name in self.dimensions:
            sent = data.get(name)
            values += (sent if type(sent) is str and len(sent) <= LONGEST_DIMENSION else _dimension(data, name),)
        value: Number = 1
        if self.aggregation == _UNIQUE_COUNT:
            values = (*values, _item(data, self.value_path))
        elif self.value_path:
            sent = data.get(self.value_path)
            if type(sent) is int and 0 <= sent < VALUE_LIMIT:
                value = sent
            else:
                value = _value(data, self.value_path, may_be_negative=self.aggregation == _WEIGHTED_SUM)
        group = self._known.get(values)
        if group is None:
            group = self._group(values)
        return self, group, value

    def read_stored(self, data: Mapping[str, Any]) -> Reading | None:
        """Return the same of an event that is stored; None also where it came before the meter, which cannot use it."""
        try:
            return self.read(data)
        except Unusable:
            return None

    def _group(self, values: tuple[str | None, ...]) -> Group:
        item = values[-1] if self.aggregation == _UNIQUE_COUNT else None
        dimensions = exact_json.encode(dict(zip(self.dimensions, values, strict=False))).decode()
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        group = self._known[values] = Group(self.meter_id, exact_json.digest(list(values)), dimensions, item)
        return group


@lru_cache(maxsize=1000)
def rule_of(meter_id: int, aggregation: str, value_path: str, dimensions: tuple[str, ...], filters: str) -> Rule:
    """Return the rule with these facts (`filters` is JSON); the same facts give the same rule, which remembers its groups."""
    return Rule(meter_id, str(aggregation), value_path, dimensions, conditions_of(exact_json.decode(filters)))


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local_day(instant: datetime, timezone: str) -> date:
    """Return the date that the instant has in the time zone; equal dates are one object, which is hashed once."""
    there = instant if timezone == "UTC" and instant.tzinfo is UTC else instant.astimezone(_zone(timezone))
    return _days(there.year, there.month, there.day)


_days: Final = lru_cache(maxsize=10_000)(date)


@lru_cache(maxsize=10_000)
def end_of_day(day: date, timezone: str) -> datetime:
    """Return the first instant of the following local day, in UTC; where clocks skip midnight, that at which they do."""
    following = day + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=_zone(timezone)).astimezone(UTC)


def _value(data: Mapping[str, Any], path: str, *, may_be_negative: bool) -> Number:
    sent = member(data, path)
    if type(sent) is int and 0 <= sent < VALUE_LIMIT:
        return sent
    number: Decimal | None
    if type(sent) is int:
        number = Decimal(sent)
    elif type(sent) is str:
        number = numbers.exact(sent)
    else:
        number = sent if isinstance(sent, Decimal) else None
    if number is None:
        if sent is None:
            raise Unusable(_("data.%(path)s is missing") % {"path": path})
        raise Unusable(_("data.%(path)s is not a number") % {"path": path})
    if number < 0 and not may_be_negative:
        raise Unusable(_("data.%(path)s is negative") % {"path": path})
    if abs(number) >= VALUE_LIMIT:
        raise Unusable(_("data.%(path)s is 10^15 or more") % {"path": path})
    text = plain(number)
    most = settings.SQUILL_EVENTS_MAX_DECIMALS
    if len(text.partition(".")[2]) > most:
        message = _("data.%(path)s has more than %(most)d decimals (SQUILL_EVENTS_MAX_DECIMALS)")
        raise Unusable(message % {"path": path, "most": most})
    return Decimal(text)


def _item(data: Mapping[str, Any], path: str) -> str:
    item = _dimension(data, path)
    if item is None:
        raise Unusable(_("data.%(path)s is missing") % {"path": path})
    return item


def _dimension(data: Mapping[str, Any], name: str) -> str | None:
    sent = member(data, name)
    text = text_of(sent)
    if text is None:
        if sent is None:
            return None
        raise Unusable(_("data.%(path)s is an object or a list: it must be a text, a number or a truth value") % {"path": name})
    if len(text) > LONGEST_DIMENSION:
        raise Unusable(_("data.%(path)s has more than %(most)d characters") % {"path": name, "most": LONGEST_DIMENSION})
    return text
