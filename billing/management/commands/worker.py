import argparse
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from billing.delivery.jobs import run_waiting_jobs, work_until_stopped


class Command(BaseCommand):
    help = (
        "Work through the queue of jobs (PDFs, mails, parts of billing runs that call for help) until stopped; with --once until "
        "it is empty. Any number may run at once, on any number of machines."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="end when the queue is empty")

    def handle(self, *, once: bool, **_options: Any) -> None:
        if once:
            run_waiting_jobs()
            self.stdout.write(_("The queue is empty."))
        else:
            work_until_stopped()
