"""Where the package is made, and what it is made for."""

import fcntl
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parents[2]
BUILD: Final = CHECKOUT / "build" / "package"
# What the hash of its inputs names, and what may be thrown away at any time. Hidden, because zappa looks through the checkout for
# imports of zappa.websocket, finds its own handler in any package that is unpacked here, and would deploy an API of websockets.
CACHE: Final = BUILD / ".cache"
# Lambda's python3.13 is Amazon Linux 2023 on x86_64.
PYTHON: Final = (3, 13)
# Where Lambda unpacks the package.
TASK_ROOT: Final = "/var/task"


class PackageError(Exception):
    """The package could not be made, or must not be deployed. The message says why, and what to do."""


@contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """Wait until no other process makes the package."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def digest(parts: Iterable[bytes]) -> str:
    """Return 16 hexadecimal digits that stand for these parts in this order."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(len(part).to_bytes(8) + part)
    return hashed.hexdigest()[:16]
