"""The amounts of single events, for charges that price each by itself (percentages with a fee, free events or bounds)."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

from billing.pricing.charge import Charge
from billing.rating.allotment import taker_of
from billing.rating.terms import ChargeTerms, VersionTerms
from usage.models import Meter
from usage.selectors import single_values

# (meter, charge, first day, end day) → what the charge prices, in the order in which the events happened.
type SingleAmounts = Callable[[Meter, ChargeTerms, date, date], Sequence[Decimal]]


def reads_events(price: Charge) -> bool:
    """Say whether a charge is priced from single events: where their sum would not tell, or is converted and rounded."""
    return price.needs_events or (price.prices_events and price.adjustments.divide_round is not None)


def single_amounts(customer_id: int, terms: VersionTerms) -> SingleAmounts:
    """Return a reader of a customer's events for a version's charges. One query for each charge and period that needs them."""

    def read(meter: Meter, charge: ChargeTerms, first_day: date, end_day: date) -> list[Decimal]:
        values = single_values(customer_id=customer_id, meter=meter, first_day=first_day, end_day=end_day)
        return [value for dimensions, value in values if taker_of(terms, meter.pk, dimensions) == charge.id]

    return read
