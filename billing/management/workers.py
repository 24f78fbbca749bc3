"""Helpers of a billing run among the workers of the queue (`manage.py worker`), on whatever machines those run."""

from typing import Final

import procrastinate
from django.conf import settings
from django.db import connection
from procrastinate.contrib.django import app as job_queue
from procrastinate.exceptions import AlreadyEnqueued

from billing.delivery import jobs
from billing.runs.run import help_run
from billing.runs.sharing import Crew
from squill.lib.actor import system

HELP_JOB: Final = "help_billing"
# Before all documents and mails: somebody waits for the run, and it makes more of them.
_PRIORITY: Final = 100


def configure(app: procrastinate.App) -> None:
    """Register all jobs; procrastinate calls this once Django is ready (settings.PROCRASTINATE_ON_APP_READY)."""
    jobs.configure(app)
    app.task(name=HELP_JOB)(_help)


def helping_workers() -> Crew:
    """
    Return a crew of workers of the queue, up to SQUILL_WORKERS_MAX with the one who leads; they are asked, not started.

    Each of them has one job at a time in a run, so that calls which nobody heeds do not add up. One that is taken up late, when
    the run is over, ends at once.
    """

    def call(run_id: int, count: int) -> None:
        for number in range(count):
            job = job_queue.configure_task(HELP_JOB, queue="billing", priority=_PRIORITY, queueing_lock=f"run-{run_id}-{number}")
            try:
                job.defer(run_id=run_id)
            except AlreadyEnqueued:
                continue

    return Crew(settings.SQUILL_WORKERS_MAX - 1, call)


def _help(run_id: int) -> None:
    """Do parts of a run until none is left to take up. In a thread of the worker, whose connection nobody else closes."""
    try:
        help_run(run_id, actor=system("run_billing"))
    finally:
        connection.close()
