"""What the stories of money have in common: the worker's round, the mails that went out, and how each of them must end."""

from django.core import mail
from procrastinate.contrib.django.models import ProcrastinateJob

from billing.delivery.deliver import deliver
from billing.delivery.documents import document_of, read_document
from billing.invoicing.dispatch import DELIVER_JOB, About
from billing.invoicing.entities import default_entity
from billing.models import BillingEntity, CreditNote, Document, Invoice, NumberCounter, Payment
from billing.reconciliation.report import reconcile
from tests.billing.builders import at

# A company of Berlin that is registered for VAT at home and nowhere else.
NORTHLIGHT = {"name": "Northlight", "legal_name": "Northlight GmbH", "country": "DE", "tax_id": "DE 136 695 976"}
BERLIN = {"country": "DE", "postal_code": "10115", "city": "Berlin", "address_line1": "Invalidenstraße 1"}


def seller(**facts: object) -> BillingEntity:
    """The company that bills, with these facts."""
    BillingEntity.objects.filter(pk=default_entity().pk).update(**facts)
    return default_entity()


def work(when: str) -> None:
    """Go through the queue as the worker does at an instant: draw what is final, and send what waits."""
    for job in ProcrastinateJob.objects.filter(task_name=DELIVER_JOB).order_by("id"):
        deliver(_thing(job.args), now=at(when))


def _thing(arguments: dict[str, int]) -> About:
    ((name, pk),) = arguments.items()
    if name == "invoice_id":
        return Invoice.objects.get(pk=pk)
    return CreditNote.objects.get(pk=pk) if name == "credit_note_id" else Payment.objects.get(pk=pk)


def subjects() -> list[str]:
    """The subjects of all mails that went out, in order."""
    return [str(message.subject) for message in mail.outbox]


def assert_all_ends_well(*, receipts: int = 0) -> None:
    """Each final document has its one PDF (I10), numbers have no gap (I6), and the whole of the books agrees."""
    final: list[About] = [*Invoice.objects.exclude(status="draft").order_by("pk"), *CreditNote.objects.order_by("pk")]
    for about in final:
        document = document_of(about)
        assert document is not None
        assert read_document(document).startswith(b"%PDF-")
    assert Document.objects.count() == len(final) + receipts
    for counter in NumberCounter.objects.all():
        invoices = Invoice.objects.filter(counter=counter).order_by("sequence").values_list("sequence", flat=True)
        notes = CreditNote.objects.filter(counter=counter).order_by("sequence").values_list("sequence", flat=True)
        assert [*invoices, *notes] == list(range(1, counter.last_number + 1))
    found = reconcile()
    assert (found.differences, found.pending) == ((), ())
