"""A subscription goes from one plan to another: mid-month, on the day of renewal, at the end of a period, many at once."""

import pytest

from billing.invoicing.voiding import void_invoice
from billing.models import Subscription
from billing.subscriptions.refusals import SubscriptionError
from tests.billing.builders import ACTOR, at, bill, invoices, make_customer, send_usage, subscribe
from tests.billing.subscriptions.plans_made import calls, fee, sell
from tests.billing.subscriptions.steps import end, invoice_at, move, periods, said
from tests.scenarios.stories import assert_books_agree

pytestmark = pytest.mark.django_db

FREE_100 = [{"up_to": "100", "unit_amount": "0"}]


@pytest.fixture
def acme() -> Subscription:
    """On Basic from 1 January: 31.00 in advance, 100 calls of a period free and 0.10 above; Pro is 62.00 and 0.05."""
    sell("basic", fee("31"), calls(model="graduated", tiers=[*FREE_100, {"up_to": None, "unit_amount": "0.10"}]))
    sell("pro", fee("62"), calls(model="graduated", tiers=[*FREE_100, {"up_to": None, "unit_amount": "0.05"}]))
    subscription = subscribe(make_customer(), "basic")
    bill("2026-01-01")
    return subscription


def upgrade_in_mid_month(acme: Subscription) -> None:
    send_usage(acme.customer, "call", 150, "2026-01-10T23:59:59Z")
    send_usage(acme.customer, "call", 300, "2026-01-11T00:00:00Z")
    move(acme, "pro", "2026-01-11")
    bill("2026-01-11")


def test_an_upgrade_in_mid_month_is_billed_on_its_day_both_ways(acme: Subscription) -> None:
    upgrade_in_mid_month(acme)
    # Pro for 21 of 31 days: 62 x 21/31 = 42.00. Basic was ten days: 31 x 10/31 = 10.00 of the 31.00 that were paid.
    # Calls until the 10th at Basic's terms: (150 - 100) x 0.10 = 5.00.
    assert said(invoice_at("2026-01-11")) == [
        ("subscription", "fee", "2026-01-11", 4200),
        ("usage", "calls", "2026-01-01", 500),
        ("adjustment", "fee", "2026-01-01", -2100),
    ]
    assert invoice_at("2026-01-11").due_minor == 2600
    bill("2026-02-01")
    # From the 11th at Pro's, with free calls of its own: (300 - 100) x 0.05 = 10.00.
    assert said(invoice_at("2026-02-01")) == [
        ("subscription", "fee", "2026-02-01", 6200),
        ("usage", "calls", "2026-01-11", 1000),
    ]
    assert_books_agree()


def test_usage_of_the_old_plan_that_comes_late_is_rated_at_its_terms(acme: Subscription) -> None:
    upgrade_in_mid_month(acme)
    send_usage(acme.customer, "call", 50, "2026-01-09")
    bill("2026-02-01")
    # Basic: (200 - 100) x 0.10 = 10.00, 5.00 of it billed.
    assert said(invoice_at("2026-02-01"))[2:] == [("adjustment", "calls", "2026-01-01", 500)]
    assert_books_agree()


def test_an_invoice_that_is_void_after_a_change_is_billed_again_as_it_was(acme: Subscription) -> None:
    upgrade_in_mid_month(acme)
    first = invoice_at("2026-01-11")
    void_invoice(invoice_id=first.pk, reason="purchase order missing", actor=ACTOR, now=at("2026-01-12"))
    bill("2026-01-12")
    again = invoice_at("2026-01-11")
    assert (said(again), again.number) == (said(first), "INV-000003")
    bill("2026-02-01")
    assert_books_agree()


def test_changed_twice_on_a_day_after_the_first_was_billed(acme: Subscription) -> None:
    sell("max", fee("93"), calls("0.01"))
    upgrade_in_mid_month(acme)
    move(acme, "max", "2026-01-11T18:00:00Z")
    assert periods(acme)[1] == ("2026-01-11", "2026-02-01", "regular", "max")
    bill("2026-02-01")
    # Max for 21 days is 63.00, of which 42.00 are billed; all 300 calls at 0.01 = 3.00.
    assert said(invoice_at("2026-02-01")) == [
        ("subscription", "fee", "2026-02-01", 9300),
        ("usage", "calls", "2026-01-11", 300),
        ("adjustment", "fee", "2026-01-11", 2100),
    ]
    assert_books_agree()


def test_an_upgrade_on_the_day_of_renewal_after_the_fee_was_billed(acme: Subscription) -> None:
    bill("2026-02-01")  # 31.00 for February
    send_usage(acme.customer, "call", 200, "2026-02-01T00:00:00Z")
    move(acme, "pro", "2026-02-01")
    assert periods(acme)[1] == ("2026-02-01", "2026-03-01", "regular", "pro")
    bill("2026-02-02")  # the invoice of 1 February is there, nothing more is due
    assert len(invoices()) == 2
    bill("2026-03-01")
    # February is Pro's 62.00, 31.00 of it billed; (200 - 100) x 0.05 = 5.00.
    assert said(invoice_at("2026-03-01")) == [
        ("subscription", "fee", "2026-03-01", 6200),
        ("usage", "calls", "2026-02-01", 500),
        ("adjustment", "fee", "2026-02-01", 3100),
    ]
    assert_books_agree()


def test_a_downgrade_at_the_end_of_the_period_gives_nothing_back(acme: Subscription) -> None:
    move(acme, "pro", "2026-01-01")
    bill("2026-01-02")
    move(acme, "basic", "period_end", now="2026-01-15")
    send_usage(acme.customer, "call", 200, "2026-01-20")
    bill("2026-02-01")
    assert said(invoice_at("2026-02-01")) == [
        ("subscription", "fee", "2026-02-01", 3100),
        ("usage", "calls", "2026-01-01", 500),  # (200 - 100) x 0.05: January is Pro's
        ("adjustment", "fee", "2026-01-01", 3100),  # 62.00 for January, 31.00 billed on the day of the start
    ]
    assert_books_agree()


def test_a_downgrade_in_mid_month_waits_for_an_invoice_that_it_fits_on() -> None:
    sell("pro", fee("62"))
    sell("free", calls("1"))
    customer = make_customer()
    subscription = subscribe(customer, "pro")
    bill("2026-01-01")
    move(subscription, "free", "2026-01-11")
    bill("2026-01-11")  # 42.00 to come back, and nothing to take them off
    assert len(invoices()) == 1
    send_usage(customer, "call", 50, "2026-01-15")
    bill("2026-02-01")
    assert said(invoice_at("2026-02-01")) == [("usage", "calls", "2026-01-11", 5000), ("adjustment", "fee", "2026-01-01", -4200)]
    assert_books_agree()


def test_a_commitment_is_met_by_each_part_for_its_days() -> None:
    sell("small", calls("1"), minimum_commitment="31")
    sell("large", calls("2"), minimum_commitment="62")
    customer = make_customer()
    subscription = subscribe(customer, "small")
    send_usage(customer, "call", 4, "2026-01-05")
    send_usage(customer, "call", 5, "2026-01-20")
    move(subscription, "large", "2026-01-11")
    bill("2026-02-01")
    # 31 x 10/31 = 10.00 for ten days, of which 4 x 1 = 4.00 are reached.
    assert said(invoice_at("2026-01-11")) == [
        ("subscription", ":minimum-commitment", "2026-01-01", 600),
        ("usage", "calls", "2026-01-01", 400),
    ]
    # 62 x 21/31 = 42.00 for the rest, of which 5 x 2 = 10.00.
    assert said(invoice_at("2026-02-01")) == [
        ("subscription", ":minimum-commitment", "2026-01-11", 3200),
        ("usage", "calls", "2026-01-11", 1000),
    ]
    assert_books_agree()


def test_from_months_to_years_in_mid_month() -> None:
    sell("monthly", fee("31"))
    sell("yearly", fee("365"), interval="yearly", anchor="anniversary")
    subscription = subscribe(make_customer(), "monthly")
    bill("2026-01-01")
    move(subscription, "yearly", "2026-01-11")
    bill("2026-01-11")
    # A whole year from the day of the change on; 21.00 of January come back.
    assert periods(subscription)[1] == ("2026-01-11", "2027-01-11", "regular", "yearly")
    assert said(invoice_at("2026-01-11")) == [
        ("subscription", "fee", "2026-01-11", 36500),
        ("adjustment", "fee", "2026-01-01", -2100),
    ]
    assert_books_agree()


def test_many_are_moved_to_a_newer_version_one_by_one() -> None:
    sell("basic", fee("31"))
    subscriptions = [subscribe(make_customer(name), "basic") for name in ("anna", "bert", "carl")]
    end(subscriptions[2], "2026-01-21", now="2026-01-01")
    bill("2026-01-01")
    sell("basic", fee("28"))
    refused = []
    for subscription in subscriptions:
        try:
            move(subscription, "basic", "2026-02-01", now="2026-01-25")
        except SubscriptionError as refusal:
            refused.append((subscription.customer.external_id, refusal.code))
    assert refused == [("carl", "ended_already")]
    bill("2026-02-01")
    # Those that were moved pay the new price from February on.
    february = invoices(boundary_at=at("2026-02-01"))
    assert [(invoice.customer.external_id, said(invoice)) for invoice in february] == [
        ("anna", [("subscription", "fee", "2026-02-01", 2800)]),
        ("bert", [("subscription", "fee", "2026-02-01", 2800)]),
    ]
    assert_books_agree()


def test_two_subscriptions_of_a_customer_are_billed_apart() -> None:
    sell("platform", fee("31"))
    sell("usage", calls("1"))
    customer = make_customer()
    platform, metered = subscribe(customer, "platform"), subscribe(customer, "usage")
    sell("platform-plus", fee("62"))
    send_usage(customer, "call", 7, "2026-01-20")
    bill("2026-01-01")
    move(platform, "platform-plus", "2026-01-11")
    bill("2026-01-11")
    bill("2026-02-01")
    assert [said(invoice) for invoice in invoices(subscription=platform)] == [
        [("subscription", "fee", "2026-01-01", 3100)],
        [("subscription", "fee", "2026-01-11", 4200), ("adjustment", "fee", "2026-01-01", -2100)],
        [("subscription", "fee", "2026-02-01", 6200)],
    ]
    assert [said(invoice) for invoice in invoices(subscription=metered)] == [[("usage", "calls", "2026-01-01", 700)]]
    assert_books_agree()
