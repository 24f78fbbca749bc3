"""Fees of a period: what is due by days and by quantity, of the plan and of add-ons. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from billing.models import BillingPeriod
from billing.pricing.breakdown import Priced, combine
from billing.pricing.charge import price, prorate
from billing.pricing.charge_models.flat import Flat
from billing.pricing.charge_models.per_unit import PerUnit
from billing.pricing.proration import proration_factor
from billing.rating.terms import ChargeTerms, TermsBook, VersionTerms
from billing.subscriptions.timeline import AddOn, Stretch, Timeline, add_on_stretches

_ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """A charge without a meter, as it is due in one period."""

    code: str  # on the line: of an add-on with the add-on's name before it
    name: str
    charge: ChargeTerms
    stretches: tuple[Stretch, ...]  # within the period, at least one
    whole: tuple[date, date] | None  # what the days are prorated by; None: once, in full

    @property
    def quantity(self) -> Decimal:
        """How many there were at the end."""
        return self.stretches[-1].quantity

    @property
    def days(self) -> int:
        """The days that are charged."""
        return sum((stretch.end_day - stretch.first_day).days for stretch in self.stretches)

    @property
    def full_days(self) -> int:
        """The days that the price is for; equal unless it is prorated."""
        return self.days if self.whole is None else (self.whole[1] - self.whole[0]).days


def fees_of(period: BillingPeriod, terms: VersionTerms, timeline: Timeline, terms_book: TermsBook) -> Iterator[Fee]:
    """
    Yield the fees of a period: those of its version in their order, then those of each add-on.

    In a trial and in a pause nothing is due but what add-ons charge once.
    """
    days = period.first_day, period.end_day
    is_regular = period.kind == BillingPeriod.Kind.REGULAR
    whole = period.whole_first_day, period.whole_end_day
    for charge in terms.charges if is_regular else ():
        if charge.meter is None:
            stretches = _stretches(charge, timeline, *days)
            yield Fee(code=charge.code, name=charge.name, charge=charge, stretches=stretches, whole=whole)
    for add_on in timeline.add_ons:
        add_on_terms = terms_book.of(add_on.version.pk)
        held = _once(add_on, *days) if add_on.is_once else add_on_stretches(add_on, *days) if is_regular else ()
        if not held:
            continue
        for charge in add_on_terms.charges:
            yield Fee(
                code=line_code(add_on, charge),
                name=charge.name if len(add_on_terms.charges) == 1 else f"{add_on_terms.plan_name}: {charge.name}",
                charge=_for_each(charge),
                stretches=held,
                whole=None if add_on.is_once else whole,
            )


def line_code(add_on: AddOn, charge: ChargeTerms) -> str:
    """Return how lines name a charge of an add-on. Codes of a catalogue have no colon first, so it is never that of a plan."""
    return f":{add_on.code}:{charge.code}"


def _stretches(charge: ChargeTerms, timeline: Timeline, first_day: date, end_day: date) -> tuple[Stretch, ...]:
    if charge.default_quantity is None:
        return (Stretch(first_day, end_day, _ONE),)
    return timeline.stretches(charge.code, first_day, end_day, default=charge.default_quantity)


def _once(add_on: AddOn, first_day: date, end_day: date) -> tuple[Stretch, ...]:
    on, quantity = add_on.steps[0]
    return (Stretch(on, end_day, quantity),) if first_day <= on < end_day and quantity else ()


def price_fee(fee: Fee) -> Priced:
    """Price a fee: each stretch as if its quantity had been there for the whole period, prorated by its days; then the sum."""
    parts = [_price_stretch(fee, stretch) for stretch in fee.stretches]
    return parts[0] if len(parts) == 1 else combine(parts, quantity=fee.quantity)


def _price_stretch(fee: Fee, stretch: Stretch) -> Priced:
    priced = price(fee.charge.price, stretch.quantity)
    if fee.whole is None:
        return priced
    share = proration_factor((stretch.first_day, stretch.end_day), fee.whole)
    return priced if share == 1 else prorate(priced, share)


def _for_each(charge: ChargeTerms) -> ChargeTerms:
    """A flat fee of an add-on is due for each of it that a subscription has."""
    if not isinstance(charge.price.model, Flat):
        return charge
    return replace(charge, price=replace(charge.price, model=PerUnit(unit_amount=charge.price.model.amount)))
