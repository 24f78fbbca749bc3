"""
The seller's logo: what may stand on a document, and what is refused. The one place that decides, at the door and at printing.

A logo is a file that somebody uploaded. An SVG keeps only shapes and their colours: no script, no text (it would need fonts),
no reference to anything outside or inside, so that it can neither fetch, run, nor grow.
"""

import re
from typing import Final
from xml.etree import ElementTree
from xml.parsers import expat

import msgspec
from django.utils.translation import gettext as _

SVG: Final = "image/svg+xml"
PNG: Final = "image/png"
LARGEST_BYTES: Final = 256 * 1024
_PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_PNG_END: Final = b"IEND\xaeB`\x82"
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


class LogoFile(msgspec.Struct, frozen=True, kw_only=True):
    """A logo that is safe to print."""

    media_type: str  # SVG or PNG
    content: bytes
    wide: bool  # more than twice as wide as high: it holds the name already
    taken_away: tuple[str, ...] = ()  # what the SVG had besides: `<script>`, or `onload` of <rect>


def read_logo(content: bytes) -> LogoFile:
    """
    Read what the file holds, whatever it is called, and return what may be printed of it. Pure.

    :raises LogoRefused: neither SVG nor PNG, too large, damaged, too complicated, or without a size
    """
    if len(content) > LARGEST_BYTES:
        raise LogoRefused(_("The logo has more than %(most)d KiB: make it smaller.") % {"most": LARGEST_BYTES // 1024})
    return _checked_png(content) if content.startswith(_PNG_HEAD) else _cleaned_svg(content)


def _checked_png(content: bytes) -> LogoFile:
    # The header comes first by the standard: signature, length and name of IHDR, width, height.
    if content[12:16] != b"IHDR" or not content.rstrip(b"\0").endswith(_PNG_END):
        raise LogoRefused(_("The PNG is damaged: export it anew."))
    width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    if not 0 < width * height <= _MOST_PIXELS:
        message = _("The logo has %(width)d by %(height)d pixels: at most %(most)d in all can be printed.")
        raise LogoRefused(message % {"width": width, "height": height, "most": _MOST_PIXELS})
    return LogoFile(media_type=PNG, content=content, wide=width > 2 * height)


def _cleaned_svg(content: bytes) -> LogoFile:
    root = _parsed(content)
    taken_away: list[str] = []
    _clean(root, taken_away)
    width, height = _size(root)
    ElementTree.register_namespace("", _NAMESPACE)
    printed = ElementTree.tostring(root)
    return LogoFile(media_type=SVG, content=printed, wide=width > 2 * height, taken_away=tuple(dict.fromkeys(taken_away)))


def _parsed(content: bytes) -> ElementTree.Element:
    """Read the XML by a parser that refuses entities and stops at too many shapes, before they take memory."""
    builder = ElementTree.TreeBuilder()
    shapes = depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal shapes, depth
        shapes, depth = shapes + 1, depth + 1
        if shapes > _MOST_SHAPES or depth > _DEEPEST:
            message = _("The drawing is too complicated: at most %(most)d shapes, %(deepest)d deep.")
            raise LogoRefused(message % {"most": _MOST_SHAPES, "deepest": _DEEPEST})
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def refuse(*_facts: object) -> None:
        raise LogoRefused(_("The SVG declares a document type, entities or instructions: save it as plain SVG."))

    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.ProcessingInstructionHandler = refuse
    parser.StartElementHandler = lambda name, facts: start(_qualified(name), {_qualified(key): facts[key] for key in facts})
    parser.EndElementHandler = lambda name: end(_qualified(name))
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise LogoRefused(_("Take an SVG or a PNG: this is no well-formed SVG (%(error)s).") % {"error": error}) from None
    root = builder.close()
    if root.tag != f"{{{_NAMESPACE}}}svg":
        raise LogoRefused(_("Take an SVG or a PNG: the first element of this file is not svg."))
    return root


def _qualified(name: str) -> str:
    return "{" + name if "}" in name else name


def _clean(element: ElementTree.Element, taken_away: list[str]) -> None:
    """Take all away that is not drawn, and note its name."""
    name = _shown(element.tag)
    for key, value in list(element.attrib.items()):
        if ":" in key or "}" in key or key.lower().startswith("on") or key == "href" or not _is_harmless(value):
            del element.attrib[key]
            taken_away.append(f"{key.rpartition('}')[2]} of {name}")
    for child in list(element):
        plain = child.tag.removeprefix(f"{{{_NAMESPACE}}}")
        if plain not in _KEPT or (plain == "style" and not _is_harmless(child.text or "")):
            element.remove(child)
            taken_away.append(_shown(child.tag))
        else:
            _clean(child, taken_away)


def _shown(tag: str) -> str:
    return f"<{tag.rpartition('}')[2]}>"


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
        raise LogoRefused(_("The drawing has no size: give its svg element a viewBox."))
    if len(box) != 4:
        root.set("viewBox", f"0 0 {width} {height}")
    root.set("width", str(width))
    root.set("height", str(height))
    return width, height
