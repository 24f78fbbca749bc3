import pytest

from billing.delivery.rendering.colors import DEFAULT, palette


def contrast_on_white(color: str) -> float:
    """WCAG 2.2, worked out independently with the exact curve."""

    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(color[at : at + 2], 16)) for at in (1, 3, 5))
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


@pytest.mark.parametrize("brand", ["#ffffff", "#ffee00", "#00ff00", "#ff8800", "#3346a8", "#000000", "#00ffff", "#ff00ff"])
def test_the_accent_can_be_read_on_white_whatever_the_brand(brand: str) -> None:
    assert contrast_on_white(palette(brand).accent) >= 4.5


def test_a_brand_that_is_dark_enough_is_kept() -> None:
    assert palette("#3346A8").accent == "#3346a8"


@pytest.mark.parametrize("value", ["", "red", "#fff", "#3346a8;", "}@import url(//x)", "#3346ag"])
def test_what_is_no_color_counts_as_not_given(value: str) -> None:
    assert palette(value) == palette(DEFAULT)
