"""Fees counted day by day agree with what was billed by stretches, and find what was not."""

import pytest

from billing.models import Subscription
from billing.reconciliation.fees import due_fees
from billing.reconciliation.report import reconcile
from tests.billing.builders import bill, make_customer, send_usage, sql, subscribe, triggers_off
from tests.billing.subscriptions.plans_made import Sold, fee, make_meter, seats, sell, sell_add_on
from tests.billing.subscriptions.steps import add, move, pause, seat, unpaid_differences

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Subscription:
    sell("basic", fee("31"), seats("31", quantity="2", in_advance=False))
    sell_add_on("support", fee("31"), seats("62", "hours", in_advance=False))
    sell_add_on("setup", fee("100", in_advance=False), once=True)
    subscription = subscribe(make_customer(), "basic")
    bill("2026-01-01")
    seat(subscription, "5", "2026-01-11")
    add(subscription, "support", "2026-01-11", quantity="2")
    add(subscription, "support", "2026-01-21", quantity="0")
    add(subscription, "setup", "2026-01-25", quantity="3")
    return subscription


def test_every_fee_of_what_is_billed(acme: Subscription) -> None:
    # In advance: the 31.00 that were billed, and what the next invoice will say of support.
    assert [(due.code, int(due.amount)) for due in due_fees(acme)] == [("fee", 31), (":support:fee", 20)]
    bill("2026-02-01")
    january = [(due.code, int(due.amount)) for due in due_fees(acme) if due.period.index == 0]
    assert january == [
        ("fee", 31),
        ("seats", 2 * 10 + 5 * 21),
        (":support:fee", 2 * 10),
        (":support:hours", 2 * 2 * 10),
        (":setup:fee", 300),
    ]
    bill("2026-03-01")
    assert unpaid_differences() == []


def test_a_draft_and_a_pause_have_none(acme: Subscription) -> None:
    pause(acme, "2026-02-01", now="2026-01-25")
    bill("2026-02-01", finalize=False)
    assert [due.code for due in due_fees(acme)] == ["fee", ":support:fee"]  # in advance, and final
    bill("2026-04-01")
    assert {due.period.index for due in due_fees(acme) if due.amount} == {0}


def test_a_fee_that_the_engine_priced_wrongly_is_found(acme: Subscription, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.rating.fees.proration_factor", lambda _days, _of: 1)
    bill("2026-02-01")
    found = reconcile().differences
    assert (
        "I3 acme:basic:2026-01-01 2026-01-01 seats: by its days it costs 125, billed and to come are 21700 minor units" in found
    )


def test_what_is_still_to_come_is_no_difference(acme: Subscription) -> None:
    bill("2026-02-01")
    seat(acme, "1", "2026-01-05", now="2026-02-02")
    sell("pro", fee("62"))
    move(acme, "pro", "2026-02-01", now="2026-02-02")
    found = reconcile()
    assert found.differences == ()
    assert sorted(text.split(": ")[0] for text in found.pending if text.startswith("I3")) == [
        "I3 acme:basic:2026-01-01 2026-01-01 seats",
        "I3 acme:basic:2026-01-01 2026-02-01 fee",
    ]


@pytest.mark.parametrize(
    ("step", "member", "value"), [("rate", "quantity", "201"), ("rate", "rate", "3"), ("fixed_amount", "quantity", "2")]
)
def test_steps_of_single_events_are_added_up_again(step: str, member: str, value: str) -> None:
    make_meter("payments", event_type="payment")
    sell(
        "shop",
        Sold("payments", {"model": "percentage", "rate": "2", "fixed_amount": "0.3", "free_events": "1"}, meter="payments"),
    )
    customer = make_customer()
    subscribe(customer, "shop")
    for amount in ("50", "200"):
        send_usage(customer, "payment", amount, "2026-01-05")
    bill("2026-02-01")
    assert unpaid_differences() == []
    position = {"rate": 1, "fixed_amount": 2}[step]
    with triggers_off():
        path = f"{{{position},{member}}}"
        sql(f"UPDATE billing_invoiceline SET breakdown = jsonb_set(breakdown, '{path}', '\"{value}\"')")  # noqa: S608
    assert any("line 1: 250.000000000000 of payments cost" in text for text in reconcile().differences)
