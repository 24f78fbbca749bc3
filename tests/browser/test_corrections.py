import pytest
from playwright.sync_api import Page, expect

from customers.models import User
from tests.browser.conftest import Drive
from tests.usage.builders import NOW, a_customer, a_meter, an_event
from usage.ingestion import ingest
from usage.models import Correction

pytestmark = pytest.mark.django_db(transaction=True)


def test_event_is_voided_from_the_list_after_a_look_at_what_changes(drive: Drive) -> None:
    User.objects.create_superuser("finance@squill.example", password="a-long-enough-secret")
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes", unit="B", dimensions=["region"])
    ingest([an_event("req-1", {"bytes": 5, "region": "eu"}), an_event("req-2", {"bytes": 9, "region": "eu"})], now=NOW)

    def story(page: Page) -> None:
        page.goto("/admin/usage/event/")
        page.fill("input[name=username]", "finance@squill.example")
        page.fill("input[name=password]", "a-long-enough-secret")
        page.press("input[name=password]", "Enter")
        page.check("tr:has-text('req-2') input[name=_selected_action]")
        page.select_option("select[name=action]", "void_selected")
        page.click("button[name=index]")
        expect(page.get_by_text("14 B")).to_be_visible()
        expect(page.get_by_text("5 B", exact=True)).to_be_visible()
        page.fill("textarea[name=reason]", "a test run")
        page.click("button:has-text('Void')")
        expect(page.get_by_text("1 event is voided.")).to_be_visible()
        page.goto("/admin/usage/correction/")
        expect(page.get_by_text("a test run")).to_be_visible()

    drive(story)

    assert Correction.objects.get().event_id == "req-2"
