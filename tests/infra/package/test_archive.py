"""Zip files by content alone."""

import os
import zipfile
from pathlib import Path

from infra.package import archive


def test_times_and_modes_of_files_change_nothing(tmp_path: Path) -> None:
    for name, seconds, mode in (("one", 1_000_000_000, 0o644), ("two", 1_700_000_000, 0o600)):
        folder = tmp_path / name / "squill"
        folder.mkdir(parents=True)
        for file in ("b.py", "a.py"):
            (folder / file).write_text(file)
            (folder / file).chmod(mode)
            os.utime(folder / file, (seconds, seconds))
        archive.write(tmp_path / f"{name}.zip", tmp_path / name)

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_everybody_may_read_what_is_unpacked(tmp_path: Path) -> None:
    """Lambda refuses to start a handler that its own user cannot read."""
    (tmp_path / "secretive.py").touch(mode=0o600)
    archive.write(tmp_path / "made.zip", tmp_path)

    with zipfile.ZipFile(tmp_path / "made.zip") as made:
        assert [entry.external_attr >> 16 & 0o777 for entry in made.infolist() if entry.filename.endswith(".py")] == [0o644]


def test_more_files_are_put_behind_those_of_the_original(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "manage.py").write_text("base")
    archive.write(tmp_path / "base.zip", folder)

    archive.extend(tmp_path / "made.zip", tmp_path / "base.zip", {"handler.py": b"zappa"})

    with zipfile.ZipFile(tmp_path / "made.zip") as made:
        assert {name: made.read(name) for name in made.namelist()} == {"manage.py": b"base", "handler.py": b"zappa"}
    with zipfile.ZipFile(tmp_path / "base.zip") as base:
        assert base.namelist() == ["manage.py"]
