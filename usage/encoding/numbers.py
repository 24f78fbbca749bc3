"""Exact numbers from text. JSON numbers and decimal strings pass here, so that no value ever becomes a float."""

import re
from decimal import Decimal
from typing import Final

import msgspec

from squill.lib.decimals import plain

# Wider than any value that a meter takes, and narrow enough that no number of ten characters fills the memory (1e999999999).
MOST_DIGITS: Final = 60
_TOO_LARGE: Final[int] = 10**MOST_DIGITS
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)


class BadNumber(msgspec.Struct, frozen=True):
    """A JSON number that is too long or too large to be kept; stands in its place until the event is refused."""

    text: str


def exact(text: str) -> Decimal | None:
    """
    Read a decimal number such as 12, -0.5 or 1.5e3 exactly.

    Return None where the text is no such number, or has more than 60 digits before or after the point.
    """
    if len(text) > 2 * MOST_DIGITS or _NUMBER.fullmatch(text) is None:
        return None
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -MOST_DIGITS or (number and number.adjusted() >= MOST_DIGITS):
        return None
    return number


def from_json(text: str) -> int | Decimal | BadNumber:
    """
    Turn the text of a JSON number with a point or an exponent into the one value that all its spellings share.

    1.0 and 1e0 give the int 1; 1.50 gives Decimal("1.5"): a retry that writes the number otherwise is the same event.
    """
    if len(text) <= MOST_DIGITS and text[-1] != "0" and "e" not in text and "E" not in text:
        return Decimal(text)  # nearly all are: the parser has seen to it that it is a number, and it is spelled as it shall be
    number = exact(text)
    if number is None:
        return BadNumber(text)
    spelled = plain(number)
    return Decimal(spelled) if "." in spelled else int(spelled)


def fits(number: int) -> bool:
    """Say whether a whole number of JSON is short enough to be kept."""
    return abs(number) < _TOO_LARGE
