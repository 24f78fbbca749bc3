"""The worked example of ADR 0029: drafts that wait, a corrected invoice, and a new pattern that goes on counting."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from billing.invoicing.entities import default_entity
from billing.invoicing.series import save_series
from billing.invoicing.snapshot import from_json
from billing.invoicing.voiding import void_invoice
from billing.models import Invoice, NumberSeries
from billing.runs.run import RunReport, run_billing
from tests.golden.books import ACTOR, day, sell, subscribe, use

pytestmark = pytest.mark.django_db
MIDNIGHT = day(2, 1) - timedelta(hours=12)


def run(minutes: int) -> RunReport:
    as_of = MIDNIGHT + timedelta(minutes=minutes)
    return run_billing(as_of=as_of, finalize=True, actor=ACTOR, now=as_of)


def standing() -> list[tuple[str, str | None, int]]:
    """Customer, number and total of the live invoices."""
    live = Invoice.objects.exclude(status="void").order_by("customer__external_id")
    return [(invoice.customer.external_id, invoice.number, invoice.total_minor) for invoice in live]


def test_drafts_wait_and_a_corrected_invoice_goes_on_counting_under_a_new_name(settings: Settings) -> None:
    settings.SQUILL_BILLING_GRACE_MINUTES = 60
    sell('{code: calls, meter: calls, model: per_unit, unit_amount: "0.10"}')
    for customer in ("acme", "birch"):
        subscribe(customer)
        use(customer, "100", day(1, 10), subject=customer)

    assert run(0).waiting == 2
    assert standing() == [("acme", None, 1000), ("birch", None, 1000)]
    use("late", "100", day(1, 31), subject="acme")
    assert run(30).waiting == 2
    assert standing() == [("acme", None, 2000), ("birch", None, 1000)]
    assert run(60).waiting == 0
    assert standing() == [("acme", "INV-000001", 2000), ("birch", "INV-000002", 1000)]

    save_series(
        entity_id=default_entity().pk,
        kind=NumberSeries.Kind.INVOICE,
        pattern="ACME-{year}-{number:04}",
        resets_yearly=False,
        actor=ACTOR,
        now=day(2, 2),
    )
    wrong = Invoice.objects.get(number="INV-000001")
    void_invoice(invoice_id=wrong.pk, reason="wrong address", actor=ACTOR, now=day(2, 2), reissue=True)
    run(24 * 60)
    assert standing() == [("acme", "ACME-2026-0003", 2000), ("birch", "INV-000002", 1000)]
    corrected = Invoice.objects.get(number="ACME-2026-0003")
    assert [related.number for related in from_json(corrected.snapshot).related] == ["INV-000001"]
