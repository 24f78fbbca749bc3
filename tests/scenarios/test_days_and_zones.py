"""Days that months lack, and days that clocks make shorter: changes are by whole local days."""

import pytest

from billing.models import BillingPeriod
from customers.services import update_customer
from tests.billing.builders import ACTOR, at, bill, invoices, make_customer, send_usage, subscribe
from tests.billing.subscriptions.plans_made import calls, fee, sell
from tests.billing.subscriptions.steps import end, invoice_at, move, periods, said
from tests.scenarios.stories import assert_books_agree

pytestmark = pytest.mark.django_db


def test_the_31st_in_a_leap_year_keeps_its_day_through_a_change_of_plan() -> None:
    sell("basic", fee("29", in_advance=False), anchor="anniversary")
    sell("pro", fee("58", in_advance=False), anchor="anniversary")
    subscription = subscribe(make_customer(), "basic", "2028-01-31", now=at("2028-01-31"))
    move(subscription, "pro", "2028-02-10")
    bill("2028-05-31")
    assert periods(subscription) == [
        ("2028-01-31", "2028-02-10", "regular", "basic"),
        ("2028-02-10", "2028-02-29", "regular", "pro"),
        ("2028-02-29", "2028-03-31", "regular", "pro"),
        ("2028-03-31", "2028-04-30", "regular", "pro"),
        ("2028-04-30", "2028-05-31", "regular", "pro"),
        ("2028-05-31", "2028-06-30", "regular", "pro"),
    ]
    # 31 January to 28 February are 29 days: ten of Basic at 1.00, 19 of Pro at 2.00; then whole months, however long.
    assert [invoice.due_minor for invoice in invoices()] == [1000, 3800, 5800, 5800, 5800]
    assert_books_agree()


def test_a_plan_that_changes_on_the_day_on_which_the_clocks_do() -> None:
    sell("basic", fee("31", in_advance=False), calls("1"))
    sell("pro", fee("62", in_advance=False), calls("2"))
    customer = make_customer(timezone="Europe/Berlin")
    subscription = subscribe(customer, "basic", "2026-02-28T23:00:00Z", now=at("2026-03-01"))
    # 29 March 2026 has 23 hours in Berlin: from 23:00 UTC of the 28th to 22:00 UTC of the 29th.
    send_usage(customer, "call", 1, "2026-03-28T22:59:59Z")
    send_usage(customer, "call", 10, "2026-03-28T23:00:00Z")
    send_usage(customer, "call", 100, "2026-03-31T21:59:59Z")
    send_usage(customer, "call", 1000, "2026-03-31T22:00:00Z")  # April
    move(subscription, "pro", "2026-03-29T01:30:00Z")
    bill("2026-03-31T22:00:00Z")
    assert [(period.starts_at, period.ends_at) for period in BillingPeriod.objects.order_by("index")[:2]] == [
        (at("2026-02-28T23:00:00Z"), at("2026-03-28T23:00:00Z")),
        (at("2026-03-28T23:00:00Z"), at("2026-03-31T22:00:00Z")),
    ]
    # 28 and 3 of 31 days: 28.00 and 62 x 3/31 = 6.00.
    assert said(invoice_at("2026-03-28T23:00:00Z")) == [
        ("subscription", "fee", "2026-03-01", 2800),
        ("usage", "calls", "2026-03-01", 100),
    ]
    assert said(invoice_at("2026-03-31T22:00:00Z")) == [
        ("subscription", "fee", "2026-03-29", 600),
        ("usage", "calls", "2026-03-29", 22000),
    ]
    assert_books_agree()


@pytest.mark.parametrize("timezone", ["Asia/Tokyo", "America/New_York"])
def test_a_customer_moves_to_another_zone_between_a_change_and_the_end(timezone: str) -> None:
    sell("basic", fee("31"), calls("1"))
    sell("pro", fee("62"), calls("2"))
    customer = make_customer()
    subscription = subscribe(customer, "basic")
    bill("2026-01-01")
    end(subscription, "2026-03-01", now="2026-01-02")
    update_customer(customer_id=customer.pk, changes={"timezone": timezone}, actor=ACTOR, now=at("2026-01-05"))
    subscription.refresh_from_db()
    move(subscription, "pro", "2026-01-11")
    send_usage(customer, "call", 10, "2026-01-20")
    # Each instant is that of midnight where the customer was when it was written.
    bill("2026-03-02")
    live = list(BillingPeriod.objects.order_by("index"))
    assert [(period.first_day.isoformat(), period.end_day.isoformat()) for period in live] == [
        ("2026-01-01", "2026-01-11"),
        ("2026-01-11", "2026-02-01"),
        ("2026-02-01", "2026-03-01"),
    ]
    subscription.refresh_from_db()
    assert live[-1].ends_at == subscription.ends_at == at("2026-03-01")
    hours = {"Asia/Tokyo": "2026-01-31T15:00:00Z", "America/New_York": "2026-02-01T05:00:00Z"}
    assert live[1].ends_at == at(hours[timezone])
    assert [said(invoice) for invoice in invoices()] == [
        [("subscription", "fee", "2026-01-01", 3100)],
        [("subscription", "fee", "2026-01-11", 4200), ("adjustment", "fee", "2026-01-01", -2100)],
        [("subscription", "fee", "2026-02-01", 6200), ("usage", "calls", "2026-01-11", 2000)],
    ]
    assert_books_agree()
