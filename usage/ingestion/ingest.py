"""Take events in: each is stored once, counted once, and its sender told what became of it."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from usage.ingestion import partitions, storing
from usage.ingestion.events import Fate, IncomingEvent, Outcome
from usage.ingestion.resolving import directory
from usage.ingestion.storing import Resolved
from usage.models import QuarantinedEvent


@transaction.atomic
def ingest(events: Sequence[IncomingEvent], *, now: datetime) -> list[Fate]:
    """
    Store events and move rollups, in one transaction; return the fate of each, in order.

    Idempotent: an event that was sent before (same source and id) is a duplicate, or a conflict where anything else in it
    differs; conflicts are kept in quarantine and overwrite nothing. Valid events that nobody can be billed for go to
    quarantine too. An event without a time happened `now`.
    """
    if not events:
        return []
    firsts: dict[str, IncomingEvent] = {}
    for event in events:
        firsts.setdefault(event.key, event)
    event_types = {event.event_type for event in events}
    known = directory(subjects={event.subject for event in events}, event_types=event_types)
    resolved: dict[str, Resolved] = {}
    for event in firsts.values():
        occurred_at = event.occurred_at or now
        resolution = known.resolve(subject=event.subject, event_type=event.event_type, occurred_at=occurred_at, data=event.data)
        resolved[event.key] = Resolved(event, occurred_at, resolution)
    partitions.make_missing({partitions.month_of(each.occurred_at) for each in resolved.values() if not each.resolution.reason})
    taken = storing.store(list(resolved.values()), now=now)
    if not taken and len(firsts) == len(events):
        return [_first_fate(each) for each in resolved.values()]
    return _fates(events, resolved, taken, now=now)


def _first_fate(each: Resolved) -> Fate:
    if each.resolution.reason:
        return Fate(Outcome.QUARANTINED, each.resolution.reason, each.resolution.detail)
    return _ACCEPTED


def _fates(events: Sequence[IncomingEvent], resolved: dict[str, Resolved], taken: set[str], *, now: datetime) -> list[Fate]:
    """Tell fresh events, repeats and conflicts apart, and keep the conflicts."""
    contents = {key: each.event.content[: storing.CONTENT_DIGITS] for key, each in resolved.items()}
    if taken:
        contents |= storing.contents_of(taken)
    detail = _("another event with this source and id was received before, with other content")
    fates: list[Fate] = []
    conflicts: dict[tuple[str, str], IncomingEvent] = {}
    first = resolved.keys() - taken
    for event in events:
        if event.key in first:
            first.remove(event.key)
            fates.append(_first_fate(resolved[event.key]))
        elif event.content[: storing.CONTENT_DIGITS] == contents[event.key]:
            fates.append(_DUPLICATE)
        else:
            fates.append(Fate(Outcome.QUARANTINED, QuarantinedEvent.Reason.CONFLICT, detail))
            conflicts.setdefault((event.key, event.content), event)
    if conflicts:
        storing.keep_conflicts(list(conflicts.values()), detail=detail, now=now)
    return fates


_ACCEPTED = Fate(Outcome.ACCEPTED)
_DUPLICATE = Fate(Outcome.DUPLICATE)
