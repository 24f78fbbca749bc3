"""
Texts that others wrote, made fit to print: no control over the page around them, and no sign that the fonts lack.

A letter without a font would be an empty box. It is written in Latin letters instead, and a picture sign by its name, so that
a reader still sees what stood there.
"""

import unicodedata
from functools import lru_cache
from typing import Any, Final

from django.utils.translation import get_language_bidi
from text_unidecode import unidecode

from billing.delivery.rendering.fonts import coverage
from billing.invoicing.snapshot import InvoiceSnapshot, from_json, to_json

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
# They turn or hide what follows, up to the end of the paragraph; marks (U+200E, U+200F, U+061C) reach no further than a letter.
_DIRECTING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Joiners and places to break, which some scripts need.
_INVISIBLE_AND_WANTED: Final = frozenset("\u00ad\u200b\u200c\u200d\u200e\u200f\u061c\u2060")
# More marks on one letter run into the lines above and below.
_MARKS: Final = 3


def printable_snapshot(snapshot: InvoiceSnapshot) -> InvoiceSnapshot:
    """Return the snapshot with every text in it made fit to print."""
    document: dict[str, Any] = _printable_values(to_json(snapshot))
    return from_json(document)


def printable(text: str) -> str:
    """
    Return the text without control characters, and with a readable stand-in for what the fonts lack.

    >>> printable("Evil\\u202egnp.exe"), printable("สวัสดี"), printable("a\\x00b\\nc"), printable("☃")
    ('Evilgnp.exe', 'swasdii', 'ab c', '[snowman]')
    """
    if text.isascii() and text.isprintable():
        return text
    written, marks = [], 0
    for letter in unicodedata.normalize("NFC", text):
        marks = marks + 1 if unicodedata.combining(letter) else 0
        if marks <= _MARKS:
            written.append(_sign(letter))
    return "".join(written)


def isolated(text: str) -> str:
    """
    Keep the direction of the text to itself where the language is written from right to left.

    Otherwise numbers and Latin names that stand side by side would change places.
    """
    return f"\u2068{text}\u2069" if text and get_language_bidi() else text


def direction_of(text: str) -> str:
    """
    Return `rtl` or `ltr` by the first letter that has a direction: how a paragraph of its own is to be set.

    >>> direction_of("2026: فاتورة"), direction_of("Payment within 30 days"), direction_of("30 %")
    ('rtl', 'ltr', 'ltr')
    """
    strong = (unicodedata.bidirectional(letter) for letter in text)
    return "rtl" if next((kind for kind in strong if kind in ("L", "R", "AL")), "L") != "L" else "ltr"


def joined(*parts: str) -> str:
    """Join what is not empty by middle dots."""
    return " · ".join(isolated(part) for part in parts if part)


def cut(text: str, characters: int) -> str:
    """Return the text, or its beginning and an ellipsis where it has more characters."""
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"


def _printable_values(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: _printable_values(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_printable_values(member) for member in value]
    return value


@lru_cache(maxsize=4096)
def _sign(letter: str) -> str:
    if letter in _INVISIBLE_AND_WANTED:
        return letter
    category = unicodedata.category(letter)
    if category == "Cf" or letter in _DIRECTING or unicodedata.name(letter, "").startswith("VARIATION SELECTOR"):
        return ""
    if category in ("Cc", "Zs", "Zl", "Zp"):
        return letter if ord(letter) in coverage() else " " if letter.isspace() else ""
    if category in ("Cs", "Co", "Cn"):
        return _REPLACEMENT
    return letter if ord(letter) in coverage() else _stand_in(letter, category)


def _stand_in(letter: str, category: str) -> str:
    parts = unicodedata.normalize("NFKD", letter)
    if all(ord(part) in coverage() for part in parts):
        return parts
    latin: str = unidecode(letter)
    if category[0] in "LMN" and latin.isprintable() and latin.strip("[]? "):
        return latin
    if category == "Mn":
        return ""
    return f"[{unicodedata.name(letter).lower()}]"
