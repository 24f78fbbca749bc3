"""Each recipient gets each notice once; what fails is kept on the row and tried again."""

import pytest
from django.core import mail
from pytest_django import Settings

from billing.delivery.deliver import DeliveryIncomplete, deliver_invoice
from billing.delivery.mails import invoice_mail
from billing.invoicing.voiding import void_invoice
from billing.models import BillingEntity, Delivery, Invoice, InvoiceDocument
from billing.reconciliation.report import reconcile
from tests.billing.builders import ACTOR, at, bill, invoices, make_catalog, make_customer, send_usage, subscribe

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("documents", "renderings")]

LATER = at("2026-02-02")


def final_invoice(**customer: str) -> Invoice:
    make_catalog()
    acme = make_customer(**customer)
    subscribe(acme)
    send_usage(acme, "call", 150, "2026-01-10")
    bill("2026-02-01")
    return invoices()[0]


def only_delivery() -> tuple[str, int, str]:
    delivery = Delivery.objects.get()
    return delivery.status, delivery.attempts, delivery.last_error


def test_the_mail_has_the_pdf_the_amount_and_an_id_of_its_own() -> None:
    invoice = final_invoice()
    deliver_invoice(invoice_id=invoice.pk, now=LATER)
    (message,) = mail.outbox
    delivery = Delivery.objects.get()
    assert message.to == ["billing@acme.example"]
    assert message.subject == "Invoice INV-000001 from Your company: €10.50 due 3 March 2026"
    assert message.attachments[0] == ("INV-000001.pdf", b"%PDF-1.7 INV-000001", "application/pdf")
    assert "€10.50" in str(message.body)
    expected = f"<{invoice.public_id}.invoice.{delivery.pk}@squill.example>"
    wire = message.message()
    assert (wire["Message-ID"], wire["Auto-Submitted"]) == (expected, "auto-generated")
    assert (delivery.status, delivery.attempts, delivery.message_id, delivery.sent_at) == ("sent", 1, expected, LATER)
    assert Invoice.objects.get().sent_at == LATER


def test_delivering_twice_sends_once() -> None:
    invoice = final_invoice()
    for _time in range(2):
        deliver_invoice(invoice_id=invoice.pk, now=LATER)
    assert (len(mail.outbox), only_delivery()) == (1, ("sent", 1, ""))


def test_every_recipient_gets_one(renderings: list[str]) -> None:
    invoice = final_invoice()
    Delivery.objects.create(invoice=invoice, recipient="second@acme.example", queued_at=LATER)
    deliver_invoice(invoice_id=invoice.pk, now=LATER)
    assert [message.to for message in mail.outbox] == [["billing@acme.example"], ["second@acme.example"]]
    assert len({str(message.extra_headers["Message-ID"]) for message in mail.outbox}) == 2
    assert renderings == ["INV-000001"]


def test_the_mail_is_in_the_customers_language() -> None:
    deliver_invoice(invoice_id=final_invoice(locale="de").pk, now=LATER)
    assert "10,50 €" in str(mail.outbox[0].subject)
    assert "3. März 2026" in str(mail.outbox[0].subject)


def test_a_provider_that_hangs_up_is_asked_again_with_the_same_id(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "tests.billing.delivery.mail_backends.Refusing"
    invoice = final_invoice()
    for attempt in (1, 2):
        with pytest.raises(DeliveryIncomplete, match="the provider hung up"):
            deliver_invoice(invoice_id=invoice.pk, now=LATER)
        assert only_delivery() == ("queued", attempt, "SMTPServerDisconnected: the provider hung up")
    assert Invoice.objects.get().sent_at is None
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    deliver_invoice(invoice_id=invoice.pk, now=LATER)
    assert only_delivery() == ("sent", 3, "")
    assert mail.outbox[0].extra_headers["Message-ID"] == Delivery.objects.get().message_id


def test_after_the_last_attempt_it_is_given_up_and_reconcile_says_so(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "tests.billing.delivery.mail_backends.Refusing"
    settings.SQUILL_JOB_MAX_ATTEMPTS = 2
    invoice = final_invoice()
    with pytest.raises(DeliveryIncomplete):
        deliver_invoice(invoice_id=invoice.pk, now=LATER)
    deliver_invoice(invoice_id=invoice.pk, now=LATER)  # the last one: nothing is left to try
    assert only_delivery() == ("failed", 2, "SMTPServerDisconnected: the provider hung up")
    deliver_invoice(invoice_id=invoice.pk, now=LATER)
    assert only_delivery()[1] == 2
    assert any("was not sent to one recipient" in difference for difference in reconcile().differences)


def test_the_providers_own_id_is_kept_where_it_gives_one(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "tests.billing.delivery.mail_backends.Answering"
    deliver_invoice(invoice_id=final_invoice().pk, now=LATER)
    assert Delivery.objects.get().message_id == "provider-7"


def test_one_bad_recipient_does_not_keep_the_others_from_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = final_invoice()
    Delivery.objects.create(invoice=invoice, recipient="second@acme.example", queued_at=LATER)

    def picky(delivery: Delivery, document: InvoiceDocument) -> object:
        if delivery.recipient.startswith("billing"):
            raise ValueError("bad address")
        return invoice_mail(delivery, document)

    monkeypatch.setattr("billing.delivery.deliver.invoice_mail", picky)
    with pytest.raises(DeliveryIncomplete, match="bad address"):
        deliver_invoice(invoice_id=invoice.pk, now=LATER)
    assert list(Delivery.objects.order_by("pk").values_list("status", flat=True)) == ["queued", "sent"]


def test_a_void_invoice_keeps_its_document_and_is_not_sent() -> None:
    invoice = final_invoice()
    void_invoice(invoice_id=invoice.pk, reason="wrong", actor=ACTOR, now=LATER)
    deliver_invoice(invoice_id=invoice.pk, now=LATER)
    assert InvoiceDocument.objects.count() == 1
    assert mail.outbox == []


def test_a_name_with_a_line_break_makes_no_header() -> None:
    BillingEntity.objects.create(code="seller", name="Seller\r\nBcc: all@x.example", legal_name="Seller", is_default=True)
    deliver_invoice(invoice_id=final_invoice().pk, now=LATER)
    assert mail.outbox[0].message()["Bcc"] is None
    assert mail.outbox[0].subject.startswith("Invoice INV-000001 from Seller Bcc: all@x.example: ")
