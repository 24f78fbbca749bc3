"""Differences of settled periods become credit notes, and the books converge: nothing is left to bill, or for a person to see."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.invoicing.crediting.correcting import Corrections, credit_corrections, preview_corrections
from billing.invoicing.crediting.issuing import issue_credit_note
from billing.invoicing.crediting.planning import LineAsked
from billing.invoicing.crediting.settling import UnableToCredit
from billing.invoicing.paying.payments import record_payment
from billing.models import CreditNote, CreditNoteLine, Invoice, Subscription
from billing.reconciliation.convergence import compare_with_metered
from billing.reconciliation.credit_notes import check_credit_notes
from billing.subscriptions.changing import change_quantity, end_subscription
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
from tests.billing.items import give_coupon
from usage.corrections import void_event

pytestmark = pytest.mark.django_db

SEATS = """
meters: []
plans:
  - code: team
    name: Team
    currency: EUR
    charges:
      - {code: seats, name: Seats, model: per_unit, unit_amount: "10", billed: in_advance, default_quantity: "5"}
"""


def correct(subscription: Subscription, reference: str = "K-1", **fields: Any) -> Corrections:
    options: dict[str, Any] = {"actor": ACTOR, "now": at("2026-03-05")}
    return credit_corrections(subscription_id=subscription.pk, reference=reference, **(options | fields))


def said(notes: Corrections) -> list[tuple[str | None, list[tuple[str, str, str, int, int]], int]]:
    """The invoice, the lines (charge, quantity, exact amount, amount, discount) and the total of each credit note."""
    return [
        (
            note.invoice.number,
            [
                (
                    line.invoice_line.charge_code,
                    f"{line.quantity.normalize():f}",
                    f"{line.exact_amount.normalize():f}",
                    line.amount_minor,
                    line.discount_minor,
                )
                for line in note.lines.select_related("invoice_line").order_by("position")
            ],
            note.total_minor,
        )
        for note in notes.credit_notes
    ]


def differences() -> list[tuple[str, str]]:
    return [(found.kind, found.text) for found in compare_with_metered()]


def refused(subscription: Subscription, **fields: Any) -> tuple[str, str]:
    before = row_counts(), CreditNote.objects.count()
    with pytest.raises(UnableToCredit) as refusal:
        correct(subscription, **fields)
    assert (row_counts(), CreditNote.objects.count()) == before
    return refusal.value.code, str(refusal.value)


def void(event_id: str, on: str = "2026-03-02") -> None:
    void_event(source="tests", event_id=event_id, reason="sent twice", actor=ACTOR, now=at(on))


@pytest.fixture
def subscription() -> Subscription:
    """10.00 a month and calls at 0.01 from the 101st on: 600 in January (5.00), 300 in February (2.00); no tax."""
    make_catalog()
    customer = make_customer()
    subscription = subscribe(customer)
    send_usage(customer, "call", 400, "2026-01-10", event_id="jan-1")
    send_usage(customer, "call", 200, "2026-01-11", event_id="jan-2")
    send_usage(customer, "call", 300, "2026-02-10", event_id="feb-1")
    bill("2026-03-01")
    return subscription


def test_usage_that_was_billed_too_much_is_credited_and_the_next_invoice_carries_nothing(subscription: Subscription) -> None:
    void("jan-2")
    assert differences() == [("pending", "I3 acme:basic:2026-01-01 2026-01-01 calls: -2 not billed yet")]
    planned = preview_corrections(subscription_id=subscription.pk)
    assert [note.total_minor for note in planned.credit_notes] == [200]
    found = correct(subscription, explanation="sent twice")
    assert said(found) == [("INV-000001", [("calls", "200", "2", 200, 0)], 200)]
    assert found.credit_notes[0].reason == "correction"
    assert differences() == []
    assert list(check_credit_notes()) == []
    bill("2026-04-01")
    assert amounts(invoices()[-1]) == [("subscription", "fee", 1000)]


def test_each_invoice_that_billed_something_gets_a_credit_note_of_its_own(subscription: Subscription) -> None:
    void("jan-1")
    void("feb-1")
    found = correct(subscription)
    assert said(found) == [
        ("INV-000001", [("calls", "400", "4", 400, 0)], 400),
        ("INV-000002", [("calls", "300", "2", 200, 0)], 200),
    ]
    assert differences() == []


def test_a_later_correction_goes_back_before_the_original(subscription: Subscription) -> None:
    customer = subscription.customer
    send_usage(customer, "call", 100, "2026-01-20", event_id="late")
    bill("2026-04-01")  # INV-000003 carries 100 calls of January, 1.00
    void("late", "2026-04-02")
    void("jan-2", "2026-04-02")
    found = correct(subscription, now=at("2026-04-05"))
    assert said(found) == [
        ("INV-000001", [("calls", "200", "2", 200, 0)], 200),
        ("INV-000003", [("calls", "100", "1", 100, 0)], 100),
    ]
    assert differences() == []


def test_what_comes_again_after_a_correction_is_billed_again(subscription: Subscription) -> None:
    void("jan-2")
    correct(subscription)
    send_usage(subscription.customer, "call", 50, "2026-01-25")
    bill("2026-04-01")
    assert amounts(invoices()[-1]) == [("subscription", "fee", 1000), ("adjustment", "calls", 50)]
    assert differences() == []


def test_the_discount_of_the_line_goes_back_with_the_correction() -> None:
    make_catalog()
    customer = make_customer(tax_rate_pct="19")
    subscription = subscribe(customer)
    give_coupon(customer, "10")
    send_usage(customer, "call", 433, "2026-01-10")
    send_usage(customer, "call", 200, "2026-01-11", event_id="twice")
    bill("2026-02-01")  # 10.00 + 5.33 less 1.53 (0.53 of it on calls) is 13.80, 19 % are 2.62 (2.622)
    void("twice")
    found = correct(subscription)
    # 2.00 of 5.33, of the discount 0.53 therefore 0.20 (19.9 cents); 19 % of 1.80 are 0.34.
    assert said(found) == [("INV-000001", [("calls", "200", "2", 200, 20)], 214)]
    assert differences() == []
    assert list(check_credit_notes()) == []


def test_goodwill_leaves_billed_what_was_billed(subscription: Subscription) -> None:
    first = invoices()[0]
    issue_credit_note(invoice_id=first.pk, reason=CreditNote.Reason.GOODWILL, reference="G", actor=ACTOR, now=at("2026-03-01"))
    assert differences() == []


def test_a_whole_invoice_taken_back_as_a_correction_is_billed_again(subscription: Subscription) -> None:
    first = invoices()[0]
    issue_credit_note(invoice_id=first.pk, reason=CreditNote.Reason.CORRECTION, reference="K", actor=ACTOR, now=at("2026-03-01"))
    assert [kind for kind, _text in differences()] == ["pending", "pending"]
    bill("2026-04-01")
    assert sorted(amounts(invoices()[-1])) == [
        ("adjustment", "calls", 500),
        ("adjustment", "fee", 1000),
        ("subscription", "fee", 1000),
    ]
    assert differences() == []


def test_what_other_credit_notes_took_is_said_and_the_rest_is_credited(subscription: Subscription) -> None:
    first = invoices()[0]
    calls = first.lines.get(charge_code="calls")
    issue_credit_note(
        invoice_id=first.pk,
        reason=CreditNote.Reason.GOODWILL,
        reference="G",
        lines=[LineAsked(calls.position, 450)],
        actor=ACTOR,
        now=at("2026-03-01"),
    )
    void("jan-2")
    found = correct(subscription)
    # Of the 5.00 for 600 calls, 0.50 are left: a tenth.
    assert said(found) == [("INV-000001", [("calls", "60", "0.5", 50, 0)], 50)]
    (left,) = found.not_credited
    assert (left.charge_code, left.first_day, left.amount_minor) == ("calls", date(2026, 1, 1), 150)
    assert left.why == "1.50 EUR of 2.00 EUR are more than is left of the lines that billed it, after other credit notes"
    assert refused(subscription, reference="K-2") == (
        "nothing_to_credit",
        f"calls of 2026-01-01: {left.why.replace('2.00', '1.50')}",
    )


def test_nothing_to_credit_is_said(subscription: Subscription) -> None:
    assert refused(subscription) == ("nothing_to_credit", "nothing was billed too much, or a draft carries it already")
    void("jan-2")
    bill("2026-04-01", finalize=False)  # the draft carries it
    assert refused(subscription)[0] == "nothing_to_credit"
    assert refused(subscription, reference=" ")[0] == "reference_missing"


def test_the_same_reference_answers_with_what_it_made(subscription: Subscription) -> None:
    void("jan-2")
    found = correct(subscription)
    void("jan-1")
    assert correct(subscription).credit_notes == list(found.credit_notes)
    assert refused(subscription, explanation="other")[0] == "reference_differs"
    assert len(correct(subscription, reference="K-2").credit_notes) == 1


def test_what_was_paid_is_kept_for_the_next_invoice_or_paid_back(subscription: Subscription) -> None:
    first = invoices()[0]
    record_payment(
        invoice_id=first.pk, amount_minor=1500, received_on=date(2026, 3, 1), reference="R", actor=ACTOR, now=at("2026-03-01")
    )
    void("jan-2")
    (note,) = correct(subscription, rest="refund").credit_notes
    assert (note.to_invoice_minor, note.to_balance_minor, note.to_refund_minor) == (0, 0, 200)


def test_what_the_last_invoice_of_a_subscription_could_not_take_is_credited() -> None:
    make_catalog(SEATS)
    subscription = subscribe(make_customer(), "team")
    bill("2026-01-01")  # 50.00 in advance
    end_subscription(subscription_id=subscription.pk, ends_at=at("2026-01-11"), actor=ACTOR, now=at("2026-01-10"))
    bill("2026-02-01")
    kind = [kind for kind, _text in differences()]
    assert kind == ["stuck"]  # 50.00 were billed for 31 days, 10 of them are due: 16.13
    assert said(correct(subscription)) == [("INV-000001", [("seats", "0", "33.870967741935", 3387, 0)], 3387)]
    assert differences() == []
    assert list(check_credit_notes()) == []


def test_a_late_change_of_a_quantity_of_an_ended_subscription_is_credited() -> None:
    make_catalog(SEATS)
    subscription = subscribe(make_customer(), "team", ends="2026-02-01")
    bill("2026-01-01")
    change_quantity(
        subscription_id=subscription.pk,
        charge_code="seats",
        quantity=Decimal(2),
        when=at("2026-01-01"),
        actor=ACTOR,
        now=at("2026-01-20"),
    )
    bill("2026-02-01")
    assert [kind for kind, _text in differences()] == ["stuck"]
    assert said(correct(subscription)) == [("INV-000001", [("seats", "3", "30", 3000, 0)], 3000)]
    assert differences() == []


def test_a_correction_is_of_the_period_and_charge_of_its_line(subscription: Subscription) -> None:
    void("feb-1")
    correct(subscription)
    line = CreditNoteLine.objects.select_related("invoice_line__billing_period").get()
    assert line.invoice_line.billing_period is not None
    assert line.invoice_line.billing_period.first_day == date(2026, 2, 1)
    assert Invoice.objects.get(pk=line.invoice_line.invoice_id).number == "INV-000002"
