"""Notices to be sent: a row for each recipient and a job, written in the transaction that makes the document final."""

from datetime import datetime

from procrastinate.contrib.django import app as job_queue

from billing.models import CreditNote, Delivery, Invoice, Payment

# The job that renders and sends; delivery lies above this package, so it is named and not imported.
DELIVER_JOB = "billing.deliver"
# The name of jobs that were enqueued before credit notes and receipts were delivered too.
FORMER_DELIVER_JOB = "billing.deliver_invoice"
About = Invoice | CreditNote | Payment


def queue_notice(about: About, *, kind: Delivery.Kind, recipient: str, now: datetime, occasion: str = "") -> Delivery | None:
    """
    Write that somebody gets a notice about something, and enqueue its delivery; both exist if and only if the caller commits.

    The document is rendered where there is no address too: then only the job is enqueued, and None returned. A notice that is
    there already is returned as it is (I10).
    """
    delivery = None
    if recipient:
        delivery, _created = Delivery.objects.get_or_create(
            **_names(about), kind=kind, occasion=occasion, recipient=recipient, defaults={"queued_at": now}
        )
    enqueue_delivery(about)
    return delivery


def enqueue_delivery(about: About) -> None:
    """Enqueue the job that renders a document and sends its notices, in the caller's transaction; one at a time for each."""
    (name, thing), *_rest = _names(about).items()
    job_queue.configure_task(DELIVER_JOB, queue="delivery", lock=f"{name}-{thing.pk}").defer(**{f"{name}_id": thing.pk})


def _names(about: About) -> dict[str, About]:
    if isinstance(about, Invoice):
        return {"invoice": about}
    return {"credit_note": about} if isinstance(about, CreditNote) else {"payment": about}
