"""
The process that lays documents out: started with the first one, kept warm for the next, bounded in memory and time.

Pango and WeasyPrint work on texts that customers chose, so they run in a process that knows no secret and that this one can
stop. Plain pipes, so that it works on Lambda, which has no shared semaphores.
"""

import atexit
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO, Final, cast

from billing.delivery.rendering.protocol import Answer, Page, read_frame, write_frame

_CHECKOUT: Final = Path(__file__).resolve().parents[3]
# What a Python with native libraries needs to start, and nothing else of the environment.
_PASSED_ON: Final = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "TMPDIR", "PYTHONHASHSEED")


class RenderingFailed(Exception):
    """The document could not be laid out; the message says why. Nothing was stored, and it may be tried again."""


class Worker:
    """
    One process that lays out one document at a time; threads wait for each other.

    A process that forks gets no part in its parent's worker: it starts one of its own.
    """

    def __init__(self, *, memory_bytes: int, seconds: int) -> None:
        self._memory_bytes, self._seconds = memory_bytes, seconds
        self._one_at_a_time = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()

    def write_pdf(self, page: Page) -> bytes:
        """
        Lay the page out and return the document. A worker that died meanwhile is replaced.

        :raises RenderingFailed: if it took too long or too much memory, or could not be done
        """
        with self._one_at_a_time:
            process = self._running()
            late = threading.Event()
            alarm = threading.Timer(self._seconds, _end, (process, late))
            alarm.daemon = True
            alarm.start()
            try:
                answer = self._asked(process, page)
            finally:
                alarm.cancel()
            if answer is None:
                raise RenderingFailed(self._why_it_died(is_late=late.is_set()))
        if answer.error:
            raise RenderingFailed(f"the document could not be laid out: {answer.error}")
        return answer.content

    def stop(self) -> None:
        """End the process, if there is one; the next document starts another."""
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            process.kill()
            process.communicate()

    @property
    def pid(self) -> int | None:
        """Return the number of the running process; None before the first document."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():
            self._process, self._owner = None, os.getpid()
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603 (our own module, by the interpreter that runs this)
                [sys.executable, "-m", "billing.delivery.rendering.child", str(self._memory_bytes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=_CHECKOUT,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ}
                | {"PYTHONPATH": os.pathsep.join(path for path in (str(_CHECKOUT), *sys.path) if path)},
            )
        return self._process

    @staticmethod
    def _asked(process: subprocess.Popen[bytes], page: Page) -> Answer | None:
        try:
            write_frame(cast("BinaryIO", process.stdin), page)
            return read_frame(cast("BinaryIO", process.stdout), Answer)
        except BrokenPipeError:
            return None

    def _why_it_died(self, *, is_late: bool) -> str:
        self.stop()
        if is_late:
            return f"the document took longer than {self._seconds} s (SQUILL_PDF_SECONDS)"
        bound = f"{self._memory_bytes >> 20} MB, SQUILL_PDF_MEMORY_MB"
        return f"the process that lays documents out ended, perhaps for want of memory ({bound})"


def _end(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()


_workers: dict[tuple[int, int], Worker] = {}


def shared_worker(*, memory_bytes: int, seconds: int) -> Worker:
    """Return this process's worker with these bounds; the same one each time."""
    return _workers.setdefault((memory_bytes, seconds), Worker(memory_bytes=memory_bytes, seconds=seconds))


@atexit.register
def _stop_all() -> None:
    for worker in _workers.values():
        worker.stop()
