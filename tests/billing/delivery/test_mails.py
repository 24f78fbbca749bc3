"""What the mails say: by kind, by what is left to pay at the time of sending, in the customer's language."""

from datetime import datetime
from email.message import EmailMessage as WireMessage
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from pytest_django import Settings

from billing.delivery.documents import ensure_document
from billing.delivery.mails import message_id, notice_mail, reference
from billing.invoicing.paying.payments import record_payment
from billing.models import BillingEntity, CreditNote, Delivery, Document, Invoice, NumberCounter, Payment
from tests.billing.builders import ACTOR, at
from tests.billing.desks import invoice_of, small_books

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("documents", "renderings")]

SENT = at("2026-02-01")


def open_invoice(**fields: Any) -> Invoice:
    """30.00 due by 3 March 2026 (small_books)."""
    return invoice_of(small_books(**fields))


def seller(**columns: Any) -> None:
    """Change the seller before anything is billed; documents keep what it was."""
    neutral = {"code": "default", "name": "Northlight", "legal_name": "Northlight Systems Ltd"}
    BillingEntity.objects.update_or_create(is_default=True, defaults=neutral | columns)


def pay(invoice: Invoice, amount_minor: int, *, reference: str = "BANK-7") -> Payment:
    day = at("2026-02-10")
    return record_payment(
        invoice_id=invoice.pk, amount_minor=amount_minor, received_on=day.date(), reference=reference, actor=ACTOR, now=day
    )


def written(about: Invoice | CreditNote | Payment, kind: str, *, now: datetime = SENT) -> EmailMultiAlternatives:
    names = {"credit_note": "credit_note", "receipt": "payment"}
    owner: dict[str, Any] = {names.get(kind, "invoice"): about}
    delivery, _new = Delivery.objects.get_or_create(
        **owner, kind=kind, recipient="billing@acme.example", defaults={"queued_at": now}
    )
    return notice_mail(delivery, ensure_document(about, now=now), now=now)


def text(message: EmailMultiAlternatives) -> str:
    return str(message.body)


def html(message: EmailMultiAlternatives) -> str:
    return str(message.alternatives[0][0])


def test_an_invoice_says_what_is_due_and_when_and_leads_to_its_page() -> None:
    seller(email="accounts@northlight.example", tax_id="IE1", iban="IE29AIBK93115212345678", bic="AIBKIE2D")
    message = written(open_invoice(), "invoice")
    assert message.subject == "Invoice INV-000001 from Northlight: €30.00 due 3 March 2026"
    assert message.reply_to == ["accounts@northlight.example"]
    for said in ("Platform fee: €10.00", "Calls: €15.00", "Tax 20%: €5.00", "Total: €30.00", "IBAN: IE29 AIBK 9311 5212 3456 78"):
        assert said in text(message)
    assert "See the invoice:\nhttp://127.0.0.1:8000/portal/invoices/INV-000001\n" in text(message)
    assert "Left to pay" not in text(message)
    assert "Northlight Systems Ltd" in html(message)
    assert "The document is attached as a PDF." in html(message)


def test_where_it_can_be_paid_online_that_is_the_button_by_what_is_left_now() -> None:
    seller(payment_url_template="https://pay.example/{number}?amount={amount}&in={currency}")
    invoice = open_invoice()
    pay(invoice, 1000)
    invoice.refresh_from_db()
    message = written(invoice, "invoice")
    assert message.subject == "Invoice INV-000001 from Northlight: €20.00 due 3 March 2026"
    assert "Pay online:\nhttps://pay.example/INV-000001?amount=20&in=EUR\n" in text(message)
    assert "Total: €30.00\nPaid so far: −€10.00\nLeft to pay: €20.00\n" in text(message)
    assert 'href="https://pay.example/INV-000001?amount=20&amp;in=EUR"' in html(message)
    assert "See the invoice" in html(message)


def test_an_invoice_that_is_paid_says_that_nothing_is_left() -> None:
    seller(payment_url_template="https://pay.example/{number}", iban="IE29AIBK93115212345678")
    invoice = open_invoice()
    pay(invoice, 3000)
    invoice.refresh_from_db()
    message = written(invoice, "invoice")
    assert message.subject == "Invoice INV-000001 from Northlight: €30.00, nothing left to pay"
    assert "Nothing is left to pay." in text(message)
    assert "IBAN" not in text(message)
    assert "Pay online" not in text(message)


@pytest.mark.parametrize(
    ("today", "subject", "said"),
    [
        ("2026-02-28", "Reminder: invoice INV-000001 from Your company, €30.00 due 3 March 2026", "due on 3 March 2026"),
        ("2026-03-03", "Reminder: invoice INV-000001 from Your company, €30.00 due 3 March 2026", "due today"),
        (
            "2026-03-04",
            "Overdue: invoice INV-000001 from Your company, €30.00 was due 3 March 2026",
            "1 day overdue: it was due on",
        ),
        (
            "2026-03-10",
            "Overdue: invoice INV-000001 from Your company, €30.00 was due 3 March 2026",
            "7 days overdue: it was due on",
        ),
    ],
)
def test_a_reminder_is_friendly_before_the_due_date_and_counts_days_after_it(today: str, subject: str, said: str) -> None:
    message = written(open_invoice(), "reminder", now=at(today))
    assert message.subject == subject
    assert said in text(message)
    assert ("urgent" in html(message).partition("</style>")[2]) is subject.startswith("Overdue")


def test_a_reminder_says_what_is_left_after_a_part_was_paid() -> None:
    invoice = open_invoice()
    pay(invoice, 1250)
    invoice.refresh_from_db()
    message = written(invoice, "reminder", now=at("2026-03-10"))
    assert "€17.50 was due" in message.subject
    assert "Total: €30.00\nPaid so far: −€12.50\nLeft to pay: €17.50\n" in text(message)


def test_overdue_counts_by_the_customers_day() -> None:
    invoice = open_invoice(timezone="Pacific/Auckland")  # 13 hours ahead: the 4th has begun there
    message = written(invoice, "reminder", now=at("2026-03-03T12:00:00Z"))
    assert "1 day overdue" in text(message)


def test_a_receipt_says_what_it_paid_and_what_is_kept() -> None:
    invoice = open_invoice()
    payment = pay(invoice, 3500)
    message = written(payment, "receipt", now=at("2026-02-10"))
    assert message.subject == "Receipt from Your company: €35.00 received on 10 February 2026"
    assert "Invoice INV-000001: €30.00\nKept for your next invoices: €5.00\n" in text(message)
    assert "Received: €35.00\nReference: BANK-7\n" in text(message)
    name, content, media_type = message.attachments[0]
    number = f"R-{payment.public_id.hex[:12].upper()}"
    assert (name, content, media_type) == (f"{number}.pdf", f"%PDF-1.7 {number}".encode(), "application/pdf")


def credit_note(invoice: Invoice) -> CreditNote:
    series = invoice.billing_entity.number_series.create(kind="credit_note", pattern="CN-{number:06}")
    counter = NumberCounter.objects.create(series=series)
    counter.last_number += 1
    counter.save()
    snapshot = invoice.snapshot | {
        "kind": "credit_note",
        "number": "CN-000001",
        "total_minor": 3000,
        "reason": "Billed twice.",
        "related": [{"number": "INV-000001", "issued_on": "2026-02-01"}],
        "settlement": {"to_invoice_minor": 2000, "to_balance_minor": 0, "to_refund_minor": 1000},
    }
    return CreditNote.objects.create(
        invoice=invoice,
        customer=invoice.customer,
        billing_entity=invoice.billing_entity,
        number="CN-000001",
        counter=counter,
        sequence=1,
        reason="duplicate",
        reference="1",
        currency="EUR",
        issued_on="2026-02-05",
        issued_at=at("2026-02-05"),
        subtotal_minor=2500,
        tax_minor=500,
        total_minor=3000,
        to_invoice_minor=2000,
        to_refund_minor=1000,
        snapshot=snapshot,
    )


def test_a_credit_note_says_what_becomes_of_it() -> None:
    note = CreditNote.objects.get(pk=credit_note(open_invoice()).pk)
    message = written(note, "credit_note")
    assert message.subject == "Credit note CN-000001 from Your company: €30.00 for invoice INV-000001"
    assert "Credited: €30.00\nTaken off invoice INV-000001: €20.00\nPaid back to you: €10.00\n" in text(message)
    assert "Billed twice." in html(message)
    assert message.attachments[0][0] == "CN-000001.pdf"
    assert Document.objects.get(credit_note=note).storage_key.startswith("credit-notes/2026/CN-000001-")


def test_a_large_pdf_is_not_attached_but_led_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.delivery.mails.LARGEST_ATTACHMENT_BYTES", 10)
    message = written(open_invoice(), "invoice")
    assert message.attachments == []
    assert "The PDF is too large for a mail: it is on the page behind the link." in text(message)


def test_more_lines_than_one_reads_are_left_to_the_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.delivery.notices.LINES_SHOWN", 1)
    message = written(open_invoice(), "invoice")
    assert "Platform fee: €10.00\n1 more line is in the PDF.\n" in text(message)


def test_a_right_to_left_language_is_written_so() -> None:
    page = html(written(open_invoice(locale="ar"), "invoice"))
    assert '<html lang="ar" dir="rtl">' in page
    assert 'align="right"' in page.partition("</style>")[2]


def test_markup_in_names_stays_text() -> None:
    seller(name="<b>Bold</b> & Co", email="a@b.example")
    message = written(open_invoice(name="<script>alert(1)</script>"), "invoice")
    assert "<script>" not in html(message)
    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; Co" in html(message)
    assert "<b>Bold</b> & Co" in message.subject


def test_the_wire_carries_what_mail_programs_look_at(settings: Settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "Northlight <billing@northlight.example>"
    invoice = open_invoice()
    wire: WireMessage = written(invoice, "invoice").message()
    delivery = Delivery.objects.get()
    ours = f"{invoice.public_id}.invoice.{delivery.pk}"
    assert (reference(delivery), message_id(delivery)) == (ours, f"<{ours}@northlight.example>")
    assert (wire["Message-ID"], wire["X-Entity-Ref-ID"], wire["Auto-Submitted"]) == (
        f"<{ours}@northlight.example>",
        ours,
        "auto-generated",
    )
    assert [part.get_content_type() for part in wire.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/pdf",
    ]
