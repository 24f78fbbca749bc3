"""
How far a file has been loaded: a note in SQUILL_HOME, so that a load that died goes on where it stopped.

The note is only a hint. It holds for one content of one file (path, size, time of change, hash of the first bytes), and is
believed only if the last event that it says was stored is in this database. Sending events again does no harm, so a note that
is lost or late costs time and nothing else.
"""

import os
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

import msgspec

from usage.models import EventKey

_HEAD_BYTES = 65_536


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What is noted after each batch."""

    count: int  # events in the whole file, which was checked
    done: int  # events from the beginning that are stored
    last_key: str  # identity of the last of them
    totals: dict[str, int]  # how many of them met which fate


class Note:
    """The note about one file as it is now."""

    def __init__(self, home: Path, file: Path, form: str) -> None:
        self._path = home / "loads" / f"{_identity(file, form)}.json"

    def read(self) -> Progress | None:
        """Return what was noted, or None if nothing was that this database bears out. One query."""
        try:
            progress = msgspec.json.decode(self._path.read_bytes(), type=Progress)
        except (FileNotFoundError, msgspec.DecodeError):  # a ValidationError is a DecodeError
            return None
        return progress if EventKey.objects.filter(key=progress.last_key).exists() else None

    def write(self, *, count: int, done: int, last_key: str, totals: Mapping[str, int]) -> None:
        """Replace the note, wholly or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(msgspec.json.encode(Progress(count=count, done=done, last_key=last_key, totals=dict(totals))))
        fresh.replace(self._path)

    def remove(self) -> None:
        """Forget the file: it is loaded to its end."""
        self._path.unlink(missing_ok=True)


def _identity(file: Path, form: str) -> str:
    found = file.stat()
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    told = f"{file.resolve()}\0{found.st_size}\0{found.st_mtime_ns}\0{form}\0".encode()
    return blake2b(told + head, digest_size=16).hexdigest()
