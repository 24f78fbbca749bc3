"""
Debian's libexpat, made to load on Lambda.

Fontconfig reads its settings with libexpat, and WeasyPrint cannot start without fontconfig. Debian 12's libexpat asks for one
function of glibc 2.36, arc4random_buf, and Amazon Linux 2023 has glibc 2.34. Its only use is to fill 8 bytes with a random salt;
getentropy (glibc 2.25) takes the same arguments and fills them from the same source. So the name of the one and its version are
written over with the other's, in place, and nothing else is changed.

The other way would be the libexpat of Debian 11, which asks for neither but gets no security fixes any more. This one keeps
Debian 12's. The risk that remains: it is a file that Debian never tested. A libexpat that differs from what is expected here is
refused, the ABI check of the package reads the result, and an invoice is rendered with it in a test.
"""

import struct
from typing import Final

from infra.package.elf import SharedObject, version_hash
from infra.package.places import PackageError

_OLD_NAME: Final = b"arc4random_buf"
# getentropy refuses more than 256 bytes; libexpat asks for sizeof(unsigned long).
_NEW_NAME: Final = b"getentropy"
_OLD_VERSION, _NEW_VERSION = "GLIBC_2.36", "GLIBC_2.25"


def made_for_lambda(content: bytes) -> bytes:
    """
    Return the library with getentropy in the place of arc4random_buf; unchanged where it needs no glibc 2.36.

    :raises PackageError: if it needs anything else of glibc 2.36
    """
    library = SharedObject(content)
    newer = [version for version in library.needed_versions if version.name == _OLD_VERSION]
    if not newer:
        return content
    start, size = library.names
    name_at = content.find(b"\0" + _OLD_NAME + b"\0", start, start + size) + 1
    version_at = content.find(b"\0" + _OLD_VERSION.encode() + b"\0", start, start + size) + 1
    if not name_at or not version_at or _symbols_of(library, newer[0].index) != [name_at - start]:
        raise PackageError(f"libexpat needs more of {_OLD_VERSION} than arc4random_buf: infra/package/expat.py must learn of it")
    changed = bytearray(content)
    changed[name_at : name_at + len(_OLD_NAME)] = _NEW_NAME.ljust(len(_OLD_NAME), b"\0")
    changed[version_at : version_at + len(_OLD_VERSION)] = _NEW_VERSION.encode()
    struct.pack_into("<I", changed, newer[0].hash_offset, version_hash(_NEW_VERSION))
    return bytes(changed)


def _symbols_of(library: SharedObject, version_index: int) -> list[int]:
    """Return the places of the names of the symbols that have this version."""
    symbols_at, count = library.symbols
    versions = struct.unpack_from(f"<{count}H", library.content, library.symbol_versions_offset)
    return [
        struct.unpack_from("<I", library.content, symbols_at + 24 * number)[0]
        for number, index in enumerate(versions)
        if index == version_index
    ]
