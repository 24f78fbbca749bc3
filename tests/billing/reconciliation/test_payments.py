"""Each break of the sums, states and trail of money is named; whole books are not."""

from collections.abc import Iterator

import pytest

from billing.reconciliation.payments import check_payments
from customers.models import Customer
from tests.billing.builders import sql, triggers_off
from tests.billing.paying import customer_with_invoices, pay_for, reverse

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Iterator[Customer]:
    """10.00 and 10.00 billed; A of 15.00 pays the first and half of the second, B of 3.00 was reversed."""
    customer = customer_with_invoices(2)
    pay_for(customer, 1500, "A")
    reverse(pay_for(customer, 300, "B"))
    assert list(check_payments()) == []
    with triggers_off():
        yield customer


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            "UPDATE billing_invoice SET paid_minor = 400 WHERE number = 'INV-000002'",
            ["I7 invoice INV-000002 has allocations of 500, it says 400"],
        ),
        (
            "UPDATE billing_invoice SET status = 'paid' WHERE number = 'INV-000002'",
            ["I7 invoice INV-000002 is paid, though 500 of 1000 is left to pay"],
        ),
        (
            "UPDATE billing_invoice SET status = 'finalized' WHERE number = 'INV-000001'",
            ["I7 invoice INV-000001 is finalized, though 0 of 1000 is left to pay"],
        ),
        (
            "UPDATE billing_invoice SET status = 'void', voided_at = now() WHERE number = 'INV-000002'",
            ["I7 invoice INV-000002 is void, though payments paid 500"],
        ),
        (
            "UPDATE billing_payment SET allocated_minor = 1400 WHERE reference = 'A'",
            ["I7 payment A of acme has allocations of 1500, it says 1400"],
        ),
        (
            "UPDATE billing_payment SET reversed_at = NULL WHERE reference = 'B'",
            [],  # then it is simply a payment with something left
        ),
        (
            "UPDATE billing_payment SET currency = 'USD' WHERE reference = 'A'",
            [
                "I7 payment A pays invoice INV-000001 in another currency",
                "I7 payment A pays invoice INV-000002 in another currency",
            ],
        ),
        (
            "DELETE FROM customers_auditevent WHERE action = 'payment.recorded'",
            [
                "I9 payment A of acme has no audit event payment.recorded",
                "I9 payment B of acme has no audit event payment.recorded",
            ],
        ),
        (
            "DELETE FROM customers_auditevent WHERE action = 'payment.reversed'",
            ["I9 payment B of acme has no audit event payment.reversed"],
        ),
    ],
)
def test_a_break_is_named(acme: Customer, damage: str, told: list[str]) -> None:
    sql(damage)
    assert list(check_payments()) == told


def test_money_of_one_customer_that_pays_anothers_invoice_is_named(acme: Customer) -> None:
    other = customer_with_invoices(0, "other")
    sql(f"UPDATE billing_payment SET customer_id = {other.pk} WHERE reference = 'A'")  # noqa: S608 (a number)
    assert list(check_payments()) == [
        "I12 payment A pays invoice INV-000001 of another customer",
        "I12 payment A pays invoice INV-000002 of another customer",
    ]


def test_more_taken_back_than_was_paid_is_named(acme: Customer) -> None:
    sql(
        "UPDATE billing_paymentallocation SET amount_minor = -amount_minor WHERE payment_id ="
        " (SELECT id FROM billing_payment WHERE reference = 'B') AND amount_minor > 0"
    )
    found = list(check_payments())
    assert "I7 payment B took 600 more back from invoice INV-000002 than it paid" in found
    assert "I7 payment B of acme has allocations of -600, it says 0" in found
