"""The totals of a month, and whether they are what the documents themselves say (ADR 0027)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from billing.accounting.movements import ALLOCATIONS, CREDIT_MOVEMENTS, PAYMENT_MOVEMENTS
from billing.accounting.period import Period

# Receivables are followed forward: what each invoice was for, less what moved by the day. Void and given up is what the trail
# says of the day. Grain: a currency.
_RECEIVABLES: Final = f"""
WITH {ALLOCATIONS},
invoices AS (
  SELECT i.id, i.number, i.currency, i.issued_on, i.total_minor, i.credits_minor, i.due_minor,
         (i.voided_at AT TIME ZONE %(zone)s)::date AS void_day
  FROM billing_invoice i
  WHERE i.billing_entity_id = %(entity)s AND i.status <> 'draft' AND i.issued_on < %(end)s),
moved AS (
  SELECT id AS invoice_id, issued_on AS day, total_minor AS invoiced, credits_minor AS used, 0 AS credited, 0 AS paid, 0 AS back
  FROM invoices
  UNION ALL SELECT n.invoice_id, n.issued_on, 0, 0, n.to_invoice_minor, 0, 0 FROM billing_creditnote n
  UNION ALL SELECT invoice_id, day, 0, 0, 0, greatest(amount_minor, 0), greatest(-amount_minor, 0) FROM allocations),
per_invoice AS (
  SELECT i.id, i.number, i.currency, i.void_day,
         sum(m.invoiced - m.used - m.credited - m.paid + m.back) FILTER (WHERE m.day < %(first)s) AS before,
         sum(m.invoiced - m.used - m.credited - m.paid + m.back) AS after,
         sum(m.invoiced) FILTER (WHERE m.day >= %(first)s) AS invoiced, sum(m.used) FILTER (WHERE m.day >= %(first)s) AS used,
         sum(m.credited) FILTER (WHERE m.day >= %(first)s) AS credited, sum(m.paid) FILTER (WHERE m.day >= %(first)s) AS paid,
         sum(m.back) FILTER (WHERE m.day >= %(first)s) AS back
  FROM invoices i JOIN moved m ON m.invoice_id = i.id AND m.day < %(end)s GROUP BY i.id, i.number, i.currency, i.void_day),
given_up AS (
  SELECT DISTINCT ON (e.object_id, x.day) e.object_id AS number, x.day, e.after->>'status' AS status
  FROM customers_auditevent e CROSS JOIN (VALUES (%(first)s::date), (%(end)s::date)) x(day)
  WHERE e.object_type = 'invoice' AND e.after ? 'status' AND (e.at AT TIME ZONE %(zone)s)::date < x.day
    AND e.object_id IN (SELECT object_id FROM customers_auditevent
                        WHERE object_type = 'invoice' AND after->>'status' = 'uncollectible')
  ORDER BY e.object_id, x.day, e.at DESC, e.id DESC)
SELECT currency,
       sum(coalesce(before, 0) * (NOT void_first AND NOT up_first)::int), sum(coalesce(invoiced, 0)), sum(coalesce(used, 0)),
       sum(coalesce(credited, 0)), sum(coalesce(paid, 0)), sum(coalesce(back, 0)),
       sum(after * void_end::int - coalesce(before, 0) * void_first::int),
       sum(after * (up_end AND NOT void_end)::int - coalesce(before, 0) * (up_first AND NOT void_first)::int)
FROM (
  SELECT p.*, coalesce(p.void_day < %(first)s, false) AS void_first, coalesce(p.void_day < %(end)s, false) AS void_end,
         coalesce(f.status = 'uncollectible', false) AS up_first, coalesce(l.status = 'uncollectible', false) AS up_end
  FROM per_invoice p LEFT JOIN given_up f ON f.number = p.number AND f.day = %(first)s
  LEFT JOIN given_up l ON l.number = p.number AND l.day = %(end)s) x
GROUP BY currency ORDER BY currency
"""  # noqa: S608 (constants only)
# And backward: from what the rows say now, less what moved since the end of the month. The state at its end is what the first
# move since then left behind. Grain: a currency.
_BY_INVOICES: Final = f"""
WITH {ALLOCATIONS},
since AS (
  SELECT invoice_id, sum(amount_minor) AS moved FROM (
    SELECT invoice_id, amount_minor FROM allocations WHERE day >= %(end)s
    UNION ALL SELECT invoice_id, to_invoice_minor FROM billing_creditnote WHERE issued_on >= %(end)s) x GROUP BY invoice_id)
SELECT i.currency, sum(i.due_minor - i.paid_minor - i.credited_minor + coalesce(s.moved, 0))
FROM billing_invoice i LEFT JOIN since s ON s.invoice_id = i.id
LEFT JOIN LATERAL (
  SELECT e.before->>'status' AS status FROM customers_auditevent e
  WHERE e.object_type = 'invoice' AND e.object_id = i.number AND e.before ? 'status'
    AND (e.at AT TIME ZONE %(zone)s)::date >= %(end)s
  ORDER BY e.at, e.id LIMIT 1) at_end ON true
WHERE i.billing_entity_id = %(entity)s AND i.status <> 'draft' AND i.issued_on < %(end)s
  AND coalesce(at_end.status, i.status) NOT IN ('void', 'uncollectible')
GROUP BY i.currency
"""  # noqa: S608 (constants only)
# Grain: a currency and kind of movement; the empty kind is all that came before the month.
_PAYMENTS: Final = f"""
WITH {PAYMENT_MOVEMENTS}
SELECT currency, CASE WHEN day < %(first)s THEN '' ELSE item END AS kind, sum(amount_minor)
FROM payment_movements WHERE day < %(end)s GROUP BY 1, 2
"""  # noqa: S608 (constants only)
# Grain: a currency. What is left over of payments by their own sums, less what moved since the end of the month.
_BY_PAYMENTS: Final = f"""
WITH {PAYMENT_MOVEMENTS},
since AS (SELECT currency, sum(amount_minor) AS moved FROM payment_movements WHERE day >= %(end)s GROUP BY 1),
now AS (
  SELECT currency, sum(amount_minor - allocated_minor) FILTER (WHERE reversed_at IS NULL) AS left_over FROM payments GROUP BY 1)
SELECT currency, coalesce(n.left_over, 0) - coalesce(s.moved, 0) FROM now n FULL JOIN since s USING (currency)
"""  # noqa: S608 (constants only)
_CREDITS: Final = f"""
WITH {CREDIT_MOVEMENTS}
SELECT currency, CASE WHEN day < %(first)s THEN '' ELSE item END AS kind, sum(amount_minor)
FROM credit_movements WHERE day < %(end)s GROUP BY 1, 2
"""  # noqa: S608 (constants only)
# Grain: a currency and kind of document.
_DOCUMENTS: Final = """
SELECT 'invoices', currency, sum(subtotal_minor), sum(discount_minor), sum(tax_minor), sum(total_minor) FROM billing_invoice
WHERE billing_entity_id = %(entity)s AND status <> 'draft' AND issued_on >= %(first)s AND issued_on < %(end)s GROUP BY currency
UNION ALL
SELECT 'credit_notes', currency, sum(subtotal_minor), sum(discount_minor), sum(tax_minor), sum(total_minor)
FROM billing_creditnote
WHERE billing_entity_id = %(entity)s AND issued_on >= %(first)s AND issued_on < %(end)s GROUP BY currency
ORDER BY 1 DESC, 2
"""
_PAYMENT_ITEMS: Final = ("received", "reversed", "allocated", "taken_back")
_CREDIT_ITEMS: Final = ("granted", "used", "returned", "expired", "voided", "refunded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """One row of the totals, in minor units; the items of an account between opening and closing add up to the difference."""

    account: str
    currency: str
    item: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """All totals of a month, and where they are not what the documents say; `differences` is empty where the books agree."""

    rows: Sequence[Total]
    differences: Sequence[str]


def totals_of(period: Period) -> Totals:
    """
    Add the month up by currency. Reads all invoices and payments of the seller once, in the database; six queries.

    Of receivables, opening + invoiced - credits used - credited - paid + taken back - void - uncollectible is closing; of
    payments, opening + received - reversed - allocated + taken back; of credits, opening and the entries. The first two closings
    are compared with what the rows of invoices and payments say of themselves.
    """
    rows = [*_documents(period)]
    differences: list[str] = []
    receivables = {row[0]: row[1:] for row in _select(_RECEIVABLES, period)}
    _compare("receivables", rows, differences, _receivables(receivables), dict(_select(_BY_INVOICES, period)))
    payments = _by_currency(_select(_PAYMENTS, period))
    _compare("payments", rows, differences, _account("payments", payments, _PAYMENT_ITEMS), dict(_select(_BY_PAYMENTS, period)))
    rows += _account("credits", _by_currency(_select(_CREDITS, period)), _CREDIT_ITEMS)
    return Totals(rows=rows, differences=differences)


def _documents(period: Period) -> list[Total]:
    items = ("subtotal", "discount", "tax", "total")
    return [
        Total(account=str(account), currency=currency, item=item, amount_minor=int(amount))
        for account, currency, *amounts in _select(_DOCUMENTS, period)
        for item, amount in zip(items, amounts, strict=True)
    ]


def _receivables(found: Mapping[str, Sequence[Any]]) -> list[Total]:
    rows = []
    for currency, values in sorted(found.items()):
        opening, invoiced, used, credited, paid, back, void, given_up = (int(value) for value in values)
        items = {
            "opening": opening,
            "invoiced": invoiced,
            "credits_used": -used,
            "credited": -credited,
            "paid": -paid,
            "taken_back": back,
            "void": -void,
            "uncollectible": -given_up,
        }
        closing = sum(items.values())
        rows += [
            Total(account="receivables", currency=currency, item=item, amount_minor=amount)
            for item, amount in {**items, "closing": closing}.items()
        ]
    return rows


def _account(account: str, found: Mapping[str, Mapping[str, int]], items: Sequence[str]) -> list[Total]:
    rows = []
    for currency, moved in sorted(found.items()):
        amounts = {"opening": moved.get("", 0)} | {item: moved.get(item, 0) for item in items}
        closing = sum(moved.values())
        rows += [
            Total(account=account, currency=currency, item=item, amount_minor=amount)
            for item, amount in {**amounts, "closing": closing}.items()
        ]
    return rows


def _compare(account: str, rows: list[Total], differences: list[str], found: list[Total], said: Mapping[str, Any]) -> None:
    """Add an account to the rows, each closing followed by what the documents say of it, and name where the two differ."""
    closings = {total.currency: total.amount_minor for total in found if total.item == "closing"}
    for total in found:
        rows.append(total)
        if total.item == "closing":
            own = int(said.get(total.currency) or 0)
            rows.append(Total(account=account, currency=total.currency, item="closing_by_documents", amount_minor=own))
    for currency in sorted(closings.keys() | said.keys()):
        own, followed = int(said.get(currency) or 0), closings.get(currency, 0)
        if own != followed:
            differences.append(f"{account} in {currency}: movements come to {followed}, the documents say {own} (minor units)")


def _by_currency(rows: Sequence[tuple[Any, ...]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for currency, item, amount in rows:
        found.setdefault(currency, {})[item] = int(amount)
    return found


def _select(statement: str, period: Period) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, period.arguments)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
