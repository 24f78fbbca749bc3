import argparse
import json
import sys
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from billing.management.processes import helping_processes
from billing.management.workers import helping_workers
from billing.runs.run import RunReport, run_billing
from squill.lib import clock
from squill.lib.actor import system


def instant(text: str) -> datetime:
    """Read an argument that is an instant with an offset."""
    try:
        return clock.parse_instant(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    """Read an argument that is a whole number of at least 1."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(_("write a whole number of at least 1"))
    return int(text)


class Command(BaseCommand):
    help = (
        "Find what is due at an instant and bill it, in the foreground, until nothing is left. Without --finalize it leaves "
        "drafts. With it, drafts whose grace is over by --as-of are made final: SQUILL_BILLING_GRACE_MINUTES after the end of "
        "what they bill, or as their billing entity or customer says. Those that wait, or that a person finalises, are brought "
        "up to date. Running it again, or twice at once, makes the same books. Exit status 1 if a subscription failed."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--as-of", type=instant, help="bill what is due at this instant, such as 2026-03-01T00:00:00Z; now by default"
        )
        parser.add_argument(
            "--finalize",
            action="store_true",
            help="give numbers to drafts whose grace is over, freeze them, and queue PDF and mail",
        )
        shared = parser.add_mutually_exclusive_group()
        shared.add_argument(
            "--workers", type=_count, default=1, metavar="N", help="share the run out to so many processes; 1 by default"
        )
        shared.add_argument(
            "--call-workers",
            action="store_true",
            help="share it out to the `manage.py worker` that run, on any machine: up to SQUILL_WORKERS_MAX with this one",
        )
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *, as_of: datetime | None, finalize: bool, workers: int, call_workers: bool, **options: Any) -> None:
        now = clock.now()
        bar = tqdm(unit=" subscriptions", disable=not sys.stderr.isatty(), leave=False)
        with bar, helping_processes(workers - 1) as crew:

            def progress(done: int, of: int) -> None:
                bar.total, bar.n = of, done
                bar.refresh()

            report = run_billing(
                as_of=as_of or now,
                finalize=finalize,
                actor=system("run_billing"),
                now=now,
                progress=progress,
                crew=helping_workers() if call_workers else crew,
            )
        self.stdout.write(json.dumps(_members(report)) if options["json"] else _words(report))
        if report.failed:
            raise CommandError(
                _("failed: %(names)s; the reasons are on their billing periods") % {"names": ", ".join(report.failed)}
            )


def _members(report: RunReport) -> dict[str, Any]:
    run = report.run
    counts = {
        "drafted": run.drafted_count,
        "finalized": run.finalized_count,
        "waiting": report.waiting,
        "parked": run.parked_count,
    }
    return {"as_of": run.as_of.isoformat(), **counts, "failed": list(report.failed)}


def _words(report: RunReport) -> str:
    run = report.run
    words = _("%(drafted)d drafted, %(finalized)d finalised, %(waiting)d waiting, %(failed)d failed, %(parked)d parked")
    return words % {
        "drafted": run.drafted_count,
        "finalized": run.finalized_count,
        "waiting": report.waiting,
        "failed": run.failed_count,
        "parked": run.parked_count,
    }
