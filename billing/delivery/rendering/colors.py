"""The seller's colour on paper: made dark enough to be read on white, and light enough to print on."""

import re
from typing import Final, NamedTuple

DEFAULT: Final = "#3346a8"
_HEX: Final = re.compile(r"#[0-9a-fA-F]{6}")
# Share of full brightness, in thousandths, that still has a contrast of 4.5 : 1 on white (WCAG 2.2: 1.05 / 4.5 - 0.05).
_BRIGHTEST: Final = 183
_STEPS: Final = 20


class Palette(NamedTuple):
    """Colours as #rrggbb, all derived from one."""

    accent: str  # text and marks on white
    tint: str  # a pale area under dark text
    bar: str  # bars of the chart


def palette(brand_color: str) -> Palette:
    """
    Derive the colours of a document from the seller's; a value that is no #rrggbb counts as not given.

    >>> palette("#3346a8")
    Palette(accent='#3346a8', tint='#f0f2f8', bar='#5b6bb9')
    >>> palette("#ffee00").accent
    '#726b00'
    >>> palette("red;} @import url(http://example.org)") == palette(DEFAULT)
    True
    """
    brand = brand_color if _HEX.fullmatch(brand_color) else DEFAULT
    accent = _darkened(brand)
    return Palette(accent=accent, tint=_mixed(accent, towards=255, percent=93), bar=_mixed(accent, towards=255, percent=20))


def _darkened(color: str) -> str:
    for step in range(_STEPS):
        candidate = _mixed(color, towards=0, percent=step * 100 // _STEPS)
        if _brightness(candidate) <= _BRIGHTEST:
            return candidate
    return "#000000"


def _brightness(color: str) -> int:
    # Squares stand for the sRGB curve: never darker than it is, so the contrast is never overestimated in the dark half.
    red, green, blue = _channels(color)
    return (213 * red * red + 715 * green * green + 72 * blue * blue) // (255 * 255)


def _mixed(color: str, *, towards: int, percent: int) -> str:
    red, green, blue = (((100 - percent) * channel + percent * towards) // 100 for channel in _channels(color))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
