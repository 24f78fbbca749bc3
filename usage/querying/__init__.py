"""Usage of a meter by windows of time, subjects and dimensions, as the API is asked for it."""

from usage.querying.query import MeterQuery, TooMuch, UsageRow, usage_rows
from usage.querying.windows import WindowSize

__all__ = ["MeterQuery", "TooMuch", "UsageRow", "WindowSize", "usage_rows"]
