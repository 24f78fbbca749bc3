"""A payment that came back: everything that it paid is open again, and nothing is deleted."""

import pytest

from billing.invoicing.paying.reversing import UnableToReverse, paid_by
from billing.models import Delivery, Invoice, Payment
from customers.models import AuditEvent
from tests.billing.builders import bill, row_counts, sql
from tests.billing.paying import allocations, customer_with_invoices, numbered, pay, pay_for, reverse, standings

pytestmark = pytest.mark.django_db


def test_invoices_that_it_paid_are_open_again() -> None:
    customer = customer_with_invoices(3)
    payment = pay_for(customer, 1500)
    reverse(payment, " no funds ")
    payment.refresh_from_db()
    assert standings() == [(f"INV-00000{number}", 0, "finalized") for number in (1, 2, 3)]
    assert allocations(payment) == [("INV-000001", 1000), ("INV-000002", 500), ("INV-000001", -1000), ("INV-000002", -500)]
    assert (payment.allocated_minor, payment.left_minor, payment.reversal_reason) == (0, 0, "no funds")
    event = AuditEvent.objects.get(action="payment.reversed")
    assert event.after == {"amount_minor": 1500, "currency": "EUR", "reference": "A", "reason": "no funds"}
    moved = AuditEvent.objects.filter(action="invoice.payment_reversed").order_by("pk")
    assert [(each.object_id, each.before["status"], each.after["status"]) for each in moved] == [
        ("INV-000001", "paid", "finalized"),
        ("INV-000002", "finalized", "finalized"),
    ]


def test_what_another_payment_paid_stays_paid() -> None:
    customer_with_invoices(1)
    first, _second = pay(numbered(1), 400, "A"), pay(numbered(1), 600, "B")
    reverse(first)
    assert standings() == [("INV-000001", 600, "finalized")]


def test_what_was_left_over_of_it_pays_nothing_any_more() -> None:
    customer = customer_with_invoices(1)
    payment = pay_for(customer, 1700)
    reverse(payment)
    bill("2026-03-01")
    assert standings() == [("INV-000001", 0, "finalized"), ("INV-000002", 0, "finalized")]


def test_an_invoice_that_was_given_up_stays_so() -> None:
    customer_with_invoices(1)
    Invoice.objects.update(status="uncollectible")
    payment = pay(numbered(1), 400)
    reverse(payment)
    assert standings() == [("INV-000001", 0, "uncollectible")]


def test_reversing_twice_does_it_once() -> None:
    customer = customer_with_invoices(1)
    payment = pay_for(customer, 700)
    first = reverse(payment)
    before = row_counts()
    assert reverse(payment, "once more").reversed_at == first.reversed_at
    assert row_counts() == before


def test_the_same_reference_is_the_reversed_payment() -> None:
    customer = customer_with_invoices(1)
    payment = pay_for(customer, 700)
    reverse(payment)
    again = pay_for(customer, 700)
    assert (again, again.reversed_at is not None, standings()) == (payment, True, [("INV-000001", 0, "finalized")])


def test_a_reason_is_asked_for() -> None:
    payment = pay_for(customer_with_invoices(1), 700)
    before = (row_counts(), standings())
    with pytest.raises(UnableToReverse) as caught:
        reverse(payment, "  ")
    assert caught.value.code == "reason_missing"
    assert (row_counts(), standings(), Payment.objects.get().reversed_at) == (*before, None)


def test_a_receipt_that_waits_is_not_sent_any_more() -> None:
    customer = customer_with_invoices(1)
    sql("UPDATE billing_billingentity SET sends_receipts = true")
    reverse(pay_for(customer, 700))
    receipt = Delivery.objects.get(kind="receipt")
    assert (receipt.status, receipt.last_error) == ("cancelled", "the payment was reversed before its receipt was sent")


def test_what_a_payment_pays_is_told_by_invoice() -> None:
    customer = customer_with_invoices(2)
    payment = pay_for(customer, 1500)
    assert paid_by(payment) == {numbered(1).pk: 1000, numbered(2).pk: 500}
    reverse(payment)
    assert paid_by(payment) == {}
