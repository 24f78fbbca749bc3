"""
The seller's logo: what may stand on a document, and what is refused.

A logo is a file that somebody uploaded. An SVG keeps only shapes and their colours: no script, no text, no reference to
anything outside or inside, so that it can neither fetch, run, nor grow.
"""

import re
from typing import Final
from xml.etree import ElementTree
from xml.parsers import expat

import msgspec

from billing.delivery.rendering.pictures import Picture

SVG: Final = "image/svg+xml"
PNG: Final = "image/png"
MOST_BYTES: Final = 512 * 1024
_MOST_PIXELS: Final = 4_000_000
_MOST_SHAPES: Final = 2_000
_DEEPEST: Final = 32
_NAMESPACE: Final = "http://www.w3.org/2000/svg"
_KEPT: Final = frozenset(
    "svg g path rect circle ellipse line polyline polygon defs linearGradient radialGradient stop clipPath title style".split()
)
# A reference to anything but an element of the drawing itself, or a rule that could hold one.
_REACHES_OUT: Final = re.compile(r"@|\\|url\(\s*['\"]?\s*[^#'\"\s]", re.IGNORECASE)
# A number so large that it breaks the page it is drawn on, or none at all; colours are no numbers.
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{3,8}\b")
_ABSURD: Final = re.compile(r"\d{9}|\d\.?e\+?\d|nan|inf", re.IGNORECASE)


class LogoRefused(Exception):
    """The file cannot be used as a logo; the message says why, for the person who gave it."""


class Logo(msgspec.Struct, frozen=True, kw_only=True):
    """A logo that is safe to print."""

    picture: Picture
    wide: bool  # more than twice as wide as high: it holds the name already


def printable_logo(media_type: str, content: bytes) -> Logo:
    """
    Check the file and return what is to be printed of it.

    :raises LogoRefused: neither SVG nor PNG, too large, or not well-formed
    """
    if len(content) > MOST_BYTES:
        raise LogoRefused(f"the logo is larger than {MOST_BYTES // 1024} KB: make it smaller")
    if media_type == PNG:
        return _checked_png(content)
    if media_type == SVG:
        return _cleaned_svg(content)
    raise LogoRefused(f"a logo is SVG or PNG, not {media_type}")


def _checked_png(content: bytes) -> Logo:
    # The header comes first by the standard: signature, length and name of IHDR, width, height.
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR":
        raise LogoRefused("the logo is no PNG file, whatever its name says")
    width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    if not 0 < width * height <= _MOST_PIXELS:
        raise LogoRefused(f"the logo has {width} by {height} pixels: at most {_MOST_PIXELS:,} can be printed")
    return Logo(picture=Picture(media_type=PNG, content=content), wide=width > 2 * height)


def _cleaned_svg(content: bytes) -> Logo:
    root = _parsed(content)
    _clean(root)
    width, height = _size(root)
    ElementTree.register_namespace("", _NAMESPACE)
    return Logo(picture=Picture(media_type=SVG, content=ElementTree.tostring(root)), wide=width > 2 * height)


def _parsed(content: bytes) -> ElementTree.Element:
    """Read the XML by a parser that refuses entities and stops at too many shapes, before they take memory."""
    builder = ElementTree.TreeBuilder()
    shapes = depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal shapes, depth
        shapes, depth = shapes + 1, depth + 1
        if shapes > _MOST_SHAPES or depth > _DEEPEST:
            raise LogoRefused(f"the logo is too complicated: at most {_MOST_SHAPES} shapes, {_DEEPEST} deep")
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def refuse(*_facts: object) -> None:
        raise LogoRefused("the logo declares a document type or entities: save it as plain SVG")

    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.StartElementHandler = lambda name, facts: start(_qualified(name), {_qualified(key): facts[key] for key in facts})
    parser.EndElementHandler = lambda name: end(_qualified(name))
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise LogoRefused(f"the logo is no well-formed SVG: {error}") from None
    root = builder.close()
    if root.tag != f"{{{_NAMESPACE}}}svg":
        raise LogoRefused("the logo is no SVG: its first element is not svg")
    return root


def _qualified(name: str) -> str:
    return "{" + name if "}" in name else name


def _clean(element: ElementTree.Element) -> None:
    for key, value in list(element.attrib.items()):
        if ":" in key or "}" in key or key.lower().startswith("on") or key == "href" or not _is_harmless(value):
            del element.attrib[key]
    for child in list(element):
        plain = child.tag.removeprefix(f"{{{_NAMESPACE}}}")
        if plain not in _KEPT or (plain == "style" and not _is_harmless(child.text or "")):
            element.remove(child)
        else:
            _clean(child)


def _is_harmless(value: str) -> bool:
    return not _REACHES_OUT.search(value) and not _ABSURD.search(_COLOR.sub("", value))


def _size(root: ElementTree.Element) -> tuple[int, int]:
    """
    Return width and height in whole units, by the box of the drawing or else by its size.

    :raises LogoRefused: if it says neither, or nothing that can be drawn
    """
    box = re.split(r"[\s,]+", root.get("viewBox", "").strip())
    sides = box[2:] if len(box) == 4 else [root.get("width", ""), root.get("height", "")]
    found = [re.match(r"\d{1,6}", side) for side in sides]
    width, height = (int(side[0]) if side else 0 for side in found)
    if width <= 0 or height <= 0:
        raise LogoRefused("the logo has no size: give its svg element a viewBox")
    if len(box) != 4:
        root.set("viewBox", f"0 0 {width} {height}")
    root.set("width", str(width))
    root.set("height", str(height))
    return width, height
