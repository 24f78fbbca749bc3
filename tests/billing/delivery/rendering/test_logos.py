import zlib

import pytest

from billing.delivery.rendering.logos import MOST_BYTES, LogoRefused, printable_logo
from billing.delivery.rendering.page import compose
from billing.delivery.rendering.pdf import render_pdf
from tests.billing.delivery.rendering.reading import open_pdf, whole_text
from tests.billing.delivery.rendering.snapshots import snapshot

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" fill="#1f2a5e"/></svg>'


def svg(inside: str, attributes: str = 'viewBox="0 0 48 48"') -> bytes:
    head = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"<svg {head} {attributes}>{inside}</svg>".encode()


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


def png(width: int, height: int, rows: bytes | None = None) -> bytes:
    header = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\x00\x00\x00"
    data = zlib.compress(rows if rows is not None else (b"\x00" + b"\x20\x40\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_shapes_and_their_colours_are_kept() -> None:
    drawing = svg(
        "<style>.a{fill:#123456}</style>"
        '<defs><linearGradient id="g"><stop offset="0" stop-color="#1e2e30"/></linearGradient></defs>'
        '<g fill="url(#g)"><path class="a" d="M0 0h9v9z"/></g>'
    )

    kept = printable_logo("image/svg+xml", drawing).picture.content

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
    kept = printable_logo("image/svg+xml", svg(inside)).picture.content.decode()

    for part in ("127.0.0.1", "passwd", "script", "<use", "href", "onload", "words", "foreignObject", "import"):
        assert part not in kept
    for number in ("1e300", "NaN", "1234567890", "Infinity"):
        assert number not in kept


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>', "document type or entities"),
        (b'<!DOCTYPE svg SYSTEM "http://127.0.0.1/x.dtd"><svg/>', "document type"),
        (svg('<rect width="1"/>' * 2001), "too complicated"),
        (svg("<g>" * 40 + "</g>" * 40), "too complicated"),
        (b"<svg", "well-formed"),
        (b"", "well-formed"),
        (b"<html/>", "first element is not svg"),
        (svg("", ""), "no size"),
        (svg("", 'viewBox="0 0 0 0"'), "no size"),
        (svg("", 'viewBox="a b c d"'), "no size"),
        (b" " * (MOST_BYTES + 1), "larger than 512 KB"),
    ],
)
def test_an_svg_that_cannot_be_used_is_refused_with_its_reason(content: bytes, why: str) -> None:
    with pytest.raises(LogoRefused, match=why):
        printable_logo("image/svg+xml", content)


@pytest.mark.parametrize(
    ("media_type", "content", "why"),
    [
        ("image/png", b"GIF89a", "no PNG file"),
        ("image/png", png(1, 1)[:14], "no PNG file"),
        ("image/png", png(3000, 3000, b""), "3000 by 3000 pixels"),
        ("image/png", png(0, 10, b""), "0 by 10 pixels"),
        ("image/gif", b"GIF89a", "SVG or PNG"),
    ],
)
def test_another_picture_that_cannot_be_used_is_refused_with_its_reason(media_type: str, content: bytes, why: str) -> None:
    with pytest.raises(LogoRefused, match=why):
        printable_logo(media_type, content)


def test_a_wide_logo_holds_the_name_already() -> None:
    assert printable_logo("image/svg+xml", svg("", 'viewBox="0 0 200 48"')).wide
    assert printable_logo("image/svg+xml", svg("", 'width="200" height="48"')).wide
    assert not printable_logo("image/svg+xml", SVG).wide
    assert printable_logo("image/png", png(90, 20)).wide
    assert ">Northlight<" not in compose(snapshot(), logo=("image/png", png(90, 20))).html
    assert ">Northlight<" in compose(snapshot(), logo=("image/png", png(20, 20))).html


def test_a_logo_is_printed_and_named_for_those_who_do_not_see_it() -> None:
    with_png = render_pdf(snapshot(), logo=("image/png", png(20, 20)))
    assert len(open_pdf(with_png).pages[0].images) == 2  # with the code for banking apps
    assert 'alt="Northlight"' in compose(snapshot(), logo=("image/svg+xml", SVG)).html
    assert render_pdf(snapshot(), logo=("image/svg+xml", SVG)) != render_pdf(snapshot())


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]><svg>&b;</svg>',
        svg(
            '<clipPath id="a" clip-path="url(#a)"><rect clip-path="url(#a)" width="9" height="9"/></clipPath>'
            '<g clip-path="url(#a)"/>'
        ),
        svg('<rect width="1e300" height="1e300" stroke-width="nan" transform="scale(1e99)"/>'),
        svg('<path d="' + "M0 0L9 9" * 20_000 + '"/>'),
        svg('<path d="M nonsense 1 2 3 Z Q" fill="#zzz"/>'),
    ],
)
def test_a_hostile_drawing_leaves_the_document_whole(content: bytes) -> None:
    assert "Amount due €1,804.62" in whole_text(render_pdf(snapshot(), logo=("image/svg+xml", content)))


def test_a_broken_png_leaves_the_document_whole() -> None:
    bomb = png(2000, 2000, b"")
    for content in (bomb, png(20, 20)[:60], png(20, 20).replace(b"IDAT", b"IDAX")):
        assert "Amount due €1,804.62" in whole_text(render_pdf(snapshot(), logo=("image/png", content)))
