import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command

from squill import postgres
from squill.postgres.home import CHECKOUT


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SQUILL_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    monkeypatch.setenv("SQUILL_HOME", str(tmp_path / "home"))
    postgres.stop()


def _said(*arguments: str) -> str:
    answer = StringIO()
    call_command("postgres", *arguments, stdout=answer)
    return answer.getvalue()


def _manage(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    command = [sys.executable, str(CHECKOUT / "manage.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_start_status_url_and_stop(home: Path) -> None:
    assert "PostgreSQL is running" in _said("start")
    pid = postgres.status().pid

    url = _said("url").strip()
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_database()").fetchone()
    assert row == ("squill",)

    assert f"process {pid}" in _said("status")
    assert json.loads(_said("status", "--json")) == {
        "state": "running",
        "pid": pid,
        "url": url,
        "data_dir": f"{home}/postgres/data",
        "log": f"{home}/postgres.log",
    }

    # Any other command finds it running, and leaves it so. Nothing is migrated in a new database.
    assert _manage("migrate", "--check").returncode == 1
    assert postgres.status().pid == pid

    assert json.loads(_said("stop", "--json"))["state"] == "stopped"
    assert postgres.status().pid is None
    assert _said("stop") == f"PostgreSQL is stopped. Its data: {home}/postgres/data\n"


def test_status_fails_unless_it_runs_and_makes_nothing(home: Path) -> None:
    looked = _manage("postgres", "status")
    assert looked.returncode == 1
    assert looked.stdout == f"PostgreSQL is stopped. Its data: {home}/postgres/data\n"
    assert not home.exists()


def test_a_start_that_fails_says_why(home: Path) -> None:
    home.touch()
    with pytest.raises(CommandError, match="cannot be started"):
        call_command("postgres", "start")
    home.unlink()


def test_an_unknown_action_is_refused(home: Path) -> None:
    with pytest.raises(CommandError, match="invalid choice: 'restart'"):
        call_command("postgres", "restart")
    assert not home.exists()
