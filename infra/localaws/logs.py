"""What functions print: to CloudWatch Logs in moto, to a file, and to the tail that an invocation returns."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from moto.logs.models import logs_backends

from infra.localaws import ACCOUNT, REGION
from infra.localaws.observing import take_metrics

# The tail that Lambda returns with an invocation.
_TAIL_BYTES: Final = 4096


class Tail:
    """The last of what was written while one invocation ran."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=1000)

    def add(self, line: str) -> None:
        self._lines.append(line)

    def text(self) -> str:
        """Return at most 4 KB, as Lambda does."""
        whole = "".join(f"{line}\n" for line in list(self._lines))
        return whole.encode()[-_TAIL_BYTES:].decode(errors="ignore")


class LogStream:
    """The log of one environment. Lines may come from several threads."""

    def __init__(self, group: str, name: str, file: Path) -> None:
        self.group = group
        self.name = name
        self._lock = threading.Lock()
        self._tails: list[Tail] = []
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        logs = logs_backends[ACCOUNT][REGION]
        if group not in logs.groups:
            logs.create_log_group(group, {})
        logs.create_log_stream(group, name)

    def write(self, line: str) -> None:
        """Keep a line."""
        with self._lock:
            for tail in self._tails:
                tail.add(line)
            with self._file.open("a") as stream:
                stream.write(f"{line}\n")
            if line:
                event = {"timestamp": int(time.time() * 1000), "message": line}
                logs_backends[ACCOUNT][REGION].put_log_events(self.group, self.name, [event])
                take_metrics(line)

    @contextmanager
    def tail(self) -> Iterator[Tail]:
        """Gather what is written from here to the end of the block."""
        tail = Tail()
        with self._lock:
            self._tails.append(tail)
        try:
            yield tail
        finally:
            with self._lock:
                self._tails.remove(tail)
