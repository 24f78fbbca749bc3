"""A small company to look at in the finance desk and in the portal, its amounts worked out by hand."""

import hashlib

from django.core.files.base import ContentFile

from billing.delivery.documents import documents_storage
from billing.models import Document, Invoice
from customers.models import Customer
from tests.billing.builders import at, bill, make_catalog, make_customer, send_usage, subscribe

# The middle of the running period.
TODAY = "2026-02-15T12:00:00Z"
PDF = b"%PDF-1.7 kept"


def small_books(external_id: str = "acme", **fields: object) -> Customer:
    """
    Make a customer on the plan of `CALLS` with January billed and half of February used.

    January: 10.00 fee + (1,600 - 100) x 0.01 = 25.00, 20 % tax 5.00, due 30.00 by 3 March (issued 1 February, 30 days).
    February so far: 10.00 fee + (600 - 100) x 0.01 = 15.00, tax 3.00, together 18.00.
    """
    make_catalog()
    customer = make_customer(external_id, tax_rate_pct="20", **fields)
    subscribe(customer)
    send_usage(customer, "call", 1000, "2026-01-10", {"region": "eu"})
    send_usage(customer, "call", 600, "2026-01-20", {"region": "us"})
    bill("2026-02-01")
    send_usage(customer, "call", 600, "2026-02-10", {"region": "eu"})
    return customer


def invoice_of(customer: Customer) -> Invoice:
    """The customer's one invoice."""
    return Invoice.objects.get(customer=customer)


def keep_document(invoice: Invoice) -> Document:
    """Keep bytes that stand for the PDF, so that no page has to be rendered."""
    digest = hashlib.sha256(PDF).hexdigest()
    key = documents_storage().save(f"tests/{invoice.number}.pdf", ContentFile(PDF))
    return Document.objects.create(
        invoice=invoice, storage_key=key, sha256=digest, size_bytes=len(PDF), renderer="tests", rendered_at=at("2026-02-01")
    )
