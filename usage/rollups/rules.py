"""What one event adds to one rollup: ingestion counts by these rules, and rebuilding counts again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from squill.lib.decimals import plain
from usage.models import Meter
from usage.rollups import exact_json, numbers

VALUE_LIMIT: Final = 10**15  # values lie below
VALUE_DECIMALS: Final = 12
LONGEST_DIMENSION: Final = 255  # characters
_ONE: Final = "1"  # what every event of a count is worth


class Contribution(NamedTuple):
    """What one event adds to one rollup."""

    meter_id: int
    day: str  # ISO date in the customer's time zone
    dimensions_key: str  # 32 hex digits
    dimensions: str  # JSON object
    value: str  # plain decimal


class Unusable(Exception):
    """A meter cannot take what the event's data holds. The message says which member and why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one meter reads from the data of its events."""

    meter_id: int
    value_path: str  # empty: events are counted
    dimensions: tuple[str, ...]
    _known: dict[tuple[str | None, ...], tuple[str, str]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, meter: Meter) -> "Rule":
        """Return the rule of a meter."""
        return cls(meter.pk, meter.value_path, tuple(meter.dimensions))

    def contribution(self, data: Mapping[str, Any], day: str) -> Contribution:
        """
        Return what an event with this data adds on this day.

        :raises Unusable: if the value or a dimension cannot be used
        """
        value = _value(data, self.value_path) if self.value_path else _ONE
        values = tuple([_dimension(data, name) for name in self.dimensions])
        encoded = self._known.get(values)
        if encoded is None:
            encoded = exact_json.digest(list(values)), exact_json.encode(dict(zip(self.dimensions, values, strict=True))).decode()
            self._known[values] = encoded
        return Contribution(self.meter_id, day, encoded[0], encoded[1], value)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local_day(instant: datetime, timezone: str) -> str:
    """Return the ISO date that the instant has in the time zone."""
    if timezone == "UTC" and instant.tzinfo is UTC:
        return instant.date().isoformat()
    return instant.astimezone(_zone(timezone)).date().isoformat()


def member(data: Mapping[str, Any], path: str) -> Any:
    """Return the member that a path names, None if there is none. A name that holds dots itself goes before the path."""
    if path in data:
        return data[path]
    found: Any = data
    for name in path.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found


def _value(data: Mapping[str, Any], path: str) -> str:
    sent = member(data, path)
    if type(sent) is int:
        if 0 <= sent < VALUE_LIMIT:
            return str(sent)
        number: Decimal | None = Decimal(sent)
    elif type(sent) is str:
        number = numbers.exact(sent)
    else:
        number = sent if isinstance(sent, Decimal) else None
    if number is None:
        if sent is None:
            raise Unusable(_("data.%(path)s is missing") % {"path": path})
        raise Unusable(_("data.%(path)s is not a number") % {"path": path})
    if number < 0:
        raise Unusable(_("data.%(path)s is negative") % {"path": path})
    if number >= VALUE_LIMIT:
        raise Unusable(_("data.%(path)s is 10^15 or more") % {"path": path})
    text = plain(number)
    if len(text.partition(".")[2]) > VALUE_DECIMALS:
        raise Unusable(_("data.%(path)s has more than %(most)d decimals") % {"path": path, "most": VALUE_DECIMALS})
    return text


def _dimension(data: Mapping[str, Any], name: str) -> str | None:
    sent = member(data, name)
    if sent is None:
        return None
    if isinstance(sent, dict | list):
        raise Unusable(_("data.%(path)s is an object or a list: a dimension is a text") % {"path": name})
    text = sent if type(sent) is str else exact_json.encode(sent).decode()
    if len(text) > LONGEST_DIMENSION:
        raise Unusable(_("data.%(path)s has more than %(most)d characters") % {"path": name, "most": LONGEST_DIMENSION})
    return text
