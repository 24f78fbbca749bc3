"""Take events in: each is stored once, counted once, and its sender told what became of it."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from usage.ingestion import partitions, storing
from usage.ingestion.events import Fate, IncomingEvent, Outcome
from usage.ingestion.resolving import Resolution, directory
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
    firsts = list({event.key: event for event in reversed(events)}.values())
    event_types = {event.event_type for event in events}
    known = directory(subjects={event.subject for event in events}, event_types=event_types)
    resolutions = [known.resolve(event, event.occurred_at or now, event.data) for event in firsts]
    partitions.make_missing(partitions.months_of([each.occurred_at for each in resolutions if not each.reason]))
    taken = storing.store(firsts, resolutions, now=now)
    if not taken and len(firsts) == len(events) and not any([each.reason for each in resolutions]):
        return [_ACCEPTED] * len(events)
    decided = dict(zip([event.key for event in firsts], zip(firsts, resolutions, strict=True), strict=True))
    return _fates(events, decided, taken, now=now)


def _first_fate(resolution: Resolution) -> Fate:
    return Fate(Outcome.QUARANTINED, resolution.reason, resolution.detail) if resolution.reason else _ACCEPTED


def _fates(
    events: Sequence[IncomingEvent],
    decided: dict[str, tuple[IncomingEvent, Resolution]],
    taken: set[str],
    *,
    now: datetime,
) -> list[Fate]:
    """Tell fresh events, repeats and conflicts apart, and keep the conflicts."""
    contents = {key: event.content[: storing.CONTENT_DIGITS] for key, (event, _resolution) in decided.items()}
    if taken:
        contents |= storing.contents_of(taken)
    detail = _("another event with this source and id was received before, with other content")
    fates: list[Fate] = []
    conflicts: dict[tuple[str, str], IncomingEvent] = {}
    first = decided.keys() - taken
    for event in events:
        if event.key in first:
            first.remove(event.key)
            fates.append(_first_fate(decided[event.key][1]))
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
