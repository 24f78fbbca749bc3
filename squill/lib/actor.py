"""Who does something: carried from the door to the audit trail (I9)."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a change: a signed-in person, an API key, or Squill itself."""

    kind: Literal["user", "api_key", "system"]
    label: str  # an e-mail address, a key's prefix, or the name of a command or job


def system(label: str) -> Actor:
    """Return the actor for work that no person asked for, named after the command or job."""
    return Actor("system", label)
