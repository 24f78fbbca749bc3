"""Two events side by side, so that a person sees at a glance where they differ."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from django.utils.translation import gettext as _

from usage.encoding import exact_json


class Content(NamedTuple):
    """What an event says; `data` is exact JSON."""

    source: str
    event_id: str
    subject: str
    event_type: str
    occurred_at: datetime
    data: str

    @classmethod
    def of(cls, event: Any) -> "Content":
        """Read a stored event (`data`), or a row whose exact data was asked for (`data_text`)."""
        data = getattr(event, "data_text", None) or event.data
        return cls(event.source, event.event_id, event.subject, event.event_type, event.occurred_at, data)


class Row(NamedTuple):
    """One thing that both events say."""

    label: str
    first: str
    second: str
    is_data: bool

    @property
    def differs(self) -> bool:
        """Say whether they say it differently."""
        return self.first != self.second


def side_by_side(first: Content, second: Content) -> list[Row]:
    """Return what two events say, in texts that are equal where the events are."""
    labels = (_("Source"), _("Id"), _("Subject"), _("Type"), _("Time"))
    pairs = [(*each[:4], instant(each.occurred_at)) for each in (first, second)]
    rows = [Row(label, one, other, False) for label, one, other in zip(labels, *pairs, strict=True)]
    return [*rows, Row(_("Data"), indented(first.data), indented(second.data), True)]


def instant(at: datetime) -> str:
    """Write an instant as events are sent: 2026-03-10T12:00:00Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def indented(data: str) -> str:
    """Write the data of an event on lines, its members in the order of their names and its numbers exactly."""
    return msgspec.json.format(exact_json.encode(exact_json.decode(data)), indent=2).decode()
