"""Every way to change a subscription: what it does to periods and words, and that a refusal leaves everything as it was."""

from decimal import Decimal

import pytest

from billing.models import BillingPeriod, Subscription, SubscriptionChange
from customers.models import AuditEvent
from customers.services import archive_customer
from tests.billing.builders import ACTOR, NOW, at, bill, make_customer, row_counts, subscribe
from tests.billing.subscriptions.plans_made import calls, fee, seats, sell, sell_add_on
from tests.billing.subscriptions.steps import (
    add,
    days,
    end,
    move,
    newest,
    pause,
    periods,
    refused,
    resume,
    seat,
    undo,
)

pytestmark = pytest.mark.django_db


class TestWhen:
    def test_in_mid_month_the_period_is_cut_and_the_next_keeps_its_grid(self, basic: Subscription) -> None:
        move(basic, "pro", "2026-01-11")
        assert periods(basic) == [
            ("2026-01-01", "2026-01-11", "regular", "basic"),
            ("2026-01-11", "2026-02-01", "regular", "pro"),
        ]
        basic.refresh_from_db()
        assert (basic.plan.code, basic.plan_version.plan.code) == ("pro", "pro")

    def test_in_the_future_the_period_is_cut_now_and_the_plan_moves_when_it_is_there(self, basic: Subscription) -> None:
        move(basic, "pro", "2026-01-11", now="2026-01-05")
        assert periods(basic) == [("2026-01-01", "2026-01-11", "regular", "basic")]
        basic.refresh_from_db()
        assert basic.plan.code == "basic"
        bill("2026-01-11")
        basic.refresh_from_db()
        assert basic.plan.code == "pro"

    def test_at_the_end_of_the_period_nothing_is_cut(self, basic: Subscription) -> None:
        move(basic, "pro", "period_end", now="2026-01-11")
        assert newest(basic).effective_on == days("2026-02-01")
        assert periods(basic) == [("2026-01-01", "2026-02-01", "regular", "basic")]

    def test_the_end_of_the_period_is_that_of_the_trial(self) -> None:
        sell("tried", fee("31"), trial_days=14)
        subscription = subscribe(make_customer(), "tried")
        end(subscription, "period_end", now="2026-01-03")
        assert subscription.__class__.objects.get().ended_on == days("2026-01-15")

    def test_before_it_begins_the_end_of_its_first_period_is_meant(self, basic: Subscription) -> None:
        later = subscribe(make_customer("later"), "basic", "2026-03-10")
        move(later, "pro", "period_end", now="2026-01-05")
        assert newest(later).effective_on == days("2026-04-01")

    def test_a_subscription_that_has_not_begun_is_on_what_it_will_begin_with(self, basic: Subscription) -> None:
        later = subscribe(make_customer("later"), "basic", "2026-03-10")
        move(later, "pro", "2026-03-10", now="2026-01-05")
        later.refresh_from_db()
        assert (later.plan.code, periods(later)) == ("pro", [])
        bill("2026-03-10")
        assert periods(later) == [("2026-03-10", "2026-04-01", "regular", "pro")]

    def test_on_the_day_of_the_start_nothing_is_left_of_the_first_plan(self, basic: Subscription) -> None:
        move(basic, "pro", "2026-01-01")
        assert periods(basic) == [("2026-01-01", "2026-02-01", "regular", "pro")]

    def test_in_the_past_as_long_as_nothing_of_it_is_billed(self, basic: Subscription) -> None:
        move(basic, "pro", "2026-01-11", now="2026-01-25")
        assert periods(basic)[1] == ("2026-01-11", "2026-02-01", "regular", "pro")

    def test_the_day_is_that_of_the_customer(self) -> None:
        sell("basic", fee("31"))
        sell("pro", fee("62"))
        # 20:00 UTC of 10 January is 11 January in Tokyo.
        subscription = subscribe(make_customer(timezone="Asia/Tokyo"), "basic", "2026-01-01")
        move(subscription, "pro", "2026-01-10T20:00:00Z")
        assert newest(subscription).effective_on == days("2026-01-11")
        assert BillingPeriod.objects.get(index=1).starts_at == at("2026-01-10T15:00:00Z")


class TestWhatIsKept:
    def test_quantities_of_charges_that_both_plans_have_go_on(self, basic: Subscription) -> None:
        seat(basic, "5", "2026-01-01")
        move(basic, "pro", "2026-01-11", quantities={"seats": "7"})
        rows = SubscriptionChange.objects.filter(kind="quantity").values_list("effective_on", "quantity")
        assert list(rows) == [(days("2026-01-01"), Decimal(5)), (days("2026-01-11"), Decimal(7))]

    def test_what_is_so_already_writes_nothing(self, basic: Subscription) -> None:
        seat(basic, "5", "2026-01-03")
        add(basic, "support", "2026-01-03", quantity="2")
        before = row_counts()
        move(basic, "basic", "2026-01-11")
        seat(basic, "5", "2026-01-11")
        add(basic, "support", "2026-01-11", quantity="2")
        add(basic, "setup", "2026-01-11", quantity="0")
        end(basic, "2026-03-01", now="2026-01-11")
        before |= {"billing_subscriptionchange": before["billing_subscriptionchange"] + 1}
        before |= {"customers_auditevent": before["customers_auditevent"] + 1}
        end(basic, "2026-03-01", now="2026-01-11")
        assert row_counts() == before

    def test_a_newer_version_of_its_own_plan_is_a_change(self, basic: Subscription) -> None:
        sell("basic", fee("40"), seats("31"), calls("1"))
        move(basic, "basic", "2026-01-11")
        assert BillingPeriod.objects.get(index=1).plan_version.version == 2

    def test_a_version_of_the_customers_own_comes_before_the_public_one(self, basic: Subscription) -> None:
        own = sell("pro", fee("1"), customer=basic.customer)
        move(basic, "pro", "2026-01-11")
        assert BillingPeriod.objects.get(index=1).plan_version == own
        other = subscribe(make_customer("other"), "pro")
        assert other.plan_version.customer is None

    def test_an_add_on_that_is_there_keeps_its_price(self, basic: Subscription) -> None:
        add(basic, "support", "2026-01-03")
        sell_add_on("support", fee("99"))
        add(basic, "support", "2026-01-10", quantity="2")
        assert {row.plan_version.version for row in SubscriptionChange.objects.filter(kind="add_on")} == {1}  # type: ignore[union-attr]

    def test_each_change_is_in_the_audit_trail_with_what_it_says(self, basic: Subscription) -> None:
        move(basic, "pro", "2026-01-11", quantities={"seats": "7"})
        event = AuditEvent.objects.get(action="subscription.plan_changed")
        assert (event.before["plan"], event.after["plan"]) == ("basic", "pro")
        assert event.after["changes"] == [
            {"kind": "plan", "from": "2026-01-11", "plan": "pro", "version": 1},
            {"kind": "quantity", "from": "2026-01-11", "of": "seats", "quantity": "7"},
        ]
        add(basic, "support", "2026-01-12")
        pause(basic, "2026-01-13")
        resume(basic, "2026-01-14")
        end(basic, "2026-02-01", now="2026-01-15")
        undo(basic, newest(basic), now="2026-01-16")
        assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))[-6:] == [
            "subscription.plan_changed",
            "subscription.quantity_changed",
            "subscription.paused",
            "subscription.resumed",
            "subscription.ended",
            "subscription.change_undone",
        ]

    def test_a_customer_in_the_archive_can_still_leave_but_buys_nothing(self, basic: Subscription) -> None:
        archive_customer(customer_id=basic.customer_id, actor=ACTOR, now=NOW)
        refused(lambda: move(basic, "pro", "2026-01-11"), "customer_archived", "customer")
        refused(lambda: add(basic, "support", "2026-01-11"), "customer_archived", "customer")
        seat(basic, "0", "2026-01-11")
        end(basic, "2026-01-21")
        assert periods(basic) == [("2026-01-01", "2026-01-21", "regular", "basic")]
        assert {str(claim.end_day) for claim in basic.claims.all()} == {"2026-01-21"}


class TestRefusalsOfEveryChange:
    def test_there_must_be_such_a_subscription(self, basic: Subscription) -> None:
        stranger = Subscription(pk=basic.pk + 1)
        for attempt in (
            lambda: move(stranger, "pro", "2026-01-11"),
            lambda: seat(stranger, "2", "2026-01-11"),
            lambda: add(stranger, "support", "2026-01-11"),
            lambda: pause(stranger, "2026-01-11"),
            lambda: resume(stranger, "2026-01-11"),
            lambda: end(stranger, "2026-01-11"),
            lambda: undo(stranger, newest(basic), now="2026-01-11"),
        ):
            refused(attempt, "not_found", "subscription")

    def test_it_must_not_have_ended(self, basic: Subscription) -> None:
        end(basic, "2026-01-21")
        for attempt in (
            lambda: move(basic, "pro", "2026-01-11", now="2026-01-21"),
            lambda: seat(basic, "2", "2026-01-11", now="2026-01-21"),
            lambda: add(basic, "support", "2026-01-11", now="2026-01-21"),
            lambda: pause(basic, "2026-01-11", now="2026-01-21"),
            lambda: resume(basic, "2026-01-11", now="2026-01-21"),
            lambda: end(basic, "2026-01-11", now="2026-01-21"),
            lambda: undo(basic, newest(basic), now="2026-01-21"),
        ):
            refused(attempt, "ended_already", "ends_at")

    @pytest.mark.parametrize("when", ["2025-12-31", "2026-02-01"])
    def test_it_must_run_on_the_day(self, basic: Subscription, when: str) -> None:
        end(basic, "2026-02-01", now="2026-01-02")
        for attempt in (
            lambda: move(basic, "pro", when, now="2026-01-03"),
            lambda: seat(basic, "2", when, now="2026-01-03"),
            lambda: add(basic, "support", when, now="2026-01-03"),
            lambda: pause(basic, when, now="2026-01-03"),
            lambda: resume(basic, when, now="2026-01-03"),
        ):
            message = refused(attempt, "not_running", "when")
            assert "it begins on 2026-01-01 and ends on 2026-02-01" in message

    @pytest.mark.parametrize("when", ["1999-12-31", "2200-01-01"])
    def test_the_day_must_not_be_a_slip_of_the_pen(self, basic: Subscription, when: str) -> None:
        for attempt in (
            lambda: move(basic, "pro", when, now="2026-01-03"),
            lambda: seat(basic, "2", when, now="2026-01-03"),
            lambda: add(basic, "support", when, now="2026-01-03"),
            lambda: pause(basic, when, now="2026-01-03"),
            lambda: resume(basic, when, now="2026-01-03"),
        ):
            refused(attempt, "out_of_range", "when")
        refused(lambda: end(basic, when, now="2026-01-03"), "out_of_range", "ends_at")


class TestRefusalsOfPlans:
    def test_the_plan_must_be_sold_to_the_customer(self, basic: Subscription) -> None:
        sell("draft-only", fee("1"), currency="USD")
        refused(lambda: move(basic, "gold", "2026-01-11"), "plan_not_found", "plan")
        refused(lambda: move(basic, "support", "2026-01-11"), "not_a_plan", "plan")
        refused(lambda: move(basic, "draft-only", "2026-01-11"), "currency_mismatch", "plan")

    def test_another_subscription_may_have_the_plan(self, basic: Subscription) -> None:
        sell("other", fee("1"))
        second = subscribe(basic.customer, "other", "2026-01-01")
        refused(lambda: move(second, "basic", "2026-01-11"), "overlaps", "plan")
        sell("metered", calls("3"))
        refused(lambda: move(second, "metered", "2026-01-11"), "meter_taken", "plan")

    @pytest.mark.parametrize("quantity", ["-1", "NaN", "Infinity", "1E+15", "0.0000000000001"])
    def test_quantities_must_be_usable_and_of_the_new_plan(self, basic: Subscription, quantity: str) -> None:
        refused(lambda: move(basic, "pro", "2026-01-11", quantities={"seats": quantity}), "quantity_unusable", "quantities.seats")
        refused(lambda: seat(basic, quantity, "2026-01-11"), "quantity_unusable", "quantity")
        refused(lambda: add(basic, "support", "2026-01-11", quantity=quantity), "quantity_unusable", "quantity")

    def test_a_fee_by_quantity_must_be_there(self, basic: Subscription) -> None:
        refused(lambda: move(basic, "pro", "2026-01-11", quantities={"desks": "1"}), "charge_not_found", "quantities.desks")
        message = refused(lambda: seat(basic, "2", "2026-01-11", charge="fee"), "charge_not_found", "charge")
        assert "it has: seats" in message

    def test_a_charge_must_be_there_on_the_day(self, basic: Subscription) -> None:
        move(basic, "yearly", "2026-01-11")
        seat(basic, "2", "2026-01-10", now="2026-01-12")
        refused(lambda: seat(basic, "2", "2026-01-11", now="2026-01-12"), "charge_not_found", "charge")

    def test_an_add_on_of_another_interval_keeps_the_plan(self, basic: Subscription) -> None:
        add(basic, "support", "2026-01-05")
        refused(lambda: move(basic, "yearly", "2026-01-11"), "add_on_does_not_fit", "plan")
        add(basic, "support", "2026-01-11", quantity="0")
        move(basic, "yearly", "2026-01-11")

    def test_usage_that_is_billed_keeps_the_plan_until_the_invoice_is_void(self, basic: Subscription) -> None:
        bill("2026-02-01")
        message = refused(lambda: move(basic, "pro", "2026-01-11", now="2026-02-02"), "period_billed", "when")
        assert message == (
            "the period from 2026-01-01 is billed already: void its invoice first, or choose 2026-02-01 or a later day"
        )
        refused(lambda: pause(basic, "2026-01-11", now="2026-02-02"), "period_billed", "when")
        refused(lambda: end(basic, "2026-01-11", now="2026-02-02"), "period_billed", "ends_at")
        # Of the day of renewal only the fees in advance are billed: a change goes, an end would leave nothing of the period.
        refused(lambda: end(basic, "2026-02-01", now="2026-02-02"), "period_billed", "ends_at")
        move(basic, "pro", "2026-02-01", now="2026-02-02")


class TestRefusalsOfAddOns:
    def test_the_add_on_must_be_sold_to_the_customer(self, basic: Subscription) -> None:
        sell_add_on("dollars", fee("1"), currency="USD")
        refused(lambda: add(basic, "gold", "2026-01-11"), "plan_not_found", "plan")
        refused(lambda: add(basic, "pro", "2026-01-11"), "not_a_plan", "plan")
        refused(lambda: add(basic, "dollars", "2026-01-11"), "currency_mismatch", "plan")

    @pytest.mark.parametrize("code", ["x" * 101, "new\nline", " space", ":colon"])
    def test_its_name_must_be_usable(self, basic: Subscription, code: str) -> None:
        refused(lambda: add(basic, "support", "2026-01-11", code=code), "code_unusable", "code")

    def test_a_name_is_of_one_add_on(self, basic: Subscription) -> None:
        add(basic, "support", "2026-01-05", code="extra")
        refused(lambda: add(basic, "setup", "2026-01-11", code="extra"), "code_unusable", "code")

    def test_one_that_is_charged_once_is_put_on_once_under_a_name(self, basic: Subscription) -> None:
        add(basic, "setup", "2026-01-05")
        message = refused(lambda: add(basic, "setup", "2026-01-11", quantity="2"), "charged_once", "code")
        assert "name of its own" in message
        add(basic, "setup", "2026-01-11", code="setup-2")

    def test_one_for_a_day_after_the_end_is_there_too(self, basic: Subscription) -> None:
        add(basic, "setup", "2026-02-20", now="2026-01-05")
        end(basic, "2026-02-01", now="2026-01-05")
        refused(lambda: add(basic, "setup", "2026-01-11"), "charged_once", "code")

    def test_its_interval_must_be_the_plans(self, basic: Subscription) -> None:
        sell_add_on("every-year", fee("1"), interval="yearly")
        sell_add_on("two-months", fee("1"), interval_count=2)
        for code in ("every-year", "two-months"):
            refused(lambda code=code: add(basic, code, "2026-01-11"), "add_on_does_not_fit", "plan")  # type: ignore[misc]


class TestRefusalsOfPauses:
    def test_a_pause_within_a_pause_and_a_resumption_without_one(self, basic: Subscription) -> None:
        refused(lambda: resume(basic, "2026-01-11"), "does_not_fit", "when")
        pause(basic, "2026-01-11")
        refused(lambda: pause(basic, "2026-01-20", now="2026-01-12"), "does_not_fit", "when")
        refused(lambda: pause(basic, "2026-01-05", now="2026-01-12"), "does_not_fit", "when")

    def test_meters_that_another_subscription_prices_by_now(self, basic: Subscription) -> None:
        pause(basic, "2026-01-11")
        sell("metered", calls("3"))
        subscribe(basic.customer, "metered", "2026-01-15")
        message = refused(lambda: resume(basic, "2026-01-20"), "meter_taken", "plan")
        assert "its usage would be billed twice" in message


class TestRefusalsOfEnds:
    def test_a_day_must_be_left_and_it_only_comes_nearer(self, basic: Subscription) -> None:
        refused(lambda: end(basic, "2026-01-01"), "ends_before_start", "ends_at")
        end(basic, "2026-03-15", now="2026-01-10")
        refused(lambda: end(basic, "2026-05-01", now="2026-01-10"), "ends_later", "ends_at")
        end(basic, "2026-03-01", now="2026-01-10")
        assert SubscriptionChange.objects.filter(kind="end", undone_at=None).get().effective_on == days("2026-03-01")
