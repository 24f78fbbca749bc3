"""How an event is known: by the source and the id that its sender gave it (ADR-0006)."""

from usage.encoding import exact_json


def name_of(source: str, event_id: str) -> str:
    """Return id and source as one text. It sorts by the id: of two events at one time, the one that sorts last is the later."""
    return f"{event_id}\x1f{source}"


def event_key(source: str, event_id: str) -> str:
    """Return the identity of an event: BLAKE2b-128 of both, 32 hex digits."""
    return exact_json.digest([source, event_id])
