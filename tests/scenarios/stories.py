"""What each story of a subscription ends with."""

from django.db import connection

from tests.billing.subscriptions.steps import unpaid_differences

# I4, asked of the rows alone: live periods that leave a gap or overlap, parts that two live invoices bill, and lines of a part
# on an invoice that its period does not name.
_I4 = """
WITH live AS (SELECT * FROM billing_billingperiod WHERE superseded_at IS NULL),
neighbours AS (
  SELECT subscription_id, first_day, starts_at, lag(ends_at) OVER (PARTITION BY subscription_id ORDER BY starts_at) AS before
  FROM live
)
SELECT 'gap', subscription_id, first_day FROM neighbours WHERE before IS DISTINCT FROM starts_at AND before IS NOT NULL
UNION ALL
SELECT 'twice', subscription_id, boundary_at::date FROM billing_invoice WHERE status <> 'void' GROUP BY 1, 2, 3, boundary_at
HAVING count(*) > 1
UNION ALL
SELECT 'elsewhere', p.subscription_id, p.first_day FROM billing_invoiceline l
JOIN billing_invoice i ON i.id = l.invoice_id AND i.status <> 'void'
JOIN billing_billingperiod p ON p.id = l.billing_period_id
WHERE l."group" <> 'adjustment' AND i.id NOT IN (coalesce(p.arrears_invoice_id, 0), coalesce(p.advance_invoice_id, 0))
"""


def assert_books_agree() -> None:
    """Nothing differs and nothing is left to be billed (I3), and every part of every period is billed once (I4)."""
    with connection.cursor() as cursor:
        cursor.execute(_I4)
        assert cursor.fetchall() == []
    assert unpaid_differences() == []
