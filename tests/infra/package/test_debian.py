"""Debian packages as they are locked, and what is said when they cannot be had."""

from pathlib import Path

import pytest

from infra.package import debian
from infra.package.debian import Locked
from infra.package.places import PackageError


def test_every_package_is_locked_with_version_and_checksum() -> None:
    locked = debian.read_lock()

    assert [package.name for package in locked] == sorted(debian.NAMES)
    assert all(len(package.sha256) == 64 and package.version for package in locked)


def test_a_version_that_is_gone_from_the_mirror_is_answered_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "CACHE", tmp_path)

    with pytest.raises(PackageError) as refused:
        debian.fetch([Locked("libthai0", "0.0.1-1", "0" * 64)])

    assert "Version '0.0.1-1' for 'libthai0' was not found" in str(refused.value)
    assert "python -m infra.package lock" in str(refused.value)


def test_a_package_that_is_not_what_was_locked_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "CACHE", tmp_path)
    [real] = [package for package in debian.read_lock() if package.name == "libdatrie1"]

    with pytest.raises(PackageError, match=r"is not the file that packages\.lock names"):
        debian.fetch([Locked(real.name, real.version, "0" * 64)])

    assert list(tmp_path.rglob("*.deb")) == []


def test_a_kept_file_that_was_damaged_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "CACHE", tmp_path)
    [real] = [package for package in debian.read_lock() if package.name == "libdatrie1"]
    kept = tmp_path / "debian" / f"{real.sha256}.deb"
    kept.parent.mkdir()
    kept.write_bytes(b"half of it")

    with pytest.raises(PackageError, match="run this again"):
        debian.fetch([real])

    assert not kept.exists()


def test_elsewhere_than_on_debian_it_says_where_to_make_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "CACHE", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(PackageError, match=r"make the package on Debian 12 \(x86_64\) or in a container of it"):
        debian.fetch(debian.read_lock())
