"""Final invoices of one-off items made from a few amounts: several tax rates, discounts, and lines that take something off."""

from collections.abc import Sequence
from decimal import Decimal

from billing.invoicing.drafting import save_rows
from billing.invoicing.entities import default_entity
from billing.invoicing.finalizing import finalize_invoice
from billing.invoicing.items import OneOff, keep_items
from billing.invoicing.rows import rows_of
from billing.invoicing.totalling import TaxedLine, total_document
from billing.models import Coupon, CouponRedemption, Invoice, InvoiceLine
from billing.reductions.coupons import UsableCoupon
from billing.tax.values import Tax
from customers.models import Customer
from tests.billing.builders import ACTOR, NOW, at

# Amount in minor units, tax rate in percent.
Item = tuple[int, str]


def an_invoice(
    customer: Customer, *items: Item, discounts: Sequence[tuple[str, Sequence[int]]] = (), on: str = "2026-02-01"
) -> Invoice:
    """
    A final invoice of items; each discount is a percentage, and the positions of the lines that it is on (none: all).

    The tax category is S, or O (no tax row) for a rate of zero.
    """
    lines = [
        TaxedLine(
            amount_minor=amount,
            tax=Tax(rate=Decimal(rate), category="S" if Decimal(rate) else "O", label="VAT"),
            plan_code="made-up",  # so that a discount can be of some lines only
            charge_code=f"item-{position}",
        )
        for position, (amount, rate) in enumerate(items, start=1)
    ]
    coupons = [_coupon(customer, percent, positions) for percent, positions in discounts]
    document = total_document(currency=customer.currency, lines=lines, coupons=coupons)
    day = at(on).date()
    invoice = Invoice(
        kind=Invoice.Kind.ONE_OFF,
        customer=customer,
        billing_entity=default_entity(),
        first_day=day,
        last_day=day,
        issued_on=day,
        due_on=day,
        drafted_at=at(on),
    )
    rows = [
        InvoiceLine(
            invoice=invoice,
            position=position,
            group=InvoiceLine.Group.ITEM,
            charge_code=line.charge_code,
            description=f"Item {position}",
            first_day=day,
            last_day=day,
            quantity=Decimal(1),
            unit_amount=Decimal(line.amount_minor).scaleb(-2),
            exact_amount=Decimal(line.amount_minor).scaleb(-2),
            amount_minor=line.amount_minor,
            discount_minor=net.discount_minor,
            tax_rate_pct=line.tax.rate,
            tax_category=line.tax.category,
        )
        for position, (line, net) in enumerate(zip(lines, document.totals.lines, strict=True), start=1)
    ]
    keep_items(invoice, OneOff(items=()))  # the lines are made up, so it is not worked out anew
    draft = save_rows(rows_of(invoice, rows, document))
    return finalize_invoice(invoice_id=draft.pk, as_of=at(on), actor=ACTOR, now=at(on), refresh=False)


def give_coupon(customer: Customer, percent: str) -> CouponRedemption:
    """Let a customer have a percentage off all its invoices."""
    coupon = Coupon.objects.create(
        code=f"coupon-{Coupon.objects.count() + 1}", name="Discount", percent=Decimal(percent), duration="forever", created_at=NOW
    )
    return CouponRedemption.objects.create(coupon=coupon, customer=customer, redeemed_at=NOW)


def _coupon(customer: Customer, percent: str, positions: Sequence[int]) -> UsableCoupon:
    redemption = give_coupon(customer, percent)
    coupon = redemption.coupon
    return UsableCoupon(
        redemption_id=redemption.pk,
        code=coupon.code,
        uses_left=None,
        label=coupon.name,
        percent=coupon.percent,
        amount_minor=None,
        plan_codes=frozenset(),
        charge_codes=frozenset(f"item-{position}" for position in positions),
    )
