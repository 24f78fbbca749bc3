"""What a correction would change, found by making it and taking it back: the numbers are those of the real thing."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, Final, NamedTuple

from django.db import transaction

from usage.corrections.correcting import Corrected
from usage.corrections.finding import StoredEvent
from usage.corrections.moving import Moved
from usage.models import Correction, Meter
from usage.selectors import MeteredUsage, metered_usage_by_span, quantity_of

# Packages above usage say what else a customer's usage decides. A watcher is called with the customer before a correction; what
# it returns is called after it, and names what has changed, as JSON values.
type Watcher = Callable[[int], Callable[[], list[dict[str, Any]]]]
_watchers: Final[list[Watcher]] = []


def watch(watcher: Watcher) -> None:
    """Let every preview show what this watcher finds. To be called while Django starts."""
    if watcher not in _watchers:
        _watchers.append(watcher)


@dataclass(frozen=True, slots=True)
class Change:
    """The quantity of one meter, local day and set of dimension values, before and after."""

    meter: str
    unit: str
    day: date
    dimensions: Mapping[str, str | None]
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Effects:
    """What would change; `adjustments` is of periods that are billed already, and goes onto the next invoice."""

    changes: tuple[Change, ...]
    adjustments: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """A correction that was not made, and what it would change."""

    correction: Correction
    effects: Effects


def preview(event: StoredEvent, correct: Callable[[], Corrected]) -> Preview:
    """
    Make a correction of the event, see what it changes, and take all of it back; nothing is written.

    Holds the locks of the correction meanwhile. Whatever `correct` raises is raised.
    """
    made: list[Correction] = []

    def run() -> Sequence[Moved]:
        corrected = correct()
        made.append(corrected.correction)
        return corrected.moved

    effects = effects_of([event.customer_id], run)
    return Preview(made[0], effects)


def effects_of(customer_ids: Iterable[int], correct: Callable[[], Sequence[Moved]]) -> Effects:
    """Do the same for corrections of events of these customers; `correct` returns the rollups that it moves."""
    with transaction.atomic():
        finders = [watcher(customer_id) for customer_id in sorted(set(customer_ids)) for watcher in _watchers]
        places = _places(correct())
        after = _quantities(places)
        adjustments = tuple(row for find in finders for row in find())
        transaction.set_rollback(True)
    before = _quantities(places)
    changes = tuple(
        Change(place.meter.code, place.meter.unit, place.day, json.loads(place.dimensions), was, will_be)
        for place, was, will_be in zip(places, before, after, strict=True)
    )
    return Effects(changes, adjustments)


class _Place(NamedTuple):
    """A meter's quantity that may change: of one customer, day and set of dimension values."""

    customer_id: int
    meter: Meter
    day: date
    dimensions: str


def _places(moved: Sequence[Moved]) -> list[_Place]:
    meters = Meter.objects.in_bulk({each.place.meter_id for each in moved})
    found = [_Place(each.place.customer_id, meters[each.place.meter_id], each.place.day, each.dimensions) for each in moved]
    return list(dict.fromkeys(found))  # a unique count moves a rollup for each of its items


def _quantities(places: Sequence[_Place]) -> list[Decimal]:
    """Return the quantities of these places as they are now. A query for each customer."""
    days = sorted({(place.customer_id, place.day) for place in places})
    usages: dict[tuple[int, date], list[MeteredUsage]] = {}
    for customer_id, group in groupby(days, key=lambda each: each[0]):
        spans = [(day, day + timedelta(days=1)) for _customer_id, day in group]
        for (day, _end), found in zip(spans, metered_usage_by_span(customer_id=customer_id, spans=spans), strict=True):
            usages[customer_id, day] = found
    return [
        quantity_of(
            place.meter.aggregation,
            [
                usage
                for usage in usages[place.customer_id, place.day]
                if usage.meter_id == place.meter.pk and usage.dimensions == json.loads(place.dimensions)
            ],
        )
        for place in places
    ]
