"""
What a shared object asks of the system that loads it, read from its dynamic section.

In Python, so that the checks need no binutils. Only what the package holds is read: 64 bits, little endian. Source: the ELF
specification (gABI), and for symbol versions the Linux Standard Base.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAGIC: Final = b"\x7fELF\x02\x01"
_PT_LOAD, _PT_DYNAMIC, _SHT_DYNSYM = 1, 2, 11
_DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME = 1, 5, 10, 14
_DT_VERSYM, _DT_VERNEED, _DT_VERNEEDNUM = 0x6FFFFFF0, 0x6FFFFFFE, 0x6FFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededVersion:
    """A version of a library's symbols that must be there, such as GLIBC_2.34 of libc.so.6."""

    library: str
    name: str
    index: int  # by which symbols refer to it
    hash_offset: int  # in the file; the name's offset stands 8 bytes later


class SharedObject:
    """A shared object's needs. The whole file is kept in memory."""

    def __init__(self, content: bytes) -> None:
        """:raises ValueError: if this is no shared object for x86_64 or another 64-bit machine"""
        if content[:6] != MAGIC:
            raise ValueError("not a 64-bit little-endian ELF file")
        self.content = content
        (self._headers_at,) = struct.unpack_from("<Q", content, 32)
        self._header_size, self._header_count = struct.unpack_from("<HH", content, 54)
        self._segments = list(self._read_segments())
        self._dynamic = list(self._read_dynamic())

    @property
    def needed(self) -> list[str]:
        """Return the names of the libraries that the loader must find (DT_NEEDED)."""
        return [self.text(value) for tag, value in self._dynamic if tag == _DT_NEEDED]

    @property
    def soname(self) -> str | None:
        """Return the name that others ask for it by (DT_SONAME)."""
        return next((self.text(value) for tag, value in self._dynamic if tag == _DT_SONAME), None)

    @property
    def needed_versions(self) -> list[NeededVersion]:
        """Return the versions of symbols that the loader must find, library by library."""
        found = []
        for library_at, count in self._version_needs():
            (name_at,) = struct.unpack_from("<I", self.content, library_at + 4)
            at = library_at + struct.unpack_from("<I", self.content, library_at + 8)[0]
            for _each in range(count):
                _hash, _flags, index, version_at, step = struct.unpack_from("<IHHII", self.content, at)
                found.append(NeededVersion(library=self.text(name_at), name=self.text(version_at), index=index, hash_offset=at))
                at += step
        return found

    @property
    def names(self) -> tuple[int, int]:
        """Return where the table of names lies in the file: its offset and its size."""
        return self._offset(self._value(_DT_STRTAB)), self._value(_DT_STRSZ)

    @property
    def symbol_versions_offset(self) -> int:
        """Return where in the file the versions of symbols lie: two bytes each, in the order of the symbols."""
        return self._offset(self._value(_DT_VERSYM))

    @property
    def symbols(self) -> tuple[int, int]:
        """Return where in the file the dynamic symbols lie, 24 bytes each, and how many there are."""
        (sections_at,) = struct.unpack_from("<Q", self.content, 40)
        size, count = struct.unpack_from("<HH", self.content, 58)
        for number in range(count):
            at = sections_at + number * size
            if struct.unpack_from("<I", self.content, at + 4)[0] == _SHT_DYNSYM:
                offset, length = struct.unpack_from("<QQ", self.content, at + 24)
                return offset, length // 24
        raise ValueError("no dynamic symbols")

    def text(self, at: int) -> str:
        """Return the name at this place of the table of names."""
        start = self.names[0] + at
        return self.content[start : self.content.index(b"\0", start)].decode()

    def _read_segments(self) -> Iterator[tuple[int, int, int, int]]:
        for number in range(self._header_count):
            kind, _flags, offset, address, _physical, size = struct.unpack_from(
                "<IIQQQQ", self.content, self._headers_at + number * self._header_size
            )
            yield kind, offset, address, size

    def _read_dynamic(self) -> Iterator[tuple[int, int]]:
        for kind, offset, _address, size in self._segments:
            if kind == _PT_DYNAMIC:
                yield from struct.iter_unpack("<QQ", self.content[offset : offset + size // 16 * 16])

    def _version_needs(self) -> Iterator[tuple[int, int]]:
        tags = dict(self._dynamic)
        if _DT_VERNEED not in tags:
            return
        at = self._offset(tags[_DT_VERNEED])
        for _each in range(tags[_DT_VERNEEDNUM]):
            _version, count, _file, _first, step = struct.unpack_from("<HHIII", self.content, at)
            yield at, count
            at += step

    def _value(self, wanted: int) -> int:
        return next(value for tag, value in self._dynamic if tag == wanted)

    def _offset(self, address: int) -> int:
        for kind, offset, start, size in self._segments:
            if kind == _PT_LOAD and start <= address < start + size:
                return offset + address - start
        raise ValueError(f"no part of the file is loaded at {address:#x}")


def newest_needed(shared: SharedObject) -> dict[str, tuple[int, ...]]:
    """Return the newest version that it needs of each family of symbols, such as {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 11)}."""
    newest: dict[str, tuple[int, ...]] = {}
    for version in shared.needed_versions:
        family, _, numbers = version.name.rpartition("_")
        if numbers.replace(".", "").isdigit():
            newest[family] = max(newest.get(family, ()), tuple(int(number) for number in numbers.split(".")))
    return newest


def version_hash(name: str) -> int:
    """Return the hash that a needed version is looked up by (the System V hash)."""
    value = 0
    for letter in name.encode():
        value = (value << 4) + letter
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high
    return value
