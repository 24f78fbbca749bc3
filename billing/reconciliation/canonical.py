"""The books as sorted JSON: no surrogate ids, no wall-clock times; equal inputs give equal bytes."""

import json
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from billing.models import Invoice, InvoiceLine, InvoiceTax
from billing.pricing.money import from_minor
from squill.lib.currency import exponent
from squill.lib.decimals import plain

# Grain: one row per (customer, meter, day, dimension values); the items of a unique count are counted. Of a weighted sum the
# change of the day is told. Quotients are rounded as quantities are.
_USAGE = """
SELECT c.external_id, m.code, r.dimensions, r.day, sum(r.event_count)::bigint,
       CASE m.aggregation
         WHEN 'count' THEN sum(r.event_count) WHEN 'unique_count' THEN count(r.item)
         WHEN 'min' THEN min(r.value_min) WHEN 'max' THEN max(r.value_max) WHEN 'latest' THEN max(r.value_latest)
         WHEN 'average' THEN round(sum(r.value_sum)::numeric(80, 30) / sum(r.event_count), 12) ELSE sum(r.value_sum) END
FROM usage_rollup r JOIN customers_customer c ON c.id = r.customer_id JOIN usage_meter m ON m.id = r.meter_id
GROUP BY c.external_id, m.code, m.aggregation, r.dimensions, r.day
ORDER BY c.external_id COLLATE "C", m.code COLLATE "C", r.day, r.dimensions::text COLLATE "C"
"""


def export_canonical() -> dict[str, Any]:
    """Return invoices (drafts too, whose number is null) and daily usage in a fixed order. Five queries."""
    return {"invoices": _invoices(), "usage": _usage()}


def _invoices() -> list[dict[str, Any]]:
    lines: dict[int, list[InvoiceLine]] = {}
    for line in InvoiceLine.objects.select_related("billing_period").order_by("invoice_id", "position"):
        lines.setdefault(line.invoice_id, []).append(line)
    taxes: dict[int, list[InvoiceTax]] = {}
    for tax in InvoiceTax.objects.order_by("invoice_id", "rate_pct"):
        taxes.setdefault(tax.invoice_id, []).append(tax)
    invoices = Invoice.objects.select_related("customer", "subscription")
    documents = [
        (_order(invoice), _invoice(invoice, lines.get(invoice.pk, []), taxes.get(invoice.pk, []))) for invoice in invoices
    ]
    return [document for _key, document in sorted(documents, key=lambda pair: pair[0])]


def _order(invoice: Invoice) -> tuple[str, str, str, str]:
    return (invoice.customer.external_id, invoice.boundary_at.isoformat(), invoice.subscription.external_id, invoice.number or "")


def _invoice(invoice: Invoice, lines: list[InvoiceLine], taxes: list[InvoiceTax]) -> dict[str, Any]:
    decimals = exponent(invoice.currency)

    def money(minor: int) -> str:
        return plain(from_minor(minor, exponent=decimals))

    return {
        "customer": invoice.customer.external_id,
        "number": invoice.number,
        "kind": invoice.kind,
        "status": invoice.status,
        "currency": invoice.currency,
        "issued_on": invoice.issued_on.isoformat(),
        "due_on": invoice.due_on.isoformat(),
        "lines": [
            {
                "charge": line.charge_code,
                "group": line.group,
                "description": line.description,
                "period": [_instant(line.billing_period.starts_at), _instant(line.billing_period.ends_at)],
                "quantity": plain(line.quantity),
                "exact_amount": plain(line.exact_amount),
                "amount": money(line.amount_minor),
            }
            for line in lines
        ],
        "subtotal": money(invoice.subtotal_minor),
        "discount": money(invoice.discount_minor),
        "tax": [{"rate": plain(tax.rate_pct), "base": money(tax.base_minor), "amount": money(tax.amount_minor)} for tax in taxes],
        "total": money(invoice.total_minor),
        "due": money(invoice.due_minor),
    }


def _usage() -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_USAGE)
        rows = cursor.fetchall()
    return [
        {
            "customer": customer,
            "meter": meter,
            "dimensions": dimensions,
            "day": day.isoformat(),
            "count": count,
            "value": plain(value),
        }
        for customer, meter, dimensions, day, count, value in ((row[0], row[1], _json(row[2]), *row[3:]) for row in rows)
    ]


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
