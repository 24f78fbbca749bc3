"""A server of Squill on the benchmark's own home, what its processes cost, and clients that keep their connection."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

CHECKOUT = Path(__file__).resolve().parent.parent
WORKERS = 2
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Web:
    """A running server."""

    port: int
    pid: int  # of the process that started the workers

    def cpu_seconds(self) -> float:
        """Return the processor time that the server and its workers have taken; 0 where there is no /proc."""
        return sum(_cpu_seconds(pid) for pid in [self.pid, *_children(self.pid)])


@contextmanager
def running(log: IO[bytes], *, workers: int = WORKERS) -> Iterator[Web]:
    """Run granian until the block ends; begins when all workers have answered."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += [
        "--workers",
        str(workers),
        "--blocking-threads",
        "2",
        "--no-ws",
        "--log-level",
        "error",
        "squill.wsgi:application",
    ]
    server = subprocess.Popen(command, cwd=CHECKOUT, env=dict(os.environ), stdout=log, stderr=log)
    try:
        _wait(port, server)
        yield Web(port, server.pid)
    finally:
        server.terminate()
        server.wait(30)


def _wait(port: int, server: "subprocess.Popen[bytes]") -> None:
    answered = 0
    for _attempt in range(600):
        try:
            _warm_up(port)
            answered += 1
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.1)
        if answered == 40:  # all workers have loaded everything by then
            return
    raise SystemExit("granian does not answer")


def _warm_up(port: int) -> None:
    """Have a worker refuse a request, on a connection of its own."""
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    server.request("POST", "/api/v1/events", b"[]", {"Content-Type": "application/json"})
    server.getresponse().read()
    server.close()


class Client:
    """Sends events over one connection."""

    def __init__(self, port: int, secret: str) -> None:
        self._server = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/cloudevents-batch+json"}

    def send(self, body: bytes) -> float:
        """Send a batch and return the seconds until the answer; ends the benchmark on anything but 204."""
        started = time.perf_counter()
        self._server.request("POST", "/api/v1/events", body, self._headers)
        response = self._server.getresponse()
        answer = response.read()
        if response.status != 204:
            raise SystemExit(f"{response.status}: {answer.decode()}")
        return time.perf_counter() - started


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob(f"{pid}/task/*/children"):
        for child in map(int, path.read_text().split()):
            found += [child, *_children(child)]
    return found


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / TICKS  # utime and stime
