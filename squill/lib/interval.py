"""Half-open spans of time, the only way that Squill writes a period."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """
    A span of time from `start` (inclusive) to `end` (exclusive), both aware.

    :raises ValueError: if a bound is naive, or if the span is empty or runs backwards
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("an interval needs aware bounds")
        if self.end <= self.start:
            raise ValueError(f"an interval must end after it starts: {self.start} … {self.end}")

    def __contains__(self, instant: datetime) -> bool:
        """Say whether the instant lies at or after the start and before the end."""
        return self.start <= instant < self.end

    def overlaps(self, other: "Interval") -> bool:
        """Say whether the two share any instant; spans that only touch do not."""
        return self.start < other.end and other.start < self.end
