"""Lines to totals, the same for drafts, one-off invoices and previews: coupons, tax by category and rate, credits. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from billing.models import Credit
from billing.pricing.discounts import Discount
from billing.pricing.money import round_to_minor
from billing.pricing.totals import TotalLine, Totals, total_invoice
from billing.reductions.coupons import UsableCoupon
from billing.reductions.credits import CreditTaken, UsableCredit
from billing.tax.values import Tax

# Not subject to tax: nothing of it is said in the totals, unless the law wants words.
NO_TAX_CATEGORY = "O"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxedLine:
    """What totals need to know of a line; `plan_code` is empty for a one-off item."""

    amount_minor: int
    tax: Tax
    plan_code: str
    charge_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRow:
    """The tax of one category and rate, on the rounded and discounted subtotal of its lines (ADR 0003)."""

    tax: Tax
    base_minor: int
    amount_minor: int


class CouponTaken(NamedTuple):
    """What a coupon takes off."""

    coupon: UsableCoupon
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentTotals:
    """Totals with the coupons, taxes and credits behind them; coupons and credits that do nothing are left out."""

    totals: Totals
    coupons: tuple[CouponTaken, ...]
    taxes: tuple[TaxRow, ...]
    credits: tuple[CreditTaken, ...]


def total_document(
    *, currency: str, lines: Sequence[TaxedLine], coupons: Sequence[UsableCoupon] = (), credits: Sequence[UsableCredit] = ()
) -> DocumentTotals:
    """
    Total the lines of a document: discounts in order, tax on what remains, then credits as long as something is due.

    `credits` are in the order in which they are used: kept credit notes first.

    :raises ValueError: if the currency is unknown
    """
    totals = total_invoice(
        currency=currency,
        lines=[
            TotalLine(str(position), line.amount_minor, (line.tax.rate,) if line.tax.rate else ())
            for position, line in enumerate(lines)
        ],
        discounts=[_discount(coupon, lines) for coupon in coupons],
        credit_notes=[credit.left_minor for credit in credits if credit.kind == Credit.Kind.CREDIT_NOTE],
        prepaid_credits=[credit.left_minor for credit in credits if credit.kind != Credit.Kind.CREDIT_NOTE],
    )
    taken = zip(credits, (*totals.credit_notes_used, *totals.prepaid_credits_used), strict=True)
    return DocumentTotals(
        totals=totals,
        coupons=tuple(
            CouponTaken(coupon, amount) for coupon, amount in zip(coupons, totals.discounts_minor, strict=True) if amount
        ),
        taxes=_tax_rows(lines, totals),
        credits=tuple(CreditTaken(credit, amount) for credit, amount in taken if amount),
    )


def _discount(coupon: UsableCoupon, lines: Sequence[TaxedLine]) -> Discount:
    applies_to = frozenset(
        str(position)
        for position, line in enumerate(lines)
        if coupon.applies_to(plan_code=line.plan_code, charge_code=line.charge_code)
    )
    return Discount(amount_minor=coupon.amount_minor, percent=coupon.percent, applies_to=applies_to)


def _tax_rows(lines: Sequence[TaxedLine], totals: Totals) -> tuple[TaxRow, ...]:
    """
    Group by category and rate, in rising order of rate. Only one category has a rate above zero, so that the rows are the taxes
    of the totals, with the words that the law wants beside those of rate zero.
    """
    bases: dict[tuple[Decimal, str], int] = {}
    words: dict[tuple[Decimal, str], Tax] = {}
    for line, net in zip(lines, totals.lines, strict=True):
        if line.tax.category == NO_TAX_CATEGORY and not line.tax.note:
            continue
        key = line.tax.rate, line.tax.category
        bases[key] = bases.get(key, 0) + net.net_minor
        words.setdefault(key, line.tax)
    rows = tuple(
        TaxRow(
            tax=words[key],
            base_minor=base,
            amount_minor=round_to_minor(base * Fraction(key[0]) / 100, exponent=0),
        )
        for key, base in sorted(bases.items())
    )
    if sum(row.amount_minor for row in rows) != totals.tax_minor:
        raise ValueError("two categories share a rate above zero, so their taxes would be rounded twice")
    return rows
