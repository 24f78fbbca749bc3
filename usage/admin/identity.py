"""How the desk names one event in addresses and forms: by its source and id, since nothing else identifies it."""

import base64
from collections.abc import Iterable

import msgspec
from django.http import Http404
from django.utils.translation import gettext as _

from usage.corrections import CorrectionError
from usage.corrections.finding import StoredEvent, find_event
from usage.encoding import exact_json


def event_ref(source: str, event_id: str) -> str:
    """
    Write source and id as one text that is safe in an address.

    >>> event_ref("gateway", "req-1"), read_event_ref("WyJnYXRld2F5IiwicmVxLTEiXQ")
    ('WyJnYXRld2F5IiwicmVxLTEiXQ', ('gateway', 'req-1'))
    """
    return base64.urlsafe_b64encode(exact_json.encode([source, event_id])).decode().rstrip("=")


def read_event_ref(ref: str) -> tuple[str, str] | None:
    """Read what `event_ref` has written; None where it has not written this."""
    try:
        padded = ref + "=" * (-len(ref) % 4)
        source, event_id = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=tuple[str, str])
    except (ValueError, msgspec.DecodeError):
        return None
    return (source, event_id) if (source + event_id).isprintable() else None


def events_of(refs: Iterable[str]) -> list[StoredEvent]:
    """Return the stored events that are named, in their order, without names that stand for none. A query an event."""
    found = []
    for ref in dict.fromkeys(refs):
        if named := read_event_ref(ref):
            try:
                found.append(find_event(source=named[0], event_id=named[1]))
            except CorrectionError:
                continue
    return found


def event_or_404(ref: str) -> StoredEvent:
    """
    Return the stored event that is named.

    :raises Http404: if there is none
    """
    for event in events_of([ref]):
        return event
    raise Http404(_("There is no such event."))
