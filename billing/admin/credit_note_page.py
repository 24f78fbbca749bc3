"""A credit note as the finance desk shows it: amounts, lines, taxes, what became of it, deliveries, and its story."""

from collections.abc import Iterable
from typing import Any

import msgspec

from billing.admin.crediting import settlement_words
from billing.admin.shown import DELIVERY_COLORS, day, days, locale, moment, money
from billing.admin.story import story_of
from billing.invoicing.snapshot import from_json
from billing.models import CreditNote, Document
from customers.models import AuditEvent
from squill.web import formatting

_STORY = 50


def credit_note_rows(notes: Iterable[CreditNote]) -> list[dict[str, Any]]:
    """Return credit notes as rows of a table. One query."""
    return [
        {
            "pk": note.pk,
            "number": note.number,
            "issued_on": day(note.issued_on),
            "reason": note.get_reason_display(),
            "total": money(note.total_minor, note.currency),
            "settlement": settled_words(note),
        }
        for note in notes
    ]


def settled_words(note: CreditNote) -> list[str]:
    """Say what becomes of its total."""
    return settlement_words(
        to_invoice=note.to_invoice_minor,
        to_balance=note.to_balance_minor,
        to_refund=0 if note.refunded_at else note.to_refund_minor,
        currency=note.currency,
        refunded=note.to_refund_minor if note.refunded_at else 0,
        refund_reference=note.refund_reference,
    )


def credit_note_page(note: CreditNote) -> dict[str, Any]:
    """Return the page of a credit note whose invoice and customer are loaded. Four queries."""
    snapshot = msgspec.structs.replace(from_json(note.snapshot), locale=locale())  # staff reads it in its own language
    currency = note.currency
    return {
        "note": note,
        "total": money(note.total_minor, currency),
        "reason": note.get_reason_display(),
        "issued_on": day(note.issued_on),
        "settlement": settled_words(note),
        "is_refund_open": bool(note.to_refund_minor and note.refunded_at is None),
        "buyer": snapshot.buyer,
        "seller": snapshot.seller,
        "has_discount": bool(note.discount_minor),
        "lines": [
            {
                "name": line.description,
                "detail": line.detail,
                "days": days(line.first_day, line.last_day),
                "quantity": f"{formatting.format_decimal(line.quantity, locale())} {line.unit}".strip(),
                "amount": money(line.amount_minor, currency),
                "discount": money(-line.discount_minor, currency) if line.discount_minor else "",
                "net": money(line.amount_minor - line.discount_minor, currency),
            }
            for line in snapshot.lines
        ],
        "net": money(note.subtotal_minor - note.discount_minor, currency),
        "taxes": [
            {
                "rate": formatting.format_percent(tax.rate, locale()),
                "base": money(tax.base_minor, currency),
                "amount": money(tax.amount_minor, currency),
                "note": tax.note,
            }
            for tax in snapshot.taxes
        ],
        "deliveries": [
            {
                "recipient": delivery.recipient,
                "error": delivery.last_error,
                "status": delivery.get_status_display(),
                "color": DELIVERY_COLORS[delivery.status],
                "sent_at": moment(delivery.sent_at) if delivery.sent_at else "–",
            }
            for delivery in note.deliveries.order_by("pk")
        ],
        "document": Document.objects.filter(credit_note=note).first(),
        "story": story_of(
            AuditEvent.objects.filter(object_type="credit_note", object_id=note.number).order_by("-at", "-pk")[:_STORY],
            currency=currency,
        ),
    }
