"""An invoice's rows to the value that is printed (billing.invoicing.snapshot)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

import msgspec
from django.utils.translation import npgettext, override, pgettext

from billing.invoicing.estimating import estimate_credits
from billing.invoicing.items import OneOff, kept_items
from billing.invoicing.paying.allocating import Allocation
from billing.invoicing.rows import InvoiceRows, load_rows
from billing.invoicing.snapshot import (
    Bank,
    BreakdownStep,
    CreditKind,
    CreditUsed,
    Discount,
    InvoiceSnapshot,
    Line,
    LineGroup,
    Party,
    ReceivedPayment,
    Related,
    TaxTotal,
    UsageChart,
)
from billing.models import BillingEntity, BillingProfile, CreditNoteTax, Invoice, InvoiceDiscount, InvoiceLine, InvoiceTax
from billing.pricing.money import from_minor
from customers.models import Customer
from squill.lib.currency import exponent
from squill.lib.decimals import plain
from usage.models import Meter
from usage.selectors import daily_quantities

# What a seller's payment link may have in it; the amount is in major units.
URL_PLACEHOLDERS: Final = ("{number}", "{amount}", "{currency}")


def take_snapshot(
    rows: InvoiceRows, *, number: str, finalized_at: datetime | None, payments: Sequence[Allocation] = ()
) -> InvoiceSnapshot:
    """
    Copy every fact that the invoice prints. Works on saved and unsaved rows; a few queries (the usage chart, the profile).

    `number` is empty and `finalized_at` None for a draft or a preview. `payments` are earlier ones that pay it.
    """
    invoice = rows.invoice
    asked = kept_items(invoice) if invoice.kind == Invoice.Kind.ONE_OFF else OneOff(items=())
    overrides = {position: item.tax_rate for position, item in enumerate(asked.items, start=1)}
    return InvoiceSnapshot(
        number=number,
        finalized_at=finalized_at,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        first_day=invoice.first_day,
        last_day=invoice.last_day,
        payment_terms=_payment_terms(invoice),
        payment_url=payment_url(
            invoice.billing_entity, number=number, amount_minor=invoice.left_minor, currency=invoice.currency
        ),
        related=_replaced(invoice),
        notes=(asked.note,) if asked.note else (),
        lines=tuple(_line(line, overrides.get(line.position)) for line in rows.lines),
        subtotal_minor=invoice.subtotal_minor,
        discounts=tuple(_discount(discount) for discount in rows.discounts),
        discount_minor=invoice.discount_minor,
        taxes=tuple(tax_total(tax) for tax in rows.taxes),
        total_minor=invoice.total_minor,
        credits=tuple(
            CreditUsed(
                kind=msgspec.convert(taken.credit.kind, CreditKind), label=taken.credit.label, amount_minor=taken.amount_minor
            )
            for taken in rows.credits
        ),
        credits_minor=invoice.credits_minor,
        due_minor=invoice.due_minor,
        payments=tuple(
            ReceivedPayment(
                reference=taken.payment.reference,
                method=taken.payment.method,
                received_on=taken.payment.received_on,
                amount_minor=taken.amount_minor,
            )
            for taken in payments
        ),
        paid_minor=sum(taken.amount_minor for taken in payments),
        chart=_chart(invoice.customer, rows.lines),
        **parties(invoice.customer, invoice.billing_entity, currency=invoice.currency),
    )


def draft_snapshot(invoice: Invoice, *, at: datetime | None = None) -> InvoiceSnapshot:
    """
    Return what a saved draft would print, with the credits that it would use by what is left of them.

    `at` is when it would use them, from when it was drafted if left out.
    """
    estimated, taken = estimate_credits(invoice, at=at or invoice.drafted_at)
    return take_snapshot(load_rows(estimated, taken), number="", finalized_at=None)


def parties(customer: Customer, entity: BillingEntity, *, currency: str) -> dict[str, Any]:
    """Return the members of a snapshot that are the same on every kind of document: who, in which language, how it looks."""
    profile = BillingProfile.objects.filter(customer_id=customer.pk).first()
    return {
        "currency": currency,
        "locale": customer.locale,
        "timezone": customer.timezone,
        "purchase_order": customer.purchase_order,
        "buyer_reference": profile.buyer_reference if profile else "",
        "seller": _seller(entity),
        "buyer": _buyer(customer),
        "bank": Bank(
            bank_name=entity.bank_name, account_holder=entity.legal_name if entity.iban else "", iban=entity.iban, bic=entity.bic
        ),
        "payment_means": "58" if entity.iban and currency == "EUR" else "30",
        "brand_color": entity.brand_color,
        "logo_sha256": entity.logo.sha256 if entity.logo else "",
        "footer": entity.invoice_footer,
    }


def payment_url(entity: BillingEntity, *, number: str, amount_minor: int, currency: str) -> str:
    """Return where a document can be paid online; empty where the seller has no such place, or nothing is left to pay."""
    if not (entity.payment_url_template and number and amount_minor > 0):
        return ""
    amount = plain(from_minor(amount_minor, exponent=exponent(currency)))
    url = entity.payment_url_template
    for name, value in zip(URL_PLACEHOLDERS, (number, amount, currency), strict=True):
        url = url.replace(name, quote(value, safe=""))
    return url


def tax_total(tax: InvoiceTax | CreditNoteTax) -> TaxTotal:
    """Copy a row of taxes."""
    return TaxTotal(
        rate=tax.rate_pct,
        category=tax.category,
        label=tax.label,
        exemption_code=tax.exemption_code,
        note=tax.note,
        base_minor=tax.base_minor,
        amount_minor=tax.amount_minor,
    )


def _payment_terms(invoice: Invoice) -> str:
    days = (invoice.due_on - invoice.issued_on).days
    with override(invoice.customer.locale):
        if not days:
            return pgettext("invoice", "Payment is due on receipt.")
        words = npgettext(
            "invoice", "Payment within %(days)d day of the issue date.", "Payment within %(days)d days of the issue date.", days
        )
        return words % {"days": days}


def _discount(discount: InvoiceDiscount) -> Discount:
    code = discount.redemption.coupon.code
    return Discount(label=discount.label, code=code, percent=discount.percent, amount_minor=discount.amount_minor)


def _replaced(invoice: Invoice) -> tuple[Related, ...]:
    replaced = invoice.replaces
    return () if replaced is None else (Related(number=replaced.number or "", issued_on=replaced.issued_on),)


def _seller(entity: BillingEntity) -> Party:
    place = " ".join(part for part in (entity.postal_code, entity.city) if part)
    return Party(
        legal_name=entity.legal_name,
        name=entity.name,
        address=tuple(part for part in (entity.address_line1, entity.address_line2, place) if part),
        street=tuple(part for part in (entity.address_line1, entity.address_line2) if part),
        postal_code=entity.postal_code,
        city=entity.city,
        region=entity.region,
        country=entity.country,
        tax_id=entity.tax_id,
        registration=entity.registration,
        email=entity.email,
    )


def _buyer(customer: Customer) -> Party:
    place = " ".join(part for part in (customer.postal_code, customer.city) if part)
    parts = (customer.address_line1, customer.address_line2, place, customer.region)
    return Party(
        legal_name=customer.legal_name or customer.name,
        name=customer.name,
        address=tuple(part for part in parts if part),
        street=tuple(part for part in (customer.address_line1, customer.address_line2) if part),
        postal_code=customer.postal_code,
        city=customer.city,
        region=customer.region,
        country=customer.country,
        tax_id=customer.tax_id,
        email=customer.email,
        reference=customer.external_id,
    )


def _line(line: InvoiceLine, tax_override: Decimal | None) -> Line:
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
        discount_minor=line.discount_minor,
        tax_rate=line.tax_rate_pct,
        tax_category=line.tax_category,
        unit_code=line.unit_code,
        tax_override=tax_override,
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
        title = pgettext("invoice", "%(meter)s per day") % {"meter": meter.name}
    return UsageChart(title=title, unit=meter.unit, first_day=main.first_day, values=tuple(values))
