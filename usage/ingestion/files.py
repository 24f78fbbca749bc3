"""
Read events from files, one line at a time: NDJSON of the API's shape, or CSV with a header.

CSV columns: id, source, type, subject, time (optional), and data.<member> for each member of data, whose dots lead into objects.
A CSV value is a text (meters read numbers from texts exactly); an empty cell leaves the member out.
"""

import csv
from collections.abc import Iterable, Iterator
from typing import IO, Any, Final

from django.utils.translation import gettext as _

from usage.ingestion.checking import EventChecker, MalformedEvents, Problem
from usage.ingestion.decoding import read_json
from usage.ingestion.events import SentEvent

FORMATS: Final = ("ndjson", "csv")
_REQUIRED: Final = ("id", "source", "type", "subject")
_KNOWN: Final = frozenset({*_REQUIRED, "time", "specversion"})
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def read_events(stream: IO[bytes], form: str, *, checker: EventChecker, longest_line: int) -> Iterator[SentEvent]:
    """
    Yield the well-formed events of a file in their order, without an identity yet; note what is malformed in
    `checker.problems`, by line from 1.

    `longest_line` is in bytes.
    """
    lines = _lines(stream, checker, longest_line)
    return _from_csv(lines, checker) if form == "csv" else _from_ndjson(lines, checker)


def _lines(stream: IO[bytes], checker: EventChecker, longest_line: int) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := stream.readline(longest_line + 1):
        number += 1
        if len(line) > longest_line:
            message = _("has more than %(most)d bytes (SQUILL_EVENTS_MAX_BYTES)") % {"most": longest_line}
            checker.problems.append(Problem(number, "", message))
            return
        yield number, line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line


def _from_ndjson(lines: Iterable[tuple[int, bytes]], checker: EventChecker) -> Iterator[SentEvent]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            sent = read_json(line.rstrip(b"\r\n"))
        except MalformedEvents as error:
            checker.problems += [Problem(number, problem.field, problem.message) for problem in error.problems]
            continue
        event = checker.check(number, sent)
        if event is not None:
            yield event


class _Unreadable(Exception):
    """A line is not UTF-8."""


def _from_csv(lines: Iterable[tuple[int, bytes]], checker: EventChecker) -> Iterator[SentEvent]:
    reader = csv.reader(_decoded(lines), strict=True)
    header: list[str] | None = None
    began = 1  # the line on which the next row begins; a row goes over several where a cell holds line ends
    try:
        for row in reader:
            if header is None:
                header = row
                if problems := _wrong_with(header):
                    checker.problems += [Problem(1, column, message) for column, message in problems]
                    return
            elif row:
                event = _event_of(row, header, began, checker)
                if event is not None:
                    yield event
            began = reader.line_num + 1
    except _Unreadable:
        checker.problems.append(Problem(reader.line_num + 1, "", _("the text is not UTF-8")))
    except csv.Error as error:
        checker.problems.append(Problem(began, "", _("not valid CSV: %(why)s") % {"why": str(error)}))


def _decoded(lines: Iterable[tuple[int, bytes]]) -> Iterator[str]:
    for _number, line in lines:
        try:
            yield line.decode()
        except UnicodeDecodeError:
            raise _Unreadable from None


def _wrong_with(header: list[str]) -> list[tuple[str, str]]:
    problems = [(column, _("is a column that every file needs")) for column in _REQUIRED if column not in header]
    for position, column in enumerate(header):
        if column in header[:position]:
            problems.append((column, _("is a column twice")))
        elif column not in _KNOWN and not (column.startswith("data.") and all(column.split("."))):
            problems.append((column, _("is no known column: use id, source, type, subject, time and data.<member>")))
        elif any(column.startswith(f"{other}.") for other in header):
            problems.append((column, _("lies inside another column")))
    return problems


def _event_of(row: list[str], header: list[str], number: int, checker: EventChecker) -> SentEvent | None:
    if len(row) != len(header):
        message = _("has %(cells)d cells, the header has %(columns)d") % {"cells": len(row), "columns": len(header)}
        checker.problems.append(Problem(number, "", message))
        return None
    sent: dict[str, Any] = {}
    for column, cell in zip(header, row, strict=True):
        if not cell:
            continue
        holder = sent
        *way, last = column.split(".")
        for name in way:
            holder = holder.setdefault(name, {})
        holder[last] = cell
    return checker.check(number, sent)
