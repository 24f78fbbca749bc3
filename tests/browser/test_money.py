import re

import pytest
from playwright.sync_api import Page, expect

from billing.invoicing.entities import default_entity
from billing.models import BillingEntity, CreditNote, Delivery, Document, Invoice, Payment
from billing.reconciliation.report import reconcile
from tests.billing.builders import make_customer
from tests.billing.conftest import documents  # noqa: F401 (a fixture)
from tests.browser.conftest import Drive, assert_fits
from tests.customers.factories import staff
from tests.scenarios.cash import BERLIN, NORTHLIGHT, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("documents")]

TODAY = "2026-03-05T12:00:00Z"


def _sign_in(page: Page, path: str) -> None:
    page.goto(path)
    page.fill("input[name=username]", "finance@example.com")
    page.fill("input[name=password]", "correct horse battery")
    page.press("input[name=password]", "Enter")


def _ask(page: Page, action: str, words: str) -> None:
    """Press a button of the invoice's page, and find on the page that follows what will happen."""
    page.get_by_role("link", name=action).first.click()
    expect(page.locator("form.desk-ask").get_by_text(words)).to_be_visible()
    assert_fits(page)


def _write_items(page: Page, *items: dict[str, str]) -> None:
    for index, item in enumerate(items):
        for name, value in item.items():
            page.fill(f"input[name=items-{index}-{name}]", value)


def _draft_and_finalise(page: Page) -> None:
    _sign_in(page, "/admin/billing/invoice/")
    page.get_by_role("link", name="New one-off invoice").first.click()
    page.locator(".select2-selection").click()
    page.locator("input.select2-search__field").fill("acme")
    page.locator(".select2-results__option", has_text="Acme").click()
    _write_items(
        page,
        {"description": "Workshop", "quantity": "3", "unit": "h", "unit_amount": "80"},
        {"description": "Handbook", "quantity": "2", "unit_amount": "15.50", "tax_class": "reduced"},
    )
    assert_fits(page)
    page.get_by_role("button", name="Save draft").click()
    # 240.00 at 19 % and 31.00 at 7 %: 271.00, tax 45.60 + 2.17
    expect(page.get_by_text("Tax 19% on €240.00")).to_be_visible()
    expect(page.locator(".desk-total")).to_contain_text("€318.77")
    assert_fits(page)

    # What the link opens: a browser without windows saves a PDF instead of showing it.
    preview = page.get_by_role("link", name="Preview PDF").first.get_attribute("href")
    assert preview is not None
    opened = page.request.get(preview)
    assert (opened.status, opened.headers["content-type"], opened.body()[:5]) == (200, "application/pdf", b"%PDF-")
    assert opened.headers["content-disposition"].startswith("inline")

    _ask(page, "Finalise", "gets the next number, never changes again, and is mailed to billing@acme.example.")
    page.get_by_role("button", name="Finalise").click()
    expect(page.get_by_text("INV-000001 is final.")).to_be_visible()


def _take_money_and_credit(page: Page) -> None:
    _sign_in(page, "/admin/billing/invoice/")
    page.get_by_role("link", name="INV-000001").first.click()
    invoice_url = page.url
    void_url = page.get_by_role("link", name="Void").first.get_attribute("href")
    assert void_url is not None

    _ask(page, "Record payment", "€318.77 are left to pay. What is too much stays with the customer and pays the next invoices.")
    page.get_by_label("Amount").fill("118.77")
    page.get_by_label("Reference").fill("TRX-1")
    page.get_by_role("button", name="Record payment").click()
    expect(page.get_by_text("€118.77 are recorded for INV-000001.")).to_be_visible()

    _ask(page, "Credit", "What is credited of INV-000001 of Acme? Amounts are after discounts and before tax.")
    page.get_by_label("Credit of Handbook").fill("31")
    page.get_by_label("Explanation").fill("Sent back")
    page.get_by_role("button", name="See what happens").click()
    # 31.00 and tax 2.17
    expect(page.get_by_text("€33.17 are taken off what is left to pay of the invoice.")).to_be_visible()
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    assert_fits(page)
    page.get_by_role("button", name="Credit", exact=True).click()
    expect(page.get_by_text("CN-000001 credits €33.17.")).to_be_visible()
    assert_fits(page)

    # The button is gone; a tab that was open before still has it, and is told why not.
    page.goto(invoice_url)
    expect(page.get_by_role("link", name="Void")).to_have_count(0)
    page.goto(void_url)
    expect(page.get_by_text("Void INV-000001 of Acme? It keeps its number and cannot be brought back.")).to_be_visible()
    expect(page.get_by_text("Its items are billed again only where the corrected invoice is drafted")).to_be_visible()
    page.get_by_label("Reason").fill("Wrong address")
    page.get_by_role("button", name="Void").click()
    expect(page.get_by_text("money has come in for this invoice: credit it instead of voiding it")).to_be_visible()
    assert_fits(page)

    page.goto(invoice_url)
    _ask(page, "Resend", "Send INV-000001 with its PDF once more?")
    page.get_by_label("E-mail").fill("ana@acme.example")
    page.get_by_role("button", name="Resend").click()
    expect(page.get_by_text("INV-000001 is on its way to ana@acme.example.")).to_be_visible()
    # 318.77 - 118.77 - 33.17
    expect(page.locator(".desk-value").filter(has_text=re.compile(r"^€166\.83$"))).to_be_visible()
    assert_fits(page)


def test_finance_takes_a_one_off_invoice_from_its_items_to_the_money(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUILL_NOW", TODAY)
    BillingEntity.objects.filter(pk=default_entity().pk).update(**NORTHLIGHT)
    make_customer(**BERLIN)
    staff("finance@example.com")

    drive(_draft_and_finalise)
    work(TODAY)
    drive(_take_money_and_credit)
    work(TODAY)

    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.due_minor, invoice.paid_minor, invoice.credited_minor) == ("finalized", 31877, 11877, 3317)
    assert Payment.objects.get().recorded_by == "finance@example.com"
    assert CreditNote.objects.get().explanation == "Sent back"
    assert list(Delivery.objects.order_by("pk").values_list("kind", "recipient", "status")) == [
        ("invoice", "billing@acme.example", "sent"),
        ("credit_note", "billing@acme.example", "sent"),
        ("invoice", "ana@acme.example", "sent"),
    ]
    assert Document.objects.count() == 2
    assert reconcile().differences == ()
