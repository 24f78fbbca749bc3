"""I7 of coupons and credits, by other code than bills: what each credit has left, what each coupon took off, how often."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from django.db import connection

from billing.models import Invoice, InvoiceLine
from billing.reconciliation.reference import half_up

_FETCHED_AT_ONCE = 500

# Grain: credit. Its entries, in the order in which they were written, never leave less than nothing or more than it is worth.
_BALANCES = """
SELECT c.reference, k.external_id, min(e.running), max(e.running), c.amount_minor,
  count(*) FILTER (WHERE e.kind = 'granted'), coalesce(sum(e.amount_minor) FILTER (WHERE e.kind = 'granted'), 0)
FROM billing_credit c
JOIN customers_customer k ON k.id = c.customer_id
LEFT JOIN (
  SELECT credit_id, kind, amount_minor, sum(amount_minor) OVER (PARTITION BY credit_id ORDER BY id) AS running
  FROM billing_creditentry
) e ON e.credit_id = c.id
GROUP BY c.id, c.reference, k.external_id, c.amount_minor
HAVING min(e.running) IS NULL OR min(e.running) < 0 OR max(e.running) > c.amount_minor
  OR count(*) FILTER (WHERE e.kind = 'granted') <> 1
  OR sum(e.amount_minor) FILTER (WHERE e.kind = 'granted') <> c.amount_minor
ORDER BY 2, 1
"""
# Grain: invoice. Final ones used what they say; void ones gave all of it back; drafts have not used anything.
_INVOICES = """
SELECT coalesce(i.number, i.public_id::text), i.status, i.credits_minor, coalesce(e.used, 0), coalesce(e.returned, 0)
FROM billing_invoice i
LEFT JOIN (
  SELECT invoice_id, -sum(amount_minor) FILTER (WHERE kind = 'used') AS used,
    sum(amount_minor) FILTER (WHERE kind = 'returned') AS returned
  FROM billing_creditentry WHERE invoice_id IS NOT NULL GROUP BY 1
) e ON e.invoice_id = i.id
WHERE CASE i.status
    WHEN 'draft' THEN e.invoice_id IS NOT NULL
    WHEN 'void' THEN coalesce(e.used, 0) <> i.credits_minor OR coalesce(e.returned, 0) <> i.credits_minor
    ELSE coalesce(e.used, 0) <> i.credits_minor OR e.returned IS NOT NULL
  END
ORDER BY 1
"""
# Grain: entry. A credit pays its own customer's invoices in its own currency, and a void one gives back what that one used.
_STRANGERS = """
SELECT e.id, c.reference, i.number
FROM billing_creditentry e
JOIN billing_credit c ON c.id = e.credit_id
JOIN billing_invoice i ON i.id = e.invoice_id
WHERE i.customer_id <> c.customer_id OR i.currency <> c.currency
  OR (e.kind = 'returned' AND NOT EXISTS (
    SELECT 1 FROM billing_creditentry u
    WHERE u.credit_id = e.credit_id AND u.invoice_id = e.invoice_id AND u.kind = 'used' AND u.amount_minor = -e.amount_minor))
ORDER BY 1
"""
# Grain: redeemed coupon. Void invoices do not use it up.
_USES = """
SELECT p.code, k.external_id, count(DISTINCT i.id) FILTER (WHERE i.status <> 'void'),
  CASE p.duration WHEN 'once' THEN 1 WHEN 'periods' THEN p.period_count END,
  count(*) FILTER (WHERE i.customer_id <> r.customer_id)
FROM billing_couponredemption r
JOIN billing_coupon p ON p.id = r.coupon_id
JOIN customers_customer k ON k.id = r.customer_id
JOIN billing_invoicediscount d ON d.redemption_id = r.id
JOIN billing_invoice i ON i.id = d.invoice_id
GROUP BY r.id, p.code, k.external_id, p.duration, p.period_count
HAVING count(DISTINCT i.id) FILTER (WHERE i.status <> 'void')
    > coalesce(CASE p.duration WHEN 'once' THEN 1 WHEN 'periods' THEN p.period_count END, 9223372036854775807)
  OR count(*) FILTER (WHERE i.customer_id <> r.customer_id) > 0
ORDER BY 1, 2
"""
_REDEMPTIONS = """
SELECT p.code, count(*), p.max_redemptions
FROM billing_coupon p JOIN billing_couponredemption r ON r.coupon_id = p.id
GROUP BY p.id, p.code, p.max_redemptions HAVING count(*) > p.max_redemptions ORDER BY 1
"""


def check_credits() -> Iterator[str]:
    """I7: check that each credit stays within its worth, and that invoices used what they say. Three queries."""
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES)
        for reference, customer, least, most, worth, grants, granted in cursor.fetchall():
            grant = f"granted {grants} times with {granted}"
            yield f"I7 credit {reference} of {customer} is worth {worth}, was {grant}, and went from {least} to {most}"
        cursor.execute(_INVOICES)
        for number, status, said, used, returned in cursor.fetchall():
            yield f"I7 invoice {number} is {status} and says credits of {said}; entries used {used} and gave back {returned}"
        cursor.execute(_STRANGERS)
        for entry, reference, number in cursor.fetchall():
            yield f"I7 credit entry {entry} of {reference} does not fit invoice {number}"


def check_coupons() -> Iterator[str]:
    """I7: check what each coupon took off each invoice, and that none was used or given more often than it may."""
    with connection.cursor() as cursor:
        cursor.execute(_USES)
        for code, customer, uses, most, strangers in cursor.fetchall():
            yield f"I7 coupon {code} of {customer} is on {uses} of {most} invoices, {strangers} of them of somebody else"
        cursor.execute(_REDEMPTIONS)
        for code, count, most in cursor.fetchall():
            yield f"I7 coupon {code} was redeemed {count} times, {most} at most"
    reduced = Invoice.objects.filter(discounts__isnull=False).distinct().order_by("pk")
    parts = ("lines__billing_period__plan_version__plan", "lines__charge__plan_version__plan", "discounts__redemption__coupon")
    for invoice in reduced.prefetch_related(*parts).iterator(_FETCHED_AT_ONCE):
        name = f"invoice {invoice.number or invoice.public_id}"
        yield from (f"I7 {name} {what}" for what in _check_discounts(invoice))


def _check_discounts(invoice: Invoice) -> Iterator[str]:
    """Take the coupons off once more, in order, each shared exactly; the rows may differ from that by the rounding of shares."""
    lines = sorted(invoice.lines.all(), key=lambda line: line.position)
    left = [Fraction(line.amount_minor) for line in lines]
    steps = 0
    for discount in sorted(invoice.discounts.all(), key=lambda discount: discount.position):
        coupon = discount.redemption.coupon
        chosen = [_is_reduced(line, coupon.plan_codes, coupon.charge_codes) for line in lines]
        whole = sum((amount for amount, is_in in zip(left, chosen, strict=True) if is_in), Fraction(0))
        expected = _expected(whole, coupon.percent, coupon.amount_minor)
        # Each coupon before it may have put a unit more or less on each of the lines.
        if abs(expected - discount.amount_minor) > steps * len(lines) + Fraction(1, 2):
            yield f"has a discount of {discount.amount_minor} by {coupon.code}, its lines give {expected}"
        if discount.amount_minor > whole + steps * len(lines):
            yield f"has a discount of {discount.amount_minor} by {coupon.code} on lines of {whole}"
        if whole <= 0:
            return
        ratio = 1 - Fraction(discount.amount_minor) / whole
        left = [amount * ratio if is_in else amount for amount, is_in in zip(left, chosen, strict=True)]
        steps += 1
    for line, amount in zip(lines, left, strict=True):
        if abs(amount - line.net_minor) > max(2 * steps - 1, 0):
            yield f"has line {line.position} with {line.net_minor} after discounts, the coupons leave {amount}"


def _expected(whole: Fraction, percent: Decimal | None, amount_minor: int | None) -> Fraction:
    if percent is not None:
        return Fraction(half_up(whole * Fraction(percent) / 100))
    return min(Fraction(amount_minor or 0), whole)


def _is_reduced(line: InvoiceLine, plans: list[str], charges: list[str]) -> bool:
    """Say whether a coupon of plans and charges is for a line, by its row."""
    period, charge = line.billing_period, line.charge
    if period is None:
        return not plans and not charges
    plan = (charge.plan_version if charge else period.plan_version).plan.code
    code = charge.code if charge else ":minimum-commitment"
    return (not plans or plan in plans) and (not charges or code in charges)
