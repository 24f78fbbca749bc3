"""I10: every final invoice has one PDF whose bytes still have the kept hash, and no notice was given up unseen."""

from collections.abc import Iterator
from dataclasses import dataclass

from billing.delivery.documents import DocumentDamaged, read_document
from billing.models import Delivery, Invoice, InvoiceDocument


@dataclass(frozen=True, slots=True)
class DocumentFindings:
    """Differences, and invoices whose PDF is still in the queue."""

    differences: tuple[str, ...]
    waiting: tuple[str, ...]


def check_documents() -> DocumentFindings:
    """Read every stored document back and compare its hash. Reads all bytes; one query for each list."""
    differences = [*_damaged(), *_given_up()]
    missing = Invoice.objects.exclude(status=Invoice.Status.DRAFT).filter(document=None).order_by("pk")
    waiting = [f"I10 invoice {number} has no PDF yet" for number in missing.values_list("number", flat=True)]
    return DocumentFindings(tuple(differences), tuple(waiting))


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
