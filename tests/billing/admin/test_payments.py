"""Money in the finance desk: each button says what will happen, does it by a service, and puts the person on the trail."""

import io
import re
import zipfile

import pytest
from django.test import Client

from billing.admin.entities import BillingEntityForm
from billing.models import BillingEntity, Payment
from customers.models import AuditEvent
from tests.billing.builders import row_counts
from tests.billing.paying import allocations, customer_with_invoices, numbered, pay, pay_for, standings

pytestmark = pytest.mark.django_db

_FORM = {"amount": "15", "received_on": "2026-02-15", "method": "bank_transfer", "reference": "bank-1", "remittance": ""}


def text_of(answer: object) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())  # type: ignore[attr-defined]


def seen(page: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', page)
    assert found
    return found[1]


def test_money_of_a_customer_is_shown_before_it_is_recorded(desk: Client) -> None:
    customer = customer_with_invoices(1)
    path = f"/admin/customers/customer/{customer.pk}/record-payment/"
    assert "What has come in of Acme?" in text_of(desk.get(path))
    before = row_counts()
    page = text_of(desk.post(path, _FORM))
    assert "It pays INV-000001: €10.00. €5.00 stay with the customer and pay the next invoices." in page
    assert "Nothing is recorded yet." in page
    assert row_counts() == before

    done = text_of(desk.post(path, _FORM | {"seen": seen(page)}, follow=True))
    assert "€15.00 of Acme are recorded." in done
    assert (standings(), Payment.objects.get().left_minor) == ([("INV-000001", 1000, "paid")], 500)
    assert AuditEvent.objects.get(action="payment.recorded").actor_label == "finance@example.com"


def test_what_changed_since_it_was_shown_is_shown_again(desk: Client) -> None:
    customer = customer_with_invoices(1)
    path = f"/admin/customers/customer/{customer.pk}/record-payment/"
    shown = seen(text_of(desk.post(path, _FORM)))
    pay(numbered(1), 400, "meanwhile")
    again = text_of(desk.post(path, _FORM | {"seen": shown}))
    assert "It pays INV-000001: €6.00. €9.00 stay with the customer" in again
    assert Payment.objects.count() == 1


def test_what_the_text_of_the_transfer_names_is_paid(desk: Client) -> None:
    customer = customer_with_invoices(2)
    path = f"/admin/customers/customer/{customer.pk}/record-payment/"
    form = _FORM | {"remittance": "inv-000002"}
    page = text_of(desk.post(path, form))
    assert "It pays INV-000002: €10.00." in page
    desk.post(path, form | {"seen": seen(page)})
    assert allocations(Payment.objects.get()) == [("INV-000002", 1000)]


def test_a_reversal_says_which_invoices_open_again(desk: Client) -> None:
    payment = pay_for(customer_with_invoices(1), 1500)
    path = f"/admin/billing/payment/{payment.pk}/reverse/"
    assert "It is taken back from INV-000001 (€10.00); what it had paid is to pay again." in text_of(desk.get(path))
    assert "A is reversed." in text_of(desk.post(path, {"reason": "no funds"}, follow=True))
    assert standings() == [("INV-000001", 0, "finalized")]
    page = text_of(desk.get(f"/admin/billing/payment/{payment.pk}/change/"))
    assert "no funds" in page
    assert path not in page
    assert "reversed: no funds" in text_of(desk.get(f"/admin/billing/invoice/{numbered(1).pk}/change/"))


def test_the_balance_is_applied_to_an_open_invoice(desk: Client) -> None:
    customer = customer_with_invoices(1)
    path = f"/admin/billing/invoice/{numbered(1).pk}/apply-balance/"
    page = f"/admin/billing/invoice/{numbered(1).pk}/change/"
    assert path not in text_of(desk.get(page))
    pay_for(customer, 700, invoices=[])
    assert path in text_of(desk.get(page))
    assert "left €7.00 over. Pay €7.00 of INV-000001 with it? Then €3.00 are left to pay." in text_of(desk.get(path))
    assert "INV-000001 was paid from the balance." in text_of(desk.post(path, follow=True))
    assert standings() == [("INV-000001", 700, "finalized")]


def test_payments_are_found_by_reference_number_and_customer_and_by_what_is_left(desk: Client) -> None:
    customer = customer_with_invoices(2)
    pay(numbered(1), 1000, "first")
    pay_for(customer, 1700, "second")

    def found(query: str) -> set[str]:
        page = text_of(desk.get(f"/admin/billing/payment/?{query}"))
        return {reference for reference in ("first", "second") if f">{reference}<" in page or f" {reference} <" in page}

    assert found("") == {"first", "second"}
    assert found("q=second") == {"second"}
    assert found("q=INV-000002") == {"second"}
    assert found("q=acme") == {"first", "second"}
    assert found("state=left") == {"second"}
    assert found("state=used") == {"first"}
    assert found("state=reversed") == set()


def test_a_month_is_exported_from_the_page_of_the_seller(desk: Client) -> None:
    customer_with_invoices(1)
    entity = BillingEntity.objects.get()
    path = f"/admin/billing/billingentity/{entity.pk}/export/"
    assert 'value="2026-01"' in text_of(desk.get(path))
    assert "Write a month, such as 2026-03." in text_of(desk.post(path, {"month": "March"}))
    answer = desk.post(path, {"month": "2026-02"})
    assert answer["Content-Disposition"] == 'attachment; filename="default-2026-02.zip"'
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:  # type: ignore[attr-defined]
        assert b"INV-000001" in archive.read("invoices.csv")


@pytest.mark.parametrize(
    ("template", "is_taken"),
    [
        ("", True),
        ("https://pay.example/{number}?amount={amount}&currency={currency}", True),
        ("http://localhost:8000/pay/{number}", True),
        ("javascript:alert(1)", False),
        ("ftp://pay.example/{number}", False),
        ("pay.example/{number}", False),
        ("https://pay.example/{invoice}", False),
        ("https://pay.example/{number", False),
    ],
)
def test_a_payment_link_must_be_one_that_a_customer_can_follow(template: str, is_taken: bool) -> None:
    form = BillingEntityForm({"payment_url_template": template})
    form.is_valid()
    assert ("payment_url_template" not in form.errors) == is_taken
