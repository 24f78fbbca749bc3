"""What a correction would change, found by making it and taking it back: the numbers are those of the real thing."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from usage.corrections.correcting import Corrected
from usage.corrections.finding import StoredEvent
from usage.corrections.moving import Moved, Sums
from usage.models import Correction, Meter

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
        changes = _changes(correct())
        adjustments = tuple(row for find in finders for row in find())
        transaction.set_rollback(True)
    return Effects(changes, adjustments)


def _changes(moved: Sequence[Moved]) -> tuple[Change, ...]:
    meters = Meter.objects.in_bulk({each.key.meter_id for each in moved})
    return tuple(
        Change(
            meter=meters[each.key.meter_id].code,
            unit=meters[each.key.meter_id].unit,
            day=date.fromisoformat(each.key.day),
            dimensions=json.loads(each.dimensions),
            before=_quantity(meters[each.key.meter_id], each.before),
            after=_quantity(meters[each.key.meter_id], each.after),
        )
        for each in moved
    )


def _quantity(meter: Meter, sums: Sums | None) -> Decimal:
    if sums is None:
        return Decimal(0)
    if meter.aggregation == Meter.Aggregation.COUNT:
        return Decimal(sums.event_count)
    return sums.value_sum if meter.aggregation == Meter.Aggregation.SUM else sums.value_max
