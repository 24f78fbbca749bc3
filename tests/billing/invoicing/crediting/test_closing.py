"""Late usage of a subscription that has ended is billed on a further draft, which behaves like any other."""

import pytest

from billing.invoicing.crediting.closing import UnableToBill, draft_adjustments
from billing.invoicing.crediting.correcting import credit_corrections
from billing.invoicing.drafting import refresh_draft
from billing.invoicing.finalizing import UnableToFinalize, finalize_invoice
from billing.invoicing.voiding import void_invoice
from billing.models import Invoice, Subscription
from billing.rating.terms import TermsBook
from billing.reconciliation.convergence import compare_with_metered
from billing.reconciliation.invoices import check_invoices, check_periods
from customers.models import AuditEvent
from tests.billing.builders import (
    ACTOR,
    amounts,
    at,
    bill,
    invoices,
    make_catalog,
    make_customer,
    row_counts,
    send_usage,
    subscribe,
)
from usage.corrections import void_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def ended() -> Subscription:
    """January only: 10.00 and 300 calls, 2.00."""
    make_catalog()
    subscription = subscribe(make_customer(), ends="2026-02-01")
    send_usage("acme", "call", 300, "2026-01-10", event_id="first")
    bill("2026-02-01")
    return subscription


def draft(subscription: Subscription, on: str = "2026-02-10") -> Invoice:
    return draft_adjustments(subscription_id=subscription.pk, actor=ACTOR, now=at(on))


def differences() -> list[str]:
    return [found.kind for found in compare_with_metered()]


def refused(subscription: Subscription) -> str:
    before = row_counts()
    with pytest.raises(UnableToBill) as refusal:
        draft(subscription)
    assert row_counts() == before
    return refusal.value.code


def test_late_usage_after_the_last_invoice_is_billed_on_one_more(ended: Subscription) -> None:
    assert refused(ended) == "nothing_to_bill"
    send_usage("acme", "call", 150, "2026-01-20")
    assert differences() == ["stuck"]
    invoice = draft(ended)
    assert (invoice.status, invoice.kind, amounts(invoice)) == ("draft", "invoice", [("adjustment", "calls", 150)])
    assert (invoice.first_day.isoformat(), invoice.last_day.isoformat()) == ("2026-01-01", "2026-01-31")
    assert AuditEvent.objects.filter(action="subscription.adjustments_drafted", object_id=ended.external_id).count() == 1
    assert refused(ended) == "nothing_to_bill"  # the draft carries it
    bill("2026-02-11")
    invoice.refresh_from_db()
    assert (invoice.status, invoice.number, invoice.due_minor) == ("finalized", "INV-000002", 150)
    assert differences() == []
    assert [*check_invoices(), *check_periods()] == []


def test_a_draft_of_differences_is_worked_out_anew_and_goes_when_nothing_is_left(ended: Subscription) -> None:
    send_usage("acme", "call", 150, "2026-01-20", event_id="late")
    invoice = draft(ended)
    send_usage("acme", "call", 50, "2026-01-21")
    refreshed = refresh_draft(invoice_id=invoice.pk, as_of=at("2026-02-11"), terms_book=TermsBook())
    assert refreshed is not None
    assert amounts(refreshed) == [("adjustment", "calls", 200)]
    void_event(source="tests", event_id="late", reason="wrong", actor=ACTOR, now=at("2026-02-11"))
    void_event(source="tests", event_id="first", reason="wrong", actor=ACTOR, now=at("2026-02-11"))
    with pytest.raises(UnableToFinalize) as refusal:
        finalize_invoice(invoice_id=invoice.pk, as_of=at("2026-02-12"), actor=ACTOR, now=at("2026-02-12"))
    assert refusal.value.code == "nothing_to_bill"


def test_a_void_one_can_be_drafted_again(ended: Subscription) -> None:
    send_usage("acme", "call", 150, "2026-01-20")
    draft(ended)
    bill("2026-02-11")
    void_invoice(invoice_id=invoices()[-1].pk, reason="wrong address", actor=ACTOR, now=at("2026-02-12"))
    assert differences() == ["stuck"]
    assert draft(ended, "2026-02-13").total_minor == 150


def test_one_whose_next_invoice_is_to_come_has_its_differences_there(ended: Subscription) -> None:
    running = subscribe(make_customer("bert"))
    assert refused(running) == "invoice_to_come"


def test_what_is_owed_and_what_is_too_much_end_clean_together() -> None:
    make_catalog()
    subscription = subscribe(make_customer(), ends="2026-03-01")
    send_usage("acme", "call", 300, "2026-01-10", event_id="jan")
    send_usage("acme", "call", 100, "2026-02-10")
    bill("2026-03-01")
    void_event(source="tests", event_id="jan", reason="wrong", actor=ACTOR, now=at("2026-03-02"))  # 2.00 too much
    send_usage("acme", "call", 50, "2026-02-20")  # 0.50 late
    assert differences() == ["stuck", "stuck"]
    assert amounts(draft(subscription, "2026-03-03")) == [("adjustment", "calls", 50)]
    credit_corrections(subscription_id=subscription.pk, reference="K", actor=ACTOR, now=at("2026-03-03"))
    bill("2026-03-04")
    assert differences() == []


def test_a_difference_without_an_amount_waits_for_nobody(ended: Subscription) -> None:
    void_event(source="tests", event_id="first", reason="wrong", actor=ACTOR, now=at("2026-02-02"))
    credit_corrections(subscription_id=ended.pk, reference="K", actor=ACTOR, now=at("2026-02-03"))
    send_usage("acme", "call", 20, "2026-01-20")  # within the free hundred
    assert differences() == ["pending"]
