"""The pictures that documents print as their sender's mark: taken by what is in the file, whatever it is called."""

import hashlib
import re
from datetime import datetime
from typing import Final
from xml.etree import ElementTree

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import BrandAsset

LARGEST_BYTES: Final = 256 * 1024
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_SVG: Final = "{http://www.w3.org/2000/svg}"
# What draws, and nothing that runs, embeds, animates or leads elsewhere.
_ELEMENTS: Final = frozenset(
    "svg g defs title desc metadata path rect circle ellipse line polyline polygon text tspan use symbol clipPath mask "
    "linearGradient radialGradient stop style".split()
)
_OUTSIDE: Final = re.compile(r"url\(\s*['\"]?\s*(?!['\"]?\s*#)|@import|expression\(|javascript:|\\", re.IGNORECASE)


class LogoRefused(Exception):
    """The file cannot be a logo; the message is for a person."""


@transaction.atomic
def keep_logo(*, content: bytes, now: datetime) -> BrandAsset:
    """
    Keep a picture under the hash of its bytes; the same bytes again are the same row.

    SVG or PNG by what the file holds, at most LARGEST_BYTES. An SVG may draw and nothing else: no scripts, no events, no embedded
    documents, nothing that is fetched from elsewhere.

    :raises LogoRefused: saying what is wrong
    """
    media_type = media_type_of(content)
    digest = hashlib.sha256(content).hexdigest()
    asset, _created = BrandAsset.objects.get_or_create(
        sha256=digest, defaults={"media_type": media_type, "content": content, "added_at": now}
    )
    return asset


def media_type_of(content: bytes) -> BrandAsset.MediaType:
    """
    Return what the bytes are. Pure.

    :raises LogoRefused: if they are no picture that may be printed
    """
    if len(content) > LARGEST_BYTES:
        raise LogoRefused(_("The file has more than 256 KiB."))
    if content.startswith(_PNG):
        if content[12:16] != b"IHDR" or not content.rstrip(b"\0").endswith(b"IEND\xaeB`\x82"):
            raise LogoRefused(_("The PNG is damaged."))
        return BrandAsset.MediaType.PNG
    _check_svg(content)
    return BrandAsset.MediaType.SVG


def _check_svg(content: bytes) -> None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LogoRefused(_("Take an SVG or a PNG.")) from None
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper() or re.search(r"<\?(?!xml\s)", text):
        raise LogoRefused(_("The SVG declares entities or processing instructions; save it as a plain SVG."))
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 (no document type: entities cannot be declared)
    except (ElementTree.ParseError, ValueError):
        raise LogoRefused(_("Take an SVG or a PNG.")) from None
    if root.tag != f"{_SVG}svg":
        raise LogoRefused(_("Take an SVG or a PNG."))
    for element in root.iter():
        _check_element(element)


def _check_element(element: ElementTree.Element) -> None:
    name = str(element.tag)
    if name.startswith(_SVG):
        if name.removeprefix(_SVG) not in _ELEMENTS:
            message = _("The SVG has a <%(name)s>, which could run or fetch something: draw it with paths.")
            raise LogoRefused(message % {"name": name.removeprefix(_SVG)})
    elif name.endswith("}script") or name.startswith("{http://www.w3.org/1999/xhtml}"):
        raise LogoRefused(_("The SVG holds something that is no drawing; save it as a plain SVG."))
    for attribute, value in element.attrib.items():
        local = attribute.rpartition("}")[2].lower()
        leads_out = local in {"href", "src"} and not value.strip().startswith("#")
        if local.startswith("on") or leads_out or _OUTSIDE.search(value):
            message = _("The SVG refers to something outside of itself, or runs something, in %(name)s.")
            raise LogoRefused(message % {"name": local})
    if name == f"{_SVG}style" and _OUTSIDE.search("".join(element.itertext())):
        raise LogoRefused(_("The styles of the SVG refer to something outside of it."))
