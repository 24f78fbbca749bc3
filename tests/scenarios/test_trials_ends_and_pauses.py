"""A subscription begins with a trial, ends, is begun again, and is put on hold."""

from typing import Any

import pytest

from billing.models import Subscription
from tests.billing.builders import at, bill, invoices, make_customer, send_usage, subscribe
from tests.billing.rating.rating_tools import rated
from tests.billing.subscriptions.plans_made import calls, fee, sell, sell_add_on
from tests.billing.subscriptions.steps import add, end, invoice_at, move, newest, pause, periods, resume, said, undo
from tests.scenarios.stories import assert_books_agree

pytestmark = pytest.mark.django_db


def tried(**cadence: Any) -> Subscription:
    """Two weeks for nothing from 1 January, then 31.00 a month in advance and 1.00 a call."""
    sell("tried", fee("31"), calls("1"), trial_days=14, **cadence)
    subscription = subscribe(make_customer(), "tried")
    send_usage(subscription.customer, "call", 10, "2026-01-14T23:59:59Z")
    send_usage(subscription.customer, "call", 3, "2026-01-15T00:00:00Z")
    return subscription


class TestTrial:
    def test_is_followed_by_the_rest_of_the_calendars_month(self) -> None:
        subscription = tried()
        bill("2026-02-01")
        assert periods(subscription)[:2] == [
            ("2026-01-01", "2026-01-15", "trial", "tried"),
            ("2026-01-15", "2026-02-01", "regular", "tried"),
        ]
        # 17 of 31 days: 17.00; the 10 calls of the trial are free.
        assert [said(invoice) for invoice in invoices()] == [
            [("subscription", "fee", "2026-01-15", 1700)],
            [("subscription", "fee", "2026-02-01", 3100), ("usage", "calls", "2026-01-15", 300)],
        ]
        assert_books_agree()

    def test_is_followed_by_a_whole_month_from_its_end_where_anniversaries_count(self) -> None:
        tried(anchor="anniversary")
        bill("2026-02-15")
        assert [(invoice.boundary_at, said(invoice)) for invoice in invoices()] == [
            (at("2026-01-15"), [("subscription", "fee", "2026-01-15", 3100)]),
            (at("2026-02-15"), [("subscription", "fee", "2026-02-15", 3100), ("usage", "calls", "2026-01-15", 300)]),
        ]
        assert_books_agree()

    def test_costs_nothing_when_it_is_left_in_time(self) -> None:
        subscription = tried()
        end(subscription, "2026-01-08", now="2026-01-05")
        bill("2026-03-01")
        assert periods(subscription) == [("2026-01-01", "2026-01-08", "trial", "tried")]
        assert invoices() == []
        assert_books_agree()

    def test_costs_nothing_when_it_is_left_with_its_end(self) -> None:
        subscription = tried()
        end(subscription, "period_end", now="2026-01-05")
        bill("2026-03-01")
        assert periods(subscription) == [("2026-01-01", "2026-01-15", "trial", "tried")]
        assert invoices() == []
        assert_books_agree()

    def test_goes_on_with_another_plan_and_pays_that(self) -> None:
        subscription = tried()
        sell("pro", fee("62"), calls("2"))
        move(subscription, "pro", "2026-01-08")
        bill("2026-02-01")
        assert [period[2] for period in periods(subscription)] == ["trial", "trial", "regular", "regular"]
        assert said(invoice_at("2026-01-15")) == [("subscription", "fee", "2026-01-15", 3400)]  # 62 x 17/31
        assert said(invoice_at("2026-02-01"))[1] == ("usage", "calls", "2026-01-15", 600)
        assert_books_agree()

    def test_still_charges_what_an_add_on_charges_once(self) -> None:
        subscription = tried()
        sell_add_on("setup", fee("100", in_advance=False), once=True)
        sell_add_on("support", fee("31"))
        add(subscription, "setup", "2026-01-05")
        add(subscription, "support", "2026-01-05")
        bill("2026-01-15")
        assert said(invoice_at("2026-01-15")) == [
            ("subscription", "fee", "2026-01-15", 1700),
            ("subscription", ":support:fee", "2026-01-15", 1700),
            ("subscription", ":setup:fee", "2026-01-01", 10000),
        ]
        bill("2026-02-01")
        assert_books_agree()


class TestEnd:
    def test_and_a_new_beginning_leave_a_gap_that_nobody_pays(self) -> None:
        sell("basic", fee("31"), calls("1"))
        customer = make_customer()
        first = subscribe(customer, "basic")
        bill("2026-01-01")
        send_usage(customer, "call", 40, "2026-01-05")
        end(first, "2026-01-11", now="2026-01-10")
        send_usage(customer, "call", 99, "2026-01-15")  # between the two: nobody's
        bill("2026-01-11")
        second = subscribe(customer, "basic", "2026-01-21", now=at("2026-01-21"))
        send_usage(customer, "call", 4, "2026-01-25")
        bill("2026-02-01")
        # Ten of 31 days: 10.00 of the 31.00 that were paid; 40 calls.
        assert said(invoice_at("2026-01-11")) == [
            ("usage", "calls", "2026-01-01", 4000),
            ("adjustment", "fee", "2026-01-01", -2100),
        ]
        assert [said(invoice) for invoice in invoices(subscription=second)] == [
            [("subscription", "fee", "2026-01-21", 1100)],  # 31 x 11/31
            [("subscription", "fee", "2026-02-01", 3100), ("usage", "calls", "2026-01-21", 400)],
        ]
        assert_books_agree()

    def test_at_the_end_of_the_period_is_undone_and_the_next_is_billed(self) -> None:
        sell("basic", fee("31"), calls("1"))
        customer = make_customer()
        subscription = subscribe(customer, "basic")
        bill("2026-01-01")
        end(subscription, "period_end", now="2026-01-10")
        subscription.refresh_from_db()
        assert str(subscription.ended_on) == "2026-02-01"
        undo(subscription, newest(subscription), now="2026-01-20")
        send_usage(customer, "call", 5, "2026-01-25")
        bill("2026-02-01")
        assert said(invoice_at("2026-02-01")) == [
            ("subscription", "fee", "2026-02-01", 3100),
            ("usage", "calls", "2026-01-01", 500),
        ]
        assert_books_agree()

    def test_at_the_end_of_the_period_bills_the_usage_and_no_next_fee(self) -> None:
        sell("basic", fee("31"), calls("1"))
        customer = make_customer()
        subscription = subscribe(customer, "basic")
        bill("2026-01-01")
        end(subscription, "period_end", now="2026-01-10")
        send_usage(customer, "call", 5, "2026-01-25")
        bill("2026-03-01")
        assert [said(invoice) for invoice in invoices()][1:] == [[("usage", "calls", "2026-01-01", 500)]]
        assert_books_agree()


def test_a_pause_gives_the_fee_in_advance_back_and_the_rest_is_paid_from_the_resumption_on() -> None:
    sell("basic", fee("31"), calls("1"))
    customer = make_customer()
    subscription = subscribe(customer, "basic")
    bill("2026-01-01")
    send_usage(customer, "call", 2, "2026-01-05")
    send_usage(customer, "call", 7, "2026-01-15")
    send_usage(customer, "call", 4, "2026-01-25")
    pause(subscription, "2026-01-11")
    bill("2026-01-11")
    # 2 calls; the 21.00 that come back for 21 days do not fit on 2.00 and wait.
    assert said(invoice_at("2026-01-11")) == [("usage", "calls", "2026-01-01", 200)]
    resume(subscription, "2026-01-21")
    bill("2026-01-21")
    assert said(invoice_at("2026-01-21")) == [("subscription", "fee", "2026-01-21", 1100)]  # 31 x 11/31; 11.00 is less than 21.00
    bill("2026-02-01")
    # The calls of the pause are nobody's; those after it are 4.00. The month is the calendar's, as before.
    assert said(invoice_at("2026-02-01")) == [
        ("subscription", "fee", "2026-02-01", 3100),
        ("usage", "calls", "2026-01-21", 400),
        ("adjustment", "fee", "2026-01-01", -2100),
    ]
    assert [piece.value_sum for piece in rated(subscription, 1).unpriced] == [7]
    assert periods(subscription)[:3] == [
        ("2026-01-01", "2026-01-11", "regular", "basic"),
        ("2026-01-11", "2026-01-21", "paused", "basic"),
        ("2026-01-21", "2026-02-01", "regular", "basic"),
    ]
    assert_books_agree()


def test_a_pause_over_months_has_periods_that_cost_nothing() -> None:
    sell("basic", fee("31", in_advance=False))
    subscription = subscribe(make_customer(), "basic")
    pause(subscription, "2026-02-01", now="2026-01-15")
    bill("2026-04-01")
    resume(subscription, "2026-04-01")
    bill("2026-05-01")
    assert [period[2] for period in periods(subscription)] == ["regular", "paused", "paused", "regular", "regular"]
    assert [said(invoice) for invoice in invoices()] == [
        [("subscription", "fee", "2026-01-01", 3100)],
        [("subscription", "fee", "2026-04-01", 3100)],
    ]
    assert_books_agree()
