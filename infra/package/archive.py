"""Zip files that are equal, byte for byte, when what is in them is."""

import shutil
import zipfile
from pathlib import Path
from typing import Final

# The first day that a zip can name. Nothing on Lambda looks at it.
_DAY: Final = (1980, 1, 1, 0, 0, 0)
# A package that is compressed better is uploaded faster, but 6 to 9 takes twice the time for one percent.
_LEVEL: Final = 6


def write(target: Path, folder: Path) -> None:
    """Write the zip of all files below the folder, in order of their names; links are followed."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                _add(archive, path.relative_to(folder).as_posix(), path.read_bytes())


def extend(target: Path, original: Path, more: dict[str, bytes]) -> None:
    """Write a copy of the zip with these files behind the others."""
    shutil.copyfile(original, target)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name, content in sorted(more.items()):
            _add(archive, name, content)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _DAY)
    entry.compress_type = zipfile.ZIP_DEFLATED
    # Lambda runs as a user of its own, who must be able to read everything.
    entry.external_attr = 0o100644 << 16
    archive.writestr(entry, content)
