"""I7 and I9 of money: what payments paid, added up again from the allocations by other code than that which wrote the sums."""

from collections.abc import Iterator
from typing import Any, Final

from django.db import connection

# Grain: an invoice whose sum is not that of its allocations, or whose state is not what is left to pay asks for. Nothing is
# left of a paid invoice and something of every other one that can be paid; drafts and void ones have no payments.
_INVOICES: Final = """
WITH sums AS (SELECT invoice_id, sum(amount_minor) AS paid FROM billing_paymentallocation GROUP BY invoice_id)
SELECT coalesce(i.number, i.public_id::text), i.status, i.due_minor, i.credited_minor, i.paid_minor, coalesce(s.paid, 0)
FROM billing_invoice i LEFT JOIN sums s ON s.invoice_id = i.id
WHERE i.paid_minor <> coalesce(s.paid, 0)
   OR (i.status = 'paid') IS DISTINCT FROM (i.due_minor - i.credited_minor - coalesce(s.paid, 0) = 0)
      AND i.status IN ('finalized', 'paid', 'uncollectible')
   OR i.status IN ('draft', 'void') AND coalesce(s.paid, 0) <> 0
ORDER BY i.id
"""
# Grain: a payment whose sum is not that of its allocations, or is more than it is, or that pays something though reversed.
_PAYMENTS: Final = """
WITH sums AS (SELECT payment_id, sum(amount_minor) AS paid FROM billing_paymentallocation GROUP BY payment_id)
SELECT p.reference, c.external_id, p.amount_minor, p.allocated_minor, coalesce(s.paid, 0), p.reversed_at IS NOT NULL
FROM billing_payment p JOIN customers_customer c ON c.id = p.customer_id LEFT JOIN sums s ON s.payment_id = p.id
WHERE p.allocated_minor <> coalesce(s.paid, 0) OR coalesce(s.paid, 0) NOT BETWEEN 0 AND p.amount_minor
   OR (p.reversed_at IS NOT NULL AND coalesce(s.paid, 0) <> 0)
ORDER BY p.id
"""
# Grain: a pair of payment and invoice that does not belong together, or of which more was taken back than was paid.
_PAIRS: Final = """
SELECT p.reference, i.number, bool_or(p.customer_id <> i.customer_id), bool_or(p.currency <> i.currency), sum(a.amount_minor)
FROM billing_paymentallocation a JOIN billing_payment p ON p.id = a.payment_id JOIN billing_invoice i ON i.id = a.invoice_id
GROUP BY p.id, i.id
HAVING bool_or(p.customer_id <> i.customer_id OR p.currency <> i.currency) OR sum(a.amount_minor) < 0
ORDER BY p.id, i.id
"""
# Grain: a payment without the audit event of its recording or of its reversal. One that was recorded for an invoice is told of
# on the trail of the invoice.
_TRAIL: Final = """
SELECT p.reference, c.external_id, x.action
FROM billing_payment p JOIN customers_customer c ON c.id = p.customer_id LEFT JOIN billing_invoice i ON i.id = p.invoice_id
CROSS JOIN LATERAL (
  SELECT CASE WHEN i.id IS NULL THEN 'payment.recorded' ELSE 'invoice.payment_recorded' END AS action,
         CASE WHEN i.id IS NULL THEN 'payment' ELSE 'invoice' END AS object_type,
         coalesce(i.number, p.public_id::text) AS object_id
  UNION ALL
  SELECT 'payment.reversed', 'payment', p.public_id::text WHERE p.reversed_at IS NOT NULL) x
WHERE NOT EXISTS (
  SELECT 1 FROM customers_auditevent e
  WHERE e.object_type = x.object_type AND e.object_id = x.object_id AND e.action = x.action
    AND (x.object_type = 'payment' OR e.after->>'reference' = p.reference))
ORDER BY p.id
"""


def check_payments() -> Iterator[str]:
    """I7, I9: sums of allocations, states by what is left, whose money pays whose invoice, and the trail. Four queries."""
    for number, status, due, credited, said, paid in _rows(_INVOICES):
        if said != paid:
            yield f"I7 invoice {number} has allocations of {paid}, it says {said}"
        elif status in ("draft", "void"):
            yield f"I7 invoice {number} is {status}, though payments paid {paid}"
        else:
            yield f"I7 invoice {number} is {status}, though {due - credited - paid} of {due} is left to pay"
    for reference, customer, amount, said, paid, is_reversed in _rows(_PAYMENTS):
        name = f"payment {reference} of {customer}"
        if said != paid:
            yield f"I7 {name} has allocations of {paid}, it says {said}"
        elif is_reversed:
            yield f"I7 {name} was reversed, and pays {paid}"
        else:
            yield f"I7 {name} of {amount} pays {paid}"
    for reference, number, is_of_another, is_in_another, paid in _rows(_PAIRS):
        if is_of_another:
            yield f"I12 payment {reference} pays invoice {number} of another customer"
        elif is_in_another:
            yield f"I7 payment {reference} pays invoice {number} in another currency"
        else:
            yield f"I7 payment {reference} took {-paid} more back from invoice {number} than it paid"
    for reference, customer, action in _rows(_TRAIL):
        yield f"I9 payment {reference} of {customer} has no audit event {action}"


def _rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
