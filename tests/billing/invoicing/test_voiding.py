"""A void invoice stays as it was and keeps its number; what it billed is billed again."""

import pytest

from billing.invoicing.paying.payments import record_payment
from billing.invoicing.snapshot import from_json
from billing.invoicing.voiding import UnableToVoid, replacement_of, void_invoice
from billing.models import BillingPeriod, Delivery, Invoice
from billing.reconciliation.report import reconcile
from billing.runs.due import due_boundaries
from customers.models import AuditEvent
from customers.services import update_customer
from tests.billing.builders import ACTOR, at, bill, invoices, make_catalog, make_customer, row_counts, send_usage, subscribe

pytestmark = pytest.mark.django_db


def final_invoice() -> Invoice:
    make_catalog()
    customer = make_customer()
    subscribe(customer)
    send_usage(customer, "call", 150, "2026-01-10")
    bill("2026-02-01")
    return invoices()[0]


def void(invoice: Invoice, reason: str = "wrong address") -> Invoice:
    return void_invoice(invoice_id=invoice.pk, reason=reason, actor=ACTOR, now=at("2026-02-05"))


def refused(invoice: Invoice, code: str, reason: str = "wrong address") -> None:
    before = (row_counts(), Invoice.objects.values().get(pk=invoice.pk), list(BillingPeriod.objects.order_by("pk").values()))
    with pytest.raises(UnableToVoid) as caught:
        void(invoice, reason)
    assert caught.value.code == code
    assert (
        row_counts(),
        Invoice.objects.values().get(pk=invoice.pk),
        list(BillingPeriod.objects.order_by("pk").values()),
    ) == before


def test_voiding_releases_the_period_and_the_next_run_bills_it_under_a_new_number() -> None:
    first = final_invoice()
    kept = first.snapshot
    void(first, " wrong address ")
    period = BillingPeriod.objects.get(index=0)
    assert (period.arrears_billed_at, period.arrears_invoice) == (None, None)
    bill("2026-02-06")
    old, new = invoices()
    assert (old.number, old.status, old.void_reason, old.voided_at) == ("INV-000001", "void", "wrong address", at("2026-02-05"))
    assert (old.snapshot, old.total_minor) == (kept, 1050)
    assert (new.number, new.status, new.total_minor, new.issued_on.isoformat()) == ("INV-000002", "finalized", 1050, "2026-02-06")
    event = AuditEvent.objects.get(action="invoice.voided")
    assert (event.object_id, event.after) == ("INV-000001", {"status": "void", "reason": "wrong address"})


def test_a_notice_that_was_not_sent_yet_is_not_sent_any_more() -> None:
    void(final_invoice())
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.last_error) == ("cancelled", "the invoice was voided before it was sent")


def test_voiding_twice_does_it_once() -> None:
    invoice = void(final_invoice())
    before = row_counts()
    assert void(invoice, "another reason").void_reason == "wrong address"
    assert row_counts() == before


def test_a_draft_is_not_voided() -> None:
    make_catalog()
    subscribe(make_customer())
    bill("2026-02-01", finalize=False)
    refused(invoices()[0], "draft")


def test_a_reason_is_needed() -> None:
    refused(final_invoice(), "reason_missing", "  ")


def test_an_invoice_that_money_came_in_for_is_not_voided() -> None:
    invoice = final_invoice()
    record_payment(
        invoice_id=invoice.pk,
        amount_minor=1,
        received_on=at("2026-02-02").date(),
        reference="R-1",
        actor=ACTOR,
        now=at("2026-02-02"),
    )
    refused(invoice, "paid")


def reissue(invoice: Invoice) -> Invoice:
    void_invoice(invoice_id=invoice.pk, reason="wrong address", actor=ACTOR, now=at("2026-02-05"), reissue=True)
    draft = replacement_of(invoice)
    assert draft is not None
    return draft


def test_with_reissue_the_corrected_draft_is_there_at_once_and_says_what_it_replaces() -> None:
    first = final_invoice()
    update_customer(customer_id=first.customer_id, changes={"address_line1": "2 New Road"}, actor=ACTOR, now=at("2026-02-05"))
    draft = reissue(first)
    assert (draft.status, draft.replaces_id, draft.boundary_at, draft.total_minor) == ("draft", first.pk, first.boundary_at, 1050)
    assert due_boundaries(as_of=at("2026-02-05")) == []
    send_usage("acme", "call", 10, "2026-01-11")
    bill("2026-02-06")  # works it out anew and makes it final
    again = Invoice.objects.get(pk=draft.pk)
    said = from_json(again.snapshot)
    assert (again.number, again.replaces_id, again.total_minor) == ("INV-000002", first.pk, 1060)
    assert [(one.number, one.issued_on.isoformat()) for one in said.related] == [("INV-000001", "2026-02-01")]
    assert said.buyer.address[0] == "2 New Road"
    assert reconcile().differences == ()


def test_without_it_the_run_that_bills_the_period_again_links_too() -> None:
    first = final_invoice()
    void(first)
    bill("2026-02-06")
    second = Invoice.objects.get(number="INV-000002")
    assert second.replaces_id == first.pk
    third = reissue(second)
    assert (third.replaces_id, replacement_of(first), replacement_of(second)) == (second.pk, None, third)


def test_reissue_of_a_void_invoice_drafts_what_is_due_still_and_only_once() -> None:
    first = final_invoice()
    void(first)
    draft = reissue(first)
    rows = row_counts()
    assert reissue(first) == draft
    assert row_counts() == rows


def test_other_boundaries_are_not_linked() -> None:
    void(final_invoice())
    bill("2026-03-01")
    assert [(invoice.boundary_at, invoice.replaces is None) for invoice in invoices(status="finalized")] == [
        (at("2026-02-01"), False),
        (at("2026-03-01"), True),
    ]
