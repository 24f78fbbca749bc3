"""A planned credit note as the finance desk shows it before it is written: what goes back, what becomes of it, who is told."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from billing.admin.shown import day, locale, money
from billing.invoicing.crediting.planning import PlannedCreditNote
from billing.invoicing.crediting.rows import issue_day
from billing.invoicing.entities import known_series
from billing.invoicing.numbering import number_text
from billing.models import NumberCounter, NumberSeries
from squill.web import formatting


def planned_page(planned: PlannedCreditNote, *, now: datetime) -> dict[str, Any]:
    """Return what a credit note would say, and what would happen with it, in words. One query or two."""
    invoice = planned.invoice
    currency = invoice.currency
    return {
        "invoice": invoice,
        "lines": [
            {
                "position": line.row.position,
                "name": line.row.description,
                "detail": line.detail,
                "amount": money(line.taken.amount_minor, currency),
                "discount": money(-line.taken.discount_minor, currency) if line.taken.discount_minor else "",
                "net": money(line.taken.net_minor, currency),
            }
            for line in planned.lines
        ],
        "has_discount": bool(planned.discount_minor),
        "net": money(planned.subtotal_minor - planned.discount_minor, currency),
        "taxes": [
            {
                "rate": formatting.format_percent(tax.row.rate_pct, locale()),
                "base": money(tax.base_minor, currency),
                "amount": money(tax.amount_minor, currency),
            }
            for tax in planned.taxes
        ],
        "total": money(planned.total_minor, currency),
        "what_happens": [*_settlement(planned), *_document(planned, now)],
    }


def settlement_words(
    *, to_invoice: int, to_balance: int, to_refund: int, currency: str, refunded: int = 0, refund_reference: str = ""
) -> list[str]:
    """Say what becomes of a credit note's total, in minor units: a sentence for each part of it."""
    said = []
    if to_invoice:
        said.append(_("%(amount)s are taken off what is left to pay of the invoice.") % {"amount": money(to_invoice, currency)})
    if to_balance:
        said.append(_("%(amount)s are kept for the customer's next invoices.") % {"amount": money(to_balance, currency)})
    if to_refund:
        words = {"amount": money(to_refund, currency)}
        said.append(_("%(amount)s are to be paid back: mark the credit note once it is done.") % words)
    if refunded:
        words = {"amount": money(refunded, currency), "reference": refund_reference}
        said.append(_("%(amount)s are paid back, as %(reference)s.") % words)
    return said


def _settlement(planned: PlannedCreditNote) -> list[str]:
    parts = planned.settlement
    said = settlement_words(
        to_invoice=parts.to_invoice_minor,
        to_balance=parts.to_balance_minor,
        to_refund=parts.to_refund_minor,
        currency=planned.invoice.currency,
    )
    if parts.to_invoice_minor and parts.to_invoice_minor == planned.invoice.left_minor:
        said.append(_("Nothing is left to pay of %(number)s then: it is paid.") % {"number": planned.invoice.number})
    return said


def _document(planned: PlannedCreditNote, now: datetime) -> list[str]:
    entity, customer = planned.invoice.billing_entity, planned.invoice.customer
    issued_on = issue_day(entity, now)
    series = known_series(entity, kind=NumberSeries.Kind.CREDIT_NOTE)
    year = issued_on.year if series.resets_yearly else 0
    counter = NumberCounter.objects.filter(series=series.pk, year=year).first()
    number = number_text(series.pattern, year=issued_on.year, number=(counter.last_number if counter else 0) + 1)
    said = [
        _("It is issued on %(day)s with the next number, %(number)s, and never changes again.")
        % {"day": day(issued_on), "number": number}
    ]
    if customer.email:
        said.append(_("It is mailed to %(email)s.") % {"email": customer.email})
    else:
        said.append(_("It is mailed to nobody, since the customer has no address."))
    return said
