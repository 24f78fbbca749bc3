"""Invoices written, given up, replaced and numbered in the finance desk, each with the person on the trail."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from billing.models import BillingEntity, BillingProfile, Invoice, NumberSeries
from customers.models import AuditEvent, Customer
from tests.billing.builders import make_customer, row_counts
from tests.billing.desks import invoice_of, small_books
from tests.scenarios.cash import NORTHLIGHT, seller

pytestmark = pytest.mark.django_db


def do(desk: Client, path: str, **values: Any) -> str:
    answer = desk.post(f"/admin/billing/{path}/", values, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def rows(*items: dict[str, str]) -> dict[str, str]:
    """The formset as the browser sends it."""
    sent = {"items-TOTAL_FORMS": str(len(items)), "items-INITIAL_FORMS": "0"}
    for index, item in enumerate(items):
        sent |= {f"items-{index}-{name}": value for name, value in item.items()}
    return sent


WORKSHOP = {"description": "Workshop", "quantity": "2", "unit": "days", "unit_amount": "450", "tax_rate": "20"}


def test_a_one_off_invoice_is_written_edited_and_discarded(desk: Client) -> None:
    customer = make_customer()
    Customer.objects.filter(pk=customer.pk).update(tax_rate_pct=None)
    assert "Save draft" in desk.get("/admin/billing/invoice/new-one-off/").content.decode()
    page = do(desk, "invoice/new-one-off", customer=str(customer.pk), note="Thanks", **rows(WORKSHOP, {"description": ""}))
    draft = Invoice.objects.get()
    assert (draft.kind, draft.due_minor, draft.customer) == ("one_off", 108000, customer)
    assert "Workshop" in page
    assert "One-off invoice" in page
    assert 'value="Workshop"' in desk.get(f"/admin/billing/invoice/{draft.pk}/items/").content.decode()
    do(desk, f"invoice/{draft.pk}/items", **rows(WORKSHOP | {"quantity": "1"}))
    draft.refresh_from_db()
    assert draft.due_minor == 54000
    assert "write a credit note" in do(desk, f"invoice/{draft.pk}/items", **rows(WORKSHOP | {"unit_amount": "-1"}))
    do(desk, f"invoice/{draft.pk}/discard")
    assert not Invoice.objects.exists()
    trail = AuditEvent.objects.filter(object_type="invoice").order_by("pk").values_list("action", "actor_label")
    assert list(trail) == [
        ("invoice.drafted", "finance@example.com"),
        ("invoice.items_changed", "finance@example.com"),
        ("invoice.discarded", "finance@example.com"),
    ]


def test_a_draft_says_why_it_bears_no_tax_and_that_it_is_not_issued(desk: Client) -> None:
    seller(**NORTHLIGHT)
    lyon = make_customer("lyon", country="FR", postal_code="69001", city="Lyon", tax_id="FR 61 954 506 077")
    page = do(desk, "invoice/new-one-off", customer=str(lyon.pk), **rows(WORKSHOP | {"tax_rate": ""}))
    assert "Tax 0% on €900.00" in page
    assert "Reverse charge: the customer owes the tax (Article 196 of Directive 2006/112/EC)." in page
    assert "If issued on" in page
    assert "Owed once it is final." in page
    assert "€0.00 paid" not in page


def test_an_invoice_is_given_up_taken_up_and_replaced(desk: Client) -> None:
    invoice = invoice_of(small_books())
    assert "no longer open" in desk.get(f"/admin/billing/invoice/{invoice.pk}/give-up/").content.decode()
    assert "is uncollectible" in do(desk, f"invoice/{invoice.pk}/give-up", reason="Insolvent")
    assert "is open again" in do(desk, f"invoice/{invoice.pk}/take-up")
    page = do(desk, f"invoice/{invoice.pk}/void", reason="Wrong address", reissue="on")
    draft = Invoice.objects.get(status="draft")
    assert draft.replaces == invoice
    assert "its corrected draft is there" in page
    assert f"/admin/billing/invoice/{draft.pk}/change/" in page
    assert "INV-000001" in desk.get(f"/admin/billing/invoice/{draft.pk}/change/").content.decode()


def test_the_preview_is_the_document_marked_as_an_estimate(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "billing.delivery.rendering.pdf.render_pdf", lambda snapshot, *, logo=None, estimate=False: b"%%PDF %d" % estimate
    )
    invoice = invoice_of(small_books())
    do(desk, f"invoice/{invoice.pk}/void", reason="x", reissue="on")
    draft = Invoice.objects.get(status="draft")
    answer = desk.get(f"/admin/billing/invoice/{draft.pk}/preview/")
    assert (answer.content, answer.headers["Content-Type"]) == (b"%PDF 1", "application/pdf")


def test_a_series_gets_a_pattern_and_refuses_one_that_could_collide(desk: Client) -> None:
    small_books()
    series = NumberSeries.objects.get()
    page = desk.get(f"/admin/billing/numberseries/{series.pk}/change/").content.decode()
    assert "INV-000002, INV-000003" in page
    do(desk, f"numberseries/{series.pk}/change", pattern="ACME-{year}-{number:04}")
    series.refresh_from_db()
    assert series.pattern == "ACME-{year}-{number:04}"
    assert AuditEvent.objects.get(action="number_series.changed").actor_label == "finance@example.com"
    other = BillingEntity.objects.create(code="second", name="Second", legal_name="Second Ltd")
    fields = {"billing_entity": str(other.pk), "kind": "invoice"}
    before = row_counts()
    assert "could write the same number" in do(desk, "numberseries/add", **fields, pattern="ACME-{year}-{number:06}")
    assert "INV-000001 was given already" in do(desk, "numberseries/add", **fields, pattern="INV-{number:06}")
    assert row_counts() == before
    do(desk, "numberseries/add", **fields, pattern="S-{year}-{number:06}", resets_yearly="on")
    assert NumberSeries.objects.get(billing_entity=other).resets_yearly


ENTITY = {"code": "default", "name": "North", "legal_name": "North Ltd", "brand_color": "#3346a8", "timezone": "UTC"}


def test_a_seller_gets_a_logo_grace_and_a_payment_link(desk: Client) -> None:
    small_books()
    entity = BillingEntity.objects.get()
    path = f"billingentity/{entity.pk}/change"
    evil = SimpleUploadedFile("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><script>x</script></svg>')
    assert "cannot be printed: &lt;script&gt;" in do(desk, path, **ENTITY, logo_file=evil)
    assert "write no other braces" in do(desk, path, **ENTITY, payment_url_template="https://pay.example/{customer}")
    assert "Write the address of a page" in do(desk, path, **ENTITY, payment_url_template="pay.example/{number}")
    entity.refresh_from_db()
    assert (entity.logo, entity.payment_url_template) == (None, "")
    good = SimpleUploadedFile("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect/></svg>')
    do(desk, path, **ENTITY, logo_file=good, payment_url_template="https://pay.example/{number}", grace_minutes="90")
    entity.refresh_from_db()
    assert entity.logo is not None
    assert (entity.grace_minutes, entity.finalizes_by_itself, entity.logo.media_type) == (90, False, "image/svg+xml")
    event = AuditEvent.objects.filter(action="billing_entity.updated").order_by("-pk")[0]
    assert (event.after["logo"], event.after["grace_minutes"]) == (entity.logo.sha256, 90)
    do(desk, path, **ENTITY, removes_logo="on")
    entity.refresh_from_db()
    assert entity.logo is None


def test_how_a_customer_is_billed_is_changed_on_its_page(desk: Client) -> None:
    customer = make_customer()
    path = f"/admin/customers/customer/{customer.pk}/billing-terms/"
    assert "Grace period in minutes" in desk.get(path).content.decode()
    desk.post(path, {"grace_minutes": "15", "finalizes_by_itself": "no", "buyer_reference": "0401"})
    profile = BillingProfile.objects.get()
    assert (profile.grace_minutes, profile.finalizes_by_itself, profile.buyer_reference) == (15, False, "0401")
    refused = desk.post(path, {"tax_exemption_code": "VATEX-EU-G"}).content.decode()
    assert "A code needs its reason" in refused
    assert AuditEvent.objects.get(action="customer.billing_changed").actor_label == "finance@example.com"
