"""A logo is taken by what is in the file, and can be drawn and nothing else."""

import pytest

from billing.invoicing.logo_files import LogoRefused
from billing.invoicing.logos import keep_logo
from billing.models import BrandAsset
from tests.billing.builders import NOW

pytestmark = pytest.mark.django_db
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">%s</svg>'
PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\x06\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82"
)


def svg(inside: str) -> bytes:
    return (SVG % inside).encode()


def test_the_same_bytes_are_kept_once_under_their_hash() -> None:
    drawn = svg('<defs><linearGradient id="g"/></defs><rect width="9" height="9" fill="url(#g)"/>')
    assert keep_logo(content=drawn, now=NOW).media_type == "image/svg+xml"
    assert keep_logo(content=drawn, now=NOW).pk == BrandAsset.objects.get().pk
    assert keep_logo(content=PNG, now=NOW).media_type == "image/png"


@pytest.mark.parametrize(
    "content",
    [
        svg("<text>Northlight</text>"),
        b"",
        b"GIF89a",
        b"<html></html>",
        b"\x89PNG\r\n\x1a\n<svg/>",
        PNG[:-4],
        PNG + b"x" * 256 * 1024,
        b'<!DOCTYPE svg [<!ENTITY a "b">]>' + svg("&a;"),
        b'<?xml-stylesheet href="http://evil.example/a.css"?>' + svg(""),
        svg("<script>alert(1)</script>"),
        svg('<a href="javascript:alert(1)"><rect/></a>'),
        svg('<rect onload="alert(1)"/>'),
        svg('<image href="http://evil.example/x.png"/>'),
        svg('<use href="http://evil.example/x.svg#a"/>'),
        svg('<use xlink:href="file:///etc/passwd"/>'),
        svg('<rect fill="url(http://evil.example/a)"/>'),
        svg("<rect fill=\"url( 'http://evil.example/a')\"/>"),
        svg("<style>@import 'http://evil.example/a.css'</style>"),
        svg("<style>rect{fill:url(data:image/png;base64,AA)}</style>"),
        svg(r'<rect style="fill:u\72l(http://evil.example)"/>'),
        svg('<foreignObject><div xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>'),
        svg('<animate attributeName="href"/>'),
        svg('<metadata><div xmlns="http://www.w3.org/1999/xhtml"/></metadata>'),
        svg("<rect"),
    ],
)
def test_what_could_run_or_fetch_something_or_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(LogoRefused):
        keep_logo(content=content, now=NOW)
    assert not BrandAsset.objects.exists()
