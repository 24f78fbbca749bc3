"""
docs/quickstart.md is run: every `sh` block in one shell, in order, and what it prints is compared with the block below it.

`…` in an expected block stands for anything within a line, and on a line of its own for any lines. Only the folder and the
port are this test's own.
"""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from squill import postgres
from squill.postgres.home import CHECKOUT

DOC = CHECKOUT / "docs" / "quickstart.md"
PAGE_HOME, PAGE_PORT = "/tmp/squill-quickstart", "8000"
MARK = "=== block ==="


def steps(page: str) -> list[tuple[str, str]]:
    """Return each block of commands with what it must print: the next block, if that is an output."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    found: list[tuple[str, str]] = []
    for position, (kind, text) in enumerate(blocks):
        if kind == "sh":
            after = blocks[position + 1] if position + 1 < len(blocks) else ("", "")
            found.append((text, after[1] if after[0] in ("text", "json") else ""))
    return found


def matches(expected: str, said: str) -> bool:
    """Compare, `…` standing for anything within a line, and on a line of its own for any lines."""
    pattern = re.sub(r"(?m)^(?:\\ )*…\\?$", "(?s:.*?)", re.escape(expected.strip())).replace("…", "[^\n]*")
    return re.fullmatch(pattern, said.strip()) is not None


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A home of its own with the embedded server, which is stopped whatever happens."""
    monkeypatch.setenv("SQUILL_HOME", str(tmp_path / "home"))
    yield {name: value for name, value in os.environ.items() if not name.startswith(("SQUILL_", "DATABASE_", "DJANGO_"))}
    monkeypatch.setenv("SQUILL_HOME", str(tmp_path / "home"))
    postgres.stop()


def _run(script: str, environment: dict[str, str]) -> tuple[str, str, int]:
    shell = subprocess.Popen(
        ["bash", "-e", "-u", "-o", "pipefail"],
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said, complained = shell.communicate(script, timeout=240)
    finally:
        # The page's web server, where the script did not come to its end.
        try:
            os.killpg(shell.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return said, complained, shell.returncode


def test_every_command_of_the_page_prints_what_the_page_says(tmp_path: Path, environment: dict[str, str]) -> None:
    page = steps(DOC.read_text(encoding="utf-8"))
    script = "".join(f"echo '{MARK}'\n{commands}" for commands, _ in page)
    assert PAGE_HOME in script
    assert f"PORT={PAGE_PORT}" in script
    script = script.replace(PAGE_HOME, str(tmp_path / "home")).replace(f"PORT={PAGE_PORT}", f"PORT={_free_port()}")
    said, complained, status = _run(script.replace(".venv/bin/python", sys.executable), environment)
    answers = [answer.strip() for answer in said.split(f"{MARK}\n")[1:]]
    for (commands, expected), answer in zip(page, answers, strict=False):
        assert matches(expected, answer), f"{commands}\n--- the page says\n{expected}\n--- it printed\n{answer}\n{complained}"
    assert (status, len(answers)) == (0, len(page)), complained


def test_a_difference_within_a_line_is_noticed() -> None:
    assert steps("```sh\na\n```\n\n```text\n1\n```\n\n```console\n$ b\n```\n\n```sh\nc\n```\n") == [("a\n", "1\n"), ("c\n", "")]
    assert matches("29.75 …\n", "29.75 EUR")
    assert not matches("29.75 …\n", "29.76 EUR")
    assert not matches("a…", "a\nb")
    assert matches("a\n  …\nd", "a\nb\nc\nd")
    assert not matches("a\n  …\nd", "a\nb\nc\ne")
