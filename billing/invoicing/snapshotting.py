"""An invoice's rows to the value that is printed (billing.invoicing.snapshot)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import override

from billing.invoicing.snapshot import Bank, BreakdownStep, InvoiceSnapshot, Line, LineGroup, Party, TaxTotal, UsageChart
from billing.models import BillingEntity, Invoice, InvoiceLine, InvoiceTax
from customers.models import Customer
from usage.models import Meter
from usage.selectors import daily_quantities


def take_snapshot(
    invoice: Invoice, lines: Sequence[InvoiceLine], taxes: Sequence[InvoiceTax], *, number: str, finalized_at: datetime | None
) -> InvoiceSnapshot:
    """
    Copy every fact that the invoice prints. Works on saved and unsaved rows; at most two queries (the usage chart).

    `number` is empty and `finalized_at` None for a draft or a preview.
    """
    customer, entity = invoice.customer, invoice.billing_entity
    return InvoiceSnapshot(
        number=number,
        currency=invoice.currency,
        locale=customer.locale,
        timezone=customer.timezone,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        finalized_at=finalized_at,
        first_day=invoice.first_day,
        last_day=invoice.last_day,
        purchase_order=customer.purchase_order,
        seller=_seller(entity),
        buyer=_buyer(customer),
        bank=Bank(
            bank_name=entity.bank_name, account_holder=entity.legal_name if entity.iban else "", iban=entity.iban, bic=entity.bic
        ),
        brand_color=entity.brand_color,
        footer=entity.invoice_footer,
        lines=tuple(_line(line) for line in lines),
        subtotal_minor=invoice.subtotal_minor,
        discount_minor=invoice.discount_minor,
        taxes=tuple(TaxTotal(rate=tax.rate_pct, base_minor=tax.base_minor, amount_minor=tax.amount_minor) for tax in taxes),
        total_minor=invoice.total_minor,
        credits_minor=invoice.credits_minor,
        due_minor=invoice.due_minor,
        chart=_chart(customer, lines),
    )


def _seller(entity: BillingEntity) -> Party:
    place = " ".join(part for part in (entity.postal_code, entity.city) if part)
    return Party(
        legal_name=entity.legal_name,
        name=entity.name,
        address=tuple(part for part in (entity.address_line1, entity.address_line2, place) if part),
        country=entity.country,
        tax_id=entity.tax_id,
        email=entity.email,
    )


def _buyer(customer: Customer) -> Party:
    place = " ".join(part for part in (customer.postal_code, customer.city) if part)
    parts = (customer.address_line1, customer.address_line2, place, customer.region)
    return Party(
        legal_name=customer.legal_name or customer.name,
        name=customer.name,
        address=tuple(part for part in parts if part),
        country=customer.country,
        tax_id=customer.tax_id,
        email=customer.email,
        reference=customer.external_id,
    )


def _line(line: InvoiceLine) -> Line:
    group: LineGroup = msgspec.convert(str(line.group), LineGroup)
    return Line(
        position=line.position,
        group=group,
        description=line.description,
        detail=line.detail,
        charge_code=line.charge_code,
        meter_code=line.meter_code,
        unit=line.unit,
        first_day=line.first_day,
        last_day=line.last_day,
        quantity=line.quantity,
        unit_amount=line.unit_amount,
        exact_amount=line.exact_amount,
        amount_minor=line.amount_minor,
        tax_rate=line.tax_rate_pct,
        breakdown=tuple(msgspec.convert(row, BreakdownStep) for row in line.breakdown),
    )


def _chart(customer: Customer, lines: Sequence[InvoiceLine]) -> UsageChart | None:
    """Draw the meter of the dearest usage line, where it was used on more than one day."""
    usage = [line for line in lines if line.group == InvoiceLine.Group.USAGE]
    if not usage:
        return None
    main = max(usage, key=lambda line: line.amount_minor)
    meter = Meter.objects.get(code=main.meter_code)
    end_day: date = main.last_day + timedelta(days=1)
    values = [
        value for _day, value in daily_quantities(customer_id=customer.pk, meter=meter, first_day=main.first_day, end_day=end_day)
    ]
    if sum(1 for value in values if value != Decimal(0)) < 2:
        return None
    with override(customer.locale):
        title = _("%(meter)s per day") % {"meter": meter.name}
    return UsageChart(title=title, unit=meter.unit, first_day=main.first_day, values=tuple(values))
