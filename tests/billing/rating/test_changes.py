"""I3 where periods change: what was billed of days that are gone, cut, or on other terms comes back, once."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.invoicing.voiding import void_invoice
from billing.models import BillingPeriod, InvoiceLine
from billing.rating.subscription import rate_boundary
from billing.rating.terms import TermsBook
from tests.billing.builders import ACTOR, at, bill, invoices, make_customer, send_usage, subscribe
from tests.billing.subscriptions.plans_made import SEAT_TIERS, calls, fee, seats, sell, sell_add_on
from tests.billing.subscriptions.steps import add, move, said, seat, unpaid_differences

pytestmark = pytest.mark.django_db


def void(position: int, when: str) -> None:
    void_invoice(invoice_id=invoices()[position].pk, reason="wrong", actor=ACTOR, now=at(when))


def test_a_correction_of_a_period_that_is_gone_comes_back() -> None:
    sell("old", calls("1"))
    sell("new", calls("2"))
    customer = make_customer()
    subscription = subscribe(customer, "old")
    for month in ("01", "02"):
        send_usage(customer, "call", 10, f"2026-{month}-10")
    bill("2026-03-01")  # January 10.00, February 10.00
    void(0, "2026-03-02")
    send_usage(customer, "call", 5, "2026-02-20")
    bill("2026-03-02")
    # January again, and February's 5.00 on it, since February is billed.
    assert said(invoices(status="finalized")[0]) == [
        ("usage", "calls", "2026-01-01", 1000),
        ("adjustment", "calls", "2026-02-01", 500),
    ]
    void_invoice(invoice_id=invoices(boundary_at=at("2026-03-01"))[0].pk, reason="wrong plan", actor=ACTOR, now=at("2026-03-03"))
    move(subscription, "new", "2026-02-01", now="2026-03-03")
    assert BillingPeriod.objects.exclude(superseded_at=None).count() == 1
    bill("2026-03-03")
    # February on the new plan is 15 x 2; the 5.00 that another invoice has of the period that is gone come off.
    assert said(invoices()[-1]) == [("usage", "calls", "2026-02-01", 3000), ("adjustment", "calls", "2026-02-01", -500)]
    assert unpaid_differences() == []


def test_a_void_invoice_after_a_change_is_billed_again_in_the_new_cut() -> None:
    sell("old", fee("31"), calls("1"))
    sell("new", fee("62"), calls("2"))
    customer = make_customer()
    subscription = subscribe(customer, "old")
    bill("2026-01-01")
    send_usage(customer, "call", 10, "2026-01-05")
    move(subscription, "new", "2026-01-11")
    bill("2026-01-11")
    void(0, "2026-01-12")
    bill("2026-01-12")
    # Ten of 31 days of the fee; the 21.00 that came back on the invoice of the 11th are not owed any more.
    assert said(invoices(boundary_at=at("2026-01-01"), status="finalized")[0]) == [
        ("subscription", "fee", "2026-01-01", 1000),
        ("adjustment", "fee", "2026-01-01", 2100),
    ]
    assert unpaid_differences() == []


def test_a_fee_that_is_billed_in_advance_here_and_in_arrears_there_is_billed_once() -> None:
    sell("advance", fee("28"))
    sell("arrears", fee("56", in_advance=False))
    subscription = subscribe(make_customer(), "advance", "2026-02-01")
    bill("2026-02-01")
    move(subscription, "arrears", "2026-02-01")
    bill("2026-03-01")
    # The whole fee in arrears, less what was billed in advance under its code.
    assert said(invoices()[1]) == [("subscription", "fee", "2026-02-01", 5600), ("adjustment", "fee", "2026-02-01", -2800)]
    assert unpaid_differences() == []


def test_seats_that_change_every_day_fit_on_a_line() -> None:
    sell("basic", seats("31", in_advance=False))
    subscription = subscribe(make_customer(), "basic")
    for day in range(2, 32):
        seat(subscription, str(day), f"2026-01-{day:02d}")
    assert bill("2026-02-01").failed == ()
    line = InvoiceLine.objects.get()
    assert line.amount_minor == 49600  # 1 + 2 + … + 31 = 496 days of a seat at 1.00
    assert line.detail.startswith("1 from 1 January 2026, 2 from 2 January 2026, ")
    assert len(line.detail) == 500
    assert line.detail.endswith("…")
    assert unpaid_differences() == []


def test_a_long_name_of_an_add_on_fits_on_a_line() -> None:
    sell("basic", fee("31"))
    add_on = sell_add_on("support", fee("1", "a"), fee("2", "b"))
    add_on.plan.name = "N" * 255
    add_on.plan.save()
    add(subscribe(make_customer(), "basic"), "support", "2026-01-01")
    assert bill("2026-01-01").failed == ()
    assert {len(line.description) for line in InvoiceLine.objects.filter(charge_code__startswith=":")} == {255}


@pytest.mark.parametrize(
    ("currency", "january", "february"), [("JPY", 1239, 1269), ("EUR", 123932, 126911), ("KWD", 1239323, 1269107)]
)
def test_each_currency_rounds_the_period_once_however_many_documents(currency: str, january: int, february: int) -> None:
    sell("basic", seats("103", quantity="10", in_advance=False), currency=currency)
    subscription = subscribe(make_customer(currency=currency), "basic")
    seat(subscription, "12", "2026-02-10")
    bill("2026-03-01")
    seat(subscription, "13", "2026-01-11", now="2026-03-02")
    bill("2026-04-01")
    # January: 1030 x 10/31 + 1339 x 21/31 = 1239.32258…; February: 1339 x 9/28 + 1236 x 19/28 = 1269.10714…
    found = [InvoiceLine.objects.filter(first_day=f"2026-{month}-01") for month in ("01", "02")]
    assert [sum(line.amount_minor for line in lines) for lines in found] == [january, february]
    assert [len(lines) for lines in found] == [2, 2]  # each billed, and corrected
    assert unpaid_differences() == []


def test_twelve_decimals_of_seats_by_days_are_exact() -> None:
    sell("basic", seats(quantity="3.333333333333", model="graduated", tiers=SEAT_TIERS, in_advance=False))
    subscription = subscribe(make_customer(), "basic")
    seat(subscription, "7.777777777777", "2026-01-08")
    assert bill("2026-02-01").failed == ()
    line = InvoiceLine.objects.get()
    # (90 + 0.333333333333 x 15) x 7/31 + (90 + 4.777777777777 x 15) x 24/31 = 146.612903225791…
    assert (line.quantity, line.amount_minor) == (Decimal("7.777777777777"), 14661)
    assert unpaid_differences() == []


def test_rating_asks_as_many_queries_after_a_year_of_changes_as_after_a_month() -> None:
    sell("basic", fee("31"), seats("31"), calls("1"))
    sell_add_on("support", fee("31"))
    subscription = subscribe(make_customer(), "basic", now=at("2026-12-15"))
    add(subscription, "support", "2026-01-05")
    asked = []
    for month in ("02", "12"):
        for earlier in range(1, int(month)):
            seat(subscription, str(earlier + 1), f"2026-{earlier:02d}-11", now=f"2026-{month}-01")
        bill(f"2026-{month}-01")
        book = TermsBook()
        for change in subscription.changes.exclude(plan_version=None):
            book.of(change.plan_version_id or 0)
        with CaptureQueriesContext(connection) as queries:
            rate_boundary(subscription, boundary_at=at("2026-12-01"), terms_book=book, ending=None, beginning=None)
        asked.append(len(queries))
    assert asked[0] == asked[1]
    assert unpaid_differences() == []
