"""Every page opens, shows literal amounts, asks a bounded number of queries, and lets nobody change what is final."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.invoicing.paying.payments import record_payment
from billing.models import BillingEntity, BillingRun, Delivery, Invoice, NumberSeries, Payment, Plan, PlanVersion, Subscription
from customers.models import AuditEvent, User
from tests.billing.builders import ACTOR, at, bill, make_customer, row_counts, subscribe
from tests.billing.desks import PDF, invoice_of, keep_document, small_books
from tests.customers.factories import PortalUserFactory

pytestmark = pytest.mark.django_db

MODELS = (BillingEntity, NumberSeries, Plan, PlanVersion, Subscription, Invoice, Payment, Delivery, BillingRun)
PATHS = [f"billing/{model._meta.model_name}" for model in MODELS]


def the_books() -> Invoice:
    """Books with a row of every kind."""
    invoice = invoice_of(small_books())
    record_payment(
        invoice_id=invoice.pk,
        amount_minor=1000,
        received_on=at("2026-02-09").date(),
        reference="TRX-1",
        actor=ACTOR,
        now=at("2026-02-09"),
    )
    return invoice


def test_every_list_and_every_object_opens(desk: Client) -> None:
    the_books()
    for model, path in zip(MODELS, PATHS, strict=True):
        assert desk.get(f"/admin/{path}/").status_code == 200, path
        first = model._default_manager.first()
        assert first is not None, path
        assert desk.get(f"/admin/{path}/{first.pk}/change/").status_code == 200, path


def test_nothing_can_be_deleted_and_final_things_cannot_be_edited(desk: Client) -> None:
    the_books()
    before = row_counts()
    for model, path in zip(MODELS, PATHS, strict=True):
        first = model._default_manager.first()
        assert first is not None
        assert desk.post(f"/admin/{path}/{first.pk}/delete/", {"post": "yes"}).status_code == 403, path
        if model not in (BillingEntity, NumberSeries):
            assert desk.post(f"/admin/{path}/{first.pk}/change/", {"status": "paid"}).status_code == 403, path
    assert row_counts() == before


def test_strangers_and_people_of_customers_do_not_get_in(client: Client) -> None:
    invoice = the_books()
    paths = ["/admin/", *(f"/admin/{path}/" for path in PATHS), f"/admin/billing/invoice/{invoice.pk}/pdf/"]
    paths += [f"/admin/billing/invoice/{invoice.pk}/{action}/" for action in ("void", "finalize", "record-payment", "resend")]
    for user in (None, PortalUserFactory.create(customer=invoice.customer).user):
        if user is not None:
            client.force_login(user)
        for path in paths:
            assert client.post(path).headers["Location"].startswith("/admin/login/"), path


def test_staff_see_and_do_only_what_they_may(client: Client) -> None:
    invoice = the_books()
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_invoice"))
    client.force_login(clerk)
    assert "Record payment" not in client.get(f"/admin/billing/invoice/{invoice.pk}/change/").content.decode()
    for action in ("void", "finalize", "record-payment", "resend"):
        assert client.post(f"/admin/billing/invoice/{invoice.pk}/{action}/", {"reason": "x"}).status_code == 403
    assert client.get("/admin/billing/subscription/").status_code == 403
    assert client.get("/admin/").status_code == 200


def test_an_invoice_shows_its_amounts_lines_tax_payments_and_story(desk: Client) -> None:
    invoice = the_books()
    keep_document(invoice)
    page = desk.get(f"/admin/billing/invoice/{invoice.pk}/change/").content.decode()
    for text in (
        "€30.00",
        "€20.00",
        "Tax 20% on €25.00",
        "Up to 100",
        "Above 100",
        "1,600 calls",
        "TRX-1",
        "billing@acme.example",
    ):
        assert text in page, text
    assert "Payment recorded" in page
    assert "Invoice finalised" in page


def test_the_pdf_is_the_kept_one(desk: Client) -> None:
    invoice = the_books()
    assert desk.get(f"/admin/billing/invoice/{invoice.pk}/pdf/").status_code == 404
    keep_document(invoice)
    answer = desk.get(f"/admin/billing/invoice/{invoice.pk}/pdf/")
    assert (answer.content, answer.headers["Content-Type"]) == (PDF, "application/pdf")


@pytest.mark.parametrize(("standing", "is_shown"), [("open", True), ("overdue", False), ("paid", False), ("draft", False)])
def test_the_tabs_narrow_the_list(desk: Client, standing: str, is_shown: bool) -> None:
    invoice = the_books()
    assert (str(invoice.number) in desk.get(f"/admin/billing/invoice/?standing={standing}").content.decode()) is is_shown


def test_an_open_invoice_is_overdue_the_day_after_it_was_due(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = the_books()  # due on 3 March
    for day, is_shown in (("2026-03-03", False), ("2026-03-04", True)):
        monkeypatch.setenv("SQUILL_NOW", f"{day}T23:00:00Z")
        assert (str(invoice.number) in desk.get("/admin/billing/invoice/?standing=overdue").content.decode()) is is_shown


def test_lists_do_not_ask_more_queries_for_more_rows(desk: Client) -> None:
    the_books()

    def queries(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert desk.get(f"/admin/{path}/").status_code == 200
        return len(captured)

    few = {path: queries(path) for path in PATHS}
    for number in range(3):
        subscribe(make_customer(f"other-{number}", tax_rate_pct="20"))
    bill("2026-03-01")
    more = {path: queries(path) for path in PATHS}
    # A label in a list is a template, never a query; the count of rows is one query either way.
    assert more == few


def test_a_plan_version_says_its_prices_in_words(desk: Client) -> None:
    the_books()
    page = desk.get(f"/admin/billing/planversion/{PlanVersion.objects.get().pk}/change/").content.decode()
    assert "€10.00 flat" in page
    assert "€0.01 each" in page


def test_a_changed_seller_is_saved_and_audited(desk: Client) -> None:
    the_books()
    entity = BillingEntity.objects.get()
    fields = {
        "code": "default",
        "name": "Northlight",
        "legal_name": "Northlight Ltd",
        "brand_color": "#3346a8",
        "timezone": "UTC",
    }
    answer = desk.post(f"/admin/billing/billingentity/{entity.pk}/change/", fields)
    assert answer.status_code == 302
    entity.refresh_from_db()
    assert (entity.name, entity.is_default) == ("Northlight", True)
    event = AuditEvent.objects.get(action="billing_entity.updated")
    assert (event.actor_label, event.before["name"], event.after["name"]) == ("finance@example.com", "Your company", "Northlight")
