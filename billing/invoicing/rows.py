"""A composed invoice to unsaved rows: a draft saves them, a preview only shows them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.invoicing.composing import ComposedInvoice, ComposedLine
from billing.invoicing.totalling import DocumentTotals
from billing.invoicing.unit_codes import unit_code
from billing.models import Invoice, InvoiceDiscount, InvoiceLine, InvoiceTax
from billing.pricing.document import breakdown_members
from billing.pricing.totals import NetLine
from billing.reductions.credits import CreditTaken


@dataclass(frozen=True, slots=True)
class InvoiceRows:
    """An invoice with its parts, not saved. `credits` is what it would use of each; finalisation decides (and locks them)."""

    invoice: Invoice
    lines: list[InvoiceLine]
    discounts: list[InvoiceDiscount]
    taxes: list[InvoiceTax]
    credits: tuple[CreditTaken, ...]


def invoice_rows(composed: ComposedInvoice, *, now: datetime) -> InvoiceRows:
    """Write a composed invoice as rows of a draft."""
    invoice = Invoice(
        customer=composed.subscription.customer,
        billing_entity=composed.billing_entity,
        subscription=composed.subscription,
        status=Invoice.Status.DRAFT,
        boundary_at=composed.rated.boundary_at,
        first_day=composed.first_day,
        last_day=composed.last_day,
        issued_on=composed.issued_on,
        due_on=composed.due_on,
        drafted_at=now,
    )
    nets = composed.totals.lines
    lines = [_line(invoice, line, position, nets[position - 1]) for position, line in enumerate(composed.lines, start=1)]
    return rows_of(invoice, lines, composed.document)


def rows_of(invoice: Invoice, lines: list[InvoiceLine], document: DocumentTotals) -> InvoiceRows:
    """Write the totals of a document onto an invoice, and make the rows of its discounts and taxes. Nothing is saved."""
    write_totals(invoice, document)
    discounts = [
        InvoiceDiscount(
            invoice=invoice,
            position=position,
            redemption_id=taken.coupon.redemption_id,
            label=taken.coupon.label,
            percent=taken.coupon.percent,
            amount_minor=taken.amount_minor,
        )
        for position, taken in enumerate(document.coupons, start=1)
    ]
    taxes = [
        InvoiceTax(
            invoice=invoice,
            rate_pct=row.tax.rate,
            category=row.tax.category,
            label=row.tax.label,
            exemption_code=row.tax.exemption_code,
            note=row.tax.note,
            base_minor=row.base_minor,
            amount_minor=row.amount_minor,
        )
        for row in document.taxes
    ]
    return InvoiceRows(invoice, lines, discounts, taxes, document.credits)


def write_totals(invoice: Invoice, document: DocumentTotals) -> None:
    """Write what a document adds up to into the invoice's columns, not saved."""
    totals = document.totals
    invoice.currency = totals.currency
    invoice.subtotal_minor, invoice.discount_minor = totals.subtotal_minor, totals.discount_minor
    invoice.tax_minor, invoice.total_minor = totals.tax_minor, totals.total_minor
    invoice.credits_minor = sum(totals.credit_notes_used) + sum(totals.prepaid_credits_used)
    invoice.due_minor = totals.due_minor


def load_rows(invoice: Invoice, credits: tuple[CreditTaken, ...] = ()) -> InvoiceRows:
    """Load the saved parts of an invoice, in order. Three queries; `credits` are what it uses, which a draft has not written."""
    return InvoiceRows(
        invoice,
        list(invoice.lines.order_by("position")),
        list(invoice.discounts.select_related("redemption__coupon").order_by("position")),
        list(invoice.taxes.order_by("rate_pct", "category")),
        credits,
    )


def _line(invoice: Invoice, line: ComposedLine, position: int, net: NetLine) -> InvoiceLine:
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
        discount_minor=net.discount_minor,
        tax_rate_pct=line.tax.rate,
        tax_category=line.tax.category,
        tax_class=line.facts.tax_class,
        unit_code=unit_code(rated.unit),
        breakdown=[breakdown_members(row) for row in rated.breakdown],
    )
