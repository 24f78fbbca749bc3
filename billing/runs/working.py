"""What a worker does with a chunk: the members one after the other, each in its own transaction, as a run alone does them."""

from collections.abc import Callable, Iterator
from functools import partial

from billing.models import BillingChunk, Invoice, Subscription
from billing.rating.terms import TermsBook
from billing.runs.advance import Tally, draft_due, extend_one, refresh_waiting
from billing.runs.chunks import claim, finish, give_back
from billing.runs.due import DueBoundary
from billing.runs.numbering import number_next
from squill.lib.actor import Actor
from squill.lib.failpoints import passing

type Stop = Callable[[], bool]


def work_through(run_id: int, *, actor: Actor, terms_book: TermsBook, stop: Stop) -> int:
    """
    Do chunks of a run until nothing is left to take up, or it is time to stop; return how many were done.

    Whoever helps a run does only this: nothing is started, and where there is nothing to do it ends at once.
    """
    done = 0
    while not stop():
        chunk = claim(run_id)
        if chunk is not None:
            _work(chunk, terms_book=terms_book, stop=stop)
        elif not number_next(run_id, actor=actor):
            break
        done += 1
    return done


def _work(chunk: BillingChunk, *, terms_book: TermsBook, stop: Stop) -> None:
    tally = Tally()
    for step in _steps(chunk, terms_book, tally):
        if stop():
            give_back(chunk)
            return
        step()
        passing("chunk-member-done")
    finish(chunk, drafted=tally.drafted, troubled=tally.troubled)


def _steps(chunk: BillingChunk, terms_book: TermsBook, tally: Tally) -> Iterator[Callable[[], object]]:
    as_of = chunk.run.as_of
    if chunk.step == BillingChunk.Step.EXTEND:
        for subscription_id in chunk.members:
            yield partial(extend_one, subscription_id, as_of=as_of, tally=tally)
    elif chunk.step == BillingChunk.Step.REFRESH:
        owners = dict(Invoice.objects.filter(pk__in=chunk.members).values_list("pk", "subscription_id"))
        for invoice_id in chunk.members:
            if owners.get(invoice_id) not in tally.troubled:
                yield partial(refresh_waiting, invoice_id, as_of=as_of, terms_book=terms_book, tally=tally)
    else:
        for due in _dues(chunk):
            yield partial(draft_due, due, as_of=as_of, terms_book=terms_book, tally=tally, skip_locked=False)


def _dues(chunk: BillingChunk) -> list[DueBoundary]:
    if chunk.boundary_at is None:
        raise ValueError(f"the {chunk} names no boundary")
    names = {
        subscription_id: (customer, name)
        for subscription_id, customer, name in Subscription.objects.filter(pk__in=chunk.members).values_list(
            "pk", "customer__external_id", "external_id"
        )
    }
    return [DueBoundary(chunk.boundary_at, *names[each], each) for each in chunk.members if each in names]
