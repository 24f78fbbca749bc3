"""Usage of a meter by windows of time, subjects and dimensions, as the API is asked for it."""

from usage.querying.query import usage_rows
from usage.querying.questions import EventsPutAway, MeterQuery, TooMuch, UsageRow
from usage.querying.windows import WindowSize

__all__ = ["EventsPutAway", "MeterQuery", "TooMuch", "UsageRow", "WindowSize", "usage_rows"]
