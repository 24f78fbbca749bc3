"""A composed invoice to unsaved rows: a draft saves them, a preview only shows them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.invoicing.composing import ComposedInvoice, ComposedLine
from billing.models import Invoice, InvoiceLine, InvoiceTax
from billing.pricing.document import breakdown_members


@dataclass(frozen=True, slots=True)
class InvoiceRows:
    """An invoice with its parts, not saved."""

    invoice: Invoice
    lines: list[InvoiceLine]
    taxes: list[InvoiceTax]


def invoice_rows(composed: ComposedInvoice, *, now: datetime) -> InvoiceRows:
    """Write a composed invoice as rows of a draft."""
    totals = composed.totals
    invoice = Invoice(
        customer=composed.subscription.customer,
        billing_entity=composed.billing_entity,
        subscription=composed.subscription,
        status=Invoice.Status.DRAFT,
        currency=totals.currency,
        boundary_at=composed.rated.boundary_at,
        first_day=composed.first_day,
        last_day=composed.last_day,
        issued_on=composed.issued_on,
        due_on=composed.due_on,
        subtotal_minor=totals.subtotal_minor,
        discount_minor=totals.discount_minor,
        tax_minor=totals.tax_minor,
        total_minor=totals.total_minor,
        credits_minor=sum(totals.credit_notes_used) + sum(totals.prepaid_credits_used),
        due_minor=totals.due_minor,
        drafted_at=now,
    )
    lines = [_line(invoice, line, position, composed) for position, line in enumerate(composed.lines, start=1)]
    taxes = [
        InvoiceTax(invoice=invoice, rate_pct=tax.rate, base_minor=tax.base_minor, amount_minor=tax.amount_minor)
        for tax in totals.taxes
    ]
    return InvoiceRows(invoice, lines, taxes)


def _line(invoice: Invoice, line: ComposedLine, position: int, composed: ComposedInvoice) -> InvoiceLine:
    rated = line.rated
    return InvoiceLine(
        invoice=invoice,
        position=position,
        group=line.group,
        billing_period=line.period,
        charge_id=rated.charge_id,
        charge_code=rated.charge_code,
        description=line.description,
        detail=line.detail,
        meter_code=rated.meter_code,
        unit=rated.unit,
        first_day=rated.first_day,
        last_day=rated.end_day - timedelta(days=1),
        quantity=rated.quantity,
        unit_amount=rated.unit_amount,
        exact_amount=rated.exact_amount,
        amount_minor=rated.amount_minor,
        tax_rate_pct=composed.tax_rate_pct,
        breakdown=[breakdown_members(row) for row in rated.breakdown],
    )
