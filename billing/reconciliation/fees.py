"""
Fees of billed periods, counted day by day from what was decided: other code than the engine, which counts stretches.

A fee whose price is outside of what the reference knows is left out, as for usage.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from billing.models import BillingPeriod, Charge, Invoice, PlanVersion, Subscription, SubscriptionChange
from billing.reconciliation.reference import reference_price

_ONE_DAY = timedelta(days=1)
_Kind = SubscriptionChange.Kind


@dataclass(frozen=True, slots=True)
class DueFee:
    """What a fee of a period that is billed costs, in major units."""

    period: BillingPeriod
    code: str
    amount: Fraction


def due_fees(subscription: Subscription) -> Iterator[DueFee]:
    """Yield the fees of a subscription whose part of their period is billed, and not on a draft only. Three queries."""
    changes = SubscriptionChange.objects.filter(subscription=subscription, undone_at=None).select_related("plan_version")
    decided = sorted(changes, key=lambda change: (change.effective_on, change.pk))
    live = BillingPeriod.objects.filter(subscription=subscription, superseded_at=None)
    periods = list(live.select_related("advance_invoice", "arrears_invoice").order_by("index"))
    versions = {period.plan_version_id for period in periods} | {change.plan_version_id for change in decided}
    fees: dict[int, list[Charge]] = {}
    for charge in Charge.objects.filter(plan_version__in=versions - {None}, meter=None).order_by("position"):
        fees.setdefault(charge.plan_version_id, []).append(charge)
    for period in periods:
        for charge, code, amount in _of_plan(period, fees, decided):
            if amount is not None and _is_billed(period, charge):
                yield DueFee(period, code, amount)
        for charge, code, amount in _of_add_ons(period, fees, decided):
            if amount is not None and _is_billed(period, charge):
                yield DueFee(period, code, amount)


def _is_billed(period: BillingPeriod, charge: Charge) -> bool:
    if charge.billed == Charge.Billed.IN_ADVANCE and period.bills_in_advance:
        billed_at, invoice = period.advance_billed_at, period.advance_invoice
    else:
        billed_at, invoice = period.arrears_billed_at, period.arrears_invoice
    return billed_at is not None and (invoice is None or invoice.status != Invoice.Status.DRAFT)


def _of_plan(
    period: BillingPeriod, fees: Mapping[int, list[Charge]], decided: list[SubscriptionChange]
) -> Iterator[tuple[Charge, str, Fraction | None]]:
    if period.kind != BillingPeriod.Kind.REGULAR:
        return
    for charge in fees.get(period.plan_version_id, []):
        if charge.default_quantity is None:
            held = Counter({Fraction(1): (period.end_day - period.first_day).days})
        else:
            steps = [change for change in decided if change.kind == _Kind.QUANTITY and change.charge_code == charge.code]
            held = _days_by_quantity(steps, period, Fraction(charge.default_quantity))
        yield charge, charge.code, _by_days(charge.terms, held, period)


def _of_add_ons(
    period: BillingPeriod, fees: Mapping[int, list[Charge]], decided: list[SubscriptionChange]
) -> Iterator[tuple[Charge, str, Fraction | None]]:
    by_code: dict[str, list[SubscriptionChange]] = {}
    for change in decided:
        if change.kind == _Kind.ADD_ON:
            by_code.setdefault(change.add_on_code, []).append(change)
    for add_on, steps in by_code.items():
        version = steps[0].plan_version
        for charge in fees.get(version.pk, []) if version else []:
            # A flat fee is due for each.
            is_flat = charge.terms["model"] == "flat"
            terms = {**charge.terms, "model": "per_unit", "unit_amount": charge.terms["amount"]} if is_flat else charge.terms
            if is_flat:
                del terms["amount"]
            amount: Fraction | None = None
            if version and version.interval == PlanVersion.Interval.ONCE:
                if period.first_day <= steps[0].effective_on < period.end_day:
                    amount = reference_price(terms, Fraction(steps[0].quantity or 0))
            elif period.kind == BillingPeriod.Kind.REGULAR:
                held = _days_by_quantity(steps, period, Fraction(0))
                del held[Fraction(0)]
                amount = _by_days(terms, held, period)
            yield charge, f":{add_on}:{charge.code}", amount


def _days_by_quantity(steps: list[SubscriptionChange], period: BillingPeriod, default: Fraction) -> Counter[Fraction]:
    """Count the days of a period by how many there were on them."""
    on_day: dict[date, Fraction] = {change.effective_on: Fraction(change.quantity or 0) for change in steps}
    before = [change for change in steps if change.effective_on < period.first_day]
    current = Fraction(before[-1].quantity or 0) if before else default
    found: Counter[Fraction] = Counter()
    day = period.first_day
    while day < period.end_day:
        current = on_day.get(day, current)
        found[current] += 1
        day += _ONE_DAY
    return found


def _by_days(terms: Mapping[str, Any], held: Mapping[Fraction, int], period: BillingPeriod) -> Fraction | None:
    whole = (period.whole_end_day - period.whole_first_day).days
    total = Fraction(0)
    for quantity, days in held.items():
        price = reference_price(terms, quantity)
        if price is None:
            return None
        total += price * days / whole
    return total
