"""`manage.py load_events`: the way in for files, through the same ingestion as the API."""

import gzip
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import batched, islice
from pathlib import Path
from typing import IO, Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from tqdm import tqdm

from squill.lib import clock, failpoints
from usage.ingestion import Outcome, files, ingest
from usage.ingestion.checking import EventChecker, Limits, limits
from usage.ingestion.events import incoming_events
from usage.ingestion.progress import Note, Progress

_TOLD: Final = 20  # problems that are listed before the rest is only counted
_GZIP: Final = b"\x1f\x8b"


class Command(BaseCommand):
    """Load events from a file. Checked as a whole first, then stored batch by batch; can be repeated."""

    help = (
        "Load events from a file through the same ingestion as the API. The whole file is checked first: a malformed line "
        "is named with its field, and nothing is stored. Loading a file again does no harm, everything in it is then a "
        "duplicate; --resume skips what an interrupted load has stored. NDJSON holds one event a line, as the API takes it. "
        "CSV has a header with the columns id, source, type, "
        "subject, time (optional) and data.<member> for the members of data (dots lead into objects); an empty cell leaves "
        "the member out. Files may be gzipped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="path of the file, or - for standard input")
        parser.add_argument("--format", choices=files.FORMATS, help="by the file's name if not given; else ndjson")
        parser.add_argument("--batch-size", type=int, default=1000, metavar="N", help="events a transaction (1000)")
        parser.add_argument("--resume", action="store_true", help="go on where a load of the same file was interrupted")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *, file: str, format: str | None, batch_size: int, resume: bool, json: bool, **_options: Any) -> None:
        """
        Load the file and report.

        :raises CommandError: if the file cannot be read or a line is malformed; nothing was stored then
        """
        if not 1 <= batch_size <= _limits().max_count:
            raise CommandError(_("--batch-size must be 1 to %(most)d (SQUILL_EVENTS_MAX_COUNT)") % {"most": _limits().max_count})
        if resume and file == "-":
            raise CommandError(_("--resume needs a file: standard input cannot be read from where it was left"))
        form = format or ("csv" if ".csv" in Path(file).suffixes[-2:] else "ndjson")
        now = clock.now()
        try:
            with _opened(file) as path:
                note = Note(settings.SQUILL_HOME, path, form)
                before = note.read() if resume else None
                before = before or Progress(count=_check(path, form, now), done=0, last_key="", totals={})
                totals = _load(path, form, now, before=before, note=note, batch_size=batch_size)
        except (OSError, EOFError) as error:  # gzip.BadGzipFile is an OSError, a file cut short an EOFError
            raise CommandError(f"{file}: {error}") from None
        if before.done and not json:
            self.stdout.write(_("%(done)d events were loaded before") % {"done": before.done})
        self.stdout.write(_as_json(before.count, totals) if json else _as_text(before.count, totals))


@contextmanager
def _opened(file: str) -> Iterator[Path]:
    """Yield a path that can be read twice: the file, or a copy of standard input."""
    if file != "-":
        yield Path(file)
        return
    with tempfile.NamedTemporaryFile(prefix="squill-events-") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.flush()
        yield Path(copy.name)


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as stream:
        zipped = stream.read(2) == _GZIP
    return gzip.open(path) if zipped else path.open("rb")  # type: ignore[return-value]


def _check(path: Path, form: str, now: datetime) -> int:
    """
    Read the whole file without storing anything; return how many events it holds.

    :raises CommandError: naming each malformed line and field
    """
    checker = _checker(now)
    count = 0
    with _open(path) as stream, _bar(None, _("checking")) as bar:
        for _event in files.read_events(stream, form, checker=checker, longest_line=_limits().max_bytes):
            count += 1
            bar.update()
            if len(checker.problems) > _TOLD:
                break
    if checker.problems:
        raise CommandError("\n".join([_told(checker), _("Nothing was stored.")]))
    return count


def _load(path: Path, form: str, now: datetime, *, before: Progress, note: Note, batch_size: int) -> Counter[str]:
    """
    Store the events of a checked file after the ones that are done, a transaction for each batch, and note each.

    Return how many met which fate, those before included.

    :raises CommandError: if the file has changed since it was checked
    """
    checker = _checker(now)
    totals = Counter(before.totals)
    done = before.done
    with _open(path) as stream, _bar(before.count, _("loading"), done) as bar:
        events = files.read_events(stream, form, checker=checker, longest_line=_limits().max_bytes)
        for sent in batched(islice(events, done, None), batch_size):
            batch = incoming_events(sent)
            totals.update(fate.reason or fate.outcome.value for fate in ingest(batch, now=now))
            done += len(batch)
            failpoints.passing("load-before-note")
            note.write(count=before.count, done=done, last_key=batch[-1].key, totals=totals)
            bar.update(len(batch))
    if checker.problems:
        raise CommandError(_("the file changed while it was loaded; load it again. %(why)s") % {"why": _told(checker)})
    note.remove()
    return totals


def _limits() -> Limits:
    return limits(backfill=True)


def _checker(now: datetime) -> EventChecker:
    return EventChecker(limits=_limits(), now=now, specversion_required=False)


def _bar(total: int | None, what: str, done: int = 0) -> "tqdm[Any]":
    # tqdm shows rate and remaining time; on anything but a terminal it would only fill logs.
    return tqdm(total=total, initial=done, desc=what, unit=" events", disable=not sys.stderr.isatty())


def _told(checker: EventChecker) -> str:
    lines = []
    for problem in checker.problems[:_TOLD]:
        field = f"{problem.field}: " if problem.field else ""
        lines.append(_("line %(number)d: %(problem)s") % {"number": problem.index or 0, "problem": field + problem.message})
    if len(checker.problems) > _TOLD:
        lines.append(_("there may be more"))
    return "\n".join(lines)


def _quarantined(totals: Counter[str]) -> dict[str, int]:
    outcomes = {outcome.value for outcome in Outcome}
    return {reason: number for reason, number in sorted(totals.items()) if reason not in outcomes}


def _as_json(count: int, totals: Counter[str]) -> str:
    report = {
        "events": count,
        "accepted": totals[Outcome.ACCEPTED],
        "duplicates": totals[Outcome.DUPLICATE],
        "quarantined": _quarantined(totals),
    }
    return json.dumps(report)


def _as_text(count: int, totals: Counter[str]) -> str:
    text = _("%(events)d events: %(accepted)d accepted, %(duplicates)d duplicates, %(quarantined)d in quarantine") % {
        "events": count,
        "accepted": totals[Outcome.ACCEPTED],
        "duplicates": totals[Outcome.DUPLICATE],
        "quarantined": sum(_quarantined(totals).values()),
    }
    reasons = ", ".join(f"{reason} {number}" for reason, number in _quarantined(totals).items())
    return f"{text} ({reasons})" if reasons else text
