"""How the data of events is shown: as the exact text that is stored, never through floats."""

from typing import Any, Final

import msgspec
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.html import format_html
from django.utils.safestring import SafeString

_LONGEST_IN_LIST: Final = 120  # characters


def with_exact_data(events: QuerySet[Any]) -> QuerySet[Any]:
    """Return the events with `data_text`, the JSON as it is stored, in place of `data`."""
    exact: QuerySet[Any] = events.defer("data").annotate(data_text=Cast("data", TextField()))
    return exact


def short(data_text: str) -> str:
    """Return the beginning of the JSON, for a column of a list."""
    return data_text if len(data_text) <= _LONGEST_IN_LIST else data_text[:_LONGEST_IN_LIST] + "…"


def indented(data_text: str) -> SafeString:
    """Return the JSON indented, for a page; numbers stay as they are written."""
    return format_html("<pre>{}</pre>", msgspec.json.format(data_text, indent=2))
