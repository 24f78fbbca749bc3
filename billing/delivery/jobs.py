"""Background jobs: PostgreSQL is the queue, a job is enqueued in the transaction that needs it, and retried with backoff."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast

import procrastinate
from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import connection
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import app as job_queue
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.jobs import Job

from billing.delivery.deliver import deliver
from billing.invoicing.dispatch import DELIVER_JOB, FORMER_DELIVER_JOB, About
from billing.models import CreditNote, Invoice, Payment
from squill.aws import metrics, tracing
from squill.lib import clock
from squill.lib.context import working_on

# A job whose worker died (a Lambda that was cut off) is taken up again after this long.
STALLED_AFTER = timedelta(minutes=15)


class Backoff(BaseRetryStrategy):
    """
    Waits 3 s, 9 s, 27 s …, each up to a quarter shorter or longer, so that what failed together does not come back together.

    The last of twelve tries comes after four days: a provider that is down for a weekend loses no mail.
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when to try again; None after the last attempt."""
        if job.attempts >= settings.SQUILL_JOB_MAX_ATTEMPTS:
            return None
        return RetryDecision(retry_in={"seconds": wait_seconds(job.attempts)})


def wait_seconds(attempts: int) -> int:
    """Return how long a job waits that was tried so many times before its last try: 3 to the power of the tries, give or take."""
    whole: int = 3 ** (attempts + 1)
    return whole - whole // 4 + secrets.randbelow(whole // 2 + 1)


def configure(app: procrastinate.App) -> None:
    """Register the jobs of this package."""
    app.task(name=DELIVER_JOB, retry=Backoff(), aliases=[FORMER_DELIVER_JOB])(_deliver)


def _deliver(invoice_id: int | None = None, credit_note_id: int | None = None, payment_id: int | None = None) -> None:
    """
    Deliver what is named, an invoice, a credit note or a payment's receipt; a door, so it reads the clock.

    Runs in a thread of the worker, whose connection nobody else closes.
    """
    about = working_on(invoice_id=invoice_id, credit_note_id=credit_note_id, payment_id=payment_id)
    with about, metrics.collected(), tracing.segment("deliver"):
        try:
            deliver(_thing(invoice_id, credit_note_id, payment_id), now=clock.now())
        finally:
            connection.close()


def _thing(invoice_id: int | None, credit_note_id: int | None, payment_id: int | None) -> About:
    """
    Load what a job names, which is exactly one thing.

    :raises ValueError: if it names nothing
    """
    if invoice_id is not None:
        return Invoice.objects.get(pk=invoice_id)
    if credit_note_id is not None:
        return CreditNote.objects.get(pk=credit_note_id)
    if payment_id is None:
        raise ValueError("a job of delivery that names nothing")
    return Payment.objects.select_related("customer", "invoice__billing_entity__logo").get(pk=payment_id)


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
