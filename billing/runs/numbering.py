"""
Numbers by several workers, in one fixed order: each prepares a chunk of drafts, waits for its turn, and gives the numbers.

Preparing is most of the work, and goes on beside the chunk before; only giving the numbers is done by one after the other. A
chunk is one transaction, which holds the row of the chunk: so a worker that dies lets go of it at once, and whoever waits for it
sees that it is not done, takes its own back, and does that one first.
"""

import logging

from django.db import OperationalError, transaction

from billing.invoicing.drafting import refresh_draft
from billing.invoicing.finalizing import Prepared, UnableToFinalize, give_number, prepare
from billing.models import BillingChunk, Invoice
from billing.rating.terms import TermsBook
from billing.runs.advance import Tally, finalize_draft, note_draft, patiently
from billing.runs.chunks import finish
from squill.lib.actor import Actor
from squill.lib.context import working_on
from squill.lib.failpoints import passing

logger = logging.getLogger(__name__)


class _OutOfTurn(Exception):
    """The chunk before is not done, and whoever had it is gone."""


class _NotTogether(Exception):
    """A draft of the chunk, whose turn it is, cannot get its number; the others can."""

    def __init__(self, chunk: BillingChunk) -> None:
        super().__init__(str(chunk))
        self.chunk = chunk


def number_next(run_id: int, *, actor: Actor) -> bool:
    """
    Finalise the next chunk of drafts of a run that nobody holds; False if there is none, or the step is over.

    :raises OperationalError: if the database refused it three times; nothing of the chunk is done then
    """
    try:
        return patiently(lambda: _number_chunk(run_id, actor))
    except _OutOfTurn:
        return True  # taken back; the chunk before is free now, and comes first
    except _NotTogether as refused:
        logger.warning("%s is numbered one by one", refused.chunk, exc_info=True)
        _number_singly(refused.chunk, actor)
        return True


@transaction.atomic
def _number_chunk(run_id: int, actor: Actor) -> bool:
    free = BillingChunk.objects.select_for_update(skip_locked=True, of=("self",), no_key=True).select_related("run")
    chunk = free.filter(run_id=run_id, step=BillingChunk.Step.NUMBER, done_at=None).order_by("pk").first()
    if chunk is None:
        return False
    tally, terms_book = Tally(), TermsBook()
    found = [_prepare(invoice_id, chunk, actor, terms_book, tally) for invoice_id in chunk.members]
    passing("chunk-prepared")
    if not _my_turn(chunk):
        return False
    prepared = [each for each in found if each is not None]
    try:
        for each in prepared:
            give_number(each, as_of=chunk.run.as_of, actor=actor, now=chunk.run.as_of)
    except OperationalError:
        raise
    except Exception as error:
        raise _NotTogether(chunk) from error
    finish(chunk, finalized=len(prepared), troubled=tally.troubled)
    passing("chunk-before-commit")
    return True


def _prepare(invoice_id: int, chunk: BillingChunk, actor: Actor, terms_book: TermsBook, tally: Tally) -> Prepared | None:
    """Prepare a draft; None where it needs no number, or cannot have one, which is written on its periods."""
    as_of = chunk.run.as_of
    try:
        with transaction.atomic():
            is_fresh = Invoice.objects.values_list("drafted_at", flat=True).get(pk=invoice_id) == as_of
            found = prepare(
                invoice_id=invoice_id, as_of=as_of, actor=actor, now=as_of, terms_book=terms_book, refresh=not is_fresh
            )
    except Invoice.DoesNotExist:
        return None  # gone since the list was read
    except OperationalError:
        raise  # a deadlock is no draft's fault: the whole chunk is tried again
    except UnableToFinalize as refusal:
        if refusal.code == "nothing_to_bill":
            refresh_draft(invoice_id=invoice_id, as_of=as_of, terms_book=terms_book)  # removes it
        return None
    except Exception as error:
        with working_on(invoice_id=invoice_id):
            logger.exception("finalising draft %s failed", invoice_id)
        note_draft(invoice_id, error, as_of=as_of, tally=tally)
        return None
    return found if isinstance(found, Prepared) else None


def _my_turn(chunk: BillingChunk) -> bool:
    """
    Wait until the chunk before is done; False if it is gone, since then the step is over.

    :raises _OutOfTurn: if it is not done though nobody holds it
    """
    if chunk.after_id is None:
        return True
    # Waits for whoever holds the row, and reads what they have written.
    before = BillingChunk.objects.select_for_update(no_key=True).filter(pk=chunk.after_id)
    found = list(before.values_list("done_at", flat=True))
    if found == [None]:
        raise _OutOfTurn
    return bool(found)


def _number_singly(chunk: BillingChunk, actor: Actor) -> None:
    """Finalise the drafts of a chunk one by one, as a run alone does: one customer's trouble costs one customer (I11)."""
    tally, as_of = Tally(), chunk.run.as_of
    drafted = dict(Invoice.objects.filter(pk__in=chunk.members).values_list("pk", "drafted_at"))
    for invoice_id in chunk.members:
        finalize_draft(
            invoice_id,
            as_of=as_of,
            actor=actor,
            terms_book=TermsBook(),
            tally=tally,
            is_fresh=drafted.get(invoice_id) == as_of,
        )
    finish(chunk, finalized=tally.finalized, troubled=tally.troubled)
