"""
Every function that AWS calls (zappa_settings.json names them). Each reads the clock, makes one service call, logs and returns.

Lambda may call any of them twice, at once, or never: all are idempotent, ask what is due rather than what day it is, and
stop taking up work before the function's deadline, so that the next tick goes on.
"""

import logging
from collections.abc import Callable
from typing import Any, Protocol

from billing.delivery.jobs import run_waiting_jobs
from billing.delivery.reminding import send_reminders
from billing.delivery.sweeping import enqueue_forgotten
from billing.reconciliation.report import reconcile
from billing.reductions.expiring import expire_credits
from billing.runs.run import run_billing
from squill.lib import clock
from squill.lib.actor import system
from usage.ingestion import replay_waiting
from usage.ingestion.partitions import ensure_partitions
from usage.retention import Outcome, put_away_due

logger = logging.getLogger(__name__)
# What is left of the function's time when it stops taking up work.
RESERVE_SECONDS = 60


class LambdaContext(Protocol):
    """The part of Lambda's context that is used."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""


def bill(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Hourly: draft everything that is due, and finalise what has waited for its grace."""
    now = clock.now()
    report = run_billing(as_of=now, finalize=True, actor=system("bill"), now=now, deadline=_deadline(context))
    summary = {
        "drafted": report.run.drafted_count,
        "finalized": report.run.finalized_count,
        "waiting": report.waiting,
        "failed": list(report.failed),
        "parked": report.run.parked_count,
    }
    logger.info("billing run: %s", summary)
    return summary


def expire(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Hourly: write down what has expired of the customers' credits."""
    expired = expire_credits(now=clock.now(), actor=system("expire"), deadline=_deadline(context))
    logger.info("credits expired: %d", len(expired))
    return {"expired": len(expired)}


def work(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Every minute: replay events whose customer or meter has appeared, and work through the queue of jobs (PDFs, mails)."""
    replay_waiting(now=clock.now())
    seconds = max(context.get_remaining_time_in_millis() // 1000 - RESERVE_SECONDS, 1)
    run_waiting_jobs(deadline_seconds=seconds)
    return {}


def remind(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Hourly: queue the reminders whose day has come, and what is to be delivered and has no job any more."""
    summary = {"reminders": send_reminders(clock.now(), deadline=_deadline(context)), "forgotten": enqueue_forgotten()}
    logger.info("reminders: %s", summary)
    return summary


def check(_event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Daily: make the partitions of coming months, recompute everything from raw events, and say what differs."""
    ensure_partitions(clock.now())
    found = reconcile()
    for difference in found.differences:
        logger.error("reconcile: %s", difference)
    for month in found.unchecked:
        logger.info("reconcile, not recomputed: %s", month)
    logger.info("reconcile: %d differences, %d pending", len(found.differences), len(found.pending))
    return {"differences": len(found.differences), "pending": len(found.pending)}


def put_away(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Daily: put away months of events that are old enough and closed, and say what holds the others."""
    reports = put_away_due(now=clock.now(), actor=system("put_away"), deadline=_deadline(context))
    summary: dict[str, list[str]] = {outcome: [] for outcome in Outcome if outcome is not Outcome.DUE}
    for report in reports:
        summary[report.outcome].append(f"{report.month:%Y-%m}")
        for reason in report.held_by:
            logger.info("%s is held: %s", f"{report.month:%Y-%m}", reason)
    logger.info("events put away: %s", summary)
    return summary


def _deadline(context: LambdaContext) -> Callable[[], bool]:
    return lambda: context.get_remaining_time_in_millis() < RESERVE_SECONDS * 1000
