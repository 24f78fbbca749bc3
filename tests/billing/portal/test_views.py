"""The portal's pages about money: literal amounts, in the customer's locale, and nobody else's (I12)."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.delivery.documents import documents_storage
from billing.invoicing.paying.payments import record_payment
from billing.invoicing.voiding import void_invoice
from billing.models import BillingEntity, Document
from customers.models import Customer
from customers.services import update_customer
from tests.billing.builders import ACTOR, at, bill, make_catalog, make_customer, send_usage, subscribe, triggers_off
from tests.billing.desks import PDF, TODAY, invoice_of, keep_document, small_books
from tests.customers.factories import PortalUserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _mid_february(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUILL_NOW", TODAY)


def visit(client: Client, customer: Customer, path: str) -> str:
    """Return the text of a page for a person of the customer, without tags and with plain spaces."""
    client.force_login(PortalUserFactory.create(customer=customer).user)
    answer = client.get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("\xa0", " "))


def test_the_overview_says_what_the_period_costs_so_far(client: Client) -> None:
    page = visit(client, small_books(), "/portal/")
    # 10.00 + 500 x 0.01 = 15.00, 20 % tax 3.00, 18.00; January was 30.00, so 12.00 less.
    for text in (
        "€18.00",
        "of which €3.00 tax",
        "Day 15 of 28",
        "€12.00 less than the last invoice, INV-000001 of €30.00",
        "600 calls",
    ):
        assert text in page, text
    assert "1 open invoice" in page
    assert "past its due date" not in page


def test_the_overview_says_the_prices_in_words(client: Client) -> None:
    page = visit(client, small_books(locale="de"), "/portal/")
    for text in ("Basic", "10,00 € flat", "0,01 € each", "18,00 €", "1. – 28. Februar 2026"):
        assert text in page, text


def test_what_is_overdue_is_said_from_the_day_after(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    customer = small_books()
    monkeypatch.setenv("SQUILL_NOW", "2026-03-04T00:00:00Z")
    assert "€30.00 · 1 invoice is past its due date" in visit(client, customer, "/portal/")


def test_a_customer_without_anything_has_a_page(client: Client) -> None:
    customer = make_customer("new")
    assert "No subscription is running." in visit(client, customer, "/portal/")
    assert "There is no invoice yet." in visit(client, customer, "/portal/invoices")


def test_usage_without_a_price_is_said(client: Client) -> None:
    make_catalog(
        """
meters: [{code: calls, name: Calls, event_type: call, aggregation: sum, value: n, dimensions: [region]}]
plans:
  - code: eu
    name: Europe
    currency: EUR
    charges: [{code: calls, name: Calls, meter: calls, filter: {region: eu}, model: per_unit, unit_amount: "1"}]
"""
    )
    customer = make_customer()
    subscribe(customer, "eu")
    # The run of a new period opens it; until then there is no estimate.
    assert "A new period is being opened." in visit(client, customer, "/portal/")
    bill("2026-02-01")
    send_usage(customer, "call", 5, "2026-02-10", {"region": "us"})
    assert "Some usage has no price on your plan" in visit(client, customer, "/portal/")


def test_a_page_opens_where_the_tax_is_not_known(client: Client) -> None:
    customer = small_books()
    BillingEntity.objects.filter(is_default=True).update(country="AU", tax_id="51824753556")
    update_customer(customer_id=customer.pk, changes={"country": "AU", "tax_rate_pct": None}, actor=ACTOR, now=at("2026-02-10"))
    page = visit(client, customer, "/portal/")
    assert "There is no estimate just now." in page
    assert "tax rate" not in page  # what the seller has to enter is not the customer's to read


def test_invoices_are_listed_with_their_standing(client: Client) -> None:
    customer = small_books()
    invoice = invoice_of(customer)
    record_payment(
        invoice_id=invoice.pk,
        amount_minor=1000,
        received_on=at("2026-02-09").date(),
        reference="T",
        actor=ACTOR,
        now=at("2026-02-09"),
    )
    bill("2026-03-01", finalize=False)  # a draft is nobody's business yet
    page = visit(client, customer, "/portal/invoices")
    for text in ("INV-000001", "1 – 31 January 2026", "3 March 2026", "partly paid", "€30.00", "€20.00 left"):
        assert text in page, text
    assert "draft" not in page
    assert "PDF" not in page
    keep_document(invoice)
    assert "PDF" in visit(client, customer, "/portal/invoices")


def test_an_invoice_explains_its_lines(client: Client) -> None:
    customer = small_books()
    page = visit(client, customer, "/portal/invoices/INV-000001")
    # 100 calls free, 1,500 at 0.01.
    for text in (
        "Above 100 1,500 €0.01 €15.00",
        "Tax 20% on €25.00 €5.00",
        "Amount due €30.00",
        "Calls per day",
        "10 January 2026 1,000 calls",
    ):
        assert text in page, text


def test_a_void_invoice_says_so(client: Client) -> None:
    customer = small_books()
    void_invoice(invoice_id=invoice_of(customer).pk, reason="Wrong address", actor=ACTOR, now=at("2026-02-10"))
    page = visit(client, customer, "/portal/invoices/INV-000001")
    assert "This invoice is void: there is nothing to pay on it. Wrong address" in page


def test_the_pdf_is_the_kept_one(client: Client) -> None:
    customer = small_books()
    client.force_login(PortalUserFactory.create(customer=customer).user)
    assert client.get("/portal/invoices/INV-000001/pdf").status_code == 404
    keep_document(invoice_of(customer))
    answer = client.get("/portal/invoices/INV-000001/pdf")
    assert answer.content == PDF
    assert answer.headers["Content-Disposition"] == 'attachment; filename="INV-000001.pdf"'


def test_a_receipt_is_linked_from_its_payment_and_nobody_elses_is_found(client: Client) -> None:
    customer = small_books()
    invoice = invoice_of(customer)
    day = at("2026-02-10")
    payment = record_payment(
        invoice_id=invoice.pk, amount_minor=500, received_on=day.date(), reference="BANK-7", actor=ACTOR, now=day
    )
    path = f"/portal/receipts/{payment.public_id}/pdf"
    client.force_login(PortalUserFactory.create(customer=customer).user)
    assert client.get(path).status_code == 404
    assert path not in client.get("/portal/invoices/INV-000001").content.decode()
    kept = keep_document(invoice)
    with triggers_off():
        Document.objects.update(invoice=None, payment=payment)
    assert path in client.get("/portal/invoices/INV-000001").content.decode()
    assert client.get(path).content == PDF
    documents_storage().delete(kept.storage_key)
    assert client.get(path).status_code == 500  # and nothing of it
    client.force_login(PortalUserFactory.create(customer=make_customer("other")).user)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/portal/invoices/INV-000001", "/portal/invoices/INV-000001/pdf"])
def test_the_invoice_of_another_customer_is_not_found(client: Client, path: str) -> None:
    keep_document(invoice_of(small_books()))
    client.force_login(PortalUserFactory.create(customer=make_customer("other")).user)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/portal/", "/portal/usage", "/portal/invoices", "/portal/invoices/INV-000001"])
def test_a_stranger_is_sent_to_sign_in(client: Client, path: str) -> None:
    small_books()
    assert client.get(path).headers["Location"].startswith("/portal/sign-in?next=")


def test_the_strict_policy_holds_and_nothing_is_written_inline(client: Client) -> None:
    client.force_login(PortalUserFactory.create(customer=small_books()).user)
    for path in ("/portal/", "/portal/invoices", "/portal/invoices/INV-000001", "/portal/usage"):
        answer = client.get(path)
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", answer.content.decode())


def test_a_list_does_not_ask_more_queries_for_more_invoices(client: Client) -> None:
    customer = small_books()
    client.force_login(PortalUserFactory.create(customer=customer).user)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/portal/invoices")
        return len(captured)

    few = queries()
    bill("2026-06-01")
    assert queries() == few
