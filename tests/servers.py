"""A Squill that answers over the network, for tests that ask it as others do."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from squill.lib import clock

CHECKOUT = Path(__file__).resolve().parents[1]


@contextmanager
def running_squill(*, database_url: str, home: Path, now: datetime) -> Iterator[int]:
    """Run gunicorn on a database, with the clock standing still; yield its port once it answers."""
    port = _free_port()
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "SQUILL_HOME": str(home),
        clock.PINNED_CLOCK_VARIABLE: now.isoformat(),
    }
    command = [sys.executable, "-m", "gunicorn", "squill.wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"]
    log = home / "gunicorn.log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=output, stderr=output)
    try:
        for _attempt in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
