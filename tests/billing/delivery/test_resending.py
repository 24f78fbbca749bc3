"""What a person does with notices: sends them again, or says that they arrived; a refusal changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from billing.delivery.mails import message_id
from billing.delivery.resending import UnableToResend, mark_as_sent, resend_invoice, send_again, send_receipt
from billing.delivery.suppression import suppress
from billing.invoicing.paying.payments import record_payment
from billing.invoicing.voiding import void_invoice
from billing.models import Delivery, Invoice, Payment, SuppressedAddress
from customers.models import AuditEvent
from tests.billing.builders import ACTOR, at, bill, row_counts, triggers_off
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


def held(**columns: Any) -> Delivery:
    invoice_of(small_books())
    Delivery.objects.update(**({"status": "held", "attempts": 1, "last_error": "lost"} | columns))
    return Delivery.objects.get()


def trail() -> list[tuple[str, str, object]]:
    events = AuditEvent.objects.filter(actor_label="tests").exclude(action__startswith="customer.").order_by("-pk")[:1]
    return [(event.action, event.object_id, event.after) for event in events]


@pytest.mark.parametrize("status", ["held", "failed", "sent", "cancelled"])
def test_a_person_sends_a_notice_again(status: str) -> None:
    delivery = held(status=status)
    jobs = ProcrastinateJob.objects.count()
    again_queued = send_again(delivery_id=delivery.pk, actor=ACTOR, now=LATER)
    assert (again_queued.status, again_queued.attempts, again_queued.last_error) == ("queued", 0, "")
    assert ProcrastinateJob.objects.count() == jobs + 1
    assert trail() == [("delivery.sent_again", "INV-000001", {"recipient": "billing@acme.example"})]
    send_again(delivery_id=delivery.pk, actor=ACTOR, now=LATER)  # it waits already
    assert ProcrastinateJob.objects.count() == jobs + 1


def test_a_person_marks_a_held_notice_as_sent() -> None:
    delivery = held()
    marked = mark_as_sent(delivery_id=delivery.pk, actor=ACTOR, now=LATER)
    assert (marked.status, marked.sent_at, marked.last_error) == ("sent", LATER, "")
    assert Invoice.objects.get(deliveries=delivery).sent_at == LATER
    assert trail() == [("delivery.marked_as_sent", "INV-000001", {"recipient": "billing@acme.example"})]


@pytest.mark.parametrize("status", ["queued", "sending", "sent", "failed", "cancelled"])
def test_only_a_held_notice_is_marked_as_sent(status: str) -> None:
    delivery = held(status=status)
    before = row_counts()
    with pytest.raises(UnableToResend) as refused:
        mark_as_sent(delivery_id=delivery.pk, actor=ACTOR, now=LATER)
    assert (refused.value.code, Delivery.objects.get().status) == ("not_held", status)
    assert row_counts() == before


def test_nothing_is_queued_for_a_suppressed_address() -> None:
    delivery = held(status="failed")
    reason = SuppressedAddress.Reason.BOUNCE
    suppress(address="billing@acme.example", reason=reason, detail="", actor=ACTOR, now=LATER)
    before = row_counts()
    acts: list[Callable[[], Delivery]] = [
        lambda: again(Invoice.objects.get()),
        lambda: send_again(delivery_id=delivery.pk, actor=ACTOR, now=LATER),
    ]
    for act in acts:
        with pytest.raises(UnableToResend, match="send to another, or lift the suppression") as refused:
            act()
        assert refused.value.code == "suppressed"
    assert (row_counts(), Delivery.objects.get().status) == (before, "failed")


def test_a_notice_of_a_void_invoice_is_not_sent_again() -> None:
    delivery = held(status="failed")
    void_invoice(invoice_id=Invoice.objects.get().pk, reason="x", actor=ACTOR, now=LATER)
    before = row_counts()
    with pytest.raises(UnableToResend) as refused:
        send_again(delivery_id=delivery.pk, actor=ACTOR, now=LATER)
    assert (refused.value.code, row_counts()) == ("void", before)


def test_a_receipt_is_sent_and_one_of_a_reversed_payment_is_not() -> None:
    invoice = invoice_of(small_books())
    day = at("2026-02-10")
    payment = record_payment(
        invoice_id=invoice.pk, amount_minor=1000, received_on=day.date(), reference="BANK-7", actor=ACTOR, now=day
    )
    delivery = send_receipt(payment_id=payment.pk, recipient=" second@acme.example ", actor=ACTOR, now=LATER)
    assert (delivery.kind, delivery.recipient, delivery.status) == ("receipt", "second@acme.example", "queued")
    assert trail() == [("payment.receipt_sent", str(payment.public_id), {"recipient": "second@acme.example"})]
    Delivery.objects.filter(pk=delivery.pk).update(status="failed")
    with triggers_off():
        Payment.objects.update(reversed_at=LATER, allocated_minor=0)
    before = row_counts()
    acts: list[Callable[[], Delivery]] = [
        lambda: send_receipt(payment_id=payment.pk, recipient="a@b.example", actor=ACTOR, now=LATER),
        lambda: send_again(delivery_id=delivery.pk, actor=ACTOR, now=LATER),
    ]
    for act in acts:
        with pytest.raises(UnableToResend) as refused:
            act()
        assert refused.value.code == "reversed"
    assert row_counts() == before
