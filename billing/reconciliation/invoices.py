"""I3 to I9: lines, totals, numbers, snapshots and the audit trail, recomputed from what lies below them."""

from collections.abc import Iterator
from fractions import Fraction

import msgspec
from django.db import connection
from django.db.models import Exists, OuterRef

from billing.invoicing.snapshot import from_json
from billing.models import BillingPeriod, CreditNote, Invoice, InvoiceLine, NumberCounter
from billing.reconciliation.reference import half_up, reference_price, reference_sum
from customers.models import AuditEvent
from squill.lib.currency import exponent

_FETCHED_AT_ONCE = 500
_FINAL = [Invoice.Status.FINALIZED, Invoice.Status.PAID, Invoice.Status.VOID, Invoice.Status.UNCOLLECTIBLE]

# Grain: period and part. A period that is on a live invoice by its lines must name that invoice, and the other way round.
_PERIODS = """
SELECT s.external_id, p.first_day, count(DISTINCT i.id)
FROM billing_invoiceline l
JOIN billing_invoice i ON i.id = l.invoice_id AND i.status <> 'void'
JOIN billing_billingperiod p ON p.id = l.billing_period_id
JOIN billing_subscription s ON s.id = p.subscription_id
WHERE l."group" <> 'adjustment' AND i.id IS DISTINCT FROM p.arrears_invoice_id AND i.id IS DISTINCT FROM p.advance_invoice_id
GROUP BY 1, 2 ORDER BY 1, 2
"""


def check_invoices() -> Iterator[str]:
    """I3, I5, I7: check every invoice, a few at a time: lines from prices, totals from lines, the snapshot against the rows."""
    for invoice in (
        Invoice.objects.prefetch_related("lines__charge", "taxes", "discounts", "allocations")
        .order_by("pk")
        .iterator(_FETCHED_AT_ONCE)
    ):
        name = f"invoice {invoice.number or invoice.public_id}"
        lines = sorted(invoice.lines.all(), key=lambda line: line.position)
        for line in lines:
            yield from _check_line(line, f"{name} line {line.position}", exponent(invoice.currency))
        yield from (f"I7 {name} {what}" for what in _check_totals(invoice, lines))
        if invoice.status != Invoice.Status.DRAFT:
            yield from (f"I5 {name} {what}" for what in _check_snapshot(invoice, lines))


def _check_line(line: InvoiceLine, name: str, decimals: int) -> Iterator[str]:
    if line.group == InvoiceLine.Group.ADJUSTMENT:
        return
    if half_up(Fraction(line.exact_amount) * 10**decimals) != line.amount_minor:
        yield f"I7 {name}: {line.exact_amount} is not {line.amount_minor} when rounded"
    if line.charge is not None and line.meter_code:
        try:
            expected = reference_price(line.charge.terms, Fraction(line.quantity))
            if expected is None and line.charge.terms["model"] == "percentage":
                expected = reference_sum(line.breakdown)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            yield f"I8 {name}: the terms of {line.charge_code} cannot be read: {type(error).__name__}: {error}"
            return
        if expected is not None and expected != Fraction(line.exact_amount):
            yield f"I3 {name}: {line.quantity} of {line.charge_code} cost {expected}, the line says {line.exact_amount}"


def _check_totals(invoice: Invoice, lines: list[InvoiceLine]) -> Iterator[str]:
    subtotal = sum(line.amount_minor for line in lines)
    if subtotal != invoice.subtotal_minor:
        yield f"has lines of {subtotal}, the subtotal says {invoice.subtotal_minor}"
    if sum(line.discount_minor for line in lines) != invoice.discount_minor:
        yield f"has lines with discounts that do not add up to {invoice.discount_minor}"
    if sum(discount.amount_minor for discount in invoice.discounts.all()) != invoice.discount_minor:
        yield f"has discounts that do not add up to {invoice.discount_minor}"
    taxes = list(invoice.taxes.all())
    for tax in taxes:
        base = sum(line.net_minor for line in lines if (line.tax_rate_pct, line.tax_category) == (tax.rate_pct, tax.category))
        if (base, half_up(Fraction(base) * Fraction(tax.rate_pct) / 100)) != (tax.base_minor, tax.amount_minor):
            yield f"has tax of {tax.amount_minor} on {tax.base_minor} at {tax.rate_pct} %, its lines give {base}"
    if sum(tax.amount_minor for tax in taxes) != invoice.tax_minor:
        yield f"has taxes that do not add up to {invoice.tax_minor}"
    if any(line.tax_rate_pct and line.tax_rate_pct not in {tax.rate_pct for tax in taxes} for line in lines):
        yield "has a line whose tax rate is not in its taxes"
    paid = sum(allocation.amount_minor for allocation in invoice.allocations.all())
    if paid != invoice.paid_minor:
        yield f"has payments of {paid}, it says {invoice.paid_minor}"
    if invoice.status == Invoice.Status.PAID and invoice.left_minor:
        yield f"is paid, though {invoice.left_minor} is missing"


def _check_snapshot(invoice: Invoice, lines: list[InvoiceLine]) -> Iterator[str]:
    try:
        said = from_json(invoice.snapshot)
    except msgspec.ValidationError as error:
        yield f"has a snapshot that cannot be read: {error}"
        return
    facts = (said.number, said.currency, said.issued_on, said.due_on, said.subtotal_minor, said.total_minor, said.due_minor)
    rows = (
        invoice.number,
        invoice.currency,
        invoice.issued_on,
        invoice.due_on,
        invoice.subtotal_minor,
        invoice.total_minor,
        invoice.due_minor,
    )
    if facts != rows:
        yield f"prints {facts}, its row says {rows}"
    printed = [(line.charge_code, line.quantity, line.exact_amount, line.amount_minor) for line in said.lines]
    if printed != [(line.charge_code, line.quantity, line.exact_amount, line.amount_minor) for line in lines]:
        yield "prints other lines than its rows"


def check_periods() -> Iterator[str]:
    """I4, I8: every billed line's period names the invoice, and only published terms are billed. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_PERIODS)
        for subscription, day, count in cursor.fetchall():
            yield f"I4 period {subscription} {day} is on {count} invoices that it does not name"
    for period in BillingPeriod.objects.filter(plan_version__status="draft").select_related("subscription"):
        yield f"I8 period {period.subscription.external_id} {period.first_day} is priced by a version that is not published"


def check_numbers() -> Iterator[str]:
    """I6: every counter is 1 … n without a gap. Two queries a counter."""
    for counter in NumberCounter.objects.select_related("series").order_by("pk"):
        invoices = Invoice.objects.filter(counter=counter, sequence__isnull=False).values_list("sequence", flat=True)
        credit_notes = CreditNote.objects.filter(counter=counter).values_list("sequence", flat=True)
        given = sorted(sequence for sequence in (*invoices, *credit_notes) if sequence is not None)
        missing = sorted(set(range(1, counter.last_number + 1)) - set(given))
        if missing:
            yield f"I6 series {counter} misses {', '.join(map(str, missing[:20]))}"
        if len(given) != len(set(given)):
            yield f"I6 series {counter} has given a number twice"
        if given and given[-1] > counter.last_number:
            yield f"I6 series {counter} has given {given[-1]}, its counter says {counter.last_number}"


def check_audit() -> Iterator[str]:
    """I9: every finalised and every voided invoice has its audit event. Two queries."""
    for action, statuses in (("invoice.finalized", _FINAL), ("invoice.voided", [Invoice.Status.VOID])):
        event = AuditEvent.objects.filter(action=action, object_type="invoice", object_id=OuterRef("number"))
        for number in Invoice.objects.filter(~Exists(event), status__in=statuses).order_by("pk").values_list("number", flat=True):
            yield f"I9 invoice {number} has no audit event {action}"
