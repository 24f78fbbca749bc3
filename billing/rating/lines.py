"""One billing period to rated lines: what it costs by the usage now known, part by part."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from billing.models import BillingPeriod
from billing.pricing.breakdown import BreakdownRow, Priced
from billing.pricing.charge import price, prorate
from billing.pricing.commitments import Commitment, true_up
from billing.pricing.money import from_minor, round_to_minor
from billing.pricing.period import full_period_days
from billing.pricing.proration import proration_factor
from billing.rating.allotment import allot
from billing.rating.terms import COMMITMENT_CODE, ChargeTerms, VersionTerms
from usage.selectors import MeteredUsage, quantity_of

Part = Literal["in_advance", "in_arrears"]
# What the column keeps of an exact amount. A quotient such as bytes / 2^30 times a price can have more decimals.
_STORED_PLACES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedLine:
    """What one charge costs in one period. `exact_amount` is unrounded (to 24 decimals), `amount_minor` is it rounded once."""

    part: Part
    charge_id: int | None  # None: the commitment's true-up
    charge_code: str
    name: str
    meter_code: str
    unit: str
    first_day: date  # inclusive
    end_day: date  # exclusive
    quantity: Decimal
    unit_amount: Decimal | None
    exact_amount: Decimal
    amount_minor: int
    breakdown: tuple[BreakdownRow, ...]
    days: int  # of the period that is charged …
    full_days: int  # … out of these; equal unless it was prorated


@dataclass(frozen=True, slots=True)
class RatedPeriod:
    """All lines of a period, both parts, and the usage that no charge priced."""

    lines: tuple[RatedLine, ...]
    unpriced: tuple[MeteredUsage, ...]

    def part(self, part: Part) -> tuple[RatedLine, ...]:
        """Return the lines of one part."""
        return tuple(line for line in self.lines if line.part == part)


def rate_period(period: BillingPeriod, terms: VersionTerms, *, started_on: date, usage: Sequence[MeteredUsage]) -> RatedPeriod:
    """
    Price a period by its own terms. Pure: `usage` is the usage of its days, `started_on` the subscription's first day.

    Fixed fees and the commitment are prorated by whole local days where the period is only a part of a full one; usage is
    what it is. A charge that was not used and costs nothing gives no line.

    :raises ValueError: if a charge cannot be priced (a negative quantity, for example)
    """
    allotment = allot(terms, usage)
    full = full_period_days(terms.cadence, started_on=started_on, index=period.index)
    days = (period.first_day, period.end_day)
    share = proration_factor(days, full)
    lines: list[RatedLine] = []
    for charge in terms.charges:
        used = allotment.by_charge[charge.id]
        priced, quantity = _priced(charge, used, share)
        if charge.meter is not None and not used and priced.exact == 0:
            continue
        lines.append(_line(charge, priced, quantity, period, terms, (full[1] - full[0]).days))
    commitment = _true_up(lines, period, terms, share, (full[1] - full[0]).days)
    return RatedPeriod((*lines, *commitment), allotment.unpriced)


def _priced(charge: ChargeTerms, usage: Sequence[MeteredUsage], share: Fraction) -> tuple[Priced, Decimal]:
    if charge.meter is None:
        priced = price(charge.price, Decimal(1))
        return (priced if share == 1 else prorate(priced, share)), Decimal(1)
    quantity = quantity_of(charge.meter.aggregation, usage)
    return price(charge.price, quantity), quantity


def _line(
    charge: ChargeTerms, priced: Priced, quantity: Decimal, period: BillingPeriod, terms: VersionTerms, full_days: int
) -> RatedLine:
    days = (period.end_day - period.first_day).days
    return RatedLine(
        part="in_advance" if charge.in_advance else "in_arrears",
        charge_id=charge.id,
        charge_code=charge.code,
        name=charge.name,
        meter_code=charge.meter.code if charge.meter else "",
        unit=charge.meter.unit if charge.meter else "",
        first_day=period.first_day,
        end_day=period.end_day,
        quantity=quantity,
        unit_amount=_unit_amount(priced),
        exact_amount=_storable(priced.exact_amount),
        amount_minor=round_to_minor(priced.exact, exponent=terms.exponent),
        breakdown=priced.breakdown,
        days=days,
        full_days=days if charge.meter else full_days,
    )


def _storable(amount: Decimal) -> Decimal:
    """Return the amount as it will be read back: otherwise the same usage would differ from what was billed for ever."""
    places = amount.as_tuple().exponent
    if isinstance(places, int) and places >= -_STORED_PLACES:
        return amount
    return from_minor(round_to_minor(amount, exponent=_STORED_PLACES), exponent=_STORED_PLACES)


def _unit_amount(priced: Priced) -> Decimal | None:
    """Return the price of a unit where one price says it all."""
    if len(priced.breakdown) != 1 or priced.breakdown[0].above:
        return None
    row = priced.breakdown[0]
    return row.flat_amount if row.unit_amount is None else row.unit_amount


def _true_up(
    lines: Sequence[RatedLine], period: BillingPeriod, terms: VersionTerms, share: Fraction, full_days: int
) -> tuple[RatedLine, ...]:
    if terms.minimum_commitment is None:
        return ()
    commitment = Commitment(
        id=COMMITMENT_CODE,
        amount_minor=round_to_minor(terms.minimum_commitment, exponent=terms.exponent),
        factor=share,
    )
    added = true_up(commitment, {line.charge_code: line.amount_minor for line in lines})
    if not added.amount_minor:
        return ()
    amount = from_minor(added.amount_minor, exponent=terms.exponent)
    return (
        RatedLine(
            part="in_arrears",
            charge_id=None,
            charge_code=COMMITMENT_CODE,
            name="",
            meter_code="",
            unit="",
            first_day=period.first_day,
            end_day=period.end_day,
            quantity=Decimal(1),
            unit_amount=amount,
            exact_amount=amount,
            amount_minor=added.amount_minor,
            breakdown=(),
            days=(period.end_day - period.first_day).days,
            full_days=full_days,
        ),
    )
