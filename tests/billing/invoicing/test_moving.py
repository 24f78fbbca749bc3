"""Moving many subscriptions to the version that is sold now: 10 a month and calls above 100 at 0.01 become 12 and 0.02."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from billing.invoicing import moving
from billing.invoicing.moving import Move, Refusal, movable_subscriptions, move_subscriptions, preview_moves
from billing.models import BillingPeriod, PlanVersion, SubscriptionChange
from billing.rating.rerating import ReratedPeriod
from billing.rating.terms import TermsBook
from billing.subscriptions.changing import change_plan, end_subscription, pause_subscription
from billing.subscriptions.refusals import SubscriptionError
from customers.models import AuditEvent, Customer
from tests.billing.builders import (
    ACTOR,
    CALLS,
    at,
    bill,
    invoices,
    lines,
    make_catalog,
    make_customer,
    row_counts,
    send_usage,
    subscribe,
)
from tests.billing.offers import flat, make_version, per_unit

pytestmark = pytest.mark.django_db

NOW = at("2026-02-15")
DEARER = CALLS.replace('"10"', '"12"').replace('"0.01"', '"0.02"')


def publish_dearer() -> None:
    make_catalog(DEARER, new_versions=True)


def movable(plan: str = "basic", now: datetime = NOW, **asked: Any) -> list[str]:
    return [subscription.external_id for subscription in movable_subscriptions(plan, now=now, **asked)]


def moved(when: Any = "period_end", now: datetime = NOW, **asked: Any) -> moving.MoveReport:
    return move_subscriptions("basic", when=when, actor=ACTOR, now=now, **asked)


def on_versions() -> list[tuple[str, int, str, str]]:
    """(subscription, version, first day, end day) of every live period."""
    periods = BillingPeriod.objects.filter(superseded_at=None).order_by("subscription__external_id", "index")
    return [
        (each.subscription.external_id, each.plan_version.version, str(each.first_day), str(each.end_day)) for each in periods
    ]


def start(*names: str) -> list[Customer]:
    """Customers on the first version since January."""
    make_catalog()
    customers = [make_customer(name) for name in names]
    for customer in customers:
        subscribe(customer, external_id=customer.external_id, now=NOW)
    return customers


class TestMovable:
    def test_those_on_an_older_version_than_is_sold_can_be_moved(self) -> None:
        start("acme", "bolt")
        assert movable() == []
        publish_dearer()
        subscribe(make_customer("new"), now=NOW)
        assert movable() == ["acme", "bolt"]
        assert movable(customer_id=Customer.objects.get(external_id="bolt").pk) == ["bolt"]
        assert movable(only=["acme", "nobody"]) == ["acme"]

    def test_an_ended_one_and_one_that_leaves_the_plan_cannot(self) -> None:
        start("acme", "bolt", "cash", "dot")
        make_version("pro", flat("fee", "30"))
        ended, leaving, *_others = (subscription for subscription in movable_subscriptions_all())
        end_subscription(subscription_id=ended, ends_at=at("2026-02-15"), actor=ACTOR, now=NOW)
        change_plan(subscription_id=leaving, plan_code="pro", when="period_end", actor=ACTOR, now=NOW)
        publish_dearer()
        assert movable() == ["cash", "dot"]
        assert movable("pro") == []
        assert movable(now=at("2026-02-14")) == ["acme", "cash", "dot"]

    def test_one_whose_end_comes_later_can(self) -> None:
        start("acme")
        (subscription,) = movable_subscriptions_all()
        end_subscription(subscription_id=subscription, ends_at=at("2026-03-10"), actor=ACTOR, now=NOW)
        publish_dearer()
        assert movable() == ["acme"]

    def test_what_is_sold_is_the_customers_own_version_before_the_public_one_in_their_currency(self) -> None:
        acme, _bolt = start("acme", "bolt")
        make_version("basic", flat("fee", "9"), currency="USD")  # version 2, in which nobody is billed
        assert movable() == []
        make_version("basic", flat("fee", "7"), customer=acme)
        assert movable() == ["acme"]
        publish_dearer()
        found: QuerySet[Any] = movable_subscriptions("basic", now=NOW)
        assert [(each.external_id, each.last_version, each.sold) for each in found] == [
            ("acme", 1, 3),
            ("bolt", 1, 4),
        ]
        moved()
        assert movable() == []  # acme keeps its own, though the public one is newer

    def test_an_unknown_plan_is_refused(self) -> None:
        make_version("support", flat("support", "8"), kind="add_on")
        for code in ("gold", "support"):
            with pytest.raises(SubscriptionError, match=f"there is no plan {code}"):
                movable(code)


def movable_subscriptions_all() -> list[int]:
    """Every subscription, by external id."""
    found = SubscriptionChange.objects.filter(kind="start").order_by("subscription__external_id")
    return list(found.values_list("subscription_id", flat=True))


class TestMoving:
    def test_each_goes_on_by_the_new_version_from_its_next_period(self) -> None:
        start("acme", "bolt")
        publish_dearer()
        report = moved()
        assert report.refused == []
        assert report.moved == [
            Move(customer=name, subscription=name, from_version=1, to_version=2, effective_on=date(2026, 3, 1))
            for name in ("acme", "bolt")
        ]
        send_usage("acme", "call", 150, "2026-02-10")
        send_usage("acme", "call", 150, "2026-03-10")
        bill("2026-04-01")
        # 50 calls above the free ones at 0.01 in February, at 0.02 in March.
        assert [[line[3] for line in lines(invoice)] for invoice in invoices(customer__external_id="acme")] == [
            [1000], [1000, 50], [1200, 100],
        ]  # fmt: skip

    def test_a_day_within_the_period_cuts_it(self) -> None:
        start("acme")
        publish_dearer()
        moved(when=NOW)
        assert on_versions() == [
            ("acme", 1, "2026-01-01", "2026-02-01"),
            ("acme", 1, "2026-02-01", "2026-02-15"),
            ("acme", 2, "2026-02-15", "2026-03-01"),
        ]

    @pytest.mark.parametrize("when", [NOW, "period_end"])
    def test_a_second_call_moves_nothing(self, when: Any) -> None:
        start("acme", "bolt")
        publish_dearer()
        assert len(moved(when).moved) == 2
        before = row_counts()
        assert moved(when) == moving.MoveReport([], [])
        assert row_counts() == before

    def test_one_that_is_refused_stays_as_it_is_and_the_others_go_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(moving, "_PAGE_SIZE", 2)
        start("acme", "bolt", "cash", "dot")
        # A third version is to come for bolt, which has the second in its calendar already, for April.
        publish_dearer()
        bolt = movable_subscriptions_all()[1]
        change_plan(subscription_id=bolt, plan_code="basic", when=at("2026-04-01"), actor=ACTOR, now=NOW)
        make_version("basic", flat("fee", "15"))
        Customer.objects.filter(external_id="cash").update(archived_at=NOW)
        before = on_versions()
        audits = AuditEvent.objects.count()

        report = moved(when=at("2026-03-01"))

        assert [(move.subscription, move.effective_on) for move in report.moved] == [
            ("acme", date(2026, 3, 1)),
            ("dot", date(2026, 3, 1)),
        ]
        assert [(move.subscription, move.from_version, move.refusal) for move in report.refused] == [
            (
                "bolt",
                2,
                Refusal(
                    code="changes_later",
                    message="it changes to version 2 on 2026-04-01: undo that change, or move it after that day",
                ),
            ),
            ("cash", 1, Refusal(code="customer_archived", message="the customer is archived")),
        ]
        assert on_versions() == before  # March is not made yet
        assert AuditEvent.objects.count() == audits + 2
        assert SubscriptionChange.objects.filter(kind="plan").count() == 3
        assert movable() == ["bolt", "cash"]

    def test_one_that_left_the_plan_meanwhile_is_not_pulled_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        start("acme")
        make_version("pro", flat("fee", "30"))
        publish_dearer()
        (subscription,) = movable_subscriptions("basic", now=NOW)
        change_plan(subscription_id=subscription.pk, plan_code="pro", when="period_end", actor=ACTOR, now=NOW)
        monkeypatch.setattr(moving, "_pages", lambda _subscriptions: iter([[subscription]]))
        assert [move.refusal for move in moved().refused] == [
            Refusal(code="left_plan", message="it has left the plan meanwhile"),
        ]

    def test_one_that_is_paused_can_be_moved_meanwhile(self) -> None:
        start("acme")
        (subscription,) = movable_subscriptions_all()
        pause_subscription(subscription_id=subscription, when=NOW, actor=ACTOR, now=NOW)
        publish_dearer()
        assert [move.effective_on for move in moved(when=at("2026-02-20")).moved] == [date(2026, 2, 20)]


class TestPreview:
    def test_it_says_what_the_last_billed_whole_period_would_have_cost_and_keeps_nothing(self) -> None:
        start("acme", "bolt")
        subscribe(make_customer("cash"), starts="2026-01-20", external_id="cash", now=NOW)
        send_usage("acme", "call", 150, "2026-01-10")
        bill("2026-02-01")
        publish_dearer()
        before, periods = row_counts(), on_versions()

        acme, bolt, cash = preview_moves("basic", when="period_end", now=NOW)

        assert acme.move == Move(
            customer="acme", subscription="acme", from_version=1, to_version=2, effective_on=date(2026, 3, 1)
        )
        assert acme.last_period == ReratedPeriod(
            customer="acme",
            subscription="acme",
            first_day=date(2026, 1, 1),
            end_day=date(2026, 2, 1),
            currency="EUR",
            version=1,
            own_minor=1050,
            other_minor=1300,  # 12 + 50 x 0.02
        )
        assert bolt.last_period is not None
        assert bolt.last_period.difference_minor == 200
        assert (cash.move.effective_on, cash.last_period) == (date(2026, 3, 1), None)  # a part of January says little
        assert (row_counts(), on_versions()) == (before, periods)
        assert movable() == ["acme", "bolt", "cash"]

    def test_it_names_the_refusal_that_the_move_will_meet(self) -> None:
        start("acme", "bolt")
        bill("2026-02-01")
        publish_dearer()
        Customer.objects.filter(external_id="acme").update(archived_at=NOW)
        acme, bolt = preview_moves("basic", when=at("2026-01-15"), now=NOW)
        assert acme.move.refusal == Refusal(code="customer_archived", message="the customer is archived")
        assert acme.move.effective_on is None
        assert bolt.move.refusal == Refusal(
            code="period_billed",
            message="the period from 2026-01-01 is billed already: void its invoice first, or choose 2026-02-01 or a later day",
        )
        assert bolt.last_period is not None
        assert bolt.last_period.difference_minor == 200
        assert [move.refusal for move in moved(when=at("2026-01-15")).refused] == [acme.move.refusal, bolt.move.refusal]

    def test_a_plan_of_another_interval_says_that_it_cannot_be_compared(self) -> None:
        start("acme")
        bill("2026-02-01")
        make_version("basic", flat("fee", "100"), interval="yearly")
        (found,) = preview_moves("basic", when="period_end", now=NOW)
        assert found.move.refusal is None
        assert found.last_period is not None
        assert (
            found.last_period.error == "it is billed monthly and version 2 yearly: fees of different intervals cannot be compared"
        )

    def test_periods_are_rated_in_as_many_queries_however_many_subscriptions(self) -> None:
        names = [f"c{number}" for number in range(6)]
        start(*names)
        bill("2026-02-01")
        publish_dearer()
        asked = []
        for count in (1, 6):
            page = list(movable_subscriptions("basic", now=NOW, only=names[:count]))
            with CaptureQueriesContext(connection) as queries:
                assert len(moving._last_periods_rerated(page, TermsBook())) == count
            asked.append(len(queries))
        # Periods, versions, terms of both versions (2 each), usage, changes.
        assert asked == [8, 8]


def test_seats_stay_with_the_move() -> None:
    make_version("team", per_unit("seats", "3", quantity="1"))
    subscribe(make_customer(), "team", external_id="acme", now=NOW, quantities={"seats": Decimal(10)})
    bill("2026-02-01")
    make_version("team", per_unit("seats", "4", quantity="1"))
    (preview,) = preview_moves("team", when="period_end", now=NOW)
    assert preview.last_period is not None
    assert (preview.last_period.own_minor, preview.last_period.other_minor) == (3000, 4000)
    move_subscriptions("team", when="period_end", actor=ACTOR, now=NOW)
    bill("2026-04-01")
    assert [line[3] for line in lines(invoices()[-1])] == [4000]
    assert PlanVersion.objects.get(status="published").version == 2
