"""Changes that are undone, and changes of days that drafts or other rows speak of already."""

import pytest

from billing.invoicing.voiding import void_invoice
from billing.models import BillingPeriod, Subscription
from customers.models import AuditEvent
from tests.billing.builders import ACTOR, at, bill, invoices, make_customer, send_usage, subscribe
from tests.billing.subscriptions.plans_made import calls, fee, make_meter, seats, sell
from tests.billing.subscriptions.steps import (
    add,
    end,
    move,
    newest,
    pause,
    periods,
    refused,
    resume,
    said,
    seat,
    undo,
    unpaid_differences,
)

pytestmark = pytest.mark.django_db


class TestUndo:
    def test_the_start_and_what_is_undone_are_no_changes_to_undo(self, basic: Subscription) -> None:
        first = newest(basic)
        refused(lambda: undo(basic, first, now="2025-12-01"), "change_not_found", "change")
        move(basic, "pro", "2026-01-11", now="2026-01-05")
        change = newest(basic)
        undo(basic, change, now="2026-01-06")
        refused(lambda: undo(basic, change, now="2026-01-06"), "change_not_found", "change")

    def test_a_change_of_another_subscription_is_none(self, basic: Subscription) -> None:
        other = subscribe(make_customer("other"), "basic")
        move(other, "pro", "2026-01-11", now="2026-01-05")
        refused(lambda: undo(basic, newest(other), now="2026-01-06"), "change_not_found", "change")

    def test_what_has_taken_effect_stays(self, basic: Subscription) -> None:
        move(basic, "pro", "2026-01-11", now="2026-01-05")
        refused(lambda: undo(basic, newest(basic), now="2026-01-11"), "in_effect", "change")

    def test_the_day_is_that_of_the_customer(self) -> None:
        sell("basic", fee("31"))
        sell("pro", fee("62"))
        subscription = subscribe(make_customer(timezone="Asia/Tokyo"), "basic", "2026-01-01")
        move(subscription, "pro", "2026-01-11T00:00:00Z", now="2026-01-05")
        refused(lambda: undo(subscription, newest(subscription), now="2026-01-10T15:00:00Z"), "in_effect", "change")
        undo(subscription, newest(subscription), now="2026-01-10T14:59:59Z")

    def test_a_pause_that_a_resumption_needs(self, basic: Subscription) -> None:
        pause(basic, "2026-01-11", now="2026-01-05")
        paused = newest(basic)
        resume(basic, "2026-01-20", now="2026-01-05")
        refused(lambda: undo(basic, paused, now="2026-01-06"), "does_not_fit", "when")

    def test_an_end_after_which_something_else_begins(self, basic: Subscription) -> None:
        end(basic, "2026-02-01", now="2026-01-05")
        ended = newest(basic)
        following = subscribe(basic.customer, "basic", "2026-02-01")
        refused(lambda: undo(basic, ended, now="2026-01-06"), "overlaps", "plan")
        sell("metered", calls("3"))
        move(following, "metered", "2026-02-01", now="2026-01-05")
        refused(lambda: undo(basic, ended, now="2026-01-06"), "meter_taken", "plan")

    def test_what_a_run_ahead_of_time_has_billed(self, basic: Subscription) -> None:
        move(basic, "pro", "2026-01-11", now="2026-01-05")
        bill("2026-01-11")
        refused(lambda: undo(basic, newest(basic), now="2026-01-06"), "period_billed", "when")

    @pytest.mark.parametrize(
        "decide",
        [
            lambda it: move(it, "pro", "2026-01-11", now="2026-01-05"),
            lambda it: move(it, "pro", "2026-02-01", now="2026-01-05"),
            lambda it: pause(it, "2026-01-11", now="2026-01-05"),
            lambda it: end(it, "2026-01-11", now="2026-01-05"),
            lambda it: end(it, "2026-02-11", now="2026-01-05"),
            lambda it: seat(it, "5", "2026-01-11", now="2026-01-05"),
            lambda it: add(it, "support", "2026-01-11", now="2026-01-05"),
        ],
    )
    def test_everything_is_as_if_it_had_not_been_decided(self, basic: Subscription, decide: object) -> None:
        bill("2026-01-01")
        rows = [list(table.objects.order_by("pk").values()) for table in (Subscription, BillingPeriod)]
        claims = set(basic.claims.values_list("plan", "meter", "first_day", "end_day"))
        decide(basic)  # type: ignore[operator]
        undo(basic, newest(basic), now="2026-01-06")
        assert [list(table.objects.order_by("pk").values()) for table in (Subscription, BillingPeriod)] == rows
        assert set(basic.claims.values_list("plan", "meter", "first_day", "end_day")) == claims

    def test_a_trial_that_was_cut_is_one_period_again(self) -> None:
        sell("tried", fee("31"), trial_days=14)
        subscription = subscribe(make_customer(), "tried", ends="2026-01-08")
        assert periods(subscription) == [("2026-01-01", "2026-01-08", "trial", "tried")]
        undo(subscription, newest(subscription), now="2026-01-03")
        assert periods(subscription) == [("2026-01-01", "2026-01-15", "trial", "tried")]
        bill("2026-01-15")
        assert [said(invoice) for invoice in invoices()] == [[("subscription", "fee", "2026-01-15", 1700)]]  # 31 x 17/31

    def test_after_a_run_ahead_of_time_has_made_the_next_periods(self, basic: Subscription) -> None:
        # The run of 12 January leaves drafts only; on the 6th the change is undone: the period needs the room of its successor.
        move(basic, "pro", "2026-01-11", now="2026-01-05")
        bill("2026-01-12", finalize=False)
        assert len(periods(basic)) == 2
        undo(basic, newest(basic), now="2026-01-06")
        assert periods(basic) == [("2026-01-01", "2026-02-01", "regular", "basic")]
        bill("2026-02-01")
        assert unpaid_differences() == []


def test_a_draft_does_not_hold_a_change_up_and_is_written_anew_by_the_next_run(basic: Subscription) -> None:
    bill("2026-01-01")
    send_usage(basic.customer, "call", 10, "2026-01-20")
    bill("2026-02-01", finalize=False)
    assert [invoice.status for invoice in invoices()] == ["finalized", "draft"]
    move(basic, "pro", "2026-01-11", now="2026-02-02")
    assert [invoice.status for invoice in invoices()] == ["finalized"]
    assert AuditEvent.objects.get(action="subscription.plan_changed").after["drafts_dropped"] == 1
    bill("2026-02-02")
    # 1 to 10 January: 31 x 10/31 = 10.00 of each 31.00 that was billed, 21.00 back; the rest of January 62 x 21/31 = 42.00.
    assert [said(invoice) for invoice in invoices()][1:] == [
        [
            ("subscription", "fee", "2026-01-11", 4200),
            ("subscription", "seats", "2026-01-11", 4200),
            ("adjustment", "fee", "2026-01-01", -2100),
            ("adjustment", "seats", "2026-01-01", -2100),
        ],
        [
            ("subscription", "fee", "2026-02-01", 6200),
            ("subscription", "seats", "2026-02-01", 6200),
            ("usage", "calls", "2026-01-11", 2000),  # 10 x 2
        ],
    ]
    assert unpaid_differences() == []


def test_a_draft_of_what_the_change_does_not_touch_stays(basic: Subscription) -> None:
    bill("2026-01-01", finalize=False)
    move(basic, "pro", "2026-01-11", now="2026-01-05")
    (draft,) = invoices()
    bill("2026-01-01")  # worked out anew: ten of 31 days
    draft.refresh_from_db()
    assert said(draft) == [("subscription", "fee", "2026-01-01", 1000), ("subscription", "seats", "2026-01-01", 1000)]


def test_days_of_which_nothing_was_written_can_still_change() -> None:
    sell("old", calls("1"))
    sell("new", calls("2"))
    customer = make_customer()
    subscription = subscribe(customer, "old")
    bill("2026-02-01")  # no usage, no invoice
    move(subscription, "new", "2026-01-11", now="2026-02-02")
    send_usage(customer, "call", 5, "2026-01-10")
    send_usage(customer, "call", 5, "2026-01-12")
    bill("2026-03-01")
    # Before the change at 1, after it at 2, each on the invoice of its part.
    assert [said(invoice) for invoice in invoices()] == [
        [("usage", "calls", "2026-01-01", 500)],
        [("usage", "calls", "2026-01-11", 1000)],
    ]
    assert unpaid_differences() == []


def test_fees_in_advance_wait_where_the_instant_has_its_invoice_already() -> None:
    sell("arrears", fee("10", in_advance=False))
    sell("advance", fee("28"))
    subscription = subscribe(make_customer(), "arrears")
    bill("2026-02-01")
    move(subscription, "advance", "2026-02-01")
    assert bill("2026-02-02").failed == ()
    bill("2026-03-01")
    assert [said(invoice) for invoice in invoices()] == [
        [("subscription", "fee", "2026-01-01", 1000)],
        [("subscription", "fee", "2026-03-01", 2800), ("subscription", "fee", "2026-02-01", 2800)],
    ]
    assert unpaid_differences() == []


def test_a_parked_period_that_a_change_takes_away_holds_nothing_up() -> None:
    make_meter()
    sell("old", fee("31"))
    sell("new", fee("62"))
    subscription = subscribe(make_customer(), "old")
    bill("2026-01-01")
    void_invoice(invoice_id=invoices()[0].pk, reason="wrong plan", actor=ACTOR, now=at("2026-01-02"))
    BillingPeriod.objects.update(parked_at=at("2026-01-02"), attempts=3)
    move(subscription, "new", "2026-01-01", now="2026-01-03")
    bill("2026-01-03")
    assert [said(invoice) for invoice in invoices(status="finalized")] == [[("subscription", "fee", "2026-01-01", 6200)]]


def test_a_quantity_is_kept_to_twelve_decimals() -> None:
    sell("basic", seats("0.123456789012"))
    subscription = subscribe(make_customer(), "basic")
    seat(subscription, "999999999999999.123456789012", "2026-01-08")
    assert bill("2026-02-01").failed == ()
    assert unpaid_differences() == []
