"""The native libraries, gathered from unpacked packages."""

from pathlib import Path

import pytest

from infra.package import native
from infra.package.elf import SharedObject
from infra.package.places import PackageError


def test_what_weasyprint_loads_is_there_with_all_that_it_needs(libraries: Path) -> None:
    present = {path.name for path in libraries.iterdir()}

    assert set(native.LOADED) <= present
    for path in libraries.iterdir():
        assert set(SharedObject(path.read_bytes()).needed) <= present | native.BASE


def test_they_are_plain_files_under_the_names_that_are_asked_for(libraries: Path) -> None:
    for path in libraries.iterdir():
        assert path.is_file()
        assert not path.is_symlink()
        assert SharedObject(path.read_bytes()).soname == path.name


def test_a_library_that_no_package_brings_is_named(libraries: Path, tmp_path: Path) -> None:
    unpacked, target = tmp_path / "unpacked", tmp_path / "lib"
    unpacked.mkdir()
    target.mkdir()
    (unpacked / "libthai.so.0").write_bytes((libraries / "libthai.so.0").read_bytes())

    with pytest.raises(PackageError, match=r"no package brings libdatrie\.so\.1"):
        native.copy_closure(unpacked, ["libthai.so.0"], target)
