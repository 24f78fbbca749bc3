"""
Every function that AWS calls (zappa_settings.json names them). Each reads the clock, makes one service call, logs and returns.

Lambda may call any of them twice, at once, or never: all are idempotent, ask what is due rather than what day it is, and
stop taking up work before the function's deadline, so that the next tick goes on. Two of them, `bill` and `work`, start others
beside themselves where there is much to do; those whom they start (`help_bill`, `help_work`) start nobody.
"""

import functools
import logging
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from django.conf import settings
from django.db import connection

from billing.delivery.jobs import run_waiting_jobs
from billing.delivery.queue import QueueState, queue_state
from billing.delivery.reminding import send_reminders
from billing.delivery.sweeping import enqueue_forgotten
from billing.reconciliation.report import reconcile
from billing.reductions.expiring import expire_credits
from billing.runs.run import help_run, run_billing
from billing.runs.sharing import ALONE, Crew
from squill.aws import functions, metrics, tracing
from squill.db import owner
from squill.db.limits import statements_end_within, waiting_at_most
from squill.lib import clock
from squill.lib.actor import system
from squill.lib.context import working_on
from usage.ingestion import replay_waiting, waiting_count
from usage.ingestion.partitions import ensure_partitions
from usage.retention import Outcome, put_away_due

logger = logging.getLogger(__name__)
# What is left of the function's time when it stops taking up work.
RESERVE_SECONDS: Final = 60
# How long a database that sleeps, or moves to another machine, is waited for; what then fails, Lambda tries again.
WAKE_SECONDS: Final = 120
# How many jobs are worth a worker, which takes some seconds to start and a second or less for each.
JOBS_A_WORKER: Final = 50


class LambdaContext(Protocol):
    """The part of Lambda's context that is used."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""


type Function = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def _called_by_aws(function: Function) -> Function:
    """Have a function say who it is on every line, write what it counts, wait for a database that sleeps, and leave it alone."""

    @functools.wraps(function)
    def entry(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        ids = working_on(
            function=function.__name__, aws_request_id=getattr(context, "aws_request_id", None), trace_id=tracing.trace_id()
        )
        patience = min(WAKE_SECONDS, _seconds_left(context))
        with ids, metrics.collected(), waiting_at_most(patience_seconds=patience), tracing.segment(function.__name__):
            _drop_old_connection()  # one of the invocation before may have died while we were frozen
            try:
                return function(event, context)
            finally:
                _drop_old_connection()  # and with a connection left open Aurora does not pause

    return entry


def _drop_old_connection() -> None:
    if not connection.in_atomic_block:  # a caller's transaction is the caller's
        connection.close_if_unusable_or_obsolete()


@_called_by_aws
def bill(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Hourly: draft everything that is due, and finalise what has waited for its grace."""
    now, started = clock.now(), time.monotonic()
    report = run_billing(
        as_of=now, finalize=True, actor=system("bill"), now=now, deadline=_deadline(context), crew=_billing_crew()
    )
    summary = {
        "drafted": report.run.drafted_count,
        "finalized": report.run.finalized_count,
        "waiting": report.waiting,
        "failed": list(report.failed),
        "parked": report.run.parked_count,
    }
    metrics.count("InvoicesDrafted", report.run.drafted_count)
    metrics.count("InvoicesFinalized", report.run.finalized_count)
    metrics.count("BillingRunSeconds", int(time.monotonic() - started))
    metrics.count("BillingRuns", int(report.run.finished_at is not None))
    metrics.count("BillingFailures", len(report.failed))
    metrics.count("ParkedSubscriptions", report.run.parked_count)
    logger.info("billing run: %s", summary)
    return summary


@_called_by_aws
def help_bill(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Started by `bill`: do a part of its run, and end when nothing of it is left to take up."""
    done = help_run(int(event["run_id"]), actor=system("bill"), deadline=_deadline(context))
    logger.info("parts of a billing run done: %d", done)
    return {"parts": done}


@_called_by_aws
def expire(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Hourly: write down what has expired of the customers' credits."""
    expired = expire_credits(now=clock.now(), actor=system("expire"), deadline=_deadline(context))
    logger.info("credits expired: %d", len(expired))
    return {"expired": len(expired)}


@_called_by_aws
def work(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Every minute: replay events whose customer or meter has appeared, and work through the queue of jobs (PDFs, mails)."""
    now = clock.now()
    replay_waiting(now=now, deadline=_deadline(context))
    queue = queue_state(now)
    metrics.count("QuarantineWaiting", waiting_count())
    metrics.count("QueueWaiting", queue.waiting)
    metrics.count("QueueAgeSeconds", queue.age_seconds)
    started = functions.start_workers("squill.entrypoints.help_work", _helpers_wanted(queue))
    if queue.waiting or queue.begun:
        run_waiting_jobs(deadline_seconds=max(_seconds_left(context), 1))
    return {"waiting": queue.waiting, "started": started}


@_called_by_aws
def help_work(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Started by `work`: work through the queue, and end when nothing is left in it."""
    run_waiting_jobs(deadline_seconds=max(_seconds_left(context), 1))
    return {}


@_called_by_aws
def remind(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Hourly: queue the reminders whose day has come, and what is to be delivered and has no job any more."""
    deadline = _deadline(context)
    reminders = send_reminders(clock.now(), deadline=deadline)
    summary = {"reminders": reminders, "forgotten": enqueue_forgotten(deadline=deadline)}
    logger.info("reminders: %s", summary)
    return summary


@_called_by_aws
def check(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """
    Daily: make the partitions of coming months, recompute everything from raw events, and say what differs.

    What there was no time for is named, and then the metric is not written: whoever waits for it is told that it is missing.
    """
    ensure_partitions(clock.now())
    with statements_end_within(_seconds_left(context)):
        found = reconcile(deadline=_deadline(context))
    for difference in found.differences:
        logger.error("reconcile: %s", difference)
    for month in found.unchecked:
        logger.info("reconcile, not recomputed: %s", month)
    for name in found.unfinished:
        logger.error("reconcile, no time for %s: run manage.py reconcile on a plain machine", name)
    if found.differences or not found.unfinished:
        metrics.count("ReconcileDifferences", len(found.differences))
    logger.info("reconcile: %d differences, %d pending", len(found.differences), len(found.pending))
    return {"differences": len(found.differences), "pending": len(found.pending), "unfinished": list(found.unfinished)}


@_called_by_aws
def put_away(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Daily: put away months of events that are old enough and closed, and say what holds the others."""
    with owner.as_owner():  # a month's table is taken out
        reports = put_away_due(now=clock.now(), actor=system("put_away"), deadline=_deadline(context))
    summary: dict[str, list[str]] = {outcome: [] for outcome in Outcome if outcome is not Outcome.DUE}
    for report in reports:
        summary[report.outcome].append(f"{report.month:%Y-%m}")
        for reason in report.held_by:
            logger.info("%s is held: %s", f"{report.month:%Y-%m}", reason)
    logger.info("events put away: %s", summary)
    return summary


@_called_by_aws
def migrate(_event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """By hand, with each version: bring the tables up to date as their owner, and with them the application's role."""
    may_do = owner.migrate()
    for line in may_do:
        logger.info("role: %s", line)
    logger.info("the tables are up to date")
    return {"tables": len(may_do)}


def _deadline(context: LambdaContext) -> Callable[[], bool]:
    return lambda: context.get_remaining_time_in_millis() < RESERVE_SECONDS * 1000


def _seconds_left(context: LambdaContext) -> int:
    return max(context.get_remaining_time_in_millis() // 1000 - RESERVE_SECONDS, 0)


def _billing_crew() -> Crew:
    if not functions.is_function():
        return ALONE

    def call(run_id: int, count: int) -> None:
        functions.start_workers("squill.entrypoints.help_bill", count, run_id=run_id)

    return Crew(settings.SQUILL_WORKERS_MAX - 1, call)


def _helpers_wanted(queue: QueueState) -> int:
    """Return how many workers to start beside us: what the queue is worth, less those that are at work on it already."""
    if not functions.is_function():
        return 0
    return min(queue.waiting // JOBS_A_WORKER, settings.SQUILL_WORKERS_MAX - 1) - queue.workers
