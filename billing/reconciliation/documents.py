"""I10: every final invoice has one PDF whose bytes still have the kept hash, and no notice was given up unseen."""

from collections.abc import Iterator
from dataclasses import dataclass

from procrastinate.contrib.django.models import ProcrastinateJob

from billing.delivery.documents import DocumentDamaged, read_document
from billing.invoicing.finalizing import DELIVER_JOB
from billing.models import Delivery, Invoice, InvoiceDocument


@dataclass(frozen=True, slots=True)
class DocumentFindings:
    """Differences, and invoices whose PDF is still in the queue."""

    differences: tuple[str, ...]
    waiting: tuple[str, ...]


def check_documents() -> DocumentFindings:
    """Read every stored document back and compare its hash. Reads all bytes; one query for each list."""
    differences = [*_damaged(), *_given_up()]
    waiting: list[str] = []
    missing = Invoice.objects.exclude(status=Invoice.Status.DRAFT).filter(document=None).order_by("pk")
    queued = set(_queued_invoices())
    for invoice_id, number in missing.values_list("pk", "number"):
        if invoice_id in queued:
            waiting.append(f"I10 invoice {number} has no PDF yet")
        else:
            differences.append(f"I10 invoice {number} has no PDF, and no job that would make it")
    return DocumentFindings(tuple(differences), tuple(waiting))


def _queued_invoices() -> Iterator[int]:
    """Yield the ids of the invoices that a job is still to deliver."""
    jobs = ProcrastinateJob.objects.filter(task_name=DELIVER_JOB, status__in=["todo", "doing"])
    for arguments in jobs.values_list("args", flat=True).iterator():
        yield arguments["invoice_id"]


def _damaged() -> Iterator[str]:
    for document in InvoiceDocument.objects.select_related("invoice").order_by("pk").iterator():
        try:
            read_document(document)
        except FileNotFoundError:
            yield f"I10 invoice {document.invoice.number}: the file {document.storage_key} is not there"
        except DocumentDamaged as error:
            yield f"I10 invoice {document.invoice.number}: {error}"


def _given_up() -> Iterator[str]:
    failed = Delivery.objects.filter(status=Delivery.Status.FAILED).exclude(invoice__status=Invoice.Status.VOID)
    for delivery in failed.select_related("invoice").order_by("pk"):
        yield f"I10 invoice {delivery.invoice.number} was not sent to one recipient: {delivery.last_error}"
