"""Coupons and credits made in a line, and what is read back of them as plain values."""

from decimal import Decimal
from typing import Any

from billing.models import Coupon, CouponRedemption, Credit, CreditEntry, Invoice
from billing.reductions.granting import grant_credit
from billing.reductions.offering import create_coupon
from billing.reductions.redeeming import redeem_coupon
from customers.models import Customer
from tests.billing.builders import ACTOR, NOW, at

# Of everything that a refused change must leave alone.
TABLES = ("billing_coupon", "billing_couponredemption", "billing_credit", "billing_creditentry", "customers_auditevent")


def coupon(code: str = "TEN", *, percent: str | None = "10", **members: Any) -> Coupon:
    """A coupon of 10 % once, unless said otherwise; an amount takes the place of the percentage."""
    if "amount_minor" in members:
        members.setdefault("currency", "EUR")
        percent = None
    rate = None if percent is None else Decimal(percent)
    return create_coupon(code=code, name=members.pop("name", code.title()), percent=rate, actor=ACTOR, now=NOW, **members)


def redeem(customer: Customer, code: str = "TEN", when: str = "2026-01-01", **members: Any) -> CouponRedemption:
    return redeem_coupon(customer_id=customer.pk, code=code, actor=ACTOR, now=at(when), **members)


def grant(customer: Customer, amount_minor: int, reference: str = "gift", when: str = "2026-01-01", **members: Any) -> Credit:
    """A promotional credit in EUR, unless said otherwise."""
    facts: dict[str, Any] = {"kind": "promotional", "name": reference.title(), "currency": "EUR", **members}
    credit, _is_new = grant_credit(
        customer_id=customer.pk, reference=reference, amount_minor=amount_minor, actor=ACTOR, now=at(when), **facts
    )
    return credit


def left(credit: Credit) -> int:
    return sum(CreditEntry.objects.filter(credit=credit).values_list("amount_minor", flat=True))


def entries(credit: Credit) -> list[tuple[str, int]]:
    """(kind, minor units) of each movement in order."""
    return list(CreditEntry.objects.filter(credit=credit).order_by("pk").values_list("kind", "amount_minor"))


def discounts(invoice: Invoice) -> list[tuple[str, int]]:
    """(coupon, minor units) of each discount in order."""
    return list(invoice.discounts.order_by("position").values_list("redemption__coupon__code", "amount_minor"))


def totals(invoice: Invoice) -> tuple[int, int, int, int, int, int]:
    """Subtotal, discount, tax, total, credits and due."""
    invoice.refresh_from_db()
    return (
        invoice.subtotal_minor,
        invoice.discount_minor,
        invoice.tax_minor,
        invoice.total_minor,
        invoice.credits_minor,
        invoice.due_minor,
    )
