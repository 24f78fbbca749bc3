"""Homes for servers of their own, each stopped and removed at the end."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from squill import postgres


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty SQUILL_HOME that every account can enter (pytest's own tmp_path lets in nobody else)."""
    parent = Path(tempfile.mkdtemp(prefix="squill-launcher-"))
    parent.chmod(0o755)
    path = parent / "home"
    monkeypatch.setenv("SQUILL_HOME", str(path))
    yield path
    monkeypatch.setenv("SQUILL_HOME", str(path))
    postgres.stop()
    shutil.rmtree(parent)


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    """A running server that several tests look at and none breaks."""
    with pytest.MonkeyPatch.context() as patch:
        parent = Path(tempfile.mkdtemp(prefix="squill-launcher-"))
        parent.chmod(0o755)
        patch.setenv("SQUILL_HOME", str(parent / "home"))
        postgres.ensure_running()
        yield parent / "home"
        patch.setenv("SQUILL_HOME", str(parent / "home"))
        postgres.stop()
        shutil.rmtree(parent)


@pytest.fixture
def running(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> postgres.Server:
    monkeypatch.setenv("SQUILL_HOME", str(shared_home))
    return postgres.status()
