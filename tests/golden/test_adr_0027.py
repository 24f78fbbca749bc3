"""The worked example of ADR 0027: too much pays the next invoice, and goes back with all that it paid."""

from datetime import date

import pytest

from billing.invoicing.paying.balances import Balance, customer_balance
from billing.invoicing.paying.payments import record_customer_payment
from billing.invoicing.paying.reversing import reverse_payment
from billing.models import Invoice
from billing.reconciliation.payments import check_payments
from tests.golden.books import ACTOR, bill, day, sell, subscribe

pytestmark = pytest.mark.django_db


def test_money_of_a_customer() -> None:
    sell('{code: fee, model: flat, amount: "10"}')
    customer = subscribe().customer
    january, february = bill(day(2, 1)), bill(day(3, 1))
    payment = record_customer_payment(
        customer_id=customer.pk,
        currency="EUR",
        amount_minor=2500,
        received_on=date(2026, 3, 5),
        reference="bank-1",
        actor=ACTOR,
        now=day(3, 5),
    )
    assert [Invoice.objects.get(pk=one.pk).status for one in (january, february)] == ["paid", "paid"]
    assert customer_balance(customer_id=customer.pk, at=day(3, 5)) == [
        Balance(currency="EUR", payments_minor=500, credits_minor=0, owed_minor=0)
    ]

    march = bill(day(4, 1))
    assert (march.due_minor, march.paid_minor, march.left_minor, march.status) == (1000, 500, 500, "finalized")

    reverse_payment(payment_id=payment.pk, reason="no funds", actor=ACTOR, now=day(4, 10))
    assert set(Invoice.objects.values_list("status", "paid_minor")) == {("finalized", 0)}
    assert customer_balance(customer_id=customer.pk, at=day(4, 10)) == [
        Balance(currency="EUR", payments_minor=0, credits_minor=0, owed_minor=3000)
    ]
    assert list(check_payments()) == []
