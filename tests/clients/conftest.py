"""
The real clients of others, each in an environment of its own under .squill/test/clients, and a Squill to talk to.

They are installed from the locks beside this file, once: a stamp says which lock it was. A client gets two things, as its users
would give it: an address and a token. Its script prints one JSON document, which the test looks at.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from customers.api_keys import issue_api_key
from customers.models import Scope
from tests.servers import CHECKOUT, running_squill
from tests.usage.builders import ACTOR, NOW, a_customer

HERE = Path(__file__).resolve().parent
CLIENTS = CHECKOUT / ".squill" / "test" / "clients"

type Talk = Callable[[str, str], Any]


@pytest.fixture
def talk(transactional_db: None, database_url: str, tmp_path: Path) -> Iterator[Talk]:
    """
    Run a script against a live Squill, whose customer is cust-1, and return what it prints.

    The first argument is the script's name, the second what the address of Squill ends with.
    """
    a_customer("cust-1")
    _key, secret = issue_api_key(name="client", scopes=Scope.values, actor=ACTOR, now=NOW)
    with running_squill(database_url=database_url, home=tmp_path, now=NOW) as port:

        def run(script: str, path: str) -> Any:
            environment = os.environ | {"SQUILL_URL": f"http://127.0.0.1:{port}{path}", "SQUILL_TOKEN": secret}
            source = (HERE / "scripts" / script).read_text()
            # By standard input: Node looks for packages where it is started, not where the script lies.
            command = [str(_python_clients()), "-"] if script.endswith(".py") else [*_node(), "--input-type=module"]
            folder = CLIENTS / ("python" if script.endswith(".py") else "node")
            done = subprocess.run(
                command, input=source, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        yield run


def _python_clients() -> Path:
    folder = CLIENTS / "python"
    lock = HERE / "requirements.txt"

    def install() -> None:
        uv = Path(sys.executable).with_name("uv")
        python = folder / "bin" / "python"
        if uv.exists():
            _run(str(uv), "venv", "--quiet", "--python", sys.executable, str(folder))
            _run(str(uv), "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(lock))
        else:
            _run(sys.executable, "-m", "venv", str(folder))
            _run(str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock))

    _once(folder, lock.read_bytes() + sys.version.encode(), install)
    return folder / "bin" / "python"


def _node() -> list[str]:
    programs = _python_clients().parent  # Node comes as a wheel
    folder = CLIENTS / "node"
    lock = HERE / "package-lock.json"

    def install() -> None:
        folder.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        _run(
            str(programs / "npm"),
            "ci",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--prefer-offline",
            "--prefix",
            str(folder),
        )

    _once(folder, lock.read_bytes(), install)
    return [str(programs / "node")]


def _once(folder: Path, inputs: bytes, install: Callable[[], None]) -> None:
    """Install into a folder that does not exist, unless it was made from the same inputs; one process at a time."""
    stamp = folder / ".installed"
    wanted = hashlib.sha256(inputs + str(folder).encode()).hexdigest()
    CLIENTS.mkdir(parents=True, exist_ok=True)
    with (CLIENTS / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        shutil.rmtree(folder, ignore_errors=True)
        install()
        stamp.write_text(wanted)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
