"""Customers see their credit notes with what became of them, and nobody else's (I12)."""

import hashlib
import re
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client

from billing.invoicing.crediting.issuing import issue_credit_note
from billing.invoicing.crediting.planning import LineAsked
from billing.models import CreditNote, Document
from customers.models import Customer
from tests.billing.builders import ACTOR, at, make_customer
from tests.billing.desks import TODAY, invoice_of, small_books
from tests.customers.factories import PortalUserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _mid_february(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUILL_NOW", TODAY)


@pytest.fixture
def customer() -> Customer:
    """30.00 billed, of which 6.00 are credited."""
    customer = small_books()
    issue_credit_note(
        invoice_id=invoice_of(customer).pk,
        reason=CreditNote.Reason.GOODWILL,
        explanation="Three days of outage",
        reference="C",
        lines=[LineAsked(2, 500)],
        actor=ACTOR,
        now=at("2026-02-10"),
    )
    return customer


def visit(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("\xa0", " "))


def keep_pdf() -> bytes:
    content = b"%PDF-1.7 credit"
    storages["documents"].save("credit.pdf", ContentFile(content))
    digest = hashlib.sha256(content).hexdigest()
    Document.objects.create(
        credit_note=CreditNote.objects.get(),
        storage_key="credit.pdf",
        sha256=digest,
        size_bytes=len(content),
        renderer="t",
        rendered_at=at("2026-02-10"),
    )
    return content


def test_the_invoices_page_lists_them_and_the_invoice_says_what_was_credited(client: Client, customer: Customer) -> None:
    client.force_login(PortalUserFactory.create(customer=customer).user)
    for path in ("/portal/invoices", "/portal/invoices/INV-000001"):
        page = visit(client, path)
        for words in ("Credit notes", "CN-000001", "10 February 2026", "€6.00 off the invoice", "Three days of outage"):
            assert words in page, (path, words)
    assert "€24.00 left to pay" in visit(client, "/portal/invoices/INV-000001")
    assert "€24.00 left" in visit(client, "/portal/invoices")


def test_the_pdf_is_the_kept_one_once_it_is_made(client: Client, customer: Customer, documents: Path) -> None:
    client.force_login(PortalUserFactory.create(customer=customer).user)
    assert client.get("/portal/credit_notes/CN-000001/pdf").status_code == 404
    content = keep_pdf()
    answer = client.get("/portal/credit_notes/CN-000001/pdf")
    assert (answer.content, answer["Content-Type"]) == (content, "application/pdf")
    assert "/portal/credit_notes/CN-000001/pdf" in client.get("/portal/invoices").content.decode()


def test_nobody_elses_are_shown_or_handed_out(client: Client, customer: Customer, documents: Path) -> None:
    keep_pdf()
    client.force_login(PortalUserFactory.create(customer=make_customer("bert")).user)
    assert client.get("/portal/credit_notes/CN-000001/pdf").status_code == 404
    assert "CN-000001" not in visit(client, "/portal/invoices")
