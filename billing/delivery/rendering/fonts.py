"""The fonts of a document: those that Squill brings, and no other."""

import os
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

FOLDER: Final = Path(__file__).resolve().parent.parent / "fonts"
_FONTCONFIG_VARIABLE: Final = "FONTCONFIG_FILE"


# Alphabets of the packaged fonts, as the names of their characters begin (fonts/README.md).
_ALPHABETS: Final = ("LATIN", "GREEK", "CYRILLIC")


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
    Say whether the packaged fonts know the letters of the text.

    >>> can_print("1 ноября 2026"), can_print("2026年11月1日")
    (True, False)
    """
    return all(unicodedata.name(letter, "").startswith(_ALPHABETS) for letter in text if letter.isalpha())


def _settings(*, cache_folder: Path) -> str:
    return (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>'
        f"<dir>{escape(str(FOLDER))}</dir><cachedir>{escape(str(cache_folder))}</cachedir></fontconfig>"
    )
