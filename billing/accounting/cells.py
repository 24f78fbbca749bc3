"""Values to the cells of a CSV that a spreadsheet opens: numbers stay numbers, and no text becomes a formula."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Final

from billing.pricing.money import from_minor
from squill.lib.currency import exponent

type Cell = str | int | Decimal | date | None

# What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection): at the beginning of a cell, also behind blanks,
# and behind a semicolon, where another locale of the spreadsheet begins a cell.
_FORMULA: Final = re.compile(r"(^|;)(?=\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])")
# Control characters, tabs and line breaks among them, also begin formulas or rows.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def money(minor: int, currency: str) -> Decimal:
    """Return minor units as major ones with all the decimals of the currency, such as 12.50."""
    return from_minor(minor, exponent=exponent(currency))


def written(cells: Iterable[Cell]) -> list[str]:
    """Return a row as text: numbers in plain notation, days as 2026-03-01, nothing as an empty cell, and texts defused."""
    return [_text(cell) for cell in cells]


def defused(text: str) -> str:
    """
    Return a text that no spreadsheet computes: a quote before what would begin a formula, a space for control characters.

    >>> defused("=1+1"), defused("-2"), defused("Acme; =1"), defused("Acme-1")
    ("'=1+1", "'-2", "Acme;' =1", 'Acme-1')
    """
    return _FORMULA.sub(r"\1'", _CONTROL.sub(" ", text))


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return defused(cell)
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return cell.isoformat() if isinstance(cell, date) else str(cell)
