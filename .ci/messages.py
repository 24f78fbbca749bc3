"""
Keep the translations in squill/locale: gather the texts of the sources, and compile what was translated. Needs no GNU gettext.

    .venv/bin/python .ci/messages.py            # make messages: bring the .po files up to date, compile the .mo files
    .venv/bin/python .ci/messages.py --check    # exit 1 and name what is stale, or without a translation

Translate by hand in squill/locale/LANGUAGE/LC_MESSAGES/django.po, then run it again. The compiled files are committed, so that a
fresh clone and the package for Lambda need nothing to be built. Texts that no source says any more are dropped.
"""

import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

CHECKOUT = Path(__file__).resolve().parents[1]
LOCALE = CHECKOUT / "squill" / "locale"
LANGUAGES = ("ar", "de", "es", "fr", "ja")
# What leaves the house: documents and mails. Pages of the portal and the admin are English so far.
# Here every text is read by customers.
PRINTED = (
    "billing/delivery/notices.py",
    "billing/delivery/rendering",
    "billing/tax/wording.py",
    "templates/emails",
    "templates/invoices",
)
# Here those are that have one of the contexts: an invoice copies its lines from many places, between messages for staff.
SEARCHED = ("billing", "customers")
CONTEXTS = {"credit note", "invoice", "mail", "tax", "tax in Switzerland"}
KEYWORDS = {
    "gettext": None,
    "gettext_lazy": None,
    "_": None,
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# No clock: the same texts give the same files.
NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)


def gathered() -> Catalog:
    """Return every text of documents and mails with the files that say it."""
    catalog = Catalog(project="Squill", version="1", charset="utf-8", creation_date=NO_DATE)
    for path in _sources():
        place = path.relative_to(CHECKOUT).as_posix()
        is_printed = place.startswith(PRINTED)
        for _line, message, _comments, context in extract("python", io.BytesIO(_as_python(path).encode()), KEYWORDS):
            if not is_printed and context not in CONTEXTS:
                continue
            known = catalog.get(message[0] if isinstance(message, tuple) else message, context)
            if known is None or (place, None) not in known.locations:
                catalog.add(message, None, locations=[(place, None)], context=context)
    return catalog


def _sources() -> Iterator[Path]:
    for folder in (*SEARCHED, "templates/emails", "templates/invoices"):
        for path in sorted((CHECKOUT / folder).rglob("*")):
            # Reading a file for its texts is slow, and few files have one for a customer.
            if path.suffix in (".html", ".txt", ".css") or (path.suffix == ".py" and "pgettext" in path.read_text("utf-8")):
                yield path


def _as_python(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return text
    # Django turns what is no text to translate into rows of X; without its indents Python's tokenizer reads the rest.
    return "\n".join(re.findall(r"(?:\bn?p?gettext|_)\((?:[^()]|\([^()]*\))*\)", templatize(text))) + "\n"


def po_file(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def translated(language: str, template: Catalog) -> Catalog:
    """Return the language's catalogue: the texts of the sources with the translations that its file has."""
    path = po_file(language)
    with path.open("rb") if path.exists() else io.BytesIO() as file:
        kept = read_po(file, locale=language)
    catalog = Catalog(
        locale=language, project="Squill", version="1", charset="utf-8", creation_date=NO_DATE, revision_date=NO_DATE, fuzzy=False
    )
    for message in template:
        if not message.id:
            continue
        known = kept.get(message.id, message.context)
        catalog[message.id] = Message(
            message.id,
            string=known.string if known is not None else "",
            locations=message.locations,
            context=message.context,
            flags=message.flags - {"fuzzy"},
        )
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """Return the text of the .po file; without dates, which would make each run a change."""
    written = io.BytesIO()
    write_po(written, catalog, width=110, sort_output=True, include_lineno=False)
    lines = written.getvalue().decode().splitlines(keepends=True)
    dated = ('"POT-Creation-Date', '"PO-Revision-Date', '"Generated-By', '"Last-Translator', '"Language-Team', '"Report-Msgid')
    return "".join(line for line in lines if not line.startswith((*dated, "#  ", "# FIRST", "# Copyright"))).encode()


def as_mo(catalog: Catalog) -> bytes:
    """Return the bytes of the .mo file."""
    written = io.BytesIO()
    write_mo(written, catalog)
    return written.getvalue()


def missing(language: str, catalog: Catalog) -> Iterator[str]:
    """Yield a sentence for each text that the language lacks, or lacks a plural form of."""
    for message in catalog:
        strings = message.string if message.pluralizable else (message.string,)
        if message.id and not all(strings):
            yield f"{po_file(language).relative_to(CHECKOUT)}: no translation of {message.id!r} ({message.locations[0][0]})"


def problems() -> Iterator[str]:
    """Yield a sentence for each file that is not what the sources say, and for each text that is not translated."""
    template = gathered()
    for language in LANGUAGES:
        catalog, path = translated(language, template), po_file(language)
        for file, content in ((path, as_po(catalog)), (path.with_suffix(".mo"), as_mo(catalog))):
            if not file.exists() or file.read_bytes() != content:
                yield f"{file.relative_to(CHECKOUT)}: not what the sources and translations say: make messages"
        yield from missing(language, catalog)


def write() -> None:
    template = gathered()
    for language in LANGUAGES:
        catalog, path = translated(language, template), po_file(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_po(catalog))
        path.with_suffix(".mo").write_bytes(as_mo(catalog))


def main(arguments: list[str]) -> int:
    settings.configure(USE_I18N=False)
    if arguments != ["--check"]:
        write()
    found = list(problems())
    for problem in found:
        sys.stderr.write(problem + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
