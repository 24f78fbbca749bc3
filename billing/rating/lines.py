"""One billing period to rated lines: what it costs by the usage now known, part by part."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from billing.models import BillingPeriod
from billing.pricing.breakdown import BreakdownRow, Priced
from billing.pricing.charge import price, price_events
from billing.pricing.commitments import Commitment, true_up
from billing.pricing.money import from_minor, round_to_minor
from billing.pricing.proration import proration_factor
from billing.rating.allotment import allot, every_usage
from billing.rating.fees import Fee, fees_of, price_fee
from billing.rating.single import SingleAmounts, reads_events
from billing.rating.terms import COMMITMENT_CODE, ChargeTerms, TermsBook, VersionTerms
from billing.subscriptions.timeline import Stretch, Timeline
from usage.models import Meter
from usage.selectors import MeteredUsage, quantity_of

Part = Literal["in_advance", "in_arrears"]
# What the column keeps of an exact amount. A quotient such as bytes / 2^30 times a price can have more decimals.
_STORED_PLACES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedLine:
    """What one charge costs in one period. `exact_amount` is unrounded (to 24 decimals), `amount_minor` is it rounded once."""

    part: Part
    charge_id: int | None  # None: the commitment's true-up
    charge_code: str  # of an add-on's charge with the add-on before it
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
    quantities: tuple[Stretch, ...] = ()  # where the quantity of a fee changed within the period


@dataclass(frozen=True, slots=True)
class RatedPeriod:
    """All lines of a period, both parts, and the usage that no charge priced."""

    lines: tuple[RatedLine, ...]
    unpriced: tuple[MeteredUsage, ...]

    def part(self, part: Part) -> tuple[RatedLine, ...]:
        """Return the lines of one part."""
        return tuple(line for line in self.lines if line.part == part)


def rate_period(
    period: BillingPeriod,
    terms: VersionTerms,
    *,
    usage: Sequence[MeteredUsage],
    timeline: Timeline,
    terms_book: TermsBook,
    single: SingleAmounts,
) -> RatedPeriod:
    """
    Price a period by its own terms. Pure: `usage` is the usage of its days, `single` hands out the amounts of its events.

    Fixed fees and the commitment are prorated by whole local days where the period is only a part of a full one; usage is
    what it is. A charge that was not used and costs nothing gives no line. In a trial and in a pause only what add-ons
    charge once is due; what was used during a pause is unpriced.

    :raises ValueError: if a charge cannot be priced (a negative quantity, for example)
    """
    lines: list[RatedLine] = []
    unpriced: tuple[MeteredUsage, ...] = ()
    fees = {fee.code: fee for fee in fees_of(period, terms, timeline, terms_book)}
    if period.kind == BillingPeriod.Kind.REGULAR:
        allotment = allot(terms, usage)
        unpriced = allotment.unpriced
        for charge in terms.charges:
            if charge.meter is None:
                lines.append(_fee_line(fees.pop(charge.code), period, terms))
                continue
            used = allotment.by_charge[charge.id]
            priced = _price_usage(charge, charge.meter, used, period, single)
            if used or priced.exact != 0:
                lines.append(_usage_line(charge, charge.meter, priced, period, terms))
    elif period.kind == BillingPeriod.Kind.PAUSED:
        unpriced = every_usage(terms, usage)
    lines += [_fee_line(fee, period, terms) for fee in fees.values()]
    return RatedPeriod((*lines, *_true_up(lines, period, terms)), unpriced)


def _price_usage(
    charge: ChargeTerms, meter: Meter, used: Sequence[MeteredUsage], period: BillingPeriod, single: SingleAmounts
) -> Priced:
    if reads_events(charge.price):
        amounts = single(meter, charge, period.first_day, period.end_day) if used else ()
        return price_events(charge.price, amounts)
    return price(charge.price, quantity_of(meter.aggregation, used))


def _usage_line(charge: ChargeTerms, meter: Meter, priced: Priced, period: BillingPeriod, terms: VersionTerms) -> RatedLine:
    days = (period.end_day - period.first_day).days
    return RatedLine(
        part="in_arrears",
        charge_id=charge.id,
        charge_code=charge.code,
        name=charge.name,
        meter_code=meter.code,
        unit=meter.unit,
        first_day=period.first_day,
        end_day=period.end_day,
        quantity=priced.quantity,
        unit_amount=_unit_amount(priced),
        exact_amount=_storable(priced.exact_amount),
        amount_minor=round_to_minor(priced.exact, exponent=terms.exponent),
        breakdown=priced.breakdown,
        days=days,
        full_days=days,
    )


def _fee_line(fee: Fee, period: BillingPeriod, terms: VersionTerms) -> RatedLine:
    priced = price_fee(fee)
    return RatedLine(
        # Fees of a period that billed nothing in advance come with the rest: an add-on that was put on later, for example.
        part="in_advance" if fee.charge.in_advance and period.bills_in_advance else "in_arrears",
        charge_id=fee.charge.id,
        charge_code=fee.code,
        name=fee.name,
        meter_code="",
        unit="",
        first_day=period.first_day,
        end_day=period.end_day,
        quantity=fee.quantity,
        unit_amount=_unit_amount(priced),
        exact_amount=_storable(priced.exact_amount),
        amount_minor=round_to_minor(priced.exact, exponent=terms.exponent),
        breakdown=priced.breakdown,
        days=fee.days,
        full_days=fee.full_days,
        quantities=fee.stretches if len(fee.stretches) > 1 else (),
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


def _true_up(lines: Sequence[RatedLine], period: BillingPeriod, terms: VersionTerms) -> tuple[RatedLine, ...]:
    if terms.minimum_commitment is None or period.kind != BillingPeriod.Kind.REGULAR:
        return ()
    whole = period.whole_first_day, period.whole_end_day
    share = proration_factor((period.first_day, period.end_day), whole)
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
            full_days=(whole[1] - whole[0]).days,
        ),
    )
