"""`make demo` as a visitor meets it: started as a program, the printed curl run, the pages opened, stopped by a signal."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 120


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running demo in a home of its own with an embedded database of its own, and what it printed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SQUILL_") and name != "DATABASE_URL"}
    environment |= {"SQUILL_HOME": str(tmp_path / "home"), "PORT": str(port), "SQUILL_NOW": "2026-11-22T12:00:00Z"}
    manage = [sys.executable, "manage.py"]
    log = tmp_path / "demo.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*manage, "demo", "--serve"], cwd=CHECKOUT, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True
        )
    try:
        yield process, _printed(process, log, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        subprocess.run([*manage, "postgres", "stop"], cwd=CHECKOUT, env=environment, check=True, capture_output=True)


def _printed(process: subprocess.Popen[str], log: Path, port: int) -> str:
    """Wait until the banner is printed and the server answers."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        if "Squill is ready" in log.read_text():
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return log.read_text()
        time.sleep(0.2)
    pytest.fail(f"no banner after {PATIENCE_SECONDS} s: {log.read_text()}")


def test_the_printed_curl_shows_a_number_and_the_printed_pages_open(demo: tuple[subprocess.Popen[str], str]) -> None:
    process, printed = demo
    command = re.search(r"curl .*?\n.*?'\S+'", printed)
    assert command is not None, printed
    answer = subprocess.run(shlex.split(command[0].replace("\\\n", " ")), capture_output=True, text=True, check=True)
    upcoming = json.loads(answer.stdout)
    assert '"total"' in answer.stdout, upcoming
    for address in re.findall(r"http://127\.0\.0\.1:\d+/(?:admin/|portal/sign-in/link/\S+|api/docs)", printed):
        with urllib.request.urlopen(address) as page:  # noqa: S310 (our own server)
            assert page.status == 200
            assert "<html" in page.read().decode()
    assert process.poll() is None

    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
