"""Helpers of a billing run as processes of this machine."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from billing.runs.sharing import Crew


@contextmanager
def helping_processes(count: int) -> Iterator[Crew]:
    """
    Yield a crew of up to `count` processes (`manage.py help_billing --stay`), started when a step first wants them.

    They stay for the steps to come, since a process takes longer to start than a step of a small run, and end when the pipe
    that they read from is closed: at the end, or because we died.
    """
    started: list[subprocess.Popen[bytes]] = []

    def call(run_id: int, wanted: int) -> None:
        running = sum(process.poll() is None for process in started)
        command = [sys.executable, str(settings.CHECKOUT / "manage.py"), "help_billing", str(run_id), "--stay"]
        for _number in range(min(wanted, count) - running):
            started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL))  # noqa: S603 - ourselves

    try:
        yield Crew(count, call)
    finally:
        for process in started:
            if process.stdin is not None:
                process.stdin.close()
        for process in started:
            process.wait()
