"""A small believable company on the local AWS: everything is done over HTTP and by schedules, as from outside."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any, Final

from infra.localaws.local_aws import LocalAws
from infra.localaws.visitor import Visitor

PORTAL_EMAIL: Final = "ana@brightline.example"
_EVENTS_A_REQUEST: Final = 1000
_METERS: Final = (
    {"code": "api-calls", "name": "API calls", "event_type": "api.call", "aggregation": "sum", "value": "calls"},
    {
        "code": "storage",
        "name": "Storage",
        "event_type": "storage.sample",
        "aggregation": "max",
        "value": "gigabytes",
        "unit": "GB",
    },
)
_PLANS: Final[dict[str, dict[str, Any]]] = {
    "starter": {
        "name": "Starter",
        "currency": "EUR",
        "interval": "monthly",
        "anchor": "calendar",
        "charges": [
            {"code": "platform", "name": "Platform fee", "model": "flat", "amount": "29"},
            {
                "code": "calls",
                "name": "API calls",
                "meter": "api-calls",
                "model": "graduated",
                "tiers": [{"up_to": "10000", "unit_amount": "0"}, {"up_to": None, "unit_amount": "0.002"}],
            },
        ],
    },
    "scale": {
        "name": "Scale",
        "currency": "EUR",
        "interval": "monthly",
        "anchor": "calendar",
        "charges": [
            {"code": "platform", "name": "Platform fee", "model": "flat", "amount": "299"},
            {
                "code": "calls",
                "name": "API calls",
                "meter": "api-calls",
                "model": "graduated",
                "tiers": [
                    {"up_to": "100000", "unit_amount": "0"},
                    {"up_to": "500000", "unit_amount": "0.001"},
                    {"up_to": None, "unit_amount": "0.0007"},
                ],
            },
            {"code": "storage", "name": "Storage", "meter": "storage", "model": "per_unit", "unit_amount": "0.09"},
        ],
    },
}


@dataclass(frozen=True, slots=True)
class Customer:
    """Who buys what, and how much is used on a working day and on others."""

    external_id: str
    name: str
    email: str
    plan: str
    calls: tuple[int, int]
    gigabytes: int


CUSTOMERS: Final = (
    Customer("brightline", "Brightline Labs", PORTAL_EMAIL, "scale", (9_400, 2_100), 820),
    Customer("northwind", "Northwind Freight", "accounts@northwind.example", "starter", (640, 90), 0),
    Customer("quarry", "Quarry Analytics", "billing@quarry.example", "scale", (21_000, 17_500), 2_400),
    # Amazon's simulator: this mail comes back, and the address is suppressed.
    Customer("lost", "Lost and Found", "bounce+lost@simulator.amazonses.com", "starter", (300, 0), 0),
)


def seed(aws: LocalAws, api: Visitor, now: datetime, tell: Callable[[str], None]) -> None:
    """Sell two plans to four customers two months ago, send their usage, and let the schedules bill them."""
    tell("meters, plans and customers, over the API")
    for meter in _METERS:
        api.ask("POST", "/meters", meter, expect=201)
    for code, plan in _PLANS.items():
        api.ask("PUT", f"/plans/{code}", plan, expect=201)
    begin = _months_ago(now, 2)
    for customer in CUSTOMERS:
        known = {"external_id": customer.external_id, "name": customer.name, "email": customer.email}
        api.ask("POST", "/customers", {**known, "currency": "EUR", "timezone": "UTC"}, expect=201)
        subscription = {"customer": customer.external_id, "plan": customer.plan, "starts_at": begin.isoformat()}
        api.ask("POST", "/subscriptions", subscription, expect=201)
    sent = 0
    for events in batched(_events(begin, now), _EVENTS_A_REQUEST):
        api.ask("POST", "/events", list(events), expect=204)
        sent += len(events)
    tell(f"{sent} events sent; the billing rule is fired")
    for function in ("bill", "work"):
        aws.ticker.fire(f"squill.entrypoints.{function}")
        aws.functions.settle()
    invoices = api.ask("GET", "/invoices")["items"]
    tell(f"{len(invoices)} invoices, {len(aws.mailbox.sent)} mails")


def let_ana_in(desk: Visitor, email: str, password: str) -> None:
    """Open the portal of the first customer to a person, in the finance desk, and ask for her link at the portal's door."""
    desk.fill_in("/admin/login/?next=/admin/", {"username": email, "password": password})
    asked = "app_label=customers&model_name=portaluser&field_name=customer&term=brightline"
    found = re.search(r'"id": "(\d+)"', desk.page(f"/admin/autocomplete/?{asked}"))
    if found is None:
        raise LookupError("the finance desk does not find Brightline Labs")
    person = {"customer": found[1], "email": PORTAL_EMAIL, "full_name": "Ana Daly"}
    desk.fill_in("/admin/customers/portaluser/add/", person)
    Visitor(desk.url, desk.host).fill_in("/portal/sign-in", {"email": PORTAL_EMAIL})


def link_in_last_mail(aws: LocalAws) -> str:
    """
    Return the sign-in link of the newest mail.

    :raises LookupError: if it has none
    """
    body = aws.mailbox.sent[-1].message.get_body(("plain", "html"))
    found = re.search(r"https?://\S+/portal/sign-in/link/[^\s\"<]+", body.get_content() if body else "")
    if found is None:
        raise LookupError("the last mail has no sign-in link")
    return found[0]


def _events(begin: datetime, now: datetime) -> Iterator[dict[str, Any]]:
    """Four batches of calls a day and a sample of storage, the same every time."""
    day = 0
    while (start := begin + timedelta(days=day)) < now:
        is_working_day = start.weekday() < 5
        for customer in CUSTOMERS:
            calls = customer.calls[0 if is_working_day else 1]
            for quarter in range(4):
                at = start + timedelta(hours=3 + 6 * quarter)
                if calls and at < now:
                    data = {"calls": calls // 4 + (day * 37 + quarter * 11) % 60}
                    yield _event(customer, "api.call", f"{day}-{quarter}", at, data)
            if customer.gigabytes and start < now:
                yield _event(customer, "storage.sample", f"{day}", start, {"gigabytes": customer.gigabytes + 3 * day})
        day += 1


def _event(customer: Customer, kind: str, number: str, at: datetime, data: dict[str, int]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "source": "demo",
        "id": f"{customer.external_id}-{kind}-{number}",
        "type": kind,
        "subject": customer.external_id,
        "time": at.isoformat(),
        "data": data,
    }


def _months_ago(now: datetime, months: int) -> datetime:
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _month in range(months):
        first = (first - timedelta(days=1)).replace(day=1)
    return first
