"""Each button of an invoice is one service call, after a question, with the person on the trail."""

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from billing.models import BillingPeriod, Delivery, Invoice, NumberCounter, Payment
from customers.models import AuditEvent
from tests.billing.builders import bill, row_counts
from tests.billing.desks import invoice_of, small_books

pytestmark = pytest.mark.django_db

BUTTONS = {"finalize": "Finalise", "record-payment": "Record payment", "resend": "Resend", "void": "Void"}


def page_of(desk: Client, invoice: Invoice, action: str = "change") -> str:
    return desk.get(f"/admin/billing/invoice/{invoice.pk}/{action}/").content.decode()


def do(desk: Client, invoice: Invoice, action: str, **values: object) -> str:
    """Press the button of the confirmation page, and return the page that follows."""
    answer = desk.post(f"/admin/billing/invoice/{invoice.pk}/{action}/", values, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def buttons(desk: Client, invoice: Invoice) -> set[str]:
    page = page_of(desk, invoice)
    return {action for action in BUTTONS if f"/admin/billing/invoice/{invoice.pk}/{action}/" in page}


def trail(action: str) -> list[str]:
    return list(AuditEvent.objects.filter(action=action, actor_kind="user").values_list("actor_label", flat=True))


def draft() -> Invoice:
    """February's draft, beside January's final invoice."""
    customer = small_books()
    bill("2026-03-01", finalize=False)
    return Invoice.objects.get(customer=customer, status="draft")


def test_a_draft_is_finalised_after_a_question(desk: Client) -> None:
    invoice = draft()
    assert buttons(desk, invoice) == {"finalize"}
    assert "gets the next number" in page_of(desk, invoice, "finalize")
    assert NumberCounter.objects.get().last_number == 1

    assert "INV-000002 is final." in do(desk, invoice, "finalize")
    invoice.refresh_from_db()
    assert (invoice.number, invoice.due_minor) == ("INV-000002", 1800)
    assert trail("invoice.finalized") == ["finance@example.com"]


def test_a_draft_offers_nothing_that_its_services_refuse(desk: Client) -> None:
    invoice = draft()
    before = row_counts()
    assert "it changes by itself until it is finalised" in do(desk, invoice, "void", reason="x")
    assert "only an open invoice can be paid" in do(
        desk, invoice, "record-payment", amount="1", received_on="2026-02-15", method="card", reference="r"
    )
    assert "finalise it first" in do(desk, invoice, "resend", recipient="ana@acme.example")
    assert row_counts() == before


def test_voiding_asks_why_and_makes_the_period_due_again(desk: Client) -> None:
    invoice = invoice_of(small_books())
    assert buttons(desk, invoice) == {"record-payment", "resend", "void"}
    assert "The next run bills its periods again" in page_of(desk, invoice, "void")
    assert "This field is required." in do(desk, invoice, "void", reason=" ")
    invoice.refresh_from_db()
    assert invoice.status == Invoice.Status.FINALIZED

    assert "INV-000001 is void." in do(desk, invoice, "void", reason="Wrong address")
    invoice.refresh_from_db()
    assert (invoice.status, invoice.void_reason) == (Invoice.Status.VOID, "Wrong address")
    assert BillingPeriod.objects.get(index=0).arrears_billed_at is None
    assert trail("invoice.voided") == ["finance@example.com"]
    assert buttons(desk, invoice) == set()


def test_a_payment_is_recorded_in_the_currency_of_the_invoice(desk: Client) -> None:
    invoice = invoice_of(small_books())
    assert 'value="30.00"' in page_of(desk, invoice, "record-payment")  # what is left is proposed
    values = {"received_on": "2026-02-14", "method": "bank_transfer", "reference": "TRX-7"}

    assert "€12.50 are recorded for INV-000001." in do(desk, invoice, "record-payment", amount="12.50", **values)
    payment = Payment.objects.get()
    assert (payment.amount_minor, payment.recorded_by, payment.reference) == (1250, "finance@example.com", "TRX-7")
    # With money in, it cannot be voided any more.
    assert buttons(desk, invoice) == {"record-payment", "resend"}

    assert "record money once it has come in" in do(
        desk, invoice, "record-payment", amount="17.50", **(values | {"reference": "TRX-8", "received_on": "2026-02-16"})
    )
    assert "no more than 2 decimal places" in do(
        desk, invoice, "record-payment", amount="1.001", **(values | {"reference": "TRX-8"})
    )
    assert Payment.objects.count() == 1

    do(desk, invoice, "record-payment", amount="17.50", **(values | {"reference": "TRX-8"}))
    invoice.refresh_from_db()
    assert invoice.status == Invoice.Status.PAID
    assert buttons(desk, invoice) == {"resend"}
    assert trail("invoice.payment_recorded") == ["finance@example.com"] * 2


def test_a_sent_invoice_is_queued_once_more_and_to_new_addresses(desk: Client) -> None:
    invoice = invoice_of(small_books())
    Delivery.objects.update(status=Delivery.Status.SENT, attempts=1)
    jobs = ProcrastinateJob.objects.count()

    assert "INV-000001 is on its way to billing@acme.example." in do(desk, invoice, "resend", recipient="billing@acme.example")
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts) == (Delivery.Status.QUEUED, 0)
    do(desk, invoice, "resend", recipient="cfo@acme.example")
    assert list(Delivery.objects.order_by("pk").values_list("recipient", flat=True)) == [
        "billing@acme.example",
        "cfo@acme.example",
    ]
    assert ProcrastinateJob.objects.count() == jobs + 2
    assert trail("invoice.resent") == ["finance@example.com"] * 2
