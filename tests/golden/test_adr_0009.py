"""The worked example of ADR 0009: a finalisation that fails gives its number back, and a draft has none."""

from datetime import date

import pytest
from django.db import transaction

from billing.invoicing.entities import default_entity
from billing.invoicing.finalizing import finalize_invoice
from billing.models import BillingEntity, Invoice, NumberCounter
from billing.runs.run import run_billing
from tests.golden.books import ACTOR, bill, day, sell, subscribe, use

pytestmark = pytest.mark.django_db


class PowerCut(Exception):
    """What ends a transaction in this test."""


def _finalize_and_lose_power(invoice: Invoice) -> None:
    with transaction.atomic():
        assert finalize_invoice(invoice_id=invoice.pk, as_of=day(2, 1), actor=ACTOR, now=day(2, 1)).number == "INV-000002"
        raise PowerCut


def test_a_number_is_given_with_the_commit_or_not_at_all() -> None:
    sell('{code: calls, meter: calls, model: per_unit, unit_amount: "0.10"}')
    for customer in ("acme", "birch", "cedar"):
        subscribe(customer)
        use(customer, "10", day(1, 10), subject=customer)
    run_billing(as_of=day(2, 1), finalize=False, actor=ACTOR, now=day(2, 1))
    acme, birch, cedar = Invoice.objects.order_by("customer__external_id")
    assert [acme.number, birch.number, cedar.number] == [None, None, None]

    assert finalize_invoice(invoice_id=cedar.pk, as_of=day(2, 1), actor=ACTOR, now=day(2, 1)).number == "INV-000001"
    with pytest.raises(PowerCut):
        _finalize_and_lose_power(acme)
    assert NumberCounter.objects.get().last_number == 1
    assert finalize_invoice(invoice_id=birch.pk, as_of=day(2, 1), actor=ACTOR, now=day(2, 1)).number == "INV-000002"
    acme.refresh_from_db()
    assert (acme.status, acme.number) == ("draft", None)


def test_an_invoice_is_dated_by_the_sellers_day_so_that_dates_follow_numbers() -> None:
    # Noon of 1 February in UTC is 2 February in Kiritimati, where the seller is at home; the customer's zone is UTC.
    sell('{code: calls, meter: calls, model: per_unit, unit_amount: "0.10"}')
    subscribe("acme")
    use("one", "10", day(1, 10))
    seller = default_entity()
    BillingEntity.objects.filter(pk=seller.pk).update(timezone="Pacific/Kiritimati")

    invoice = bill(day(2, 1))

    assert (invoice.issued_on, invoice.due_on) == (date(2026, 2, 2), date(2026, 3, 4))  # 30 days later
