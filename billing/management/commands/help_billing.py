import argparse
import select
import sys
from typing import Any, Final

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from billing.runs.run import help_run
from squill.lib.actor import system

_PAUSE_MS: Final = 100


class Command(BaseCommand):
    help = (
        "Help a billing run that goes on elsewhere, until nothing of its present step is left to take up. `run_billing --workers`"
        " starts it; started by hand, on any machine, it does no harm."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("run", type=int, help="the number of the run, as the finance desk shows it")
        parser.add_argument("--stay", action="store_true", help="wait for more until standard input ends")

    def handle(self, *, run: int, stay: bool, **_options: Any) -> None:
        done = help_run(run, actor=system("run_billing"))
        while stay and not _input_has_ended():
            done += help_run(run, actor=system("run_billing"))
        self.stdout.write(_("%(count)d parts of the run done") % {"count": done})


def _input_has_ended() -> bool:
    """Say whether standard input ends within a moment; nobody writes to it."""
    readable, _writable, _failed = select.select([sys.stdin], [], [], _PAUSE_MS / 1000)
    return bool(readable)
