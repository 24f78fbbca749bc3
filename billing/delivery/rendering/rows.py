"""The smallest parts of a document, as printed: a label with its value, and a paragraph."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A label, its value, and a small addition to the label; `kind` is a class of the stylesheet."""

    label: str
    value: str
    small: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Somebody's sentences; `direction` is ltr or rtl, which need not be the document's."""

    text: str
    direction: str
