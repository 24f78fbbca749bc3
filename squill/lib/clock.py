"""The one place that reads the clock. Doors call `now()` once and pass the instant down."""

import os
from datetime import UTC, datetime

# Set at start-up by the settings; in production a pinned clock is refused there.
PINNED_CLOCK_VARIABLE = "SQUILL_NOW"


def now() -> datetime:
    """
    Return the present instant, aware and in UTC.

    SQUILL_NOW (an ISO 8601 instant with its offset) pins it for tests, demos and replays.

    :raises ValueError: if SQUILL_NOW is not an instant with an offset
    """
    pinned = os.environ.get(PINNED_CLOCK_VARIABLE)
    if pinned:
        return parse_instant(pinned)
    return datetime.now(UTC)


def parse_instant(text: str) -> datetime:
    """
    Read an ISO 8601 instant with an offset, such as 2026-03-01T00:00:00Z, as UTC.

    :raises ValueError: if the text is not a date and time, has no offset, or is out of range

    >>> parse_instant("2026-03-01T01:00:00+01:00").isoformat()
    '2026-03-01T00:00:00+00:00'
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an instant: write it as 2026-03-01T00:00:00Z") from None
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: write it as 2026-03-01T00:00:00Z")
    # A day is kept free at both ends, so that every time zone can tell the instant.
    if not 1 < instant.year < 9999:
        raise ValueError(f"{text!r} is out of range: write a year from 2 to 9998")
    return instant.astimezone(UTC)


def instant_text(instant: datetime) -> str:
    """
    Write an instant in UTC as ISO 8601, with Z.

    >>> instant_text(parse_instant("2026-03-01T02:00:00+02:00"))
    '2026-03-01T00:00:00Z'
    """
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
