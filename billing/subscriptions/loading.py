"""Customers with their subscriptions from a file: the way in from another system. All or nothing, idempotent."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import SubscriptionChange
from billing.pricing.members import InvalidMember, read_number
from billing.subscriptions.refusals import SubscriptionError
from billing.subscriptions.services import start_subscription
from customers.models import Customer
from customers.services import CustomerError, create_customer
from squill.lib import clock
from squill.lib.actor import Actor

_NOT_MEMBERS = frozenset({"actor", "now"})  # said by the door, never by the file
_SUBSCRIPTION_MEMBERS = frozenset({"plan", "starts_at", "ends_at", "external_id", "trial_days", "quantities"})


class LoadError(Exception):
    """A line of the file cannot be used: the message names the line (from 1), the member, and what to do."""

    def __init__(self, line: int, member: str, message: str) -> None:
        super().__init__(f"line {line}: {member + ': ' if member else ''}{message}")


@dataclass(slots=True)
class LoadReport:
    """How many of each the file brought."""

    customers_created: int = 0
    customers_known: int = 0
    subscriptions_started: int = 0
    subscriptions_known: int = 0


@transaction.atomic
def load_customers(lines: Iterable[str], *, actor: Actor, now: datetime) -> LoadReport:
    """
    Create the customers and subscriptions of an NDJSON file that are not there yet.

    A known customer (by external id) is left as it is, so that repeating the file changes nothing; a known subscription
    is one of the same customer that began with the plan on the same local day. One transaction for the whole file.

    :raises LoadError: at the first line that cannot be used; nothing of the file is kept
    """
    report = LoadReport()
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        members = _members(number, text)
        subscriptions = members.pop("subscriptions", [])
        if not isinstance(subscriptions, list):
            raise LoadError(number, "subscriptions", _("write a list here"))
        customer = _customer(number, members, actor, now, report)
        for index, subscription in enumerate(subscriptions):
            _subscription(number, f"subscriptions[{index}]", subscription, customer, actor, now, report)
    return report


def _members(number: int, text: str) -> dict[str, Any]:
    try:
        # Numbers stay the text that was written; NaN and Infinity are texts that no member takes.
        members = json.loads(text, parse_float=str, parse_constant=str, object_pairs_hook=_without_repeats)
    except RecursionError:
        raise LoadError(number, "", _("is nested too deep")) from None
    except ValueError as error:
        raise LoadError(number, "", _("not JSON: %(why)s") % {"why": error}) from None
    if not isinstance(members, dict):
        raise LoadError(number, "", _("each line must be one JSON object"))
    return members


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _customer(number: int, members: dict[str, Any], actor: Actor, now: datetime, report: LoadReport) -> Customer:
    external_id = members.get("external_id")
    known = Customer.objects.filter(external_id=external_id).first() if _is_text(external_id) else None
    if known is not None:
        report.customers_known += 1
        return known
    for required in ("external_id", "name"):
        if required not in members:
            raise LoadError(number, required, _("is missing"))
    for name in _NOT_MEMBERS & members.keys():
        raise LoadError(number, name, _("There is no such field."))
    try:
        with transaction.atomic():
            customer = create_customer(**members, actor=actor, now=now)
    except CustomerError as error:
        member, message = next(iter(error.errors.items()))
        raise LoadError(number, member, message) from None
    report.customers_created += 1
    return customer


def _subscription(
    number: int, path: str, members: Any, customer: Customer, actor: Actor, now: datetime, report: LoadReport
) -> None:
    if not isinstance(members, Mapping):
        raise LoadError(number, path, _("write an object with plan and starts_at"))
    for name in members:
        if name not in _SUBSCRIPTION_MEMBERS:
            raise LoadError(
                number, f"{path}.{name}", _("unknown member: use %(known)s") % {"known": ", ".join(sorted(_SUBSCRIPTION_MEMBERS))}
            )
    for required in ("plan", "starts_at"):
        if not _is_text(members.get(required)):
            raise LoadError(number, f"{path}.{required}", _("is missing or not a text"))
    starts_at = _instant(number, f"{path}.starts_at", members["starts_at"])
    ends_at = _instant(number, f"{path}.ends_at", members["ends_at"]) if members.get("ends_at") is not None else None
    trial_days = _trial_days(number, f"{path}.trial_days", members.get("trial_days"))
    quantities = _quantities(number, f"{path}.quantities", members.get("quantities"))
    if _is_known(customer, members["plan"], starts_at):
        report.subscriptions_known += 1
        return
    try:
        start_subscription(
            customer_id=customer.pk,
            plan_code=members["plan"],
            starts_at=starts_at,
            ends_at=ends_at,
            external_id=str(members.get("external_id") or ""),
            trial_days=trial_days,
            quantities=quantities,
            actor=actor,
            now=now,
        )
    except SubscriptionError as error:
        raise LoadError(number, f"{path}.{error.field}", error.message) from None
    report.subscriptions_started += 1


def _is_known(customer: Customer, plan_code: str, starts_at: datetime) -> bool:
    """Say whether the customer has a subscription that began so; the plan that it is on may be another by now."""
    started_on = starts_at.astimezone(ZoneInfo(customer.timezone)).date()
    starts = SubscriptionChange.objects.filter(kind=SubscriptionChange.Kind.START, effective_on=started_on)
    return starts.filter(subscription__customer=customer, plan_version__plan__code=plan_code).exists()


def _trial_days(number: int, path: str, days: Any) -> int | None:
    if days is not None and (not isinstance(days, int) or isinstance(days, bool)):
        raise LoadError(number, path, _("write a whole number of days, 0 for no trial"))
    return days


def _quantities(number: int, path: str, members: Any) -> dict[str, Decimal]:
    if members is None:
        return {}
    if not isinstance(members, Mapping):
        raise LoadError(number, path, _('write an object of quantities by the code of their fee, such as {"seats": "5"}'))
    try:
        return {code: read_number(value, path=f"{path}.{code}", error=InvalidMember) for code, value in members.items()}
    except InvalidMember as error:
        raise LoadError(number, error.path, error.message) from None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _instant(number: int, path: str, text: Any) -> datetime:
    try:
        return clock.parse_instant(text)
    except (TypeError, ValueError) as error:
        raise LoadError(number, path, str(error)) from None
