"""A small company to bill in the worked examples: one customer in UTC without tax, one meter, months of 2026."""

from datetime import UTC, datetime
from decimal import Decimal

from billing.catalog.apply import apply_catalog
from billing.catalog.document import read_catalog
from billing.models import Invoice, Subscription
from billing.runs.run import run_billing
from billing.subscriptions.services import start_subscription
from customers.models import Customer
from customers.services import create_customer
from squill.lib.actor import system
from usage.ingestion import incoming_event, ingest

ACTOR = system("tests")
METER = "meters: [{code: calls, name: Calls, event_type: api.call, aggregation: sum, value: calls}]\n"


def day(month: int, day_of_month: int) -> datetime:
    """Noon in UTC of a day of 2026."""
    return datetime(2026, month, day_of_month, 12, tzinfo=UTC)


def sell(charge: str, *, plan: str = "api") -> None:
    """Publish a monthly plan in EUR with this one charge, written as in the catalogue file."""
    text = METER + f"plans: [{{code: {plan}, name: API, currency: EUR, charges: [{charge}]}}]\n"
    apply_catalog(spec=read_catalog(text), actor=ACTOR, now=day(1, 1))


def subscribe(external_id: str = "acme", *, plan: str = "api") -> Subscription:
    """Make the customer, if there is none, and put it on the plan from 1 January 2026."""
    customer = Customer.objects.filter(external_id=external_id).first()
    if customer is None:
        customer = create_customer(
            external_id=external_id,
            name="Acme",
            email=f"accounts@{external_id}.example",
            currency="EUR",
            actor=ACTOR,
            now=day(1, 1),
        )
    return start_subscription(customer_id=customer.pk, plan_code=plan, starts_at=day(1, 1), actor=ACTOR, now=day(1, 1))


def use(event_id: str, calls: str, at: datetime, *, subject: str = "acme") -> None:
    """Send one event that reports a number of calls."""
    event = incoming_event(
        source="tests", event_id=event_id, event_type="api.call", subject=subject, occurred_at=at, data={"calls": Decimal(calls)}
    )
    ingest([event], now=at)


def bill(as_of: datetime) -> Invoice:
    """Bill what is due at an instant, and return the newest invoice."""
    report = run_billing(as_of=as_of, finalize=True, actor=ACTOR, now=as_of)
    assert report.failed == ()
    return Invoice.objects.order_by("-pk")[0]


def lines_of(invoice: Invoice) -> list[tuple[str, str, int, str, int]]:
    """Return the lines as (group, charge, month of the period, quantity, amount in minor units)."""
    return [
        (line.group, line.charge_code, line.first_day.month, f"{line.quantity.normalize():f}", line.amount_minor)
        for line in invoice.lines.order_by("position")
    ]
