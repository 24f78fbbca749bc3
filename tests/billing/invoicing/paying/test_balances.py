"""What a customer has left with us, and paying an open invoice with it by hand."""

import pytest

from billing.invoicing.paying.balances import Balance, UnableToApply, allocate_balance, customer_balance, unallocated
from billing.models import Credit, CreditEntry, Invoice
from customers.models import AuditEvent, Customer
from tests.billing.builders import ACTOR, at, row_counts
from tests.billing.paying import PAID_AT, allocations, customer_with_invoices, numbered, pay_for, reverse, standings

pytestmark = pytest.mark.django_db


def apply(invoice: Invoice) -> Invoice:
    return allocate_balance(invoice_id=invoice.pk, actor=ACTOR, now=PAID_AT)


def grant(customer: Customer, amount_minor: int, reference: str, **fields: object) -> Credit:
    facts = {"kind": "promotional", "name": reference, "currency": "EUR", "granted_at": at("2026-01-01")} | fields
    credit = Credit.objects.create(customer=customer, amount_minor=amount_minor, reference=reference, **facts)
    CreditEntry.objects.create(
        credit=credit, kind="granted", amount_minor=amount_minor, recorded_at=credit.granted_at, recorded_by="tests"
    )
    return credit


def test_an_open_invoice_is_paid_as_far_as_the_balance_reaches_the_oldest_payment_first() -> None:
    customer = customer_with_invoices(2)
    first = pay_for(customer, 300, "A", invoices=[])
    second = pay_for(customer, 400, "B", invoices=[])
    apply(numbered(2))
    assert standings() == [("INV-000001", 0, "finalized"), ("INV-000002", 700, "finalized")]
    assert (allocations(first), allocations(second)) == ([("INV-000002", 300)], [("INV-000002", 400)])
    event = AuditEvent.objects.get(action="invoice.balance_applied")
    assert event.after == {"status": "finalized", "applied_minor": 700, "paid_minor": 700, "references": "A, B"}


def test_what_is_not_needed_stays() -> None:
    customer = customer_with_invoices(1)
    payment = pay_for(customer, 1700, invoices=[])
    assert apply(numbered(1)).status == "paid"
    payment.refresh_from_db()
    assert (standings(), payment.left_minor) == ([("INV-000001", 1000, "paid")], 700)


@pytest.mark.parametrize(("amount", "status", "code"), [(0, "finalized", "no_balance"), (700, "paid", "not_open")])
def test_nothing_is_paid_where_nothing_can_be(amount: int, status: str, code: str) -> None:
    customer = customer_with_invoices(1)
    if amount:
        pay_for(customer, amount, invoices=[])
    reverse(pay_for(customer, 400, "REVERSED", invoices=[]))
    Invoice.objects.update(status=status)
    before = row_counts()
    with pytest.raises(UnableToApply) as caught:
        apply(numbered(1))
    assert caught.value.code == code
    assert (row_counts(), standings()) == (before, [("INV-000001", 0, status)])


def test_balances_are_told_by_currency() -> None:
    customer = customer_with_invoices(2)
    pay_for(customer, 1300, "A", invoices=["INV-000001"])  # 3.00 are left
    reverse(pay_for(customer, 900, "B", invoices=[]))
    grant(customer, 250, "welcome")
    grant(customer, 99, "expired", expires_at=at("2026-02-01"))
    grant(customer, 77, "later", granted_at=at("2026-06-01"))
    grant(customer, 500, "dollars", currency="USD")
    assert customer_balance(customer_id=customer.pk, at=PAID_AT) == [
        Balance(currency="EUR", payments_minor=300, credits_minor=250, owed_minor=1000),
        Balance(currency="USD", payments_minor=0, credits_minor=500, owed_minor=0),
    ]
    assert unallocated(customer_id=customer.pk) == {"EUR": 300}


def test_a_customer_without_anything_has_no_balance() -> None:
    customer = customer_with_invoices(0)
    assert customer_balance(customer_id=customer.pk, at=PAID_AT) == []
