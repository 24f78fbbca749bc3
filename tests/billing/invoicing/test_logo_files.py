import pytest

from billing.invoicing.logo_files import LARGEST_BYTES, LogoFile, LogoRefused, read_logo
from tests.billing.invoicing.pictures import SVG, png, svg


def test_shapes_and_their_colours_are_kept() -> None:
    drawing = svg(
        "<style>.a{fill:#123456}</style>"
        '<defs><linearGradient id="g"><stop offset="0" stop-color="#1e2e30"/></linearGradient></defs>'
        '<g fill="url(#g)"><path class="a" d="M0 0h9v9z"/></g>'
    )

    kept = read_logo(drawing).content

    for part in (b".a{fill:#123456}", b'fill="url(#g)"', b'd="M0 0h9v9z"', b"linearGradient", b'stop-color="#1e2e30"'):
        assert part in kept


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<image href="http://127.0.0.1/x"/>',
        '<image xlink:href="file:///etc/passwd" width="48" height="48"/>',
        '<use href="#a"/>',
        '<use xlink:href="http://127.0.0.1/x.svg#a"/>',
        "<foreignObject><p>x</p></foreignObject>",
        "<text>words</text>",
        '<rect width="1e300"/><rect height="NaN"/><path d="M123456789012 0"/><g transform="scale(-Infinity)"/>',
        "<style>@import url(http://127.0.0.1/x)</style>",
        "<style>rect{fill:url(http://127.0.0.1/x#a)}</style>",
        '<style>rect{fill:url( "//127.0.0.1/x" )}</style>',
        '<rect onload="x()" width="1"/>',
        '<rect style="fill:url(file:///etc/passwd)"/>',
        '<path fill="url(http://127.0.0.1/x)" d="M0 0h9"/>',
        '<a href="http://127.0.0.1/"><rect width="9"/></a>',
        '<linearGradient href="http://127.0.0.1/x#g"/>',
        '<animate attributeName="x"/><set/><filter id="f"><feImage href="http://127.0.0.1/x"/></filter>',
    ],
)
def test_what_reaches_out_runs_or_writes_is_taken_away(inside: str) -> None:
    file = read_logo(svg(inside))
    kept = file.content.decode()

    for part in ("127.0.0.1", "passwd", "script", "<use", "href", "onload", "words", "foreignObject", "import"):
        assert part not in kept
    for number in ("1e300", "NaN", "1234567890", "Infinity"):
        assert number not in kept
    assert file.taken_away


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>', "document type, entities"),
        (b'<!DOCTYPE svg SYSTEM "http://127.0.0.1/x.dtd"><svg/>', "document type"),
        (svg('<rect width="1"/>' * 2001), "too complicated"),
        (svg("<g>" * 40 + "</g>" * 40), "too complicated"),
        (b"<svg", "well-formed"),
        (b"", "well-formed"),
        (b"<html/>", "first element of this file is not svg"),
        (svg("", ""), "no size"),
        (svg("", 'viewBox="0 0 0 0"'), "no size"),
        (svg("", 'viewBox="a b c d"'), "no size"),
        (b" " * (LARGEST_BYTES + 1), "more than 256 KiB"),
    ],
)
def test_an_svg_that_cannot_be_used_is_refused_with_its_reason(content: bytes, why: str) -> None:
    with pytest.raises(LogoRefused, match=why):
        read_logo(content)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"GIF89a", "SVG or a PNG"),
        (png(1, 1)[:14], "damaged"),
        (png(1, 1)[:-4], "damaged"),
        (b"\x89PNG\r\n\x1a\n<svg/>", "damaged"),
        (png(3000, 3000, b""), "3000 by 3000 pixels"),
        (png(0, 10, b""), "0 by 10 pixels"),
    ],
)
def test_another_picture_that_cannot_be_used_is_refused_with_its_reason(content: bytes, why: str) -> None:
    with pytest.raises(LogoRefused, match=why):
        read_logo(content)


def test_a_picture_is_told_by_what_is_in_it_and_by_its_shape() -> None:
    assert read_logo(png(90, 20)) == LogoFile(media_type="image/png", content=png(90, 20), wide=True)
    assert (read_logo(SVG).media_type, read_logo(SVG).wide, read_logo(SVG).taken_away) == ("image/svg+xml", False, ())
    assert read_logo(svg("", 'viewBox="0 0 200 48"')).wide
    assert read_logo(svg("", 'width="200" height="48"')).wide


def test_what_is_taken_away_is_named_once() -> None:
    drawing = svg('<text>A</text><text>B</text><g><rect onload="x()"/></g>')
    assert read_logo(drawing).taken_away == ("<text>", "onload of <rect>")
