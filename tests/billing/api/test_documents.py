import hashlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from pytest_django import Settings

from billing.delivery.documents import documents_storage
from billing.delivery.receipts import receipt_number
from billing.invoicing.paying.payments import record_payment
from billing.models import Document, Invoice
from squill.lib.clock import parse_instant
from tests.billing.api.calling import Caller
from tests.billing.builders import ACTOR, bill, invoices, make_catalog, make_customer, subscribe

pytestmark = pytest.mark.django_db
_PDF = b"%PDF-1.7 made for a test"


@pytest.fixture
def invoice() -> Invoice:
    make_catalog()
    subscribe(make_customer("acme"))
    bill("2026-02-01")
    return invoices()[0]


@pytest.fixture
def document(invoice: Invoice, tmp_path: Path, settings: Settings) -> Document:
    """The invoice's PDF, kept on disk."""
    location = {"location": tmp_path}
    settings.STORAGES = {
        **settings.STORAGES,
        "documents": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": location},
    }
    (tmp_path / "kept.pdf").write_bytes(_PDF)
    return Document.objects.create(
        invoice=invoice,
        storage_key="kept.pdf",
        sha256=hashlib.sha256(_PDF).hexdigest(),
        size_bytes=len(_PDF),
        renderer="test",
        rendered_at=parse_instant("2026-02-01T00:00:05Z"),
    )


def test_the_pdf_comes_byte_for_byte_with_its_hash_as_etag(invoice: Invoice, document: Document) -> None:
    answer = Caller("read").get(f"/invoices/{invoice.number}/pdf", Accept="application/pdf")

    assert answer.status == 200
    assert answer.content == _PDF
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["ETag"] == f'"{document.sha256}"'
    assert answer.headers["Content-Disposition"] == 'inline; filename="INV-000001.pdf"'
    assert Caller("read").get(f"/invoices/{invoice.number}").json["pdf_sha256"] == document.sha256


def test_a_client_that_has_the_pdf_is_not_sent_it_again(invoice: Invoice, document: Document) -> None:
    answer = Caller("read").get(f"/invoices/{invoice.public_id}/pdf", **{"If-None-Match": f'"{document.sha256}"'})

    assert (answer.status, answer.content) == (304, b"")


def test_a_pdf_that_was_changed_on_disk_is_not_handed_out(invoice: Invoice, document: Document) -> None:
    Path(storages["documents"].path("kept.pdf")).write_bytes(b"%PDF-1.7 forged")

    answer = Caller("read").get(f"/invoices/{invoice.number}/pdf")

    assert answer.status == 500
    assert b"forged" not in answer.content
    assert answer.json["type"] == "/problems/error"


def test_a_pdf_that_is_gone_from_the_disk_is_an_error_of_ours(invoice: Invoice, document: Document) -> None:
    Path(storages["documents"].path("kept.pdf")).unlink()

    assert Caller("read").get(f"/invoices/{invoice.number}/pdf").status == 500


def test_on_s3_the_answer_leads_to_a_signed_link(invoice: Invoice, document: Document, settings: Settings) -> None:
    options: dict[str, Any] = {"bucket_name": "kept-here", "access_key": "a", "secret_key": "b", "region_name": "eu-central-1"}
    settings.STORAGES = {**settings.STORAGES, "documents": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}}

    answer = Caller("read").get(f"/invoices/{invoice.number}/pdf")

    assert answer.status == 302
    assert "kept-here" in answer.headers["Location"]
    assert "Signature=" in answer.headers["Location"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_pdf_that_is_not_rendered_yet_is_to_be_asked_for_again(invoice: Invoice) -> None:
    answer = Caller("read").get(f"/invoices/{invoice.number}/pdf", Accept="application/pdf")

    assert (answer.status, answer.json["errors"][0]["code"]) == (409, "not_rendered")
    assert answer.headers["Retry-After"] == "10"


def test_a_draft_has_no_pdf() -> None:
    make_catalog()
    subscribe(make_customer("acme"))
    bill("2026-02-01", finalize=False)

    answer = Caller("read").get(f"/invoices/{invoices()[0].public_id}/pdf")

    assert (answer.status, answer.json["errors"][0]["code"]) == (409, "draft")
    assert "Retry-After" not in answer.headers


def test_others_do_not_get_the_pdf(invoice: Invoice, document: Document) -> None:
    assert Caller.narrowed_to(make_customer("bolt")).get(f"/invoices/{invoice.number}/pdf").status == 404
    assert Caller("write").get(f"/invoices/{invoice.number}/pdf").status == 403


@pytest.fixture
def receipt(invoice: Invoice, document: Document) -> Document:
    """The receipt of a payment of the invoice, kept beside its PDF."""
    payment = record_payment(
        invoice_id=invoice.pk,
        amount_minor=500,
        received_on=parse_instant("2026-02-10T00:00:00Z").date(),
        reference="BANK-7",
        actor=ACTOR,
        now=parse_instant("2026-02-10T00:00:00Z"),
    )
    (Path(str(documents_storage().path(""))) / "receipt.pdf").write_bytes(_PDF)
    return Document.objects.create(
        payment=payment,
        storage_key="receipt.pdf",
        sha256=hashlib.sha256(_PDF).hexdigest(),
        size_bytes=len(_PDF),
        renderer="test",
        rendered_at=parse_instant("2026-02-10T00:00:05Z"),
    )


def test_a_receipt_comes_as_it_was_sent(receipt: Document) -> None:
    assert receipt.payment is not None
    answer = Caller("read").get(f"/payments/{receipt.payment.public_id}/receipt")
    name = receipt_number(receipt.payment)
    assert (answer.status, answer.content, answer.headers["ETag"]) == (200, _PDF, f'"{receipt.sha256}"')
    assert answer.headers["Content-Disposition"] == f'inline; filename="{name}.pdf"'


def test_the_receipt_of_another_customer_is_not_found(receipt: Document) -> None:
    assert receipt.payment is not None
    path = f"/payments/{receipt.payment.public_id}/receipt"
    assert Caller.narrowed_to(receipt.payment.customer).get(path).status == 200
    assert Caller.narrowed_to(make_customer("other")).get(path).status == 404
    assert Caller("read").get(f"/payments/{uuid4()}/receipt").status == 404


def test_a_payment_without_a_receipt_says_so(invoice: Invoice) -> None:
    now = parse_instant("2026-02-10T00:00:00Z")
    payment = record_payment(
        invoice_id=invoice.pk, amount_minor=500, received_on=now.date(), reference="BANK-8", actor=ACTOR, now=now
    )
    answer = Caller("read").get(f"/payments/{payment.public_id}/receipt")
    assert (answer.status, answer.json["errors"][0]["code"]) == (409, "no_receipt")
