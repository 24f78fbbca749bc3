"""`manage.py calculate FILE`: price charges and whole invoices, with no database."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.pricing.document import DocumentError, calculate, read_json

_NDJSON_SUFFIXES = (".ndjson", ".jsonl")


class Command(BaseCommand):
    """Answers JSON documents. Reads no database, so that prices can be checked anywhere."""

    help = gettext_lazy("Price charges and whole invoices with the code that bills, without a database.")  # type: ignore[assignment]
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file",
            help=_("a .json file with one document, a .ndjson file with one a line, or - to read standard input"),
        )
        parser.add_argument(
            "--ndjson",
            action="store_true",
            help=_("read one document a line, whatever the name of the file"),
        )

    def handle(self, *, file: str, ndjson: bool, **options: Any) -> None:
        try:
            if file == "-":
                self._answer(sys.stdin.buffer, ndjson=ndjson)
            else:
                with Path(file).open("rb") as source:
                    self._answer(source, ndjson=ndjson or Path(file).suffix.lower() in _NDJSON_SUFFIXES)
        except OSError as error:
            raise CommandError(_("cannot read %(file)s: %(reason)s") % {"file": file, "reason": error.strerror}) from None

    def _answer(self, source: BinaryIO, *, ndjson: bool) -> None:
        if ndjson:
            self._answer_lines(source)
            return
        text = source.read()
        lines = [line for line in text.splitlines() if line.strip()]
        # What is no JSON as a whole, but has a line that looks like a document, is taken as NDJSON.
        if len(lines) > 1 and any(map(_looks_whole, lines)) and not _is_json(text):
            self._answer_lines(lines)
            return
        try:
            answer = _calculate(text)
        except DocumentError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(json.dumps(answer, indent=2))

    def _answer_lines(self, lines: Iterable[bytes]) -> None:
        """Answer every line, bad ones with their error, then fail if there was a bad one."""
        bad = 0
        for line in lines:
            if not line.strip():
                continue
            try:
                answer = _calculate(line)
            except DocumentError as error:
                bad += 1
                answer = {"error": str(error)}
            self.stdout.write(json.dumps(answer, separators=(",", ":")))
        if bad:
            raise CommandError(_("documents that could not be calculated: %(count)d") % {"count": bad})


def _calculate(text: bytes) -> dict[str, object]:
    try:
        document = read_json(text.decode())
    except UnicodeDecodeError:
        raise DocumentError("", _("is not UTF-8 text")) from None
    return calculate(document)  # type: ignore[arg-type]


def _looks_whole(line: bytes) -> bool:
    return line.startswith(b"{") and line.rstrip().endswith(b"}")


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
