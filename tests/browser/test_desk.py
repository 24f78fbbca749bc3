import pytest
from playwright.sync_api import Page, expect

from billing.models import Invoice
from tests.billing.desks import TODAY, invoice_of, small_books
from tests.browser.conftest import Drive, assert_fits
from tests.customers.factories import staff

pytestmark = pytest.mark.django_db(transaction=True)


def test_finance_signs_in_looks_at_an_invoice_and_records_a_payment(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUILL_NOW", TODAY)
    customer = small_books()
    staff("finance@example.com")

    def story(page: Page) -> None:
        page.goto("/admin/")
        page.locator("input[name=username]").fill("finance@example.com")
        page.locator("input[name=password]").fill("correct horse battery")
        page.locator("button[type=submit]").click()
        expect(page.get_by_text("Invoiced by month, EUR, tax included")).to_be_visible()
        assert_fits(page)

        page.goto("/admin/billing/invoice/?standing=open")
        assert_fits(page)
        page.get_by_role("link", name="INV-000001").first.click()
        expect(page.get_by_text("Tax 20% on €25.00")).to_be_visible()
        assert_fits(page)

        page.get_by_role("link", name="Record payment").first.click()
        page.get_by_label("Reference").fill("TRX-1")
        assert_fits(page)
        page.get_by_role("button", name="Record payment").click()
        expect(page.get_by_text("€30.00 are recorded for INV-000001.")).to_be_visible()

        page.goto(f"/admin/customers/customer/{customer.pk}/change/")
        expect(page.get_by_role("img", name="Calls per day, the last 60 days")).to_be_visible()
        assert_fits(page)

    drive(story)
    assert invoice_of(customer).status == Invoice.Status.PAID
