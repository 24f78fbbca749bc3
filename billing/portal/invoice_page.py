"""An invoice as the portal shows it: the kept snapshot, and below each line of usage the days that it is made of."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from billing.delivery.rendering.lines import printed_groups
from billing.invoicing.paying.balances import payments_of
from billing.invoicing.snapshot import InvoiceSnapshot, LineGroup, from_json
from billing.invoicing.standing import Standing, standing
from billing.invoicing.voiding import replacement_of
from billing.models import Invoice, InvoiceLine
from billing.portal.credit_notes import credit_note_row
from billing.rating.daily import daily_quantities_by_charge
from billing.rating.terms import TermsBook
from customers.models import Customer
from squill.web import formatting
from squill.web.charts import DayChart

_GROUP_ORDER: Final[tuple[LineGroup, ...]] = ("subscription", "usage", "item", "adjustment")


def invoice_row(invoice: Invoice, customer: Customer, *, now: datetime) -> dict[str, Any]:
    """Return an invoice as a row of a list, formatted for the customer. Needs the document loaded; no query."""
    locale = customer.locale
    stands = standing(invoice, today=_today(customer, now))
    left = invoice.left_minor if invoice.status == Invoice.Status.FINALIZED else 0
    return {
        "number": invoice.number,
        "days": formatting.format_date_range(invoice.first_day, invoice.last_day, locale),
        "issued_on": formatting.format_date(invoice.issued_on, locale),
        "due_on": formatting.format_date(invoice.due_on, locale),
        "due": formatting.format_money_minor(invoice.due_minor, invoice.currency, locale),
        "left": formatting.format_money_minor(left, invoice.currency, locale) if left != invoice.due_minor and left else "",
        "standing": stands.value,
        "standing_label": _("no longer asked for") if stands == Standing.UNCOLLECTIBLE else stands.label,
        "has_pdf": hasattr(invoice, "document"),
    }


def invoice_page(invoice: Invoice, customer: Customer, *, now: datetime) -> dict[str, Any]:
    """Return the whole page, formatted for the customer. Six queries, and one more for each further period on it."""
    snapshot = from_json(invoice.snapshot)
    stands = standing(invoice, today=_today(customer, now))
    return {
        **invoice_row(invoice, customer, now=now),
        "is_void": stands == Standing.VOID,
        "is_overdue": stands == Standing.OVERDUE,
        "is_given_up": stands == Standing.UNCOLLECTIBLE,
        "replaces": snapshot.related[0].number if snapshot.related else "",
        "replaced_by": _number_of(replacement_of(invoice)) if stands == Standing.VOID else "",
        "notes": snapshot.notes,
        "void_reason": invoice.void_reason,
        "seller": snapshot.seller,
        "buyer": snapshot.buyer,
        "purchase_order": snapshot.purchase_order,
        "groups": _groups(invoice, snapshot, customer),
        "totals": _totals(snapshot),
        "amount_due": _money(snapshot.due_minor, snapshot),
        "payments": [
            {
                "received_on": formatting.format_date(part.payment.received_on, customer.locale),
                "reference": part.payment.reference,
                "amount": _money(part.paid_minor, snapshot),
                "receipt": part.payment.public_id if hasattr(part.payment, "receipt") else "",
                "is_reversed": part.payment.reversed_at is not None,
            }
            for part in payments_of(invoice)
        ],
        "credit_notes": [
            credit_note_row(note, customer) for note in invoice.credit_notes.select_related("invoice", "document").order_by("pk")
        ],
    }


def _number_of(replacement: Invoice | None) -> str:
    """Return the number of the invoice that replaces a void one; a draft is not the customer's to see yet."""
    return replacement.number or "" if replacement is not None else ""


def _groups(invoice: Invoice, snapshot: InvoiceSnapshot, customer: Customer) -> list[dict[str, Any]]:
    """Pair the printed lines with the charts of their days; both stand in the order of the document."""
    charts = _charts(invoice, customer)
    ordered = sorted(snapshot.lines, key=lambda line: (_GROUP_ORDER.index(line.group), line.position))
    positions = iter([line.position for line in ordered])
    return [
        {
            "heading": group.heading,
            "lines": [
                {"printed": line, "chart": charts.get(position)} for line, position in zip(group.lines, positions, strict=False)
            ],
        }
        for group in printed_groups(snapshot)
    ]


def _charts(invoice: Invoice, customer: Customer) -> Mapping[int, DayChart]:
    """Draw each line of usage by its days, by the position of the line."""
    book = TermsBook()
    known: dict[tuple[int, date, date], Mapping[str, tuple[Decimal, ...]]] = {}
    charts: dict[int, DayChart] = {}
    lines = invoice.lines.filter(group=InvoiceLine.Group.USAGE).select_related("billing_period").order_by("position")
    for line in lines:
        if line.billing_period is None:
            continue
        key = (line.billing_period.plan_version_id, line.first_day, line.last_day)
        if key not in known:
            known[key] = daily_quantities_by_charge(
                book.of(key[0]), customer_id=customer.pk, first_day=line.first_day, end_day=line.last_day + timedelta(days=1)
            )
        values = known[key].get(line.charge_code, ())
        chart = DayChart(
            title=_("%(line)s per day") % {"line": line.description}, first_day=line.first_day, values=values, unit=line.unit
        )
        if chart.is_worth_drawing:
            charts[line.position] = chart
    return charts


def _totals(snapshot: InvoiceSnapshot) -> list[tuple[str, str]]:
    rows = [(_("Subtotal"), _money(snapshot.subtotal_minor, snapshot))]
    for discount in snapshot.discounts:
        rows.append((_("Discount: %(label)s") % {"label": discount.label}, _money(-discount.amount_minor, snapshot)))
    for tax in snapshot.taxes:
        words = {"rate": formatting.format_percent(tax.rate, snapshot.locale), "base": _money(tax.base_minor, snapshot)}
        rows.append((_("Tax %(rate)s on %(base)s") % words, _money(tax.amount_minor, snapshot)))
    if snapshot.credits_minor:
        rows.append((_("Total"), _money(snapshot.total_minor, snapshot)))
    for credit in snapshot.credits:
        rows.append((_("Credit: %(label)s") % {"label": credit.label}, _money(-credit.amount_minor, snapshot)))
    return rows


def _money(minor: int, snapshot: InvoiceSnapshot) -> str:
    return formatting.format_money_minor(minor, snapshot.currency, snapshot.locale)


def _today(customer: Customer, now: datetime) -> date:
    return now.astimezone(ZoneInfo(customer.timezone)).date()
