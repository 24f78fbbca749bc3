"""
On which day money moved, in SQL: the pieces that the tables and the totals share.

A payment counts on the day of its receipt. What it pays of an invoice counts on that day too where both were recorded
together, and else on the day on which it was allocated, so that a month that is over stays as it is; but never before the
invoice was issued.
A reversal counts on the day on which it was recorded. Days are those of the seller.

A payment belongs to the seller of the invoice that it was recorded for, else of the first invoice that it paid, else of its
customer; a credit to that of its credit note, else of its customer.
"""

from typing import Final

# Grain: an allocation, with the seller of the invoice and of the payment.
ALLOCATIONS: Final = """
paying AS (
  SELECT p.*, coalesce(own.billing_entity_id, first_paid.billing_entity_id, b.billing_entity_id) AS entity_id
  FROM billing_payment p
  LEFT JOIN billing_invoice own ON own.id = p.invoice_id
  LEFT JOIN LATERAL (
    SELECT i.billing_entity_id FROM billing_paymentallocation a JOIN billing_invoice i ON i.id = a.invoice_id
    WHERE a.payment_id = p.id ORDER BY a.id LIMIT 1) first_paid ON true
  LEFT JOIN billing_billingprofile b ON b.customer_id = p.customer_id),
payments AS (
  SELECT * FROM paying WHERE entity_id = %(entity)s OR (entity_id IS NULL AND %(is_default)s)),
allocations AS (
  SELECT a.id, a.payment_id, a.invoice_id, a.amount_minor, p.currency, i.number,
         i.billing_entity_id = %(entity)s AS of_our_invoice,
         coalesce(p.entity_id = %(entity)s, %(is_default)s) AS of_our_payment,
         greatest(CASE WHEN a.recorded_at = p.recorded_at THEN p.received_on
                  ELSE (a.recorded_at AT TIME ZONE %(zone)s)::date END, p.received_on, i.issued_on) AS day
  FROM billing_paymentallocation a JOIN paying p ON p.id = a.payment_id JOIN billing_invoice i ON i.id = a.invoice_id)
"""
# Grain: a movement of a payment of ours: received (+), reversed (-), allocated (what goes to invoices is negative here).
PAYMENT_MOVEMENTS: Final = f"""
{ALLOCATIONS},
payment_movements AS (
  SELECT 'received' AS item, received_on AS day, id AS payment_id, currency, amount_minor, NULL::bigint AS invoice_id, 0 AS place
  FROM payments
  UNION ALL
  SELECT CASE WHEN amount_minor > 0 THEN 'allocated' ELSE 'taken_back' END, day, payment_id, currency, -amount_minor, invoice_id,
         CASE WHEN amount_minor > 0 THEN 1 ELSE 2 END
  FROM allocations WHERE of_our_payment
  UNION ALL
  SELECT 'reversed', greatest(received_on, (reversed_at AT TIME ZONE %(zone)s)::date), id, currency, -amount_minor, NULL, 3
  FROM payments WHERE reversed_at IS NOT NULL)
"""  # noqa: S608 (constants only)
# Grain: an entry of a credit of ours.
CREDIT_MOVEMENTS: Final = """
credit_movements AS (
  SELECT e.id, e.kind AS item, (e.recorded_at AT TIME ZONE %(zone)s)::date AS day, c.id AS credit_id, c.currency, e.amount_minor,
         e.invoice_id
  FROM billing_creditentry e JOIN billing_credit c ON c.id = e.credit_id
  LEFT JOIN billing_creditnote n ON n.id = c.credit_note_id
  LEFT JOIN billing_billingprofile b ON b.customer_id = c.customer_id
  WHERE coalesce(n.billing_entity_id, b.billing_entity_id) = %(entity)s
     OR (coalesce(n.billing_entity_id, b.billing_entity_id) IS NULL AND %(is_default)s))
"""
