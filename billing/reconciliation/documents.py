"""I10: every final document has one PDF whose bytes still have the kept hash, and no notice was given up unseen."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Q

from billing.delivery.documents import DocumentDamaged, read_document
from billing.delivery.sweeping import with_a_job
from billing.models import CreditNote, Delivery, Document, Invoice, Payment


@dataclass(frozen=True, slots=True)
class DocumentFindings:
    """Differences, and what waits: for the queue (PDFs), or for a person (notices that were given up, or are held)."""

    differences: tuple[str, ...]
    waiting: tuple[str, ...]


def check_documents() -> DocumentFindings:
    """Read every stored document back and compare its hash. Reads all bytes; one query for each list."""
    differences = [*_damaged(), *_sent_without_receipt(), *_reminded_twice()]
    # A mailbox that is gone is no damage of the books, and stays gone: a person sees it under Deliveries, and by an alarm.
    waiting = [*_for_a_person()]
    jobs = with_a_job()
    for key, name in _without_document():
        if key in jobs:
            waiting.append(f"I10 {name} has no PDF yet")
        else:
            differences.append(f"I10 {name} has no PDF, and no job that would make it")
    return DocumentFindings(tuple(differences), tuple(waiting))


def _without_document() -> Iterator[tuple[tuple[str, int], str]]:
    """Yield what is final and has no PDF: the arguments of the job that would make it, and a name."""
    invoices = Invoice.objects.exclude(status=Invoice.Status.DRAFT).filter(document=None).order_by("pk")
    for pk, number in invoices.values_list("pk", "number"):
        yield ("invoice_id", pk), f"invoice {number}"
    for pk, number in CreditNote.objects.filter(document=None).order_by("pk").values_list("pk", "number"):
        yield ("credit_note_id", pk), f"credit note {number}"


def _damaged() -> Iterator[str]:
    for document in Document.objects.select_related("invoice", "credit_note", "payment").order_by("pk").iterator():
        try:
            read_document(document)
        except FileNotFoundError:
            yield f"I10 {_name(document)}: the file {document.storage_key} is not there"
        except DocumentDamaged as error:
            yield f"I10 {_name(document)}: {error}"


def _for_a_person() -> Iterator[str]:
    """Yield the notices that were given up, or held since the provider's answer was lost."""
    waiting = Delivery.objects.filter(status__in=[Delivery.Status.FAILED, Delivery.Status.HELD])
    waiting = waiting.exclude(invoice__status=Invoice.Status.VOID)
    for delivery in waiting.select_related("invoice", "credit_note", "payment").order_by("pk"):
        is_held = delivery.status == Delivery.Status.HELD
        done = "may have been sent to one recipient" if is_held else "was not sent to one recipient"
        yield f"I10 {_notice(delivery)} {done}: {delivery.last_error}"


def _sent_without_receipt() -> Iterator[str]:
    """Yield the receipts that were sent and have no document; one that nobody sent need not have any."""
    sent = Delivery.objects.filter(kind=Delivery.Kind.RECEIPT, status=Delivery.Status.SENT)
    for payment in Payment.objects.filter(pk__in=sent.values("payment_id"), receipt=None).order_by("pk"):
        yield f"I10 receipt of {payment} was sent and has no PDF"


def _reminded_twice() -> Iterator[str]:
    """Yield the reminders that went out more than once for one day, to several addresses."""
    reminders = Delivery.objects.filter(kind=Delivery.Kind.REMINDER, status=Delivery.Status.SENT)
    often = reminders.values("invoice__number", "occasion").annotate(sent=Count("pk")).filter(Q(sent__gt=1))
    for row in often.order_by("invoice__number", "occasion"):
        yield f"I10 invoice {row['invoice__number']} was reminded of {row['sent']} times for day {row['occasion']}"


def _notice(delivery: Delivery) -> str:
    about = _name(delivery)
    return f"reminder {delivery.occasion} of {about}" if delivery.kind == Delivery.Kind.REMINDER else about


def _name(about: Document | Delivery) -> str:
    """Say what a document or a notice is about."""
    if about.invoice is not None:
        return f"invoice {about.invoice.number}"
    return f"credit note {about.credit_note.number}" if about.credit_note is not None else f"receipt of {about.payment}"
