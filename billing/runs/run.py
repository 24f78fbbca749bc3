"""The run itself: drafts first, then numbers, boundary by boundary, so that the books do not depend on who was faster."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from django.db import transaction

from billing.locks import lock_subscription
from billing.models import BillingRun
from billing.rating.terms import TermsBook
from billing.runs.advance import Tally, draft_due, finalize_draft, refresh_waiting
from billing.runs.due import DueBoundary, drafts_at, due_boundaries, parked_count
from billing.subscriptions.periods import extend_periods, subscriptions_to_extend
from squill.lib.actor import Actor
from usage.ingestion import replay_waiting

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did: the stored row, the subscriptions that failed in it, and how many drafts it left for later."""

    run: BillingRun
    failed: tuple[str, ...]
    waiting: int = 0


def run_billing(
    *,
    as_of: datetime,
    finalize: bool,
    actor: Actor,
    now: datetime,
    progress: Progress | None = None,
    deadline: Callable[[], bool] | None = None,
) -> RunReport:
    """
    Bill all that is due at `as_of`, and with `finalize` number and freeze what has waited long enough, until nothing is left.

    A draft waits for late usage for its grace (Billing.grace_minutes after its boundary), or for a person where its seller or
    customer wants one. Drafts that wait are worked out anew by each run, before anything new is drafted, so that what is late
    is on them and not on the next invoice as well. A draft that waits keeps nobody else's from being numbered.

    Can be run twice, or by several at once, with the same books as once: every subscription is billed under its lock, and
    all drafts of a boundary exist before the first of them is numbered, in a fixed order. A subscription that fails is
    noted on its period and left for the next run; after SQUILL_BILLING_MAX_ATTEMPTS it is parked for a person.

    `progress` is told (done, all) for each boundary; `deadline` says when to stop taking up work (what is left is due still).
    """
    started = time.monotonic()
    run = BillingRun.objects.create(as_of=as_of, finalize=finalize, started_at=now)
    replay_waiting(now=now)
    _extend_all(as_of)
    terms_book, tally = TermsBook(), Tally()
    stop = deadline or (lambda: False)
    _refresh_all(as_of=as_of, terms_book=terms_book, tally=tally, stop=stop)
    for boundary_at, dues in _by_boundary(due_boundaries(as_of=as_of)):
        if stop():
            break
        _draft_all(dues, as_of=as_of, terms_book=terms_book, tally=tally, progress=progress, stop=stop)
        if finalize and not stop():
            _finalize_all(boundary_at, as_of=as_of, actor=actor, terms_book=terms_book, tally=tally, stop=stop)
    if finalize and not stop():
        _finalize_all(as_of, as_of=as_of, actor=actor, terms_book=terms_book, tally=tally, stop=stop)
    run.drafted_count, run.finalized_count = tally.drafted, tally.finalized
    run.failed_count, run.parked_count = len(tally.failed), parked_count()
    run.finished_at = None if stop() else now + timedelta(seconds=time.monotonic() - started)
    run.save()
    return RunReport(run, tuple(tally.failed), len(drafts_at(as_of)))


def _extend_all(as_of: datetime) -> None:
    for subscription_id in subscriptions_to_extend(until=as_of):
        with transaction.atomic():
            subscription = lock_subscription(subscription_id)
            if subscription is not None:
                extend_periods(subscription, until=as_of)


def _by_boundary(dues: list[DueBoundary]) -> Iterator[tuple[datetime, list[DueBoundary]]]:
    for boundary_at, group in groupby(dues, key=attrgetter("boundary_at")):
        yield boundary_at, list(group)


def _refresh_all(*, as_of: datetime, terms_book: TermsBook, tally: Tally, stop: Callable[[], bool]) -> None:
    """Work out anew what earlier runs have drafted, in the order of the boundaries: a later draft counts on the earlier one."""
    for draft in drafts_at(as_of):
        if stop():
            return
        if draft.subscription_id not in tally.troubled:
            refresh_waiting(draft.invoice_id, as_of=as_of, terms_book=terms_book, tally=tally)


def _draft_all(
    dues: list[DueBoundary],
    *,
    as_of: datetime,
    terms_book: TermsBook,
    tally: Tally,
    progress: Progress | None,
    stop: Callable[[], bool],
) -> None:
    """Draft what nobody else is working on, then wait for the rest: afterwards all drafts of the boundary exist."""
    busy: list[DueBoundary] = []
    for done, due in enumerate(dues, start=1):
        if stop():
            return
        if not draft_due(due, as_of=as_of, terms_book=terms_book, tally=tally, skip_locked=True):
            busy.append(due)
        if progress:
            progress(done, len(dues))
    for due in busy:
        draft_due(due, as_of=as_of, terms_book=terms_book, tally=tally, skip_locked=False)


def _finalize_all(
    boundary_at: datetime, *, as_of: datetime, actor: Actor, terms_book: TermsBook, tally: Tally, stop: Callable[[], bool]
) -> None:
    for draft in drafts_at(boundary_at):
        if stop():
            return
        if draft.subscription_id in tally.troubled:
            continue  # its later invoices must not get earlier numbers
        if draft.is_ripe(as_of):  # one that waits has no ripe one after it: those of later boundaries wait for longer
            finalize_draft(draft.invoice_id, as_of=as_of, actor=actor, terms_book=terms_book, tally=tally)
