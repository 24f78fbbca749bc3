"""An invoice as the finance desk shows it: amounts, lines with their making, taxes, payments, deliveries, and its story."""

from typing import Any

import msgspec

from billing.admin.credit_note_page import credit_note_rows
from billing.admin.delivery_rows import delivery_rows
from billing.admin.shown import STANDING_COLORS, day, days, link, locale, moment, money, today
from billing.admin.story import Chapter, story_of
from billing.delivery.rendering.lines import printed_groups
from billing.invoicing.paying.balances import payments_of
from billing.invoicing.snapshot import InvoiceSnapshot, from_json
from billing.invoicing.snapshotting import draft_snapshot
from billing.invoicing.standing import Standing, standing
from billing.invoicing.voiding import replacement_of
from billing.models import Document, Invoice
from customers.models import AuditEvent
from squill.lib import clock
from squill.web import formatting

_STORY = 50


def invoice_page(invoice: Invoice) -> dict[str, Any]:
    """Return the page of a loaded invoice. At most ten queries."""
    snapshot = draft_snapshot(invoice, at=clock.now()) if invoice.status == Invoice.Status.DRAFT else from_json(invoice.snapshot)
    snapshot = msgspec.structs.replace(snapshot, locale=locale())  # staff reads it in its own language
    stands = standing(invoice, today=today())
    left = invoice.left_minor if invoice.status == Invoice.Status.FINALIZED else 0
    return {
        "invoice": invoice,
        "replaced_by": replacement_of(invoice) if invoice.status == Invoice.Status.VOID else None,
        "notes": snapshot.notes,
        "standing_label": stands.label,
        "standing_color": STANDING_COLORS[stands.value],
        "is_overdue": stands == Standing.OVERDUE,
        "is_draft": stands == Standing.DRAFT,
        "due": money(snapshot.due_minor, invoice.currency),
        "paid": money(invoice.paid_minor, invoice.currency),
        "left": money(left, invoice.currency),
        "credited": money(invoice.credited_minor, invoice.currency) if invoice.credited_minor else "",
        "credit_notes": credit_note_rows(invoice.credit_notes.defer("snapshot").order_by("pk")),
        "period": days(invoice.first_day, invoice.last_day),
        "issued_on": day(invoice.issued_on),
        "due_on": day(invoice.due_on),
        "buyer": snapshot.buyer,
        "seller": snapshot.seller,
        "groups": printed_groups(snapshot),
        "totals": _totals(snapshot),
        "payments": [
            {
                "received_on": day(part.payment.received_on),
                "about": " · ".join((part.payment.method.replace("_", " "), part.payment.reference, part.payment.recorded_by)),
                "link": link("billing_payment", part.payment.pk, money(part.paid_minor, invoice.currency)),
                "reason": part.payment.reversal_reason,
            }
            for part in payments_of(invoice)
        ],
        "made_at": moment(invoice.finalized_at or invoice.drafted_at),
        "voided_at": moment(invoice.voided_at) if invoice.voided_at else "",
        "deliveries": delivery_rows(invoice.deliveries.order_by("pk")),
        "document": Document.objects.filter(invoice=invoice).first(),
        "story": _story(invoice),
    }


def _totals(snapshot: InvoiceSnapshot) -> list[dict[str, str]]:
    """Return the rows under the lines: label key, an extra and the amount. Speaks figures only, the template has the words."""

    def amount(minor: int) -> str:
        return formatting.format_money_minor(minor, snapshot.currency, snapshot.locale)

    rows = [{"kind": "subtotal", "amount": amount(snapshot.subtotal_minor)}]
    for discount in snapshot.discounts:
        rows.append({"kind": "discount", "label": discount.label, "amount": amount(-discount.amount_minor)})
    for tax in snapshot.taxes:
        rate = formatting.format_percent(tax.rate, snapshot.locale)
        figures = {"base": amount(tax.base_minor), "amount": amount(tax.amount_minor)}
        rows.append({"kind": "tax", "rate": rate, "note": tax.note, **figures})
    rows.append({"kind": "total", "amount": amount(snapshot.total_minor)})
    for credit in snapshot.credits:
        rows.append({"kind": "credits", "label": credit.label, "amount": amount(-credit.amount_minor)})
    return rows


def _story(invoice: Invoice) -> list[Chapter]:
    """Return who did what with the invoice, newest first; as a draft it was named by its id."""
    names = [str(invoice.public_id), *([invoice.number] if invoice.number else [])]
    events = AuditEvent.objects.filter(object_type="invoice", object_id__in=names).order_by("-at", "-pk")
    return story_of(events[:_STORY], currency=invoice.currency)
