"""Waiting without a time limit, but never in silence; and the lock that lets one process at a time start or stop a server."""

import fcntl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

NOTICE_EVERY_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 0.25


def wait_until(is_done: Callable[[], bool], *, telling: str) -> None:
    """Return once is_done() says so, however long it takes; say on stderr every ten seconds what is waited for."""
    started = noticed = time.monotonic()
    pause = FIRST_PAUSE_SECONDS
    while not is_done():
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        now = time.monotonic()
        if now - noticed >= NOTICE_EVERY_SECONDS:
            noticed = now
            sys.stderr.write(f"{telling} ({now - started:.0f} s so far)\n")
            sys.stderr.flush()


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold the lock file; the kernel lets go of it when the process dies, so it is never stale."""
    with lock.open("a") as stream:

        def taken() -> bool:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        wait_until(taken, telling="Waiting for another process that starts or stops PostgreSQL")
        yield
