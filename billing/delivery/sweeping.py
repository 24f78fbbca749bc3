"""Find what is to be delivered and has no job any more, and give it one: a notice is never lost, whatever becomes of a job."""

from collections.abc import Callable, Iterator
from typing import Final

from procrastinate.contrib.django.models import ProcrastinateJob

from billing.invoicing.dispatch import DELIVER_JOB, FORMER_DELIVER_JOB, About, enqueue_delivery
from billing.models import CreditNote, Delivery, Invoice, Payment

_UNSENT: Final = (Delivery.Status.QUEUED, Delivery.Status.SENDING)


def with_a_job() -> set[tuple[str, int]]:
    """Return what a job is still to deliver, as (invoice_id or credit_note_id or payment_id, primary key). One query."""
    jobs = ProcrastinateJob.objects.filter(task_name__in=[DELIVER_JOB, FORMER_DELIVER_JOB], status__in=["todo", "doing"])
    return {(name, pk) for arguments in jobs.values_list("args", flat=True).iterator() for name, pk in arguments.items()}


def enqueue_forgotten(*, deadline: Callable[[], bool] = lambda: False) -> int:
    """
    Enqueue a job for each final document without a PDF, and each unsent notice, that has none; return how many. Idempotent.

    A job that was tried as often as allowed ends as failed. Its notices are failed then, too, and wait for a person; a document
    that could not be stored is tried again from here.
    """
    waiting = with_a_job()
    enqueued = 0
    for thing in [thing for name, thing in _undelivered() if (name, thing.pk) not in waiting]:
        if deadline():
            break
        enqueue_delivery(thing)
        enqueued += 1
    return enqueued


def _undelivered() -> Iterator[tuple[str, About]]:
    yield from (("invoice_id", each) for each in _invoices())
    unsent = Delivery.objects.filter(status__in=_UNSENT)
    bare = CreditNote.objects.filter(document=None) | CreditNote.objects.filter(pk__in=unsent.values("credit_note_id"))
    yield from (("credit_note_id", each) for each in bare.order_by("pk"))
    yield from (("payment_id", each) for each in Payment.objects.filter(pk__in=unsent.values("payment_id")).order_by("pk"))


def _invoices() -> Iterator[Invoice]:
    unsent = Delivery.objects.filter(status__in=_UNSENT)
    final = Invoice.objects.exclude(status=Invoice.Status.DRAFT)
    yield from (final.filter(document=None) | final.filter(pk__in=unsent.values("invoice_id"))).order_by("pk")
