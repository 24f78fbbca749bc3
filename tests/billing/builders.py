"""The cast of the billing tests: a catalogue, customers, usage, a run, and the books read back as plain values."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import connection, transaction

from billing.catalog.apply import Change, apply_catalog
from billing.catalog.document import read_catalog
from billing.models import Invoice, InvoiceLine, Subscription
from billing.reconciliation.canonical import export_canonical
from billing.runs.run import RunReport, run_billing
from billing.subscriptions.services import start_subscription
from customers.models import Customer
from customers.services import create_customer
from squill.lib.actor import system
from squill.lib.clock import parse_instant
from usage.ingestion import Fate, IncomingEvent, incoming_event, ingest

ACTOR = system("tests")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
_event_numbers = count(1)

# A fee in arrears and calls at 0.01, the first hundred of a month free.
CALLS = """
meters:
  - {code: calls, name: Calls, event_type: call, aggregation: sum, value: n, dimensions: [region], unit: calls}
plans:
  - code: basic
    name: Basic
    currency: EUR
    charges:
      - {code: fee, name: Platform fee, model: flat, amount: "10"}
      - code: calls
        name: Calls
        meter: calls
        model: graduated
        tiers: [{up_to: "100", unit_amount: "0"}, {up_to: null, unit_amount: "0.01"}]
"""
# The tables that no step of billing may touch when it only reads.
TABLES = (
    "billing_billingentity billing_numberseries billing_plan billing_planversion billing_charge billing_subscription "
    "billing_subscriptionclaim billing_subscriptionchange billing_billingperiod billing_invoice billing_invoiceline "
    "billing_invoicetax billing_payment billing_paymentallocation billing_document billing_delivery billing_billingrun "
    "customers_customer customers_subject customers_auditevent usage_meter usage_event usage_eventkey usage_rollup "
    "usage_quarantinedevent usage_putawaymonth usage_putawayrollup procrastinate_jobs"
).split()


def at(text: str) -> datetime:
    """An instant: "2026-03-01" is midnight UTC, anything longer is read as it is."""
    return parse_instant(text if "T" in text else f"{text}T00:00:00Z")


def make_catalog(text: str = CALLS, *, new_versions: bool = False, now: datetime = NOW) -> list[Change]:
    return apply_catalog(spec=read_catalog(text), actor=ACTOR, now=now, new_versions=new_versions)


def make_customer(external_id: str = "acme", **fields: Any) -> Customer:
    facts: dict[str, Any] = {"name": external_id.title(), "email": f"billing@{external_id}.example", "currency": "EUR"}
    return create_customer(external_id=external_id, actor=ACTOR, now=NOW, **(facts | fields))


def subscribe(
    customer: Customer,
    plan: str = "basic",
    starts: str = "2026-01-01",
    *,
    ends: str | None = None,
    now: datetime = NOW,
    **fields: Any,
) -> Subscription:
    """Put the customer on a plan from a day (an instant, or midnight UTC)."""
    return start_subscription(
        customer_id=customer.pk,
        plan_code=plan,
        starts_at=at(starts),
        ends_at=at(ends) if ends else None,
        actor=ACTOR,
        now=now,
        **fields,
    )


def usage(
    customer: Customer | str,
    event_type: str,
    value: object,
    when: str,
    dims: Mapping[str, str] | None = None,
    *,
    event_id: str = "",
) -> IncomingEvent:
    """An event whose `data` holds the value as `n` and the dimensions beside it."""
    return incoming_event(
        source="tests",
        event_id=event_id or f"event-{next(_event_numbers)}",
        event_type=event_type,
        subject=customer if isinstance(customer, str) else customer.external_id,
        occurred_at=at(when),
        data={"n": value if isinstance(value, int | str) else str(value), **(dims or {})},
    )


def send_usage(
    customer: Customer | str,
    event_type: str,
    value: object,
    when: str,
    dims: Mapping[str, str] | None = None,
    *,
    event_id: str = "",
) -> Fate:
    """Send one event, received when it happened."""
    return ingest([usage(customer, event_type, value, when, dims, event_id=event_id)], now=at(when))[0]


def bill(as_of: str, *, finalize: bool = True, **fields: Any) -> RunReport:
    return run_billing(as_of=at(as_of), finalize=finalize, actor=ACTOR, now=at(as_of), **fields)


def invoices(**conditions: Any) -> list[Invoice]:
    """The invoices by boundary, then number."""
    return list(Invoice.objects.filter(**conditions).order_by("boundary_at", "customer__external_id", "pk"))


def lines(invoice: Invoice) -> list[tuple[str, Decimal, Decimal, int]]:
    """What an invoice says: (charge, quantity, exact amount, minor units) of each line in order."""
    found = InvoiceLine.objects.filter(invoice=invoice).order_by("position")
    return [(line.charge_code, line.quantity, line.exact_amount, line.amount_minor) for line in found]


def amounts(invoice: Invoice) -> list[tuple[str, str, int]]:
    """The group, charge and minor units of each line in order."""
    return [
        (line.group, line.charge_code, line.amount_minor)
        for line in InvoiceLine.objects.filter(invoice=invoice).order_by("position")
    ]


def books() -> str:
    """The canonical export as the command prints it."""
    return json.dumps(export_canonical(), indent=1, sort_keys=True, ensure_ascii=False)


def row_counts() -> dict[str, int]:
    with connection.cursor() as cursor:
        found: dict[str, int] = {}
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 (constants)
            found[table] = cursor.fetchone()[0]
        return found


def sql(statement: str) -> None:
    """Run raw SQL, as somebody would who goes around Squill."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


def assault(statement: str) -> None:
    """Run raw SQL that ought to be refused, in a savepoint, so that the test can look at what is left."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")  # a TRUNCATE is refused for another reason while checks are pending
    with transaction.atomic():
        sql(statement)


@contextmanager
def triggers_off() -> Iterator[None]:
    """Let raw SQL break what triggers protect, inside the test's transaction or session."""
    sql("SET session_replication_role = replica")
    try:
        yield
    finally:
        sql("SET session_replication_role = origin")
