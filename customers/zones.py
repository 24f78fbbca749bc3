"""Who must know that a customer's time zone changes: packages above count by its days."""

from collections.abc import Callable
from typing import Final

# Called with the customer before its zone changes, in the same transaction; what it returns is called after.
type Watcher = Callable[[int], Callable[[], None]]
_watchers: Final[list[Watcher]] = []


class ZoneIsFixed(Exception):
    """A watcher cannot follow the change. The message says why, for a person."""


def watch_zones(watcher: Watcher) -> None:
    """Have this watcher called at every change of a time zone. To be called while Django starts."""
    if watcher not in _watchers:
        _watchers.append(watcher)


def zone_changes(customer_id: int) -> list[Callable[[], None]]:
    """
    Tell the watchers that the zone is about to change; return what is to be called once it has.

    :raises ZoneIsFixed: if one of them cannot follow
    """
    return [watcher(customer_id) for watcher in _watchers]
