"""What a line of usage is made of: its days, and where the events of each lie. For people who ask why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.models import BillingPeriod, InvoiceLine
from billing.pricing.period import local_midnight
from billing.rating.daily import daily_quantities_by_charge
from billing.rating.terms import TermsBook


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedDay:
    """A local day of the customer: the quantity that the charge takes of it, and the instants [starts_at, ends_at) it lasts."""

    day: date
    quantity: Decimal
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedUsage:
    """
    The days of a line, those without usage left out, and which events they are made of: those of a type, and of dimensions
    that have all values of `filter` (empty: those that no other charge of the plan takes).
    """

    event_type: str
    filter: dict[str, str]
    days: tuple[ExplainedDay, ...]


def explain_usage(line: InvoiceLine) -> ExplainedUsage | None:
    """
    Return the days of a line by the usage now known; None for a line that no meter counted (fees, commitments, items).

    What came after the line was written is in it too, as in every adjustment; a line of an adjustment has the days of its
    period. Needs the line's billing period, charge and meter loaded, and its invoice's customer. Three queries.
    """
    period, charge = line.billing_period, line.charge
    if period is None or charge is None or charge.meter is None:
        return None
    customer = line.invoice.customer
    return ExplainedUsage(
        event_type=charge.meter.event_type,
        filter=dict(charge.filter),
        days=tuple(_days(line, period, customer.pk, ZoneInfo(customer.timezone))),
    )


def _days(line: InvoiceLine, period: BillingPeriod, customer_id: int, zone: ZoneInfo) -> Iterator[ExplainedDay]:
    quantities = daily_quantities_by_charge(
        TermsBook().of(period.plan_version_id),
        customer_id=customer_id,
        first_day=line.first_day,
        end_day=line.last_day + timedelta(days=1),
    )
    for offset, quantity in enumerate(quantities.get(line.charge_code, ())):
        day = line.first_day + timedelta(days=offset)
        if quantity:
            yield ExplainedDay(
                day=day,
                quantity=quantity,
                starts_at=local_midnight(day, zone),
                ends_at=local_midnight(day + timedelta(days=1), zone),
            )
