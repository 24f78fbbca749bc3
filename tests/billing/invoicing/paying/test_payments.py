"""Money received: in parts, in full, too much, and the same reference once."""

from datetime import date

import pytest

from billing.invoicing.paying.payments import PaymentError
from billing.models import Delivery, Invoice, Payment
from customers.models import AuditEvent
from tests.billing.builders import at, bill, invoices, make_catalog, make_customer, row_counts, sql, subscribe, triggers_off
from tests.billing.paying import allocations, customer_with_invoices, numbered, pay, pay_for, standings

pytestmark = pytest.mark.django_db

PAST = {"received_on": date(2026, 2, 3), "now": at("2026-02-03")}


def open_invoice(*, finalize: bool = True) -> Invoice:
    make_catalog()
    subscribe(make_customer())
    bill("2026-02-01", finalize=finalize)
    return invoices()[0]  # 10.00


def state() -> tuple[int, str]:
    return Invoice.objects.values_list("paid_minor", "status").get()


def test_parts_add_up_until_nothing_is_left() -> None:
    invoice = open_invoice()
    pay(invoice, 300, "A")
    assert state() == (300, "finalized")
    pay(invoice, 700, "B")
    assert state() == (1000, "paid")
    last = AuditEvent.objects.filter(action="invoice.payment_recorded").order_by("-pk")[0]
    assert last.before == {"status": "finalized"}
    assert last.after == {"status": "paid", "paid_minor": 1000, "reference": "B"}


def test_what_is_too_much_stays_with_the_payment_and_pays_the_next_invoice() -> None:
    invoice = open_invoice()
    payment = pay(invoice, 1700, "A", **PAST)
    payment.refresh_from_db()
    assert (state(), payment.allocated_minor, payment.left_minor) == ((1000, "paid"), 1000, 700)

    bill("2026-03-01")
    payment.refresh_from_db()
    assert standings() == [("INV-000001", 1000, "paid"), ("INV-000002", 700, "finalized")]
    assert allocations(payment) == [("INV-000001", 1000), ("INV-000002", 700)]
    assert payment.left_minor == 0
    snapshot = Invoice.objects.get(number="INV-000002").snapshot
    assert (snapshot["due_minor"], snapshot["paid_minor"]) == (1000, 700)


def test_the_same_reference_again_changes_nothing() -> None:
    invoice = open_invoice()
    first = pay(invoice, 1000, "A")
    before = row_counts()
    assert pay(invoice, 1000, "A") == first
    assert (row_counts(), state()) == (before, (1000, "paid"))


@pytest.mark.parametrize(
    ("amount", "reference", "fields", "code"),
    [
        (0, "B", {}, "amount_not_positive"),
        (-5, "B", {}, "amount_not_positive"),
        (10**18, "B", {}, "amount_too_large"),
        (5, "A", {}, "reference_differs"),
        (300, "A", {"received_on": date(2026, 4, 2)}, "reference_differs"),
        (5, "B", {"received_on": date(2026, 4, 4)}, "in_future"),
        (5, "B", {"received_on": date(1999, 12, 31)}, "too_long_ago"),
        (5, "B", {"currency": "USD"}, "currency_differs"),
    ],
)
def test_money_that_cannot_be_is_refused(amount: int, reference: str, fields: dict[str, object], code: str) -> None:
    invoice = open_invoice()
    pay(invoice, 300, "A")
    before = row_counts()
    with pytest.raises(PaymentError) as caught:
        pay(invoice, amount, reference, **fields)
    assert caught.value.code == code
    assert (row_counts(), state()) == (before, (300, "finalized"))


@pytest.mark.parametrize("table", ["customers_customer", "billing_billingentity"])
def test_the_day_is_that_of_the_customer_or_of_the_seller(table: str) -> None:
    invoice = open_invoice()
    with triggers_off():
        sql(f"UPDATE {table} SET timezone = 'Pacific/Kiritimati'")  # noqa: S608 (constants); 14 hours ahead of UTC
    pay(invoice, 5, "A", received_on=date(2026, 4, 4))
    assert state() == (5, "finalized")


def test_only_an_open_invoice_is_paid() -> None:
    draft = open_invoice(finalize=False)
    with pytest.raises(PaymentError) as caught:
        pay(draft, 5, "A")
    assert caught.value.code == "not_open"
    bill("2026-02-01")
    pay(draft, 1000, "A")
    with pytest.raises(PaymentError) as caught:
        pay(draft, 5, "B")
    assert caught.value.code == "not_open"
    assert "INV-000001 is paid" in str(caught.value)
    assert Payment.objects.count() == 1


def test_an_invoice_that_was_given_up_is_paid_after_all() -> None:
    invoice = open_invoice()
    Invoice.objects.update(status="uncollectible")
    pay(invoice, 400, "A")
    assert state() == (400, "uncollectible")
    pay(invoice, 600, "B")
    assert state() == (1000, "paid")


def test_a_reference_of_the_customer_is_not_recorded_again_for_one_invoice() -> None:
    customer = customer_with_invoices(1)
    pay_for(customer, 500, "A")
    before = row_counts()
    with pytest.raises(PaymentError) as caught:
        pay(numbered(1), 500, "A")
    assert caught.value.code == "reference_differs"
    assert (row_counts(), state()) == (before, (500, "finalized"))


def test_a_receipt_is_queued_where_the_seller_sends_them() -> None:
    invoice = open_invoice()
    Invoice.objects.get().billing_entity.__class__.objects.update(sends_receipts=True)
    payment = pay(invoice, 500, "A")
    pay(invoice, 500, "A")
    receipt = Delivery.objects.get(kind="receipt")
    assert (receipt.payment, receipt.recipient, receipt.status) == (payment, "billing@acme.example", "queued")


def test_no_receipt_is_queued_where_the_seller_sends_none() -> None:
    pay(open_invoice(), 500, "A")
    assert not Delivery.objects.filter(kind="receipt").exists()
