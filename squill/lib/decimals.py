"""Decimal numbers as text: the one spelling that JSON, exports and documents use."""

from decimal import Decimal


def plain(number: Decimal) -> str:
    """
    Write a number in plain notation: no exponent, no trailing zeros, no negative zero.

    Two equal numbers always give the same text, so texts can be compared and hashed.

    :raises ValueError: if the number is not finite

    >>> plain(Decimal("1.500")), plain(Decimal("1E+3")), plain(Decimal("-0.00"))
    ('1.5', '1000', '0')
    """
    if not number.is_finite():
        raise ValueError(f"a number must be finite, got {number}")
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
