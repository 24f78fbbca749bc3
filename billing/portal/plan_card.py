"""A running subscription in words: what it is on today, what that costs, and what is planned."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from billing.models import BillingPeriod, Subscription
from billing.pricing.describe import describe_charge
from billing.rating.terms import ChargeTerms, TermsBook, VersionTerms
from billing.subscriptions.periods import load_timeline
from billing.subscriptions.timeline import AddOn, Segment, Timeline, add_on_stretches
from customers.models import Customer
from squill.web import formatting

_ONE_DAY = timedelta(days=1)


def plan_card(subscription: Subscription, book: TermsBook, customer: Customer, *, today: date) -> dict[str, Any]:
    """Return a running subscription as it is today, formatted for the customer. One query, and two for each version."""
    timeline = load_timeline(subscription)
    segment = timeline.segment_on(today) or timeline.segments[-1]
    terms = book.of(segment.version.pk)
    commitment = terms.minimum_commitment
    until = segment.end_day - _ONE_DAY if segment.end_day else None
    add_ons = [add_on for add_on in timeline.add_ons if add_on_stretches(add_on, today, today + _ONE_DAY)]
    return {
        "name": segment.version.plan.name,
        "interval": segment.version.cadence_words,
        "since": formatting.format_date(subscription.started_on, customer.locale),
        "until": formatting.format_date(timeline.ended_on - _ONE_DAY, customer.locale) if timeline.ended_on else "",
        "is_paused": segment.kind == BillingPeriod.Kind.PAUSED,
        "trial_until": _day(until, customer) if segment.kind == BillingPeriod.Kind.TRIAL else "",
        "commitment": formatting.format_unit_price(commitment, terms.currency, customer.locale) if commitment else "",
        "charges": [
            *(_charge(charge, timeline, terms.currency, customer, today) for charge in terms.charges),
            *(_add_on(add_on, book, customer, today) for add_on in add_ons if not add_on.is_once),
        ],
        "planned": list(_planned(timeline, terms, customer, today)),
    }


def _charge(charge: ChargeTerms, timeline: Timeline, currency: str, customer: Customer, today: date) -> dict[str, Any]:
    held = ""
    if charge.default_quantity is not None:
        quantity = timeline.quantity_on(charge.code, today, default=charge.default_quantity)
        held = formatting.format_decimal(quantity, customer.locale)
    return {
        "name": charge.name,
        "held": held,
        "in_advance": charge.in_advance,
        "unit": charge.meter.unit if charge.meter else "",
        "only": ", ".join(f"{name}: {value}" for name, value in charge.filter.items()),
        "words": _in_words(charge, currency, customer),
    }


def _add_on(add_on: AddOn, book: TermsBook, customer: Customer, today: date) -> dict[str, Any]:
    terms = book.of(add_on.version.pk)
    (held,) = add_on_stretches(add_on, today, today + _ONE_DAY)
    return {
        "name": terms.plan_name,
        "held": formatting.format_decimal(held.quantity, customer.locale),
        "in_advance": all(charge.in_advance for charge in terms.charges),
        "unit": "",
        "only": "",
        "words": [words for charge in terms.charges for words in _in_words(charge, terms.currency, customer)],
    }


def _planned(timeline: Timeline, terms: VersionTerms, customer: Customer, today: date) -> Iterator[str]:
    """Say what is decided for days ahead, in the order of the days; the end is said elsewhere."""
    said: list[tuple[date, str]] = []
    for before, after in pairwise(timeline.segments):
        said += [(after.first_day, words) for words in _difference(before, after)]
    names = {charge.code: charge.name for charge in terms.charges}
    for code, steps in timeline.quantities.items():
        held = ((day, formatting.format_decimal(quantity, customer.locale)) for day, quantity in steps)
        said += [(day, f"{names.get(code, code)}: {quantity}") for day, quantity in held]
    for day, words in sorted(said):
        if day > today:
            yield _("%(what)s from %(day)s") % {"what": words, "day": formatting.format_date(day, customer.locale)}


def _difference(before: Segment, after: Segment) -> Iterator[str]:
    if after.version.plan_id != before.version.plan_id:
        yield after.version.plan.name
    elif after.version != before.version:
        yield _("new prices")
    if after.kind == BillingPeriod.Kind.PAUSED:
        yield _("paused")
    elif before.kind == BillingPeriod.Kind.PAUSED:
        yield _("active again")


def _day(day: date | None, customer: Customer) -> str:
    return formatting.format_date(day, customer.locale) if day else ""


def _in_words(charge: ChargeTerms, currency: str, customer: Customer) -> list[str]:
    return describe_charge(
        charge.price,
        currency=currency,
        money=lambda amount: formatting.format_unit_price(amount, currency, customer.locale),
        quantity=lambda number: formatting.format_decimal(number, customer.locale),
    )
