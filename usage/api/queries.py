"""Query parameters of the usage endpoints, read strictly: every refusal names the parameter."""

import base64
import binascii
import json
from datetime import UTC, date, datetime
from typing import Final

from django.http import QueryDict
from django.utils.translation import gettext as _

from squill.lib.clock import parse_instant
from squill.web.problems import invalid
from usage import put_away
from usage.history import Position

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000


def refuse_unknown(query: QueryDict, known: frozenset[str]) -> None:
    """
    Refuse parameters that a view does not know, and texts that no database can hold.

    :raises Problem: naming them
    """
    errors = {name: _("There is no such parameter.") for name in query if name not in known}
    errors |= {name: _("A NUL character cannot be searched for.") for name, values in query.lists() if "\0" in "".join(values)}
    if errors:
        raise invalid(errors)


def instant(query: QueryDict, name: str) -> datetime | None:
    """
    Return the parameter as an instant, None if it was not sent.

    :raises Problem: if it is none
    """
    text = query.get(name)
    if text is None:
        return None
    try:
        # A plus that was not escaped arrives as a space.
        return parse_instant(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise invalid({name: _("Write an instant with its offset, such as 2026-03-01T00:00:00Z.")}) from None


def day(query: QueryDict, name: str) -> date | None:
    """
    Return the parameter as a date, None if it was not sent.

    :raises Problem: if it is none
    """
    text = query.get(name)
    if text is None:
        return None
    try:
        if len(text) != len("2026-03-01"):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise invalid({name: _("Write a day, such as 2026-03-01.")}) from None


def kept_range(query: QueryDict) -> tuple[datetime | None, datetime | None]:
    """
    Return the instants `from` and `to` of a list of events, None where one was not sent. One or two queries.

    :raises Problem: if one is no instant, or if events since `from` were put away with their month
    """
    start, end = instant(query, "from"), instant(query, "to")
    if start and (message := put_away.reason_against([(start, end or datetime.max.replace(tzinfo=UTC))])):
        hint = _("Those that are kept are complete from %(day)s on.") % {"day": put_away.complete_since()}
        raise invalid({"from": f"{message} {hint}"})
    return start, end


def limit(query: QueryDict) -> int:
    """
    Return how many items a page may have: 100 unless `limit` says otherwise.

    :raises Problem: if it is not a whole number from 1 to 1000
    """
    text = query.get("limit", str(DEFAULT_LIMIT))
    if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_LIMIT)) and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    raise invalid({"limit": _("Write a whole number from 1 to %(limit)d.") % {"limit": MAX_LIMIT}})


def cursor(position: Position) -> str:
    """Return the opaque text that names a position in the list of events."""
    occurred_at, *name = position
    return base64.urlsafe_b64encode(json.dumps([occurred_at.isoformat(), *name]).encode()).decode().rstrip("=")


def position(query: QueryDict) -> Position | None:
    """
    Return the position that `cursor` names, None if it was not sent.

    :raises Problem: if it is not one that `cursor` made
    """
    text = query.get("cursor")
    if text is None:
        return None
    try:
        named = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        if not isinstance(named, list) or not all(isinstance(each, str) and each.isprintable() for each in named):
            raise ValueError(named)
        occurred_at, event_id, source = named
        return parse_instant(occurred_at), event_id, source
    except (ValueError, OverflowError, RecursionError, binascii.Error):
        raise invalid({"cursor": _("Send back the nextCursor of the page before, unchanged.")}) from None
