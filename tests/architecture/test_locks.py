"""The check of the dependency locks passes, and notices what it is for."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from squill.postgres.home import CHECKOUT


def _check(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, folder / ".ci" / "check_locks.py"], capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / ".ci").mkdir()
    for name in ("pyproject.toml", "requirements.txt", "requirements-dev.txt", ".ci/check_locks.py"):
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_locks_hold_what_is_asked_for() -> None:
    answer = _check(CHECKOUT)
    assert answer.returncode == 0, answer.stderr


def test_a_dependency_that_is_not_locked_is_named(copy: Path) -> None:
    _change(copy / "pyproject.toml", '"msgspec",', '"msgspec",\n  "left-pad",')
    answer = _check(copy)
    assert answer.returncode == 1
    assert "requirements.txt: left-pad is not locked" in answer.stderr
    assert "requirements-dev.txt: left-pad is not locked" in answer.stderr
    assert answer.stderr.endswith("Run: make lock\n")


def test_a_locked_version_that_does_not_fit_is_named(copy: Path) -> None:
    _change(copy / "pyproject.toml", '"weasyprint>=70"', '"weasyprint>=7000"')
    answer = _check(copy)
    assert answer.returncode == 1
    assert "does not fit weasyprint>=7000" in answer.stderr


def test_a_line_without_a_hash_or_with_a_host_is_named(copy: Path) -> None:
    lock = copy / "requirements-dev.txt"
    lock.write_text("--index-url https://packages.example/simple\nunhashed==1.0\n" + lock.read_text())
    answer = _check(copy)
    assert answer.returncode == 1
    assert "names a place: --index-url https://packages.example/simple" in answer.stderr
    assert "no hash: unhashed==1.0" in answer.stderr


def test_the_two_locks_may_not_disagree(copy: Path) -> None:
    text = (copy / "requirements.txt").read_text()
    line = next(line for line in text.splitlines() if line.startswith("django=="))
    (copy / "requirements.txt").write_text(text.replace(line, "django==5.2.1 \\"))
    answer = _check(copy)
    assert answer.returncode == 1
    assert "requirements-dev.txt: django is 5.2.19, but 5.2.1 in requirements.txt" in answer.stderr
