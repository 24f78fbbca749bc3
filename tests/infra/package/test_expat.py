"""Debian's libexpat, made to load with an older glibc."""

import struct
from pathlib import Path

import pytest

from infra.package import debian
from infra.package.elf import SharedObject, newest_needed, version_hash
from infra.package.expat import made_for_lambda
from infra.package.places import PackageError


@pytest.fixture(scope="module")
def original(libraries: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("expat")
    [package] = debian.fetch([package for package in debian.read_lock() if package.name == "libexpat1"])
    debian.unpack(package, folder)
    [path] = folder.rglob("libexpat.so.1")
    return path.resolve().read_bytes()


def test_it_needs_glibc_2_25_instead_of_2_36(original: bytes) -> None:
    assert newest_needed(SharedObject(original)) == {"GLIBC": (2, 36)}

    assert newest_needed(SharedObject(made_for_lambda(original))) == {"GLIBC": (2, 25)}


def test_only_the_names_and_the_hash_of_the_version_differ(original: bytes) -> None:
    made = made_for_lambda(original)

    assert len(made) == len(original)
    start, size = SharedObject(made).names
    names = made[start : start + size].split(b"\0")
    assert b"getentropy" in names
    assert b"arc4random_buf" not in names
    # 14 letters of the function's name, of which a "t" would be equal by chance; 2 of the version's; 4 of its hash.
    assert sum(new != old for new, old in zip(made, original, strict=True)) <= 20


def test_the_hash_is_the_one_that_the_loader_compares() -> None:
    # Known from the loader's own tables, such as `readelf -V` shows them.
    assert version_hash("GLIBC_2.2.5") == 0x09691A75
    assert version_hash("GLIBC_2.34") == 0x069691B4


def test_made_again_it_stays_as_it_is(original: bytes) -> None:
    once = made_for_lambda(original)

    assert made_for_lambda(once) == once


def test_one_that_needs_more_of_the_newer_glibc_is_refused(original: bytes) -> None:
    library = SharedObject(original)
    [index] = [version.index for version in library.needed_versions if version.name == "GLIBC_2.36"]
    changed = bytearray(original)
    # The second symbol (the first is none) is said to be of glibc 2.36, too.
    struct.pack_into("<H", changed, library.symbol_versions_offset + 2, index)

    with pytest.raises(PackageError, match=r"needs more of GLIBC_2\.36 than arc4random_buf"):
        made_for_lambda(bytes(changed))


def test_what_is_no_library_is_no_shared_object(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a 64-bit little-endian ELF file"):
        SharedObject(b"#!/bin/sh\n")
