"""What billing says about January 2026 before its events are put away."""

import pytest

from billing.invoicing.voiding import void_invoice
from billing.models import BillingPeriod
from billing.runs.holding import what_holds
from billing.subscriptions.changing import end_subscription
from tests.billing.builders import ACTOR, at, bill, invoices, make_catalog, make_customer, send_usage, subscribe
from tests.billing.subscriptions.plans_made import Sold, make_meter, sell
from tests.billing.subscriptions.steps import move

pytestmark = pytest.mark.django_db

ADVANCE = """
meters: []
plans:
  - code: seats
    name: Seats
    currency: EUR
    charges:
      - {code: fee, name: Fee, model: flat, amount: "10", billed: in_advance}
"""


def holds(start: str = "2026-01-01", end: str = "2026-02-01") -> list[str]:
    return list(what_holds(at(start), at(end)))


@pytest.fixture(autouse=True)
def _catalog() -> None:
    make_catalog()


def test_nothing_holds_a_month_without_subscriptions() -> None:
    make_customer()

    assert holds() == []


def test_period_that_is_not_billed_holds_the_month_until_it_is() -> None:
    subscribe(make_customer())
    # Days of February reach into January where the customer lives ahead of UTC: a day is added on both sides.
    assert holds() == [
        "the period from 2026-01-01 of the subscription acme:basic:2026-01-01 is not billed yet",
        "the subscription acme:basic:2026-01-01 lacks billing periods there",
    ]

    bill("2026-02-01")

    assert holds() == ["the period from 2026-02-01 of the subscription acme:basic:2026-01-01 is not billed yet"]
    bill("2026-03-01")
    assert holds() == []


def test_subscription_whose_periods_do_not_reach_the_end_holds_the_month() -> None:
    subscription = subscribe(make_customer())
    bill("2026-02-01")
    BillingPeriod.objects.filter(subscription=subscription, starts_at__gte=at("2026-02-01")).delete()

    assert holds() == ["the subscription acme:basic:2026-01-01 lacks billing periods there"]
    assert holds("2025-11-01", "2025-12-01") == []


def test_part_that_is_paid_in_advance_holds_the_month_too() -> None:
    make_catalog(ADVANCE)
    subscription = subscribe(make_customer(), "seats")
    bill("2026-03-01")
    BillingPeriod.objects.filter(subscription=subscription, index=0).update(advance_billed_at=None, advance_invoice=None)

    assert holds() == ["the period from 2026-01-01 of the subscription acme:seats:2026-01-01 is not billed yet"]


def test_parked_period_is_named_as_such() -> None:
    subscription = subscribe(make_customer(), ends="2026-02-01")
    BillingPeriod.objects.filter(subscription=subscription).update(parked_at=at("2026-02-01"))

    assert holds() == ["the period from 2026-01-01 of the subscription acme:basic:2026-01-01 is parked"]


def test_draft_holds_the_month_until_it_is_final() -> None:
    customer = make_customer()
    subscription = subscribe(customer)
    send_usage(customer, "call", 150, "2026-01-10")
    end_subscription(subscription_id=subscription.pk, ends_at=at("2026-02-01"), actor=ACTOR, now=at("2026-01-15"))
    bill("2026-02-01", finalize=False)
    assert holds() == ["the period from 2026-01-01 of the subscription acme:basic:2026-01-01 is on a draft invoice"]

    bill("2026-02-01")

    assert holds() == []


def test_draft_that_carries_an_adjustment_of_the_month_holds_it() -> None:
    customer = make_customer()
    subscribe(customer)
    bill("2026-03-01")
    send_usage(customer, "call", 150, "2026-01-10")
    bill("2026-04-01", finalize=False)

    # February is held by nothing: the draft of March bills March, and the late usage of January.
    assert holds() == ["the period from 2026-01-01 of the subscription acme:basic:2026-01-01 is on a draft invoice"]


def test_void_invoice_opens_its_month_again() -> None:
    subscribe(make_customer())
    bill("2026-03-01")

    void_invoice(invoice_id=invoices()[0].pk, reason="wrong", actor=ACTOR, now=at("2026-03-02"))

    assert holds() == ["the period from 2026-01-01 of the subscription acme:basic:2026-01-01 is not billed yet"]


def test_periods_after_an_early_end_hold_nothing() -> None:
    subscription = subscribe(make_customer())
    bill("2026-02-01")
    end_subscription(subscription_id=subscription.pk, ends_at=at("2026-02-01"), actor=ACTOR, now=at("2026-02-02"))

    assert holds() == []


def test_every_subscription_is_named_in_order() -> None:
    for name in ("bert", "anna"):
        subscribe(make_customer(name), ends="2026-02-01")

    assert holds() == [
        "the period from 2026-01-01 of the subscription anna:basic:2026-01-01 is not billed yet",
        "the period from 2026-01-01 of the subscription bert:basic:2026-01-01 is not billed yet",
    ]


def test_prices_of_single_events_hold_their_months_for_good() -> None:
    make_meter("payments", event_type="payment")
    sell("shop", Sold("payments", {"model": "percentage", "rate": "2", "fixed_amount": "0.3"}, meter="payments"))
    sell("share", Sold("payments", {"model": "percentage", "rate": "2"}, meter="payments"))
    customer = make_customer()
    subscription = subscribe(customer, "shop")
    subscribe(make_customer("quiet"), "shop", ends="2026-02-01")
    send_usage(customer, "payment", 100, "2026-01-10")
    move(subscription, "share", "2026-02-01", now="2026-01-15")
    bill("2026-04-01")

    # February and March are a share of the sum, which the totals by day tell.
    held = "has prices of single events, which are rated again with every invoice"
    assert holds() == [
        f"the period from 2026-01-01 of the subscription {name}:shop:2026-01-01 {held}" for name in ("acme", "quiet")
    ]
    assert holds("2026-03-01", "2026-03-30") == []


def test_a_trial_prices_nothing_and_holds_nothing() -> None:
    make_meter("payments", event_type="payment")
    payments = Sold("payments", {"model": "percentage", "rate": "2", "free_events": "1"}, meter="payments")
    sell("shop", payments, trial_days=40)
    subscribe(make_customer(), "shop", ends="2026-02-05")
    bill("2026-03-01")

    assert holds() == []
