"""The fonts of a document: those that Squill brings, and no other. Needs neither Django nor Pango."""

import os
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

FOLDER: Final = Path(__file__).resolve().parent.parent / "fonts"
# In the order that they are asked in: each is asked only for the letters that those before it lack.
FAMILIES: Final = ("Inter", "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans JP", "Noto Sans SC", "Noto Sans KR")
_FONTCONFIG_VARIABLE: Final = "FONTCONFIG_FILE"


class FontsMissing(Exception):
    """The packaged fonts are not where they belong."""


@contextmanager
def only_packaged_fonts() -> Iterator[None]:
    """
    Let fontconfig see the packaged fonts alone, for as long as the block runs.

    A font configuration that is made inside keeps to them for good, so the machine's fonts can change neither the look of a
    document nor its bytes. Outside, a browser or tool that this process starts still finds the machine's own.

    :raises FontsMissing: if no font is packaged; Pango would crash the whole process
    """
    if not any(FOLDER.glob("*.ttf")):
        raise FontsMissing(f"no fonts in {FOLDER}: the installation is incomplete")
    before = os.environ.get(_FONTCONFIG_VARIABLE)
    with tempfile.TemporaryDirectory(prefix="squill-fonts-") as folder:
        settings = Path(folder) / "fonts.conf"
        settings.write_text(_settings(cache_folder=Path(folder)), encoding="utf-8")
        os.environ[_FONTCONFIG_VARIABLE] = str(settings)
        try:
            yield
        finally:
            if before is None:
                del os.environ[_FONTCONFIG_VARIABLE]
            else:
                os.environ[_FONTCONFIG_VARIABLE] = before


def can_print(text: str) -> bool:
    """
    Say whether the packaged fonts have a sign for everything in the text that is to be seen.

    >>> can_print("1 ноября 2026"), can_print("2026年11月1日"), can_print("๑ พฤศจิกายน")
    (True, True, False)
    """
    known = coverage()
    return all(ord(letter) in known or unicodedata.category(letter) == "Cf" for letter in text)


@lru_cache(maxsize=1)
def coverage() -> frozenset[int]:
    """Return the code points that the packaged fonts have in every weight, by fonts/coverage.txt."""
    known: set[int] = set()
    for line in (FOLDER / "coverage.txt").read_text(encoding="ascii").split():
        first, _dash, last = line.partition("-")
        known.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(known)


def _settings(*, cache_folder: Path) -> str:
    return (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>'
        f"<dir>{escape(str(FOLDER))}</dir><cachedir>{escape(str(cache_folder))}</cachedir></fontconfig>"
    )
