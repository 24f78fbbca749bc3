"""What the next invoice would say, without writing a row."""

import pytest

from billing.invoicing.preview import upcoming_invoice
from billing.invoicing.rows import invoice_rows
from billing.models import Subscription
from tests.billing.builders import at, bill, make_catalog, make_customer, row_counts, send_usage, subscribe

pytestmark = pytest.mark.django_db


def loaded() -> Subscription:
    return Subscription.objects.select_related("customer", "plan_version__plan").get()


def test_a_preview_adds_up_the_usage_so_far_and_writes_nothing() -> None:
    make_catalog()
    customer = make_customer(tax_rate_pct="20")
    subscribe(customer)
    send_usage(customer, "call", 150, "2026-01-10")
    before = row_counts()
    composed = upcoming_invoice(loaded(), now=at("2026-01-15"))
    assert composed is not None
    assert (composed.totals.subtotal_minor, composed.totals.tax_minor, composed.totals.due_minor) == (1050, 210, 1260)
    assert composed.issued_on.isoformat() == "2026-02-01"
    assert [line.description for line in composed.lines] == ["Platform fee", "Calls"]
    assert len(invoice_rows(composed, now=at("2026-01-15")).lines) == 2
    assert row_counts() == before  # no seller, no series, no draft


def test_a_preview_has_the_corrections_of_earlier_periods() -> None:
    make_catalog()
    customer = make_customer()
    subscribe(customer)
    bill("2026-02-01")
    send_usage(customer, "call", 200, "2026-01-10")
    before = row_counts()
    composed = upcoming_invoice(loaded(), now=at("2026-02-15"))
    assert composed is not None
    assert [(line.group, line.rated.amount_minor) for line in composed.lines] == [("subscription", 1000), ("adjustment", 100)]
    assert row_counts() == before


def test_there_is_no_preview_outside_of_the_periods() -> None:
    make_catalog()
    subscribe(make_customer(), ends="2026-01-16")
    assert upcoming_invoice(loaded(), now=at("2026-01-16")) is None
    assert upcoming_invoice(loaded(), now=at("2025-12-31")) is None
    assert upcoming_invoice(loaded(), now=at("2026-01-15T23:59:59Z")) is not None
