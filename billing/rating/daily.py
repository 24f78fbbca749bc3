"""What each charge took of every day: the same allotment that priced the period, day by day, for people to look at."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from billing.rating.allotment import allot
from billing.rating.terms import VersionTerms
from usage.selectors import metered_usage_by_span, quantity_of


def daily_quantities_by_charge(
    terms: VersionTerms, *, customer_id: int, first_day: date, end_day: date
) -> Mapping[str, tuple[Decimal, ...]]:
    """
    Return for each metered charge, by its code, the quantity of every local day in [first_day, end_day), zeros included.

    It is the usage now known, which may be more than what an invoice of these days has billed. One query.
    """
    days = [first_day + timedelta(days=offset) for offset in range((end_day - first_day).days)]
    spans = [(day, day + timedelta(days=1)) for day in days]
    allotments = [allot(terms, usage).by_charge for usage in metered_usage_by_span(customer_id=customer_id, spans=spans)]
    return {
        charge.code: tuple(quantity_of(charge.meter.aggregation, by_charge[charge.id]) for by_charge in allotments)
        for charge in terms.charges
        if charge.meter is not None
    }
