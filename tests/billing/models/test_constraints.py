"""What the tables themselves refuse, and migrations that can be taken back."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from billing.invoicing.entities import default_entity, ensure_series, known_default_entity
from billing.models import BillingEntity, NumberSeries, Payment, Plan, PlanVersion
from tests.billing.builders import NOW, assault, at, bill, invoices, make_catalog, make_customer, subscribe

pytestmark = pytest.mark.django_db


def refused(row: Model, constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        row.save()


def test_there_is_one_default_seller_and_it_is_made_when_it_is_needed() -> None:
    assert known_default_entity().pk is None
    assert BillingEntity.objects.count() == 0
    entity = default_entity()
    assert (default_entity().pk, entity.name) == (entity.pk, "Your company")
    refused(BillingEntity(code="second", name="S", legal_name="S", is_default=True), "billing_entity_one_default")
    refused(BillingEntity(code="third", name="T", legal_name="T", brand_color="blue"), "billing_entity_color_is_hex")


def test_each_seller_has_a_series_of_its_own() -> None:
    first = default_entity()
    second = BillingEntity.objects.create(code="north", name="North", legal_name="North")
    for entity in (first, second, first):
        ensure_series(entity)
    assert list(NumberSeries.objects.order_by("pk").values_list("pattern", flat=True)) == [
        "INV-{number:06}",
        "INV-NORTH-{number:06}",
    ]
    refused(NumberSeries(billing_entity=second, kind="invoice", pattern="OTHER-{number}"), "number_series_once_per_kind")
    refused(NumberSeries(billing_entity=second, kind="credit_note", pattern="INV-{number:06}"), "number_series_pattern_unique")


def test_a_plan_has_one_draft_and_one_published_version() -> None:
    make_catalog()
    plan = Plan.objects.get()

    def version(number: int, **columns: Any) -> PlanVersion:
        return PlanVersion(plan=plan, currency="EUR", version=number, created_at=NOW, **columns)

    refused(
        version(2, status="published", published_at=NOW),
        "plan_version_one_published",
    )
    version(2).save()
    refused(version(3), "plan_version_one_draft")
    refused(
        version(2, status="archived", published_at=NOW),
        "plan_version_number_unique",
    )
    refused(
        version(4, status="archived"),
        "plan_version_published_at_with_status",
    )
    with pytest.raises(IntegrityError, match="plan_version_commitment_finite"):
        assault("UPDATE billing_planversion SET minimum_commitment = 'NaN' WHERE status = 'draft'")


def test_a_payment_is_more_than_nothing() -> None:
    make_catalog()
    subscribe(make_customer())
    bill("2026-02-01")
    invoice = invoices()[0]
    payment = Payment(
        customer=invoice.customer,
        currency="EUR",
        invoice=invoice,
        amount_minor=0,
        received_on=at("2026-02-02").date(),
        reference="R",
        recorded_at=NOW,
    )
    refused(payment, "payment_amount_positive")


def billing_triggers() -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal "
            "AND (tgrelid::regclass::text LIKE 'billing_%' OR tgname = 'terms_fixed_with_subscription')"
        )
        return set(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_the_triggers_can_be_taken_away_and_put_back() -> None:
    before = billing_triggers()
    assert ("billing_invoice", "frozen") in before
    assert ("customers_customer", "terms_fixed_with_subscription") in before
    try:
        call_command("migrate", "billing", "0002", verbosity=0)
        assert billing_triggers() == set()
    finally:
        call_command("migrate", "billing", verbosity=0)
    assert billing_triggers() == before
