"""
Who does what: the steps of a run cut into chunks, rows that any number of workers take up, one at a time (ADR 0030).

A chunk is claimed for a while; what a worker that died had claimed is taken up by another when the while is over. Doing a chunk
twice is harmless: each of its members is locked, and found to be done. So nothing of the books depends on these rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from billing.models import BillingChunk, BillingRun

# Grain: chunk; the first that nobody is at work on. Index: billing_chunk_open. The clock is the database's: workers have many.
_CLAIM: Final = """
UPDATE billing_billingchunk SET claimed_until = clock_timestamp() + make_interval(secs => %s) WHERE id = (
  SELECT id FROM billing_billingchunk
  WHERE run_id = %s AND done_at IS NULL AND step <> 'number' AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
  ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1
) RETURNING id
"""


class Member(NamedTuple):
    """Something to be done in a step: the id of a subscription or a draft, and whose it is (a customer is never divided)."""

    id: int
    customer: str


def cut(
    run: BillingRun, step: BillingChunk.Step, members: Iterable[Member], *, boundary_at: datetime | None = None
) -> list[BillingChunk]:
    """
    Write the chunks of a step, in order, and return them. One transaction, so that workers see all of them or none.

    A customer's members lie in one chunk, since coupons and credits go to them in their order.
    """
    rows = [
        BillingChunk(run=run, step=step, boundary_at=boundary_at, members=ids)
        for ids in _parts(members, size=settings.SQUILL_BILLING_CHUNK_SIZE)
    ]
    with transaction.atomic():
        BillingChunk.objects.bulk_create(rows)
        if step == BillingChunk.Step.NUMBER:
            for before, row in pairwise(rows):
                row.after_id = before.pk
            BillingChunk.objects.bulk_update(rows, ["after_id"], batch_size=500)
    return rows


def claim(run_id: int) -> BillingChunk | None:
    """Take up the next chunk of a run, but for numbers, for SQUILL_BILLING_CLAIM_SECONDS; None if there is none. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [settings.SQUILL_BILLING_CLAIM_SECONDS, run_id])
        found = cursor.fetchone()
    return None if found is None else BillingChunk.objects.select_related("run").filter(pk=found[0]).first()


def finish(chunk: BillingChunk, *, drafted: int = 0, finalized: int = 0, troubled: dict[int, str] | None = None) -> None:
    """Write that a chunk is done and what came of it; nothing if it is gone, or somebody else was faster. One query."""
    BillingChunk.objects.filter(pk=chunk.pk, done_at=None).update(
        done_at=Now(), drafted_count=drafted, finalized_count=finalized, troubled=troubled or {}
    )


def give_back(chunk: BillingChunk) -> None:
    """Let somebody else go on with a chunk that was begun. One query."""
    BillingChunk.objects.filter(pk=chunk.pk, done_at=None).update(claimed_until=None)


def unfinished(chunk_ids: Sequence[int]) -> bool:
    """Say whether some of the chunks are still to be done. One query."""
    return BillingChunk.objects.filter(pk__in=chunk_ids, done_at=None).exists()


def sweep(*, run_id: int) -> None:
    """Delete the chunks of a run and of those before it, but for those that somebody holds this moment. Idempotent."""
    with transaction.atomic():
        free = BillingChunk.objects.select_for_update(skip_locked=True).filter(run_id__lte=run_id)
        BillingChunk.objects.filter(pk__in=list(free.values_list("pk", flat=True))).delete()


def _parts(members: Iterable[Member], *, size: int) -> Iterator[list[int]]:
    part: list[int] = []
    last: str | None = None
    for member in members:
        if len(part) >= size and member.customer != last:
            yield part
            part = []
        part.append(member.id)
        last = member.customer
    if part:
        yield part
