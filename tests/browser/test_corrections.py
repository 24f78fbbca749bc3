import pytest
from playwright.sync_api import Page, expect

from tests.billing.builders import usage
from tests.billing.desks import TODAY, small_books
from tests.browser.conftest import Drive, assert_fits
from tests.customers.factories import staff
from tests.usage.builders import NOW, a_customer, a_meter, an_event
from usage.ingestion import ingest
from usage.models import Correction, QuarantinedEvent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _somebody() -> None:
    staff("finance@example.com")


def _sign_in(page: Page, path: str) -> None:
    page.goto(path)
    page.fill("input[name=username]", "finance@example.com")
    page.fill("input[name=password]", "correct horse battery")
    page.press("input[name=password]", "Enter")


def _act(page: Page, event_id: str, action: str) -> None:
    """Choose one row of a list and an action for it."""
    page.check(f"tr:has-text('{event_id}') input[name=_selected_action]")
    page.select_option("select[name=action]", action)
    page.click("button[name=index]")


def test_event_is_voided_from_the_list_after_a_look_at_what_changes(drive: Drive) -> None:
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes", unit="B", dimensions=["region"])
    ingest([an_event("req-1", {"bytes": 5, "region": "eu"}), an_event("req-2", {"bytes": 9, "region": "eu"})], now=NOW)

    def story(page: Page) -> None:
        _sign_in(page, "/admin/usage/event/")
        _act(page, "req-2", "void_selected")
        expect(page.get_by_text("14 B")).to_be_visible()
        expect(page.get_by_text("5 B", exact=True)).to_be_visible()
        assert_fits(page)
        page.fill("textarea[name=reason]", "a test run")
        page.click("button:has-text('Void')")
        expect(page.get_by_text("1 event is voided.")).to_be_visible()
        page.goto("/admin/usage/correction/")
        expect(page.get_by_text("a test run")).to_be_visible()

    drive(story)

    assert Correction.objects.get().event_id == "req-2"


def test_event_is_replaced_after_a_look_at_usage_and_at_billed_periods(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUILL_NOW", TODAY)
    customer = small_books()
    ingest([usage(customer, "call", 300, "2026-01-25", {"region": "eu"}, event_id="late-1")], now=NOW)

    def story(page: Page) -> None:
        _sign_in(page, "/admin/usage/event/")
        _act(page, "late-1", "replace_selected")
        expect(page.get_by_label("Data")).to_be_visible()
        assert_fits(page)
        page.get_by_label("Data").fill('{"n": "many", "region": "eu"}')
        page.get_by_label("Reason").fill("a typing error")
        page.get_by_role("button", name="See what changes").click()
        expect(page.get_by_text("The replacement would not count")).to_be_visible()

        page.get_by_label("Data").fill('{"n": 100, "region": "eu"}')
        page.get_by_role("button", name="See what changes").click()
        # (300 - 100) x 0.01 = 2.00 less than the 3.00 that the late event adds to January
        expect(page.get_by_text("−€2.00")).to_be_visible()
        assert_fits(page)
        page.get_by_role("button", name="Replace").click()
        expect(page.get_by_text("The event late-1 is replaced by late-1-corrected.")).to_be_visible()

    drive(story)

    correction = Correction.objects.get()
    assert (correction.event_id, correction.replacement_id, correction.reason) == ("late-1", "late-1-corrected", "a typing error")


def test_events_of_a_subject_are_voided_after_a_dry_run(drive: Drive) -> None:
    a_customer()
    a_meter()
    ingest([an_event("req-1"), an_event("req-2")], now=NOW)

    def story(page: Page) -> None:
        _sign_in(page, "/admin/usage/event/")
        page.get_by_role("link", name="Void many…").first.click()
        expect(page.get_by_label("Subject")).to_be_visible()
        assert_fits(page)
        page.get_by_label("Subject").fill("acme")
        page.fill("input[name=start_0]", "2026-03-10")
        page.fill("input[name=end_0]", "2026-03-11")
        page.get_by_label("Reason").fill("a load test")
        page.get_by_role("button", name="See what matches").click()
        expect(page.get_by_role("button", name="Void 2 events")).to_be_visible()
        assert_fits(page)
        page.get_by_role("button", name="Void 2 events").click()
        expect(page.get_by_text("2 events are voided.")).to_be_visible()

    drive(story)

    assert sorted(Correction.objects.values_list("event_id", flat=True)) == ["req-1", "req-2"]


def test_conflict_is_compared_with_the_first_and_discarded_with_a_reason(drive: Drive) -> None:
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes")
    ingest([an_event("req-1", {"bytes": 5})], now=NOW)
    ingest([an_event("req-1", {"bytes": 9})], now=NOW)

    def story(page: Page) -> None:
        _sign_in(page, "/admin/usage/quarantinedevent/")
        page.get_by_role("link", name="Same id, other content 1").click()
        page.wait_for_url("**reason**")
        assert_fits(page)
        page.locator("#result_list tbody a").first.click()
        expect(page.get_by_text('"bytes": 5')).to_be_visible()
        assert_fits(page)
        page.get_by_role("link", name="Discard").first.click()
        expect(page.get_by_label("Reason")).to_be_visible()
        assert_fits(page)
        page.get_by_label("Reason").fill("a test run")
        page.get_by_role("button", name="Discard").click()
        expect(page.get_by_text("1 event is discarded.")).to_be_visible()
        expect(page.get_by_text("a test run")).to_be_visible()

    drive(story)

    row = QuarantinedEvent.objects.get()
    assert (row.status, row.discard_reason) == ("discarded", "a test run")
