import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from billing.delivery.mails import message_id
from billing.delivery.resending import UnableToResend, resend_invoice
from billing.invoicing.voiding import void_invoice
from billing.models import Delivery, Invoice
from tests.billing.builders import ACTOR, at, bill, row_counts
from tests.billing.desks import invoice_of, small_books

pytestmark = pytest.mark.django_db

LATER = at("2026-02-20")


def again(invoice: Invoice, recipient: str = "billing@acme.example") -> Delivery:
    return resend_invoice(invoice_id=invoice.pk, recipient=recipient, actor=ACTOR, now=LATER)


def test_what_was_sent_is_queued_once_more_under_another_message_id() -> None:
    invoice = invoice_of(small_books())
    first = message_id(Delivery.objects.get())
    Delivery.objects.update(status=Delivery.Status.SENT, attempts=2, message_id=first, sent_at=at("2026-02-01"))
    jobs = ProcrastinateJob.objects.count()

    delivery = again(invoice)

    assert (delivery.status, delivery.attempts, delivery.queued_at) == (Delivery.Status.QUEUED, 0, LATER)
    assert Delivery.objects.count() == 1
    assert ProcrastinateJob.objects.count() == jobs + 1
    assert message_id(delivery) == first.replace("@", ".20260220000000@")


def test_what_has_not_gone_out_yet_keeps_its_attempts() -> None:
    invoice = invoice_of(small_books())
    Delivery.objects.update(status=Delivery.Status.SENDING, attempts=1)
    assert (again(invoice).status, Delivery.objects.get().attempts) == (Delivery.Status.SENDING, 1)


def test_refusals_write_nothing() -> None:
    customer = small_books()
    bill("2026-03-01", finalize=False)
    draft = Invoice.objects.get(customer=customer, status="draft")
    final = Invoice.objects.get(customer=customer, status="finalized")
    void_invoice(invoice_id=final.pk, reason="x", actor=ACTOR, now=LATER)
    before = row_counts()
    for invoice, recipient, code in ((draft, "a@b.example", "draft"), (final, "a@b.example", "void")):
        with pytest.raises(UnableToResend) as refused:
            again(invoice, recipient)
        assert refused.value.code == code
    assert row_counts() == before


def test_an_address_is_needed() -> None:
    invoice = invoice_of(small_books())
    before = row_counts()
    with pytest.raises(UnableToResend) as refused:
        again(invoice, " ")
    assert refused.value.code == "recipient_missing"
    assert row_counts() == before
