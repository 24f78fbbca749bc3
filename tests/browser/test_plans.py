import pytest
from playwright.sync_api import Page, expect

from billing.catalog.specs import plan_spec
from billing.models import PlanVersion, Subscription
from tests.billing.builders import make_catalog, make_customer
from tests.billing.desks import TODAY
from tests.browser.conftest import Drive, assert_fits
from tests.customers.factories import staff

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(page: Page) -> None:
    page.goto("/admin/")
    page.locator("input[name=username]").fill("finance@example.com")
    page.locator("input[name=password]").fill("correct horse battery")
    page.locator("button[type=submit]").click()


def build(page: Page) -> None:
    """Build a graduated plan with seats; one bound is missing at first."""
    page.goto("/admin/billing/plan/add/")
    page.locator("[name=name]").fill("Growth")
    expect(page.locator("[name=code]")).to_have_value("growth")
    page.locator("[name='charges-0-name']").fill("Calls")
    expect(page.locator("[name='charges-0-tiers-0-up_to']")).to_be_hidden()
    page.locator("[name='charges-0-meter']").select_option("calls")
    page.locator("[name='charges-0-model']").select_option("graduated")
    expect(page.get_by_label("Only where region is")).to_be_visible()
    expect(page.locator("[name='charges-0-unit_amount']")).to_be_hidden()
    page.locator("[name='charges-0-tiers-0-up_to']").fill("1000")
    page.locator("[name='charges-0-tiers-0-unit_amount']").fill("0")
    page.get_by_role("button", name="Add a tier").click()
    page.locator("[name='charges-0-tiers-1-unit_amount']").fill("0.02")
    page.locator("[name='charges-0-tiers-2-unit_amount']").fill("0.01")
    page.get_by_role("button", name="Add a charge").click()
    page.locator("[name='charges-1-name']").fill("Seats")
    page.locator("[name='charges-1-prices']").select_option("quantity")
    page.locator("[name='charges-1-default_quantity']").fill("3")
    page.locator("[name='charges-1-billed']").select_option("in_advance")
    page.locator("[name='charges-1-model']").select_option("per_unit")
    page.locator("[name='charges-1-unit_amount']").fill("12")
    page.get_by_role("button", name="Move up").nth(1).click()
    expect(page.locator("[name='charges-0-name']")).to_have_value("Seats")
    assert_fits(page)

    page.get_by_role("button", name="Save draft").last.click()
    refused = page.locator("[name='charges-1-tiers-1-up_to']")
    expect(refused).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("only the last tier may be open")).to_be_visible()
    refused.fill("5000")
    page.get_by_role("button", name="Try it").click()
    page.locator("[name='try-calls']").fill("6000")
    page.get_by_role("button", name="Try again").click()
    # 4,000 x 0.02 + 1,000 x 0.01 = 90.00; 3 x 12.00 = 36.00.
    expect(page.get_by_text("€126.00")).to_be_visible()
    page.get_by_role("button", name="Save draft").last.click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()


def test_finance_builds_a_plan_sells_it_and_changes_a_subscription(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUILL_NOW", TODAY)
    make_catalog()
    customer = make_customer()
    staff("finance@example.com")

    def story(page: Page) -> None:
        sign_in(page)
        build(page)
        assert_fits(page)
        page.get_by_role("link", name="Publish").first.click()
        expect(page.get_by_text("above 1,000 up to 5,000: €0.02 each")).to_be_visible()
        page.get_by_role("button", name="Publish").click()
        expect(page.get_by_text("Growth v1 is on sale.")).to_be_visible()

        page.goto(f"/admin/billing/subscription/add/?customer={customer.pk}")
        page.locator("[name=plan]").select_option(label="Basic")
        expect(page.locator("[name=quantities-seats]")).to_be_hidden()
        page.locator("[name=starts_on]").fill("2026-02-01")
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("link", name="Acme").first.click()
        expect(page.get_by_role("heading", name="What it has")).to_be_visible()
        assert_fits(page)

        page.get_by_role("link", name="Change plan").first.click()
        page.locator("[name=plan]").select_option(label="Growth")
        page.locator("[name=quantities-seats]").fill("5")
        expect(page.locator("[name=day]")).to_be_hidden()
        assert_fits(page)
        page.get_by_role("button", name="See the next invoice").click()
        # 5 x 12.00 in advance for March.
        expect(page.get_by_text("+€60.00")).to_be_visible()
        assert_fits(page)
        page.get_by_role("button", name="Change plan").click()
        expect(page.get_by_text("The plan is changed.")).to_be_visible()
        expect(page.get_by_text("Plan becomes Growth v1")).to_be_visible()

    drive(story)
    version = PlanVersion.objects.select_related("plan", "customer").get(plan__code="growth")
    assert [charge.code for charge in plan_spec(version).charges] == ["seats", "calls"]
    assert version.status == PlanVersion.Status.PUBLISHED
    subscription = Subscription.objects.get()
    assert str(subscription.changes.get(kind="plan").effective_on) == "2026-03-01"
