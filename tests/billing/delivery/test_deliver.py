"""Each recipient gets each notice once; what fails is kept on the row: tried again, held, or given up."""

from typing import Any

import pytest
from django.core import mail
from pytest_django import Settings

from billing.delivery.deliver import DeliveryIncomplete, deliver
from billing.delivery.mails import notice_mail
from billing.delivery.reminding import send_reminders
from billing.delivery.suppression import suppress
from billing.invoicing.paying.payments import record_payment
from billing.invoicing.voiding import void_invoice
from billing.models import BillingEntity, BillingProfile, Delivery, Document, Invoice, SuppressedAddress
from billing.reconciliation.report import reconcile
from tests.billing.builders import ACTOR, at, bill, invoices, make_catalog, make_customer, send_usage, subscribe

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("documents", "renderings")]

LATER = at("2026-02-02")
BACKENDS = "tests.billing.delivery.mail_backends"
IN_MEMORY = "django.core.mail.backends.locmem.EmailBackend"


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
    deliver(invoice, now=LATER)
    (message,) = mail.outbox
    delivery = Delivery.objects.get()
    assert message.to == ["billing@acme.example"]
    assert message.subject == "Invoice INV-000001 from Your company: €10.50 due 3 March 2026"
    assert message.attachments[0] == ("INV-000001.pdf", b"%PDF-1.7 INV-000001", "application/pdf")
    assert "€10.50" in str(message.body)
    expected = f"<{invoice.public_id}.invoice.{delivery.pk}@squill.example>"
    wire = message.message()
    assert (wire["Message-ID"], wire["Auto-Submitted"]) == (expected, "auto-generated")
    assert wire["X-Entity-Ref-ID"] == f"{invoice.public_id}.invoice.{delivery.pk}"
    assert (delivery.status, delivery.attempts, delivery.message_id, delivery.sent_at) == ("sent", 1, expected, LATER)
    assert Invoice.objects.get().sent_at == LATER


def test_delivering_twice_sends_once() -> None:
    invoice = final_invoice()
    for _time in range(2):
        deliver(invoice, now=LATER)
    assert (len(mail.outbox), only_delivery()) == (1, ("sent", 1, ""))


def test_every_recipient_gets_one(renderings: list[str]) -> None:
    invoice = final_invoice()
    Delivery.objects.create(invoice=invoice, recipient="second@acme.example", queued_at=LATER)
    deliver(invoice, now=LATER)
    assert [message.to for message in mail.outbox] == [["billing@acme.example"], ["second@acme.example"]]
    assert len({str(message.extra_headers["Message-ID"]) for message in mail.outbox}) == 2
    assert renderings == ["INV-000001"]


def test_the_mail_is_in_the_customers_language() -> None:
    deliver(final_invoice(locale="de"), now=LATER)
    assert "10,50 €" in str(mail.outbox[0].subject)
    assert "3. März 2026" in str(mail.outbox[0].subject)


def test_a_provider_that_lets_nobody_in_is_asked_again_with_the_same_id(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{BACKENDS}.Refusing"
    invoice = final_invoice()
    for attempt in (1, 2):
        with pytest.raises(DeliveryIncomplete, match="nobody is there"):
            deliver(invoice, now=LATER)
        assert only_delivery() == ("queued", attempt, "ConnectionRefusedError: nobody is there")
    assert Invoice.objects.get().sent_at is None
    settings.EMAIL_BACKEND = IN_MEMORY
    deliver(invoice, now=LATER)
    assert only_delivery() == ("sent", 3, "")
    assert mail.outbox[0].extra_headers["Message-ID"] == Delivery.objects.get().message_id


def test_after_the_last_attempt_it_is_given_up_and_reconcile_says_so(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{BACKENDS}.Refusing"
    settings.SQUILL_JOB_MAX_ATTEMPTS = 2
    invoice = final_invoice()
    with pytest.raises(DeliveryIncomplete):
        deliver(invoice, now=LATER)
    deliver(invoice, now=LATER)  # the last one: nothing is left to try
    assert only_delivery() == ("failed", 2, "ConnectionRefusedError: nobody is there")
    deliver(invoice, now=LATER)
    assert only_delivery()[1] == 2
    told = reconcile()
    assert any("INV-000001 was not sent to one recipient" in pending for pending in told.pending)
    assert told.differences == ()


def test_a_mail_whose_answer_was_lost_is_held_and_not_sent_again(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{BACKENDS}.HangingUp"
    invoice = final_invoice()
    deliver(invoice, now=LATER)  # nothing to try again
    status, attempts, words = only_delivery()
    assert (status, attempts) == ("held", 1)
    assert words.endswith("it may have gone out: ConnectionResetError: the provider hung up") or "may have gone out" in words
    settings.EMAIL_BACKEND = IN_MEMORY
    deliver(invoice, now=LATER)
    assert (mail.outbox, only_delivery()[0], Invoice.objects.get().sent_at) == ([], "held", None)
    assert any("INV-000001 may have been sent to one recipient" in pending for pending in reconcile().pending)


def test_a_mail_in_whose_sending_the_process_died_is_held() -> None:
    invoice = final_invoice()
    Delivery.objects.update(status="sending", attempts=1)
    deliver(invoice, now=LATER)
    assert (mail.outbox, only_delivery()[:2]) == ([], ("held", 1))
    assert "look whether it arrived" in only_delivery()[2]
    assert Document.objects.count() == 1


def test_an_answer_that_comes_after_the_mail_was_held_counts(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """A job that is slower than the time after which it is taken for dead."""
    invoice = final_invoice()

    def slow(delivery: Delivery, document: Document, **options: Any) -> Any:
        message = notice_mail(delivery, document, **options)
        send = message.send

        def send_while_held() -> int:
            Delivery.objects.update(status="held")
            return send()

        monkeypatch.setattr(message, "send", send_while_held)
        return message

    monkeypatch.setattr("billing.delivery.deliver.notice_mail", slow)
    deliver(invoice, now=LATER)
    assert (len(mail.outbox), only_delivery()) == (1, ("sent", 1, ""))


def test_a_mail_that_somebody_else_took_meanwhile_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = final_invoice()

    def overtaken(delivery: Delivery, document: Document, **options: Any) -> Any:
        Delivery.objects.update(status="sending")
        return notice_mail(delivery, document, **options)

    monkeypatch.setattr("billing.delivery.deliver.notice_mail", overtaken)
    deliver(invoice, now=LATER)
    assert (mail.outbox, only_delivery()) == ([], ("sending", 0, ""))


def test_the_providers_own_id_is_kept_where_it_gives_one(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{BACKENDS}.Answering"
    deliver(final_invoice(), now=LATER)
    assert Delivery.objects.get().message_id == "provider-7"


def test_one_bad_recipient_does_not_keep_the_others_from_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = final_invoice()
    Delivery.objects.create(invoice=invoice, recipient="second@acme.example", queued_at=LATER)

    def picky(delivery: Delivery, document: Document, **options: Any) -> object:
        if delivery.recipient.startswith("billing"):
            raise ValueError("bad address")
        return notice_mail(delivery, document, **options)

    monkeypatch.setattr("billing.delivery.deliver.notice_mail", picky)
    with pytest.raises(DeliveryIncomplete, match="bad address"):
        deliver(invoice, now=LATER)
    assert list(Delivery.objects.order_by("pk").values_list("status", "attempts")) == [("queued", 1), ("sent", 1)]


def test_a_store_that_never_answers_ends_in_a_failed_notice(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.SQUILL_JOB_MAX_ATTEMPTS = 2
    invoice = final_invoice()

    def broken(*_arguments: object) -> str:
        raise OSError("the store is gone")

    monkeypatch.setattr("billing.delivery.documents._store", broken)
    for status in ("queued", "failed"):
        with pytest.raises(OSError, match="the store is gone"):
            deliver(invoice, now=LATER)
        assert only_delivery()[0] == status
    assert (only_delivery()[1], mail.outbox, Document.objects.count()) == (2, [], 0)


def test_a_void_invoice_keeps_its_document_and_is_not_sent() -> None:
    invoice = final_invoice()
    void_invoice(invoice_id=invoice.pk, reason="wrong", actor=ACTOR, now=LATER)
    deliver(invoice, now=LATER)
    assert Document.objects.count() == 1
    assert (mail.outbox, only_delivery()[0]) == ([], "cancelled")


def test_nothing_is_sent_to_a_suppressed_address_however_it_is_written() -> None:
    invoice = final_invoice(email="Billing@Acme.example")
    suppress(
        address="billing@acme.example", reason=SuppressedAddress.Reason.BOUNCE, detail="no such user", actor=ACTOR, now=LATER
    )
    deliver(invoice, now=LATER)
    words = "mail to the address came back on 2 February 2026: send to another, or lift the suppression"
    assert (mail.outbox, only_delivery()) == ([], ("failed", 0, words))


def test_a_payment_stops_a_reminder_that_is_on_its_way() -> None:
    invoice = final_invoice()
    deliver(invoice, now=LATER)
    BillingEntity.objects.update(reminder_days=[1])
    assert send_reminders(at("2026-03-04")) == 1
    received_on = at("2026-03-04").date()
    record_payment(
        invoice_id=invoice.pk, amount_minor=1050, received_on=received_on, reference="R-1", actor=ACTOR, now=at("2026-03-04")
    )
    deliver(invoice, now=at("2026-03-04"))
    reminder = Delivery.objects.get(kind="reminder")
    assert (reminder.status, len(mail.outbox)) == ("cancelled", 1)
    assert reminder.last_error == "nothing was left to pay when the reminder was to go out"


def test_a_customer_without_reminders_gets_none_that_is_queued_already() -> None:
    invoice = final_invoice()
    BillingEntity.objects.update(reminder_days=[1])
    assert send_reminders(at("2026-03-04")) == 1
    BillingProfile.objects.create(customer=invoice.customer, reminders_paused=True)
    deliver(invoice, now=at("2026-03-04"))
    assert list(Delivery.objects.order_by("pk").values_list("kind", "status")) == [("invoice", "sent"), ("reminder", "cancelled")]


def test_a_name_with_a_line_break_makes_no_header() -> None:
    BillingEntity.objects.create(code="seller", name="Seller\r\nBcc: all@x.example", legal_name="Seller", is_default=True)
    deliver(final_invoice(), now=LATER)
    assert mail.outbox[0].message()["Bcc"] is None
    assert mail.outbox[0].subject.startswith("Invoice INV-000001 from Seller Bcc: all@x.example: ")
