"""What billed periods would cost by the usage now known, minus what was billed for them (I3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db.models import Q, Sum

from billing.models import BillingPeriod, Invoice, InvoiceLine
from billing.pricing.money import exact
from billing.rating.lines import Part, RatedLine, RatedPeriod
from billing.rating.terms import ChargeTerms, VersionTerms
from billing.subscriptions.periods import WITHIN_SUBSCRIPTION


@dataclass(frozen=True, slots=True)
class Billed:
    """What all live invoices together say of one charge in one period."""

    quantity: Decimal
    exact_amount: Decimal
    amount_minor: int


NOTHING = Billed(Decimal(0), Decimal(0), 0)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A line that belongs to an earlier period: the difference between metered and billed, which may be negative."""

    period: BillingPeriod
    line: RatedLine


def billed_amounts(subscription_id: int, *, except_invoice_id: int | None = None) -> dict[tuple[int, str], Billed]:
    """
    Sum the lines of the subscription's live invoices (drafts too, void ones not) by period and charge. One query.

    `except_invoice_id` leaves one invoice out: the draft that is being worked out anew.
    """
    lines = InvoiceLine.objects.filter(billing_period__subscription_id=subscription_id).exclude(
        invoice__status=Invoice.Status.VOID
    )
    if except_invoice_id is not None:
        lines = lines.exclude(invoice_id=except_invoice_id)
    sums = lines.values("billing_period_id", "charge_code").annotate(
        quantity_sum=Sum("quantity"), exact_sum=Sum("exact_amount"), minor_sum=Sum("amount_minor")
    )
    return {
        (row["billing_period_id"], row["charge_code"]): Billed(row["quantity_sum"], row["exact_sum"], int(row["minor_sum"]))
        for row in sums
    }


def settled_parts(periods: Sequence[BillingPeriod]) -> dict[BillingPeriod, tuple[Part, ...]]:
    """
    Return, by period, the parts that are billed for good: what later differs is an adjustment.

    A part on a draft is not settled, since the draft itself is worked out anew. Needs both invoices loaded.
    """
    settled: dict[BillingPeriod, tuple[Part, ...]] = {}
    for period in periods:
        parts: list[Part] = []
        if period.advance_billed_at and not _is_draft(period.advance_invoice):
            parts.append("in_advance")
        if period.arrears_billed_at and not _is_draft(period.arrears_invoice):
            parts.append("in_arrears")
        if parts:
            settled[period] = tuple(parts)
    return settled


def _is_draft(invoice: Invoice | None) -> bool:
    return invoice is not None and invoice.status == Invoice.Status.DRAFT


def adjustments_of(
    period: BillingPeriod,
    rated: RatedPeriod,
    terms: VersionTerms,
    parts: Sequence[Part],
    billed: Mapping[tuple[int, str], Billed],
) -> list[Adjustment]:
    """
    Compare the settled parts of a period with what was billed, and return a line for each charge that differs.

    The rounded amount of a line is the rounded price now minus all that was billed, so that the documents add up to the
    rounded rating however many adjustments there were. A charge that vanished from the rating is billed back to zero.
    """
    expected = {line.charge_code: line for line in rated.lines if line.part in parts}
    charges = {charge.code: charge for charge in terms.charges}
    for (period_id, code), before in billed.items():
        if period_id != period.pk or code in expected or before == NOTHING:
            continue
        line = _unused_line(code, charges.get(code), period)
        if line.part in parts:
            expected[code] = line
    found: list[Adjustment] = []
    for code, line in expected.items():
        before = billed.get((period.pk, code), NOTHING)
        if before != Billed(line.quantity, line.exact_amount, line.amount_minor):
            found.append(Adjustment(period, _difference(line, before)))
    return found


def _difference(line: RatedLine, before: Billed) -> RatedLine:
    if before == NOTHING:
        return line
    with exact():
        return replace(
            line,
            quantity=line.quantity - before.quantity,
            unit_amount=None,
            exact_amount=line.exact_amount - before.exact_amount,
            amount_minor=line.amount_minor - before.amount_minor,
            breakdown=(),
        )


def _unused_line(code: str, charge: ChargeTerms | None, period: BillingPeriod) -> RatedLine:
    """The line of a charge that was billed and by the usage now known costs nothing; None is the commitment's true-up."""
    days = (period.end_day - period.first_day).days
    return RatedLine(
        part="in_advance" if charge and charge.in_advance else "in_arrears",
        charge_id=charge.id if charge else None,
        charge_code=code,
        name=charge.name if charge else "",
        meter_code=charge.meter.code if charge and charge.meter else "",
        unit=charge.meter.unit if charge and charge.meter else "",
        first_day=period.first_day,
        end_day=period.end_day,
        quantity=Decimal(0),
        unit_amount=None,
        exact_amount=Decimal(0),
        amount_minor=0,
        breakdown=(),
        days=days,
        full_days=days,
    )


def billed_periods(subscription_id: int) -> list[BillingPeriod]:
    """Return the periods of a subscription that have a billed part, oldest first, with their invoices. One query."""
    billed = Q(advance_billed_at__isnull=False) | Q(arrears_billed_at__isnull=False)
    periods = BillingPeriod.objects.filter(billed, WITHIN_SUBSCRIPTION, subscription_id=subscription_id)
    return list(periods.select_related("advance_invoice", "arrears_invoice").order_by("index"))
