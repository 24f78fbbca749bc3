"""Seats come and go within a month, add-ons are put on and taken off; paid in advance and in arrears."""

from decimal import Decimal

import pytest

from billing.models import InvoiceLine, Subscription
from tests.billing.builders import bill, invoices, make_customer, send_usage, subscribe
from tests.billing.subscriptions.plans_made import SEAT_TIERS, calls, fee, seats, sell, sell_add_on
from tests.billing.subscriptions.steps import add, end, invoice_at, move, newest, said, seat, undo
from tests.scenarios.stories import assert_books_agree

pytestmark = pytest.mark.django_db


class TestSeats:
    def test_paid_in_advance_are_put_right_on_the_next_invoice(self) -> None:
        sell("team", seats("31", quantity="2"))
        subscription = subscribe(make_customer(), "team")
        bill("2026-01-01")
        seat(subscription, "5", "2026-01-11")
        seat(subscription, "3", "2026-01-21")
        bill("2026-02-01")
        assert said(invoice_at("2026-01-01")) == [("subscription", "seats", "2026-01-01", 6200)]
        # A seat costs 1.00 a day of January: 2 x 10 + 5 x 10 + 3 x 11 = 103.00, of which 62.00 are billed.
        assert said(invoice_at("2026-02-01")) == [
            ("subscription", "seats", "2026-02-01", 9300),
            ("adjustment", "seats", "2026-01-01", 4100),
        ]
        corrected = InvoiceLine.objects.get(group="adjustment")
        assert corrected.quantity == 1  # three at the end, two billed
        assert corrected.detail == (
            "Change within a billed period: what is due now minus what was billed · Billed in advance · "
            "2 from 1 January 2026, 5 from 11 January 2026, 3 from 21 January 2026"
        )
        assert_books_agree()

    def test_paid_in_arrears_are_one_line_with_the_number_at_the_end(self) -> None:
        sell("team", seats("31", quantity="2", in_advance=False))
        subscription = subscribe(make_customer(), "team")
        seat(subscription, "5", "2026-01-11")
        seat(subscription, "3", "2026-01-21")
        bill("2026-02-01")
        line = InvoiceLine.objects.get()
        assert (line.quantity, line.amount_minor) == (Decimal(3), 10300)
        assert line.detail == "2 from 1 January 2026, 5 from 11 January 2026, 3 from 21 January 2026"
        assert_books_agree()

    def test_by_tiers_are_priced_for_each_number_and_its_days(self) -> None:
        sell("team", seats(quantity="2", in_advance=False, model="graduated", tiers=SEAT_TIERS))
        subscription = subscribe(make_customer(), "team", "2026-02-01")
        seat(subscription, "5", "2026-02-08")
        bill("2026-03-01")
        # 2 x 30 = 60 for 7 of 28 days is 15.00; 3 x 30 + 2 x 15 = 120 for 21 is 90.00.
        assert said(invoice_at("2026-03-01")) == [("subscription", "seats", "2026-02-01", 10500)]
        assert_books_agree()

    def test_that_were_there_two_months_ago_are_billed_for_each_of_them(self) -> None:
        sell("team", seats("31", quantity="2"))
        subscription = subscribe(make_customer(), "team")
        for month in ("01", "02", "03"):
            bill(f"2026-{month}-01")
        seat(subscription, "3", "2026-01-11", now="2026-03-05")
        bill("2026-04-01")
        # One more: 21 days of January, all of February, all of March.
        assert said(invoice_at("2026-04-01")) == [
            ("subscription", "seats", "2026-04-01", 9300),
            ("adjustment", "seats", "2026-01-01", 2100),
            ("adjustment", "seats", "2026-02-01", 3100),
            ("adjustment", "seats", "2026-03-01", 3100),
        ]
        assert_books_agree()

    def test_go_on_with_another_plan_at_its_price(self) -> None:
        sell("team", seats("31", quantity="2"))
        sell("business", seats("62"))
        subscription = subscribe(make_customer(), "team")
        seat(subscription, "4", "2026-01-01")
        bill("2026-01-01")
        move(subscription, "business", "2026-01-11")
        bill("2026-01-11")
        # 4 x 62 x 21/31 = 168.00; 4 x 31 x 21/31 = 84.00 come back.
        assert said(invoice_at("2026-01-11")) == [
            ("subscription", "seats", "2026-01-11", 16800),
            ("adjustment", "seats", "2026-01-01", -8400),
        ]
        bill("2026-02-01")
        assert_books_agree()

    def test_that_were_to_go_and_stay_after_all(self) -> None:
        sell("team", seats("31", quantity="2"))
        subscription = subscribe(make_customer(), "team")
        bill("2026-01-01")
        seat(subscription, "1", "2026-01-21", now="2026-01-10")
        undo(subscription, newest(subscription), now="2026-01-15")
        bill("2026-02-01")
        assert said(invoice_at("2026-02-01")) == [("subscription", "seats", "2026-02-01", 6200)]
        assert_books_agree()


@pytest.fixture
def acme() -> Subscription:
    """On a plan of 31.00 in advance; support is 31.00 a month for each, setting up is 100.00 once."""
    sell("basic", fee("31"), calls("1"))
    sell_add_on("support", fee("31"))
    sell_add_on("setup", fee("100", in_advance=False), once=True)
    subscription = subscribe(make_customer(), "basic")
    bill("2026-01-01")
    return subscription


class TestAddOns:
    def test_put_on_in_mid_month_and_taken_off_in_another(self, acme: Subscription) -> None:
        add(acme, "support", "2026-01-11")
        bill("2026-02-01")
        # 21 of 31 days of January, and February in advance.
        assert said(invoice_at("2026-02-01")) == [
            ("subscription", "fee", "2026-02-01", 3100),
            ("subscription", ":support:fee", "2026-02-01", 3100),
            ("adjustment", ":support:fee", "2026-01-01", 2100),
        ]
        add(acme, "support", "2026-02-15", quantity="0")
        bill("2026-03-01")
        # 14 of 28 days: 15.50 of 31.00.
        assert said(invoice_at("2026-03-01")) == [
            ("subscription", "fee", "2026-03-01", 3100),
            ("adjustment", ":support:fee", "2026-02-01", -1550),
        ]
        bill("2026-04-01")
        assert said(invoice_at("2026-04-01")) == [("subscription", "fee", "2026-04-01", 3100)]
        assert_books_agree()

    def test_more_of_one_from_a_day_on(self, acme: Subscription) -> None:
        add(acme, "support", "2026-01-11", quantity="2")
        add(acme, "support", "2026-01-21", quantity="3")
        bill("2026-02-01")
        # 2 x 10 + 3 x 11 days at 1.00 = 53.00; then three for February.
        assert said(invoice_at("2026-02-01"))[1:] == [
            ("subscription", ":support:fee", "2026-02-01", 9300),
            ("adjustment", ":support:fee", "2026-01-01", 5300),
        ]
        assert_books_agree()

    def test_on_a_plan_that_bills_nothing_in_advance(self) -> None:
        sell("late", fee("31", in_advance=False))
        sell_add_on("support", fee("31"))
        subscription = subscribe(make_customer(), "late")
        add(subscription, "support", "2026-01-11")
        bill("2026-02-01")
        # January's 21 days come with January; from February on it is in advance.
        assert said(invoice_at("2026-02-01")) == [
            ("subscription", ":support:fee", "2026-02-01", 3100),
            ("subscription", "fee", "2026-01-01", 3100),
            ("subscription", ":support:fee", "2026-01-01", 2100),
        ]
        assert_books_agree()

    def test_charged_once_in_full_and_bought_again_under_another_name(self, acme: Subscription) -> None:
        add(acme, "setup", "2026-01-20")
        add(acme, "setup", "2026-01-30", code="setup-berlin", quantity="2")
        bill("2026-02-01")
        bill("2026-03-01")
        assert said(invoice_at("2026-02-01")) == [
            ("subscription", "fee", "2026-02-01", 3100),
            ("subscription", ":setup:fee", "2026-01-01", 10000),
            ("subscription", ":setup-berlin:fee", "2026-01-01", 20000),
        ]
        assert said(invoice_at("2026-03-01")) == [("subscription", "fee", "2026-03-01", 3100)]
        assert_books_agree()

    def test_charged_once_moves_with_its_day_when_the_plan_changes_before_it(self, acme: Subscription) -> None:
        sell("pro", fee("62"), calls("2"))
        add(acme, "setup", "2026-01-20", now="2026-01-05")
        move(acme, "pro", "2026-01-11")
        bill("2026-02-01")
        assert said(invoice_at("2026-01-11")) == [
            ("subscription", "fee", "2026-01-11", 4200),
            ("adjustment", "fee", "2026-01-01", -2100),
        ]
        assert said(invoice_at("2026-02-01")) == [
            ("subscription", "fee", "2026-02-01", 6200),
            ("subscription", ":setup:fee", "2026-01-11", 10000),
        ]
        assert_books_agree()

    def test_end_with_the_subscription(self, acme: Subscription) -> None:
        add(acme, "support", "2026-01-01")
        send_usage(acme.customer, "call", 100, "2026-01-05")
        end(acme, "2026-01-11", now="2026-01-10")
        bill("2026-02-01")
        # Ten days of support are 10.00 more, of the fee 21.00 come back; 100 calls.
        assert [said(invoice) for invoice in invoices()][1:] == [
            [
                ("usage", "calls", "2026-01-01", 10000),
                ("adjustment", ":support:fee", "2026-01-01", 1000),
                ("adjustment", "fee", "2026-01-01", -2100),
            ]
        ]
        assert_books_agree()
