import re
from pathlib import Path

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from tests.billing.desks import PDF, TODAY, invoice_of, keep_document, small_books
from tests.browser.conftest import Drive, assert_fits
from tests.customers.factories import PortalUserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(page: Page) -> None:
    page.goto("/portal/")
    page.get_by_label("E-mail address").fill("ana@acme.example")
    page.get_by_role("button", name="Mail me a link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    [message] = mail.outbox
    link = re.search(r"/portal/sign-in/link/\S+", str(message.body))
    assert link is not None
    page.goto(link[0])
    page.get_by_role("button", name="Continue").click()


def look_around(page: Page) -> None:
    expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible()
    expect(page.get_by_text("€18.00", exact=True)).to_be_visible()
    assert_fits(page)
    page.get_by_role("link", name="Usage", exact=True).click()
    expect(page.get_by_text("600 calls").first).to_be_visible()
    assert_fits(page)
    page.get_by_role("link", name="Invoices", exact=True).click()
    assert_fits(page)


def take_the_pdf(page: Page) -> None:
    page.get_by_role("link", name="INV-000001", exact=True).click()
    page.get_by_text("Usage by day").click()
    expect(page.get_by_role("img", name="Calls per day")).to_be_visible()
    assert_fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PDF").click()
    assert download.value.suggested_filename == "INV-000001.pdf"
    assert Path(download.value.path()).read_bytes() == PDF


def test_a_customer_signs_in_by_link_looks_around_and_takes_the_pdf(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUILL_NOW", TODAY)
    customer = small_books()
    keep_document(invoice_of(customer))
    PortalUserFactory.create(customer=customer, user__email="ana@acme.example")

    def story(page: Page) -> None:
        sign_in(page)
        look_around(page)
        take_the_pdf(page)

    drive(story)
