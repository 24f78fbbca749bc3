"""How commands tell what a period costs by its own price and by another: for people, and as JSON."""

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from billing.pricing.money import from_minor
from billing.rating.rerating import ReratedPeriod
from squill.lib.currency import exponent
from squill.lib.decimals import plain


def amount(minor: int, currency: str) -> str:
    """Write an amount in major units with all decimals of its currency."""
    return format(from_minor(minor, exponent=exponent(currency)), "f")


def amounts(own_minor: int, other_minor: int, currency: str) -> str:
    """Write what is paid, what would be paid, and the difference."""
    difference = from_minor(other_minor - own_minor, exponent=exponent(currency))
    return f"{amount(own_minor, currency)} → {amount(other_minor, currency)} {currency} ({difference:+f})"


def in_words(period: ReratedPeriod) -> str:
    """Say in one line what a period costs either way, with its last day as part of it, or why that cannot be said."""
    days = f"{period.first_day} – {period.end_day - timedelta(days=1)}"
    if period.own_minor is None or period.other_minor is None:
        return _("%(days)s: cannot be rated: %(why)s") % {"days": days, "why": period.error}
    words = f"{days}: {amounts(period.own_minor, period.other_minor, period.currency)}"
    if period.unpriced:
        left = ", ".join(f"{usage.meter} {plain(usage.quantity)}" for usage in period.unpriced)
        words += "; " + _("would be unpriced: %(usage)s") % {"usage": left}
    return words


def as_members(period: ReratedPeriod) -> dict[str, Any]:
    """Return a period as members of JSON; amounts in major units, null where it cannot be rated."""
    places = exponent(period.currency)
    pay = {"own": period.own_minor, "other": period.other_minor, "difference": period.difference_minor}
    return {
        "customer": period.customer,
        "subscription": period.subscription,
        "period": [period.first_day.isoformat(), period.end_day.isoformat()],
        "version": period.version,
        "currency": period.currency,
        **{name: None if minor is None else plain(from_minor(minor, exponent=places)) for name, minor in pay.items()},
        "unpriced": [{"meter": usage.meter, "quantity": plain(usage.quantity)} for usage in period.unpriced],
        "error": period.error,
    }
