import pytest

from billing.delivery.rendering.page import compose
from billing.delivery.rendering.pdf import render_pdf
from tests.billing.delivery.rendering.reading import open_pdf, whole_text
from tests.billing.delivery.rendering.snapshots import snapshot
from tests.billing.invoicing.pictures import SVG, png, svg


def test_a_wide_logo_holds_the_name_already() -> None:
    assert ">Northlight<" not in compose(snapshot(), logo=png(90, 20)).html
    assert ">Northlight<" in compose(snapshot(), logo=png(20, 20)).html


def test_a_logo_is_printed_and_named_for_those_who_do_not_see_it() -> None:
    with_png = render_pdf(snapshot(), logo=png(20, 20))
    assert len(open_pdf(with_png).pages[0].images) == 2  # with the code for banking apps
    assert 'alt="Northlight"' in compose(snapshot(), logo=SVG).html
    assert render_pdf(snapshot(), logo=SVG) != render_pdf(snapshot())


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
    assert "Amount due €1,804.62" in whole_text(render_pdf(snapshot(), logo=content))


def test_a_broken_png_leaves_the_document_whole() -> None:
    bomb = png(2000, 2000, b"")
    for content in (bomb, png(20, 20)[:60], png(20, 20).replace(b"IDAT", b"IDAX")):
        assert "Amount due €1,804.62" in whole_text(render_pdf(snapshot(), logo=content))
