"""Customers with open invoices of 10.00 each, and money that comes in for them."""

from datetime import date
from typing import Any

from billing.invoicing.paying.payments import record_customer_payment, record_payment
from billing.invoicing.paying.reversing import reverse_payment
from billing.models import Invoice, Payment, Plan
from customers.models import Customer
from tests.billing.builders import ACTOR, at, bill, make_catalog, make_customer, subscribe

PAID_ON = date(2026, 4, 3)
PAID_AT = at("2026-04-03T12:00:00Z")


def customer_with_invoices(months: int = 3, external_id: str = "acme", **fields: Any) -> Customer:
    """A customer that was billed 10.00 for each of the first months of 2026, due 30 days after each month: all of it is open."""
    if not Plan.objects.exists():
        make_catalog()
    customer = make_customer(external_id, **fields)
    subscribe(customer)
    for month in range(2, months + 2):
        bill(f"2026-{month:02}-01")
    return customer


def numbered(number: int) -> Invoice:
    """The invoice with the n-th number."""
    return Invoice.objects.get(number=f"INV-{number:06}")


def pay(invoice: Invoice, amount_minor: int, reference: str = "A", **fields: Any) -> Payment:
    """Record money for an invoice, received on 3 April at noon."""
    facts: dict[str, Any] = {"received_on": PAID_ON, "actor": ACTOR, "now": PAID_AT}
    return record_payment(invoice_id=invoice.pk, amount_minor=amount_minor, reference=reference, **(facts | fields))


def pay_for(customer: Customer, amount_minor: int, reference: str = "A", **fields: Any) -> Payment:
    """Record money of a customer in EUR, received on 3 April at noon."""
    facts: dict[str, Any] = {"currency": "EUR", "received_on": PAID_ON, "actor": ACTOR, "now": PAID_AT}
    return record_customer_payment(customer_id=customer.pk, amount_minor=amount_minor, reference=reference, **(facts | fields))


def reverse(payment: Payment, reason: str = "no funds", when: str = "2026-04-05") -> Payment:
    """Take a payment back."""
    return reverse_payment(payment_id=payment.pk, reason=reason, actor=ACTOR, now=at(when))


def standings() -> list[tuple[str, int, str]]:
    """(number, paid in minor units, state) of every final invoice by number."""
    final = Invoice.objects.exclude(number=None).order_by("number")
    return [(number or "", paid, status) for number, paid, status in final.values_list("number", "paid_minor", "status")]


def allocations(payment: Payment) -> list[tuple[str, int]]:
    """(number, minor units) of what a payment was allocated to, in order."""
    rows = payment.allocations.order_by("pk").values_list("invoice__number", "amount_minor")
    return [(number or "", amount) for number, amount in rows]
