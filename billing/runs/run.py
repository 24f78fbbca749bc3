"""The run itself: drafts first, then numbers, boundary by boundary, so that the books do not depend on who was faster."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from billing.models import BillingChunk, BillingRun
from billing.rating.terms import TermsBook
from billing.runs.advance import Tally, draft_due, extend_one, finalize_draft, refresh_waiting
from billing.runs.chunks import Member, sweep
from billing.runs.due import DueBoundary, drafts_at, due_boundaries, parked_count
from billing.runs.sharing import ALONE, Crew, Shared
from billing.runs.working import work_through
from billing.subscriptions.periods import subscriptions_to_extend
from squill.aws import tracing
from squill.lib.actor import Actor
from squill.lib.context import working_on
from usage.ingestion import replay_waiting

Progress = Callable[[int, int], None]
_Step = BillingChunk.Step


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
    crew: Crew = ALONE,
) -> RunReport:
    """
    Bill all that is due at `as_of`, and with `finalize` number and freeze what has waited long enough, until nothing is left.

    A draft waits for late usage for its grace (Billing.grace_minutes after its boundary), or for a person where its seller or
    customer wants one. Drafts that wait are worked out anew by each run, before anything new is drafted, so that what is late
    is on them and not on the next invoice as well. A draft that waits keeps nobody else's from being numbered.

    Can be run twice, or by several at once, with the same books as once: every subscription is billed under its lock, and
    all drafts of a boundary exist before the first of them is numbered, in a fixed order. A subscription that fails is
    noted on its period and left for the next run; after SQUILL_BILLING_MAX_ATTEMPTS it is parked for a person.

    Where there is much to do, `crew` helps (help_run), with the same books again (ADR 0030). `progress` is told (done, all)
    for each boundary; `deadline` says when to stop taking up work (what is left is due still).
    """
    started = time.monotonic()
    run = BillingRun.objects.create(as_of=as_of, finalize=finalize, started_at=now)
    sweep(run_id=run.pk)  # what a run that died has left
    tally, stop = Tally(), deadline or (lambda: False)
    with working_on(run_id=run.pk):
        replay_waiting(now=now, deadline=stop)
        _walk(Shared(run, crew, actor, TermsBook(), tally, stop), progress)
    run.drafted_count, run.finalized_count = tally.drafted, tally.finalized
    run.failed_count, run.parked_count = len(tally.troubled), parked_count()
    run.finished_at = None if stop() else now + timedelta(seconds=time.monotonic() - started)
    run.save()
    return RunReport(run, tuple(tally.troubled.values()), len(drafts_at(as_of)))


def help_run(run_id: int, *, actor: Actor, deadline: Callable[[], bool] | None = None) -> int:
    """
    Do chunks of a run that somebody else leads until none is left to take up; return how many. Starts nothing, and ends at
    once where the run is over or not there.
    """
    with working_on(run_id=run_id), tracing.segment("help"):
        return work_through(run_id, actor=actor, terms_book=TermsBook(), stop=deadline or (lambda: False))


def _walk(shared: Shared, progress: Progress | None) -> None:
    run, stop = shared.run, shared.stop
    with tracing.segment("extend"):
        _extend_all(shared)
    with tracing.segment("refresh"):
        _refresh_all(shared)
    for boundary_at, dues in _by_boundary(due_boundaries(as_of=run.as_of)):
        if stop():
            return
        with tracing.segment("draft"):
            _draft_all(dues, shared, progress)
        if run.finalize and not stop():
            with tracing.segment("number"):
                _finalize_all(boundary_at, shared)
    if run.finalize and not stop():
        with tracing.segment("number"):
            _finalize_all(run.as_of, shared)


def _extend_all(shared: Shared) -> None:
    found = subscriptions_to_extend(until=shared.run.as_of)
    left: Iterable[int] = found
    if shared.is_worth(len(found)):
        left = sorted(shared.share(_Step.EXTEND, [Member(each, str(each)) for each in found]))
    for subscription_id in left:
        if not shared.stop():
            extend_one(subscription_id, as_of=shared.run.as_of, tally=shared.tally)


def _by_boundary(dues: list[DueBoundary]) -> Iterator[tuple[datetime, list[DueBoundary]]]:
    for boundary_at, group in groupby(dues, key=attrgetter("boundary_at")):
        yield boundary_at, list(group)


def _refresh_all(shared: Shared) -> None:
    """Work out anew what earlier runs have drafted, in the order of the boundaries: a later draft counts on the earlier one."""
    drafts = drafts_at(shared.run.as_of)
    if shared.is_worth(len(drafts)):
        by_customer = sorted(drafts, key=attrgetter("customer"))  # and for each in the order of the boundaries, still
        left = shared.share(_Step.REFRESH, [Member(each.invoice_id, each.customer) for each in by_customer])
        drafts = [draft for draft in drafts if draft.invoice_id in left]
    for draft in drafts:
        if shared.stop():
            return
        if draft.subscription_id not in shared.tally.troubled:
            refresh_waiting(draft.invoice_id, as_of=shared.run.as_of, terms_book=shared.terms_book, tally=shared.tally)


def _draft_all(dues: list[DueBoundary], shared: Shared, progress: Progress | None) -> None:
    """Draft what nobody else is working on, then wait for the rest: afterwards all drafts of the boundary exist."""
    dues = [due for due in dues if due.subscription_id not in shared.tally.troubled]
    if shared.is_worth(len(dues)):
        members = [Member(due.subscription_id, due.customer) for due in dues]
        left = shared.share(_Step.DRAFT, members, boundary_at=dues[0].boundary_at)
        dues = [due for due in dues if due.subscription_id in left]
    busy: list[DueBoundary] = []
    for done, due in enumerate(dues, start=1):
        if shared.stop():
            return
        # Coupons and credits go to a customer's drafts in their order: after a busy one the others wait, too.
        waits = bool(busy) and busy[-1].customer == due.customer
        if waits or not _draft(due, shared, skip_locked=True):
            busy.append(due)
        if progress:
            progress(done, len(dues))
    for due in busy:
        _draft(due, shared, skip_locked=False)


def _draft(due: DueBoundary, shared: Shared, *, skip_locked: bool) -> bool:
    return draft_due(due, as_of=shared.run.as_of, terms_book=shared.terms_book, tally=shared.tally, skip_locked=skip_locked)


def _finalize_all(boundary_at: datetime, shared: Shared) -> None:
    """Number the ripe drafts up to a boundary, one boundary after the other."""
    as_of, tally = shared.run.as_of, shared.tally
    for _boundary, group in groupby(drafts_at(boundary_at), key=attrgetter("boundary_at")):
        # One that waits has no ripe one after it: those of later boundaries wait for longer. After one that failed in this
        # run its later ones must not get earlier numbers.
        ripe = [draft for draft in group if draft.is_ripe(as_of) and draft.subscription_id not in tally.troubled]
        if shared.is_worth(len(ripe)):
            left = shared.share(_Step.NUMBER, [Member(each.invoice_id, each.customer) for each in ripe])
            ripe = [draft for draft in ripe if draft.invoice_id in left]
        for draft in ripe:
            if shared.stop():
                return
            finalize_draft(
                draft.invoice_id,
                as_of=as_of,
                actor=shared.actor,
                terms_book=shared.terms_book,
                tally=tally,
                # All that was there before is worked out by now: only what somebody else has just drafted is not.
                is_fresh=draft.drafted_at == as_of,
            )
