"""Money of a customer finds its invoices: those that are named, or the open ones, what is due first first."""

from datetime import date

import pytest

from billing.invoicing.paying.payments import PaymentError, open_invoices
from billing.models import Delivery, Invoice, Payment
from customers.models import AuditEvent
from tests.billing.builders import ACTOR, bill, make_customer, row_counts, sql, triggers_off
from tests.billing.paying import allocations, customer_with_invoices, numbered, pay, pay_for, standings

pytestmark = pytest.mark.django_db


def test_without_names_what_is_due_first_is_paid_first() -> None:
    customer = customer_with_invoices(3)
    payment = pay_for(customer, 1500)
    assert standings() == [
        ("INV-000001", 1000, "paid"),
        ("INV-000002", 500, "finalized"),
        ("INV-000003", 0, "finalized"),
    ]
    assert allocations(payment) == [("INV-000001", 1000), ("INV-000002", 500)]
    assert (payment.invoice, payment.left_minor) == (None, 0)
    event = AuditEvent.objects.get(action="payment.recorded")
    assert (event.object_id, event.actor_label) == (str(payment.public_id), ACTOR.label)
    assert event.after == {"amount_minor": 1500, "currency": "EUR", "reference": "A"}
    assert AuditEvent.objects.filter(action="invoice.payment_recorded").count() == 2


def test_named_invoices_are_paid_in_the_order_of_their_names() -> None:
    payment = pay_for(customer_with_invoices(3), 1500, invoices=["INV-000003", "INV-000001", "INV-000003"])
    assert allocations(payment) == [("INV-000003", 1000), ("INV-000001", 500)]


def test_what_named_invoices_leave_stays_with_the_payment() -> None:
    customer = customer_with_invoices(2)
    payment = pay_for(customer, 1700, invoices=["INV-000002"])
    assert (allocations(payment), payment.left_minor) == ([("INV-000002", 1000)], 700)
    bill("2026-04-01")  # the next invoice takes it, INV-000001 is left as it is
    assert standings() == [
        ("INV-000001", 0, "finalized"),
        ("INV-000002", 1000, "paid"),
        ("INV-000003", 700, "finalized"),
    ]


def test_no_names_at_all_leave_everything_with_the_customer() -> None:
    payment = pay_for(customer_with_invoices(1), 700, invoices=[])
    assert (allocations(payment), payment.left_minor) == ([], 700)


def test_what_was_given_up_is_only_paid_where_it_is_named() -> None:
    customer = customer_with_invoices(2)
    Invoice.objects.filter(number="INV-000001").update(status="uncollectible")
    pay_for(customer, 1200, "A")
    assert standings() == [("INV-000001", 0, "uncollectible"), ("INV-000002", 1000, "paid")]
    pay_for(customer, 1000, "B", invoices=["INV-000001"])
    assert standings()[0] == ("INV-000001", 1000, "paid")


def test_the_same_reference_again_changes_nothing() -> None:
    customer = customer_with_invoices(2)
    first = pay_for(customer, 1500)
    before = row_counts()
    assert pay_for(customer, 1500) == first
    assert pay_for(customer, 1500, invoices=["INV-000002"]) == first
    assert row_counts() == before


@pytest.mark.parametrize(
    ("amount", "reference", "fields", "code"),
    [
        (0, "B", {}, "amount_not_positive"),
        (10**18, "B", {}, "amount_too_large"),
        (500, "A", {}, "reference_differs"),
        (100, "A", {"received_on": date(2026, 4, 2)}, "reference_differs"),
        (100, "OF-INVOICE", {}, "reference_differs"),
        (5, "B", {"received_on": date(2026, 4, 4)}, "in_future"),
        (5, "B", {"received_on": date(1999, 12, 31)}, "too_long_ago"),
        (5, "B", {"currency": "USD"}, "currency_differs"),
        (5, "B", {"currency": "XXX"}, "currency_differs"),
        (5, "B", {"invoices": ["INV-000099"]}, "invoice_not_found"),
        (5, "B", {"invoices": ["INV-000003"]}, "invoice_not_found"),  # another customer's
        (5, "B", {"invoices": ["INV-000001"]}, "not_open"),  # paid
    ],
)
def test_what_cannot_be_is_refused(amount: int, reference: str, fields: dict[str, object], code: str) -> None:
    customer = customer_with_invoices(2)
    customer_with_invoices(1, "other")
    pay(numbered(1), 1000, "OF-INVOICE")
    pay_for(customer, 100, "A")
    before = (row_counts(), standings())
    with pytest.raises(PaymentError) as caught:
        pay_for(customer, amount, reference, **fields)
    assert caught.value.code == code
    assert (row_counts(), standings()) == before


def test_money_in_another_currency_pays_no_invoice_that_names_it() -> None:
    customer = customer_with_invoices(2)
    with triggers_off():
        sql("UPDATE billing_invoice SET currency = 'USD' WHERE number = 'INV-000002'")
    with pytest.raises(PaymentError) as caught:
        pay_for(customer, 500, invoices=["INV-000001", "INV-000002"])
    assert caught.value.code == "currency_differs"
    assert Payment.objects.count() == 0
    pay_for(customer, 5000, currency="USD")  # an invoice in it is there, and is the only one that it pays
    assert standings() == [("INV-000001", 0, "finalized"), ("INV-000002", 1000, "paid")]


def test_a_customer_without_invoices_can_pay_ahead() -> None:
    payment = pay_for(make_customer(), 700)
    assert (allocations(payment), payment.left_minor) == ([], 700)


def test_a_receipt_is_queued_where_the_seller_sends_them() -> None:
    customer = customer_with_invoices(1)
    sql("UPDATE billing_billingentity SET sends_receipts = true")
    payment = pay_for(customer, 500)
    assert Delivery.objects.get(kind="receipt").payment == payment


def test_open_invoices_are_told_in_the_order_in_which_they_are_paid() -> None:
    customer = customer_with_invoices(3)
    with triggers_off():
        sql("UPDATE billing_invoice SET due_on = '2026-02-01' WHERE number = 'INV-000003'")
    told = [invoice.number for invoice in open_invoices(customer.pk, "EUR")]
    assert told == ["INV-000003", "INV-000001", "INV-000002"]
    assert [number for number, _amount in allocations(pay_for(customer, 2500))] == told
