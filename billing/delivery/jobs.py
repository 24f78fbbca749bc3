"""Background jobs: PostgreSQL is the queue, a job is enqueued in the transaction that needs it, and retried with backoff."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast

import procrastinate
from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import connection
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app as job_queue
from procrastinate.contrib.django.django_connector import DjangoConnector

from billing.delivery.deliver import deliver_invoice
from billing.invoicing.finalizing import DELIVER_JOB
from squill.lib import clock

# A job whose worker died (a Lambda that was cut off) is taken up again after this long.
STALLED_AFTER = timedelta(minutes=15)


def configure(app: procrastinate.App) -> None:
    """Register the jobs; procrastinate calls this once Django is ready (settings.PROCRASTINATE_ON_APP_READY)."""
    # 3 s, 9 s, 27 s … the last of twelve waits is two days: a provider that is down for a weekend loses no mail.
    retry = RetryStrategy(max_attempts=settings.SQUILL_JOB_MAX_ATTEMPTS, exponential_wait=3)
    app.task(name=DELIVER_JOB, retry=retry)(_deliver)


def _deliver(invoice_id: int) -> None:
    """Deliver one invoice; a door, so it reads the clock. Runs in a thread of the worker, whose connection nobody else closes."""
    try:
        deliver_invoice(invoice_id=invoice_id, now=clock.now())
    finally:
        connection.close()


def run_waiting_jobs(*, deadline_seconds: int | None = None) -> None:
    """
    Work through the queue until it is empty, or until the deadline, and return. Stalled jobs are taken up again first.

    The deadline is looked at between jobs; what is left waits for the next call.
    """
    async_to_sync(_drain)(deadline_seconds)


def work_until_stopped() -> None:
    """Work through the queue and wait for more, until SIGINT or SIGTERM; the job in hand is finished first."""
    asyncio.run(_work())  # in the main thread, which is where signals arrive


async def _drain(deadline_seconds: int | None) -> None:
    async with _queue() as queue:
        await _take_up_stalled(queue)
        worker = asyncio.create_task(queue.run_worker_async(wait=False, listen_notify=False, install_signal_handlers=False))
        _done, unfinished = await asyncio.wait({worker}, timeout=deadline_seconds)
        if unfinished:
            worker.cancel()  # the worker ends the job in hand and takes no other
        await asyncio.gather(worker, return_exceptions=True)


async def _work() -> None:
    async with _queue() as queue:
        await _take_up_stalled(queue)
        await queue.run_worker_async()


@asynccontextmanager
async def _queue() -> AsyncIterator[procrastinate.App]:
    """Open the queue on connections of its own: a worker cannot share Django's."""
    connector = cast("DjangoConnector", job_queue.connector).get_worker_connector()
    async with job_queue.with_connector(connector).open_async() as queue:
        yield queue


async def _take_up_stalled(queue: procrastinate.App) -> None:
    for job in await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER.total_seconds()):
        await queue.job_manager.retry_job(job)
