"""The books as sorted JSON: no surrogate ids, no wall-clock times; equal inputs give equal bytes."""

import json
from typing import Any

from django.db import connection

from billing.models import CreditNote, CreditNoteLine, CreditNoteTax, Invoice, InvoiceLine, InvoiceTax
from billing.pricing.money import from_minor
from squill.lib.clock import instant_text
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
    """
    Return invoices (drafts too, whose number is null), each followed by its credit notes, and daily usage in a fixed order.

    Eight queries.
    """
    return {"invoices": _invoices(), "usage": _usage()}


def _invoices() -> list[dict[str, Any]]:
    lines: dict[int, list[InvoiceLine]] = {}
    for line in InvoiceLine.objects.select_related("billing_period").order_by("invoice_id", "position"):
        lines.setdefault(line.invoice_id, []).append(line)
    taxes: dict[int, list[InvoiceTax]] = {}
    for tax in InvoiceTax.objects.order_by("invoice_id", "rate_pct"):
        taxes.setdefault(tax.invoice_id, []).append(tax)
    invoices = Invoice.objects.select_related("customer", "subscription")
    documents: list[tuple[tuple[str, ...], dict[str, Any]]] = [
        (_order(invoice), _invoice(invoice, lines.get(invoice.pk, []), taxes.get(invoice.pk, []))) for invoice in invoices
    ]
    documents += _credit_notes()
    return [document for _key, document in sorted(documents, key=lambda pair: pair[0])]


def _credit_notes() -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """Return the credit notes with their places: behind their invoice, by number. Amounts are positive: what is credited."""
    lines: dict[int, list[CreditNoteLine]] = {}
    of_notes = CreditNoteLine.objects.select_related("invoice_line__billing_period").order_by("credit_note_id", "position")
    for line in of_notes:
        lines.setdefault(line.credit_note_id, []).append(line)
    taxes: dict[int, list[CreditNoteTax]] = {}
    for tax in CreditNoteTax.objects.order_by("credit_note_id", "rate_pct", "category"):
        taxes.setdefault(tax.credit_note_id, []).append(tax)
    notes = CreditNote.objects.select_related("customer", "invoice__customer", "invoice__subscription")
    return [
        ((*_order(note.invoice), note.number), _credit_note(note, lines.get(note.pk, []), taxes.get(note.pk, [])))
        for note in notes
    ]


def _credit_note(note: CreditNote, lines: list[CreditNoteLine], taxes: list[CreditNoteTax]) -> dict[str, Any]:
    decimals = exponent(note.currency)

    def money(minor: int) -> str:
        return plain(from_minor(minor, exponent=decimals))

    return {
        "customer": note.customer.external_id,
        "number": note.number,
        "kind": "credit_note",
        "status": "finalized",
        "corrects": note.invoice.number,
        "reason": note.reason,
        "currency": note.currency,
        "issued_on": note.issued_on.isoformat(),
        "lines": [
            {
                "charge": line.invoice_line.charge_code,
                "group": line.invoice_line.group,
                "description": line.description,
                "period": _period(line.invoice_line),
                "quantity": plain(line.quantity),
                "exact_amount": plain(line.exact_amount),
                "amount": money(line.amount_minor),
            }
            for line in lines
        ],
        "subtotal": money(note.subtotal_minor),
        "discount": money(note.discount_minor),
        "tax": [{"rate": plain(tax.rate_pct), "base": money(tax.base_minor), "amount": money(tax.amount_minor)} for tax in taxes],
        "total": money(note.total_minor),
        "to_invoice": money(note.to_invoice_minor),
        "to_balance": money(note.to_balance_minor),
        "to_refund": money(note.to_refund_minor),
    }


def _order(invoice: Invoice) -> tuple[str, ...]:
    boundary = "" if invoice.boundary_at is None else invoice.boundary_at.isoformat()
    subscription = "" if invoice.subscription is None else invoice.subscription.external_id
    return (invoice.customer.external_id, boundary, subscription, invoice.number or "")


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
                "period": _period(line),
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


def _period(line: InvoiceLine) -> list[str] | None:
    """Return the bounds of the period that a line is of; a one-off item is of none."""
    period = line.billing_period
    return None if period is None else [instant_text(period.starts_at), instant_text(period.ends_at)]


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


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
