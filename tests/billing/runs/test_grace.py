"""Drafts wait for late usage: for how long is said by the customer, its seller, or the deployment; a person may say when."""

import pytest
from pytest_django import Settings

from billing.invoicing.drafting import refresh_draft
from billing.invoicing.entities import default_entity
from billing.invoicing.finalizing import finalize_invoice
from billing.models import BillingEntity, BillingProfile, Invoice
from billing.reconciliation.report import reconcile
from customers.models import Customer
from tests.billing.builders import ACTOR, amounts, at, bill, invoices, make_catalog, make_customer, send_usage, subscribe

pytestmark = pytest.mark.django_db


def customers(*names: str) -> list[Customer]:
    make_catalog()
    made = [make_customer(name) for name in names]
    for customer in made:
        subscribe(customer)
    return made


def numbers() -> dict[str, str | None]:
    return {f"{invoice.customer.external_id}-{invoice.boundary_at:%m}": invoice.number for invoice in invoices()}


def test_a_draft_is_made_final_by_the_first_run_after_its_grace(settings: Settings) -> None:
    settings.SQUILL_BILLING_GRACE_MINUTES = 60
    customers("acme")
    first = bill("2026-02-01T00:00:00Z")
    assert (first.run.drafted_count, first.run.finalized_count, first.waiting) == (1, 0, 1)
    assert bill("2026-02-01T00:59:59Z").waiting == 1
    last = bill("2026-02-01T01:00:00Z")
    assert (last.run.drafted_count, last.run.finalized_count, last.waiting) == (0, 1, 0)
    assert invoices()[0].issued_on.isoformat() == "2026-02-01"


def test_what_comes_in_meanwhile_is_on_the_draft_at_once_and_on_the_invoice(settings: Settings) -> None:
    settings.SQUILL_BILLING_GRACE_MINUTES = 60
    (customer,) = customers("acme")
    bill("2026-02-01")
    send_usage(customer, "call", 300, "2026-01-31")
    bill("2026-02-01T00:30:00Z", finalize=False)
    (draft,) = invoices()
    assert (draft.status, amounts(draft)) == ("draft", [("subscription", "fee", 1000), ("usage", "calls", 200)])
    send_usage(customer, "call", 100, "2026-01-30")
    bill("2026-02-01T01:00:00Z")
    (invoice,) = invoices()
    assert (invoice.pk, invoice.number, amounts(invoice)[1]) == (draft.pk, "INV-000001", ("usage", "calls", 300))


def test_the_customer_says_more_than_the_seller_and_the_seller_more_than_the_deployment(settings: Settings) -> None:
    settings.SQUILL_BILLING_GRACE_MINUTES = 600
    own, sellers, others = customers("own", "sellers", "others")
    default_entity()
    seller = BillingEntity.objects.create(code="second", name="Second", legal_name="Second", grace_minutes=120)
    BillingProfile.objects.create(customer=own, grace_minutes=0, billing_entity=seller)
    BillingProfile.objects.create(customer=sellers, billing_entity=seller)
    for hour, finalized in (
        (0, {"own"}),
        (1, {"own"}),
        (2, {"own", "sellers"}),
        (9, {"own", "sellers"}),
        (10, {"own", "sellers", "others"}),
    ):
        bill(f"2026-02-01T{hour:02d}:00:00Z")
        assert {invoice.customer.external_id for invoice in invoices(status="finalized")} == finalized, hour
    assert others.pk


def test_one_that_waits_keeps_nobody_else_waiting_and_the_later_ones_of_a_subscription_stay_behind_the_earlier(
    settings: Settings,
) -> None:
    slow, _quick = customers("slow", "quick")
    BillingProfile.objects.create(customer=slow, grace_minutes=45 * 24 * 60)  # longer than a month
    bill("2026-02-01")
    assert numbers() == {"quick-02": "INV-000001", "slow-02": None}
    bill("2026-03-01")
    assert numbers() == {"quick-02": "INV-000001", "slow-02": None, "quick-03": "INV-000002", "slow-03": None}
    bill("2026-03-18")  # 45 days after 1 February
    bill("2026-04-15")
    assert numbers() == {
        "quick-02": "INV-000001",
        "quick-03": "INV-000002",
        "slow-02": "INV-000003",
        "slow-03": "INV-000004",  # of an earlier boundary than what is drafted with it
        "quick-04": "INV-000005",
        "slow-04": None,
    }
    assert reconcile().differences == ()


def test_late_usage_of_a_draft_that_waits_is_billed_once_though_the_next_period_is_drafted_too() -> None:
    (customer,) = customers("acme")
    BillingProfile.objects.create(customer=customer, grace_minutes=45 * 24 * 60)
    bill("2026-02-01")
    send_usage(customer, "call", 300, "2026-01-20")
    bill("2026-03-18")  # drafts March's boundary, and makes February's final
    bill("2026-05-01")
    assert [amounts(invoice) for invoice in invoices(status="finalized")] == [
        [("subscription", "fee", 1000), ("usage", "calls", 200)],
        [("subscription", "fee", 1000)],
    ]
    assert reconcile().differences == ()


@pytest.mark.parametrize("by", ["customer", "seller"])
def test_where_a_person_finalises_no_run_does_and_by_hand_there_is_no_grace(by: str, settings: Settings) -> None:
    settings.SQUILL_BILLING_GRACE_MINUTES = 60
    customer, other = customers("acme", "other")
    if by == "customer":
        BillingProfile.objects.create(customer=customer, finalizes_by_itself=False)
    else:
        seller = BillingEntity.objects.create(code="second", name="Second", legal_name="Second", finalizes_by_itself=False)
        BillingProfile.objects.create(customer=customer, billing_entity=seller)
    bill("2026-02-01T00:10:00Z")
    report = bill("2026-02-20")
    assert (report.run.finalized_count, report.waiting) == (1, 1)
    draft = Invoice.objects.get(customer=customer)
    assert draft.status == "draft"
    bill("2026-03-01T00:10:00Z")
    for invoice in Invoice.objects.filter(status="draft"):
        final = finalize_invoice(
            invoice_id=invoice.pk, as_of=at("2026-03-01T00:11:00Z"), actor=ACTOR, now=at("2026-03-01T00:11:00Z")
        )
        assert (final.status, final.issued_on.isoformat()) == ("finalized", "2026-03-01")
    assert other.pk


def test_the_drafts_of_an_unlucky_customer_wait_for_a_person_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    customers("anna", "bert")
    bill("2026-02-01", finalize=False)

    def unwilling(*, invoice_id: int, **arguments: object) -> Invoice | None:
        if Invoice.objects.get(pk=invoice_id).customer.external_id == "anna":
            raise ArithmeticError("made up")
        return refresh_draft(invoice_id=invoice_id, **arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("billing.runs.advance.refresh_draft", unwilling)
    report = bill("2026-02-02")
    assert (report.failed, report.waiting) == (("anna:basic:2026-01-01",), 1)
    assert numbers() == {"anna-02": None, "bert-02": "INV-000001"}
