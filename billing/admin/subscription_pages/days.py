"""Days as people type them, and the instants that services take."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from customers.models import Customer


def within(on: date, customer: Customer) -> datetime:
    """Return an instant of the customer's local day; its noon, which every day has once."""
    return datetime.combine(on, time(12), tzinfo=ZoneInfo(customer.timezone))
