"""An invoice as the finance desk shows it: amounts, lines with their making, taxes, payments, deliveries, and its story."""

from typing import Any

import msgspec

from billing.admin.shown import DELIVERY_COLORS, STANDING_COLORS, day, days, locale, moment, money, today
from billing.admin.story import Chapter, story_of
from billing.delivery.rendering.lines import printed_groups
from billing.invoicing.snapshot import InvoiceSnapshot, from_json
from billing.invoicing.snapshotting import take_snapshot
from billing.invoicing.standing import Standing, standing
from billing.models import Invoice, InvoiceDocument
from customers.models import AuditEvent
from squill.web import formatting

_STORY = 50


def invoice_page(invoice: Invoice) -> dict[str, Any]:
    """Return the page of a loaded invoice. At most nine queries."""
    lines, taxes = list(invoice.lines.order_by("position")), list(invoice.taxes.order_by("rate_pct"))
    if invoice.status == Invoice.Status.DRAFT:
        snapshot = take_snapshot(invoice, lines, taxes, number="", finalized_at=None)
    else:
        snapshot = from_json(invoice.snapshot)
    snapshot = msgspec.structs.replace(snapshot, locale=locale())  # staff reads it in its own language
    stands = standing(invoice, today=today())
    left = invoice.due_minor - invoice.paid_minor if invoice.status == Invoice.Status.FINALIZED else 0
    return {
        "invoice": invoice,
        "standing_label": stands.label,
        "standing_color": STANDING_COLORS[stands.value],
        "is_overdue": stands == Standing.OVERDUE,
        "is_draft": stands == Standing.DRAFT,
        "due": money(invoice.due_minor, invoice.currency),
        "paid": money(invoice.paid_minor, invoice.currency),
        "left": money(left, invoice.currency),
        "period": days(invoice.first_day, invoice.last_day),
        "issued_on": day(invoice.issued_on),
        "due_on": day(invoice.due_on),
        "buyer": snapshot.buyer,
        "seller": snapshot.seller,
        "groups": printed_groups(snapshot),
        "totals": _totals(snapshot),
        "payments": [
            (
                day(payment.received_on),
                payment.method.replace("_", " "),
                payment.reference,
                payment.recorded_by,
                money(payment.amount_minor, invoice.currency),
            )
            for payment in invoice.payments.order_by("received_on", "pk")
        ],
        "made_at": moment(invoice.finalized_at or invoice.drafted_at),
        "voided_at": moment(invoice.voided_at) if invoice.voided_at else "",
        "deliveries": [
            {
                "recipient": delivery.recipient,
                "error": delivery.last_error,
                "status": delivery.get_status_display(),
                "color": DELIVERY_COLORS[delivery.status],
                "sent_at": moment(delivery.sent_at) if delivery.sent_at else "–",
            }
            for delivery in invoice.deliveries.order_by("pk")
        ],
        "document": InvoiceDocument.objects.filter(invoice=invoice).first(),
        "story": _story(invoice),
    }


def _totals(snapshot: InvoiceSnapshot) -> list[dict[str, str]]:
    """Return the rows under the lines: label key, an extra and the amount. Speaks figures only, the template has the words."""

    def amount(minor: int) -> str:
        return formatting.format_money_minor(minor, snapshot.currency, snapshot.locale)

    rows = [{"kind": "subtotal", "amount": amount(snapshot.subtotal_minor)}]
    if snapshot.discount_minor:
        rows.append({"kind": "discount", "amount": amount(-snapshot.discount_minor)})
    for tax in snapshot.taxes:
        rate = formatting.format_percent(tax.rate, snapshot.locale)
        rows.append({"kind": "tax", "rate": rate, "base": amount(tax.base_minor), "amount": amount(tax.amount_minor)})
    rows.append({"kind": "total", "amount": amount(snapshot.total_minor)})
    if snapshot.credits_minor:
        rows.append({"kind": "credits", "amount": amount(-snapshot.credits_minor)})
    return rows


def _story(invoice: Invoice) -> list[Chapter]:
    """Return who did what with the invoice, newest first; a draft has no number yet, and therefore no story."""
    if invoice.number is None:
        return []
    events = AuditEvent.objects.filter(object_type="invoice", object_id=invoice.number).order_by("-at", "-pk")
    return story_of(events[:_STORY], currency=invoice.currency)
