"""PostgreSQL stopped hard under load: nothing that was acknowledged is lost, and the service answers again by itself."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from squill import postgres
from squill.postgres.postmaster import is_alive
from squill.postgres.waiting import wait_until
from tests.faults import FULL

CHECKOUT = Path(__file__).resolve().parents[2]
STOPS = 20 if FULL else 3
SENDERS = 4
SIZE = 10  # events a request
CAST = """
from customers.services import create_customer
from squill.lib.actor import system
from squill.lib.clock import now
from usage.services import create_meter
at, who = now(), system("tests")
create_customer(external_id="acme", name="Acme", actor=who, now=at)
create_meter(code="calls", name="Calls", event_type="api.call", aggregation="count", actor=who, now=at)
"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with a database server of its own, that other tests do not miss."""
    parent = Path(tempfile.mkdtemp(prefix="squill-faults-"))
    parent.chmod(0o755)
    monkeypatch.setenv("SQUILL_HOME", str(parent / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    postgres.ensure_running()
    yield parent / "home"
    postgres.stop()
    shutil.rmtree(parent)


def _manage(*arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=CHECKOUT, env=dict(os.environ), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def _server(log: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "squill.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--workers", "2", "--threads", "2"]
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=CHECKOUT, env=dict(os.environ), stdout=output, stderr=output)
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


class _Sender(threading.Thread):
    """Sends batches, each again until it is acknowledged, as a client does."""

    def __init__(self, name: str, port: int, secret: str) -> None:
        super().__init__(name=name, daemon=True)
        self.acknowledged: list[str] = []
        self.refusals: set[int] = set()
        self.ending = threading.Event()
        self._port = port
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def run(self) -> None:
        number = 0
        while not self.ending.is_set():
            ids = [f"{self.name}-{number}-{each}" for each in range(SIZE)]
            body = json.dumps([{"id": each, "source": "app", "type": "api.call", "subject": "acme"} for each in ids]).encode()
            while self._send(body) != 204:
                time.sleep(0.05)
            self.acknowledged += ids
            number += 1

    def _send(self, body: bytes) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("POST", "/api/v1/events", body, self._headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
        if status != 204:
            self.refusals.add(status)
        return status


def _stop_hard() -> None:
    pid = postgres.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGQUIT)  # what `pg_ctl stop -m immediate` does: no checkpoint, no farewell
    wait_until(lambda: not is_alive(pid), telling="waiting for the hard stop")


def _restart_hard() -> None:
    _stop_hard()
    time.sleep(0.2)  # requests meet a server that is gone
    postgres.ensure_running()


def _let_read_only() -> None:
    """Have the server refuse to write for a while, as an old writer does after a failover; those who are connected stay so."""
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        admin.execute("SELECT pg_reload_conf()")
    time.sleep(1)
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute("SET default_transaction_read_only = off")
        admin.execute("ALTER SYSTEM RESET default_transaction_read_only")
        admin.execute("SELECT pg_reload_conf()")


def _load_through(home: Path, blow: Callable[[], None], times: int) -> set[int]:
    """Send events while the database suffers blow after blow, and return how requests were refused."""
    _manage("migrate", "-v0")
    _manage("shell", "-v0", "-c", CAST)
    secret = _manage("create_api_key", "tests", "--scope", "events:write")
    with _server(home / "gunicorn.log") as port:
        senders = [_Sender(f"s{number}", port, secret) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        for _blow in range(times):
            time.sleep(0.5)
            blow()
            before = [len(sender.acknowledged) for sender in senders]
            give_up_at = time.monotonic() + 30
            while any(len(sender.acknowledged) <= old for sender, old in zip(senders, before, strict=True)):
                assert time.monotonic() < give_up_at, "the service does not answer again"
                time.sleep(0.05)
        for sender in senders:
            sender.ending.set()
        for sender in senders:
            sender.join(60)
            assert not sender.is_alive()
    acknowledged = [event_id for sender in senders for event_id in sender.acknowledged]
    with psycopg.connect(postgres.url()) as connection:
        stored = [event_id for (event_id,) in connection.execute("SELECT event_id FROM usage_event")]
        counted = connection.execute("SELECT sum(event_count) FROM usage_rollup").fetchone()
    assert len(stored) == len(set(stored)) == len(acknowledged)
    assert set(stored) == set(acknowledged)
    assert counted == (len(stored),)
    return {status for sender in senders for status in sender.refusals}


def test_no_acknowledged_event_is_lost_when_postgresql_is_stopped_hard(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUILL_DATABASE_WAKE_SECONDS", "0")
    # While the database was gone, clients were told to come again; nothing was refused for good.
    assert _load_through(home, _restart_hard, STOPS) == {503}


def test_no_acknowledged_event_is_lost_when_the_server_only_reads_for_a_while(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQUILL_DATABASE_WAKE_SECONDS", "0")
    assert _load_through(home, _let_read_only, 2) == {503}
