"""What billed periods would cost by the usage now known, minus what was billed for them (I3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum

from billing.models import BillingPeriod, Charge, CreditNote, CreditNoteLine, Invoice, InvoiceLine
from billing.pricing.money import exact
from billing.rating.lines import Part, RatedLine, RatedPeriod
from billing.subscriptions.periods import LIVE


class BilledCharge(NamedTuple):
    """What lines say of the charge that they are of; of a commitment's true-up there is none."""

    id: int | None
    name: str | None
    billed: str | None
    meter_code: str
    unit: str


@dataclass(frozen=True, slots=True)
class Billed:
    """What all live invoices together say of one charge in one period; `charge` is the newest that they say it of."""

    quantity: Decimal
    exact_amount: Decimal
    amount_minor: int
    charge: BilledCharge | None = field(default=None, compare=False)


NOTHING = Billed(Decimal(0), Decimal(0), 0)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A line that belongs to an earlier period: the difference between metered and billed, which may be negative."""

    period: BillingPeriod
    line: RatedLine


def billed_amounts(subscription_id: int, *, except_invoice_id: int | None = None) -> dict[int, dict[str, Billed]]:
    """
    Sum the lines of the subscription's live invoices (drafts too, void ones not) by period id, then charge, less what credit
    notes corrected of them. Two queries.

    `except_invoice_id` leaves one invoice out: the draft that is being worked out anew.
    """
    lines = InvoiceLine.objects.filter(billing_period__subscription_id=subscription_id).exclude(
        invoice__status=Invoice.Status.VOID
    )
    if except_invoice_id is not None:
        lines = lines.exclude(invoice_id=except_invoice_id)
    sums = lines.values_list(
        "billing_period_id", "charge_code", "charge_id", "charge__name", "charge__billed", "meter_code", "unit"
    ).annotate(Sum("quantity"), Sum("exact_amount"), Sum("amount_minor"))
    found: dict[int, dict[str, Billed]] = {}
    for period_id, code, *charge, quantity, exact_amount, amount_minor in sums.order_by("charge_id"):
        of_period = found.setdefault(period_id, {})
        before = of_period.get(code, NOTHING)
        with exact():
            quantity, exact_amount = before.quantity + quantity, before.exact_amount + exact_amount
        of_period[code] = Billed(quantity, exact_amount, before.amount_minor + int(amount_minor), BilledCharge._make(charge))
    _take_off_corrections(found, subscription_id)
    return found


def _take_off_corrections(found: dict[int, dict[str, Billed]], subscription_id: int) -> None:
    """Take off what credit notes say was billed too much; those of goodwill leave it billed."""
    corrected = CreditNoteLine.objects.filter(
        credit_note__reason=CreditNote.Reason.CORRECTION, invoice_line__billing_period__subscription_id=subscription_id
    )
    sums = corrected.values_list("invoice_line__billing_period_id", "invoice_line__charge_code").annotate(
        Sum("quantity"), Sum("exact_amount"), Sum("amount_minor")
    )
    for period_id, code, quantity, exact_amount, amount_minor in sums.order_by():
        before = found[period_id][code]
        with exact():
            found[period_id][code] = replace(
                before,
                quantity=before.quantity - quantity,
                exact_amount=before.exact_amount - exact_amount,
                amount_minor=before.amount_minor - int(amount_minor),
            )


def settled_parts(subscription_id: int) -> dict[BillingPeriod, tuple[Part, ...]]:
    """
    Return the parts of a subscription's periods that are billed for good, oldest first: what later differs is an adjustment.

    A part on a draft is not settled, since the draft itself is worked out anew. Of a period that is superseded nothing is
    due: what live invoices say of it comes back. One query, which leaves the invoices unread: the snapshots of years are large.
    """
    billed = Q(advance_billed_at__isnull=False) | Q(arrears_billed_at__isnull=False)
    live_lines = InvoiceLine.objects.filter(billing_period=OuterRef("pk")).exclude(invoice__status=Invoice.Status.VOID)
    wanted = (LIVE & billed) | (~LIVE & Exists(live_lines))
    periods: QuerySet[Any] = BillingPeriod.objects.filter(wanted, subscription_id=subscription_id).annotate(
        advance_status=F("advance_invoice__status"), arrears_status=F("arrears_invoice__status")
    )
    settled: dict[BillingPeriod, tuple[Part, ...]] = {}
    for period in periods.order_by("index", "pk"):
        if period.superseded_at is not None:
            settled[period] = ("in_advance", "in_arrears")
            continue
        parts: list[Part] = []
        if period.advance_billed_at and period.advance_status != Invoice.Status.DRAFT:
            parts.append("in_advance")
        if period.arrears_billed_at and period.arrears_status != Invoice.Status.DRAFT:
            parts.append("in_arrears")
        if parts:
            settled[period] = tuple(parts)
    return settled


def adjustments_of(
    period: BillingPeriod, rated: RatedPeriod, parts: Sequence[Part], billed: Mapping[str, Billed]
) -> list[Adjustment]:
    """
    Compare the settled parts of a period with what was billed of it, and return a line for each charge that differs.

    The rounded amount of a line is the rounded price now minus all that was billed, so that the documents add up to the
    rounded rating however many adjustments there were. A charge that vanished from the rating is billed back to zero.
    """
    expected = {line.charge_code: line for line in rated.lines if line.part in parts}
    found: list[Adjustment] = []
    for code in dict.fromkeys((*_billed_of(period, rated, parts, billed), *expected)):
        before = billed.get(code, NOTHING)
        line = expected.get(code) or _unused_line(code, before.charge, period)
        if before != Billed(line.quantity, line.exact_amount, line.amount_minor):
            found.append(Adjustment(period, _difference(line, before)))
    return found


def taken_back(period: BillingPeriod, rated: RatedPeriod, part: Part, billed: Mapping[str, Billed]) -> list[Adjustment]:
    """Return what other live invoices say of a part that is billed in full by this one: corrections of one that is void."""
    return [
        Adjustment(period, _difference(_unused_line(code, billed[code].charge, period), billed[code]))
        for code in _billed_of(period, rated, (part,), billed)
    ]


def _billed_of(period: BillingPeriod, rated: RatedPeriod, parts: Sequence[Part], billed: Mapping[str, Billed]) -> list[str]:
    """Return the charges of these parts that something is billed of; of one that vanished the part is what its terms say."""
    rated_parts = {line.charge_code: line.part for line in rated.lines}
    return [
        code
        for code, before in billed.items()
        if before != NOTHING and (rated_parts.get(code) or _part_of(before.charge, period)) in parts
    ]


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


def _unused_line(code: str, charge: BilledCharge | None, period: BillingPeriod) -> RatedLine:
    """The line of a charge that was billed and by what is known now costs nothing."""
    days = (period.end_day - period.first_day).days
    return RatedLine(
        part=_part_of(charge, period),
        charge_id=charge.id if charge else None,
        charge_code=code,
        name=(charge and charge.name) or "",
        meter_code=charge.meter_code if charge else "",
        unit=charge.unit if charge else "",
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


def _part_of(charge: BilledCharge | None, period: BillingPeriod) -> Part:
    in_advance = charge is not None and charge.billed == Charge.Billed.IN_ADVANCE and period.bills_in_advance
    return "in_advance" if in_advance else "in_arrears"
