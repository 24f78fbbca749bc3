"""Money from several connections at once: whatever order they come in, each unit pays once and nothing is paid twice."""

from functools import partial

import pytest

from billing.invoicing.paying.balances import UnableToApply, allocate_balance
from billing.invoicing.paying.payments import PaymentError
from billing.invoicing.voiding import UnableToVoid, void_invoice
from billing.models import Payment, PaymentAllocation
from billing.reconciliation.payments import check_payments
from tests.billing.builders import ACTOR, bill
from tests.billing.paying import PAID_AT, customer_with_invoices, numbered, pay, pay_for, reverse, standings
from tests.usage.builders import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


def outcome(work: object, *refusals: type[Exception]) -> str:
    try:
        work()  # type: ignore[operator]
    except refusals as refusal:
        return str(getattr(refusal, "code", refusal))
    return "done"


def test_two_payments_for_one_invoice_pay_it_once_and_the_rest_is_left_over() -> None:
    customer_with_invoices(1)
    works = [lambda reference=reference: pay(numbered(1), 400, reference) for reference in "ABCD"]
    told = in_threads(*[lambda work=work: outcome(work, PaymentError) for work in works])
    # 4.00 + 4.00 + 2.00 pay it; then it is paid, and the fourth is refused.
    assert sorted(map(str, told)) == ["done", "done", "done", "not_open"]
    assert standings() == [("INV-000001", 1000, "paid")]
    assert sorted(payment.left_minor for payment in Payment.objects.all()) == [0, 0, 200]
    assert list(check_payments()) == []


def test_one_reference_from_several_at_once_is_one_payment() -> None:
    customer = customer_with_invoices(1)
    in_threads(*[lambda: pay(numbered(1), 1000, "A")] * 4)
    in_threads(*[lambda: pay_for(customer, 700, "B")] * 4)
    assert sorted(Payment.objects.values_list("reference", flat=True)) == ["A", "B"]
    assert standings() == [("INV-000001", 1000, "paid")]


def test_payments_of_a_customer_that_name_invoices_crosswise_do_not_wait_for_each_other_for_ever() -> None:
    customer = customer_with_invoices(2)
    orders = {"A": ["INV-000001", "INV-000002"], "B": ["INV-000002", "INV-000001"]}
    works = [lambda key=key: pay_for(customer, 400, key, invoices=orders[key]) for key in orders]
    crossing = [lambda: pay(numbered(2), 100, "C"), lambda: pay(numbered(1), 100, "D")]
    in_threads(*works, *crossing)
    assert standings() == [("INV-000001", 500, "finalized"), ("INV-000002", 500, "finalized")]
    assert list(check_payments()) == []


def test_of_a_payment_and_a_void_at_once_one_wins() -> None:
    for round_number in range(1, 4):
        customer_with_invoices(1, f"customer-{round_number}")
        invoice = numbered(round_number)

        pays = partial(pay, invoice, 1000)
        voids = partial(void_invoice, invoice_id=invoice.pk, reason="wrong", actor=ACTOR, now=PAID_AT)
        told = in_threads(partial(outcome, pays, PaymentError), partial(outcome, voids, UnableToVoid))
        invoice.refresh_from_db()
        assert (*told, invoice.status, invoice.paid_minor) in (
            ("done", "paid", "paid", 1000),
            ("not_open", "done", "void", 0),
        )
    assert list(check_payments()) == []


def test_a_reversal_and_an_allocation_at_once_leave_nothing_of_the_reversed_money() -> None:
    customer = customer_with_invoices(3)
    payment = pay_for(customer, 3000, invoices=[])

    def apply(number: int) -> object:
        return allocate_balance(invoice_id=numbered(number).pk, actor=ACTOR, now=PAID_AT)

    works = [lambda number=number: outcome(lambda: apply(number), UnableToApply) for number in (3, 1, 2)]
    told = in_threads(*works, lambda: outcome(lambda: reverse(payment)))
    assert told[3] == "done"
    assert set(told[:3]) <= {"done", "no_balance"}
    payment.refresh_from_db()
    assert (payment.allocated_minor, sum(PaymentAllocation.objects.values_list("amount_minor", flat=True))) == (0, 0)
    assert [(paid, status) for _number, paid, status in standings()] == [(0, "finalized")] * 3
    assert list(check_payments()) == []


def test_a_reversal_and_a_finalisation_at_once_leave_nothing_of_the_reversed_money() -> None:
    customer = customer_with_invoices(1)
    payment = pay_for(customer, 3000)
    in_threads(lambda: bill("2026-03-01"), lambda: reverse(payment))
    payment.refresh_from_db()
    assert payment.allocated_minor == 0
    assert standings() == [("INV-000001", 0, "finalized"), ("INV-000002", 0, "finalized")]
    assert list(check_payments()) == []
