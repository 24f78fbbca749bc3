"""A receipt prints what a payment paid by the time that it was drawn, and the same again later."""

import io
from pathlib import Path

import pypdf
import pytest

from billing.delivery.deliver import deliver
from billing.delivery.documents import ensure_document, read_document, snapshot_of
from billing.delivery.receipts import paid_invoices, receipt_number, receipt_snapshot
from billing.invoicing.dispatch import queue_notice
from billing.invoicing.paying.payments import record_payment
from billing.models import Delivery, Document, Payment, PaymentAllocation
from billing.reconciliation.documents import check_documents
from tests.billing.builders import ACTOR, at, bill, invoices, triggers_off
from tests.billing.desks import invoice_of, small_books

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("documents", "renderings")]

PAID_AT = at("2026-02-10T12:00:00Z")


def payment(amount_minor: int = 3500) -> Payment:
    """Money for January's invoice of 30.00."""
    invoice = invoice_of(small_books())
    day = PAID_AT.date()
    return record_payment(
        invoice_id=invoice.pk, amount_minor=amount_minor, received_on=day, reference="BANK-7", actor=ACTOR, now=PAID_AT
    )


def test_it_names_the_money_and_the_invoices_that_it_paid() -> None:
    paid = payment()
    snapshot = receipt_snapshot(paid, as_of=PAID_AT)
    assert (snapshot.kind, snapshot.number, snapshot.currency) == ("receipt", receipt_number(paid), "EUR")
    assert (snapshot.total_minor, snapshot.paid_minor, snapshot.due_minor) == (3500, 3500, 0)
    assert [(each.number, each.amount_minor) for each in snapshot.related] == [("INV-000001", 3000)]
    (received,) = snapshot.payments
    assert (received.reference, received.method, received.amount_minor) == ("BANK-7", "bank_transfer", 3500)
    assert (snapshot.seller.legal_name, snapshot.buyer.name) == ("Your company", "Acme")
    assert receipt_number(paid) == f"R-{paid.public_id.hex[:12].upper()}"


def test_what_it_pays_later_is_not_on_it() -> None:
    paid = payment()
    document = ensure_document(paid, now=PAID_AT)
    bill("2026-03-01")  # February's 18.00 take the 5.00 that were left
    assert [each.amount_minor for each in paid_invoices(paid, as_of=at("2026-03-02"))] == [3000, 500]
    assert [each.amount_minor for each in snapshot_of(paid, as_of=document.rendered_at).related] == [3000]
    assert len(invoices()) == 2


def test_it_is_delivered_once_with_a_document_of_its_own() -> None:
    paid = payment()
    queue_notice(paid, kind=Delivery.Kind.RECEIPT, recipient="billing@acme.example", now=PAID_AT)
    for _time in range(2):
        deliver(paid, now=PAID_AT)
    document = Document.objects.get(payment=paid)
    number = receipt_number(paid)
    assert document.storage_key == f"receipts/2026/{number}-{document.sha256}.pdf"
    assert Delivery.objects.get(kind="receipt").status == "sent"
    assert [text for text in check_documents().differences if "receipt" in text] == []


def test_a_reversed_payment_gets_none() -> None:
    paid = payment()
    queue_notice(paid, kind=Delivery.Kind.RECEIPT, recipient="billing@acme.example", now=PAID_AT)
    with triggers_off():
        Payment.objects.update(reversed_at=PAID_AT, allocated_minor=0)
    paid.refresh_from_db()
    deliver(paid, now=PAID_AT)
    delivery = Delivery.objects.get(kind="receipt")
    assert (delivery.status, delivery.last_error, Document.objects.count()) == ("cancelled", "the payment was reversed", 0)


def test_what_was_taken_back_is_not_on_it() -> None:
    paid = payment()
    allocation = PaymentAllocation.objects.get()
    PaymentAllocation.objects.create(
        payment=paid, invoice=allocation.invoice, amount_minor=-3000, recorded_at=PAID_AT, recorded_by="tests"
    )
    assert paid_invoices(paid, as_of=PAID_AT) == []


def test_a_receipt_that_was_sent_and_lost_its_document_is_named() -> None:
    paid = payment()
    Delivery.objects.create(
        payment=paid, kind="receipt", recipient="a@b.example", status="sent", queued_at=PAID_AT, sent_at=PAID_AT
    )
    assert "I10 receipt of BANK-7 was sent and has no PDF" in check_documents().differences


def test_a_real_receipt_says_what_it_confirms(documents: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # draw it
    paid = payment()
    document = ensure_document(paid, now=PAID_AT)
    text = pypdf.PdfReader(io.BytesIO(read_document(document))).pages[0].extract_text()
    for said in (receipt_number(paid), "INV-000001", "35.00", "BANK-7"):
        assert said in text
