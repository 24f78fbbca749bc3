"""Windows of time: the minute, hour, local day or local month that an instant lies in."""

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_ONE_DAY = timedelta(days=1)


class WindowSize(StrEnum):
    """How long a window is; days and months are those of a time zone."""

    MINUTE = "MINUTE"
    HOUR = "HOUR"
    DAY = "DAY"
    MONTH = "MONTH"


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of the local day, in UTC; where clocks skip midnight, the instant at which they do."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def whole_days(start: datetime, end: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """
    Return the local days [first, end) that lie wholly in the instants [start, end).

    Where there is none, both are the same day or the first is the later one.
    """
    first = start.astimezone(zone).date()
    if midnight(first, zone) < start:
        first += _ONE_DAY
    return first, end.astimezone(zone).date()


def window_of(instant: datetime, size: WindowSize, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the window [start, end) in which the instant lies, in UTC."""
    local = instant.astimezone(zone)
    if size is WindowSize.MINUTE:
        start = instant - timedelta(seconds=local.second, microseconds=local.microsecond)
        return start, start + timedelta(minutes=1)
    if size is WindowSize.HOUR:
        start = instant - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return start, start + timedelta(hours=1)
    if size is WindowSize.DAY:
        return midnight(local.date(), zone), midnight(local.date() + _ONE_DAY, zone)
    first = local.date().replace(day=1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return midnight(first, zone), midnight(following, zone)
