"""What past periods would have cost under another version; the first prices a month at 10 and calls above 100 at 0.01."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import BillingPeriod, Charge, PlanVersion
from billing.rating import rerating
from billing.rating.rerating import ReratedPeriod, UnableToRerate, UnpricedUsage, rerate
from billing.rating.terms import TermsBook
from billing.subscriptions.changing import pause_subscription, put_add_on
from tests.billing.builders import (
    ACTOR,
    at,
    make_catalog,
    make_customer,
    row_counts,
    send_usage,
    sql,
    subscribe,
    triggers_off,
)
from tests.billing.offers import flat, make_version, per_unit
from tests.billing.rating.rating_tools import rated

pytestmark = pytest.mark.django_db

JANUARY: dict[str, Any] = {"first_day": date(2026, 1, 1), "end_day": date(2026, 2, 1)}
NOW_IN_JANUARY = at("2026-01-15")
LATER = at("2026-02-15")  # January is over, February runs


@pytest.fixture
def version() -> PlanVersion:
    """The second version of basic, which is not sold: 5 a month, and every call at 0.02."""
    make_catalog()
    return make_version("basic", flat("fee", "5"), per_unit("calls", "0.02", meter="calls"), status="archived")


def compared(version: PlanVersion, **asked: Any) -> list[tuple[str, str, int | None, int | None]]:
    """(customer, first day, own, other) of each period of January."""
    return [
        (period.customer, period.first_day.isoformat(), period.own_minor, period.other_minor)
        for period in rerate(**({"version_id": version.pk} | JANUARY | asked))
    ]


def only(version: PlanVersion, **asked: Any) -> ReratedPeriod:
    (period,) = rerate(**({"version_id": version.pk} | JANUARY | asked))
    return period


def test_it_says_who_would_pay_more_and_who_less_by_the_usage_of_the_period(version: PlanVersion) -> None:
    bolt, acme = make_customer("bolt"), make_customer("acme")
    subscribe(bolt, now=LATER)
    subscribe(acme, now=LATER)
    send_usage(acme, "call", 150, "2026-01-10")
    send_usage(acme, "call", 7000, "2026-02-01")
    send_usage(bolt, "call", 1000, "2026-01-31T23:59:59Z")
    before = row_counts()

    found = list(rerate(version_id=version.pk, **JANUARY))

    assert found == [
        ReratedPeriod(
            customer="acme",
            subscription="acme:basic:2026-01-01",
            first_day=date(2026, 1, 1),
            end_day=date(2026, 2, 1),
            currency="EUR",
            version=1,
            own_minor=1050,  # 10 + 50 x 0.01
            other_minor=800,  # 5 + 150 x 0.02
        ),
        ReratedPeriod(
            customer="bolt",
            subscription="bolt:basic:2026-01-01",
            first_day=date(2026, 1, 1),
            end_day=date(2026, 2, 1),
            currency="EUR",
            version=1,
            own_minor=1900,  # 10 + 900 x 0.01
            other_minor=2500,  # 5 + 1000 x 0.02
        ),
    ]
    assert [period.difference_minor for period in found] == [-250, 600]
    assert row_counts() == before


def test_a_period_costs_the_same_as_on_its_invoice_under_its_own_version(version: PlanVersion) -> None:
    customer = make_customer()
    subscription = subscribe(customer, now=LATER)
    send_usage(customer, "call", 12_345, "2026-01-10")
    own = sum(line.amount_minor for line in rated(subscription).lines)
    assert compared(PlanVersion.objects.get(version=1)) == [("acme", "2026-01-01", own, own)]


def test_periods_that_lie_within_the_days_are_rated_and_others_are_not(version: PlanVersion) -> None:
    subscribe(make_customer(), now=at("2026-04-15"))
    february = ("acme", "2026-02-01", 1000, 500)
    march = ("acme", "2026-03-01", 1000, 500)
    assert compared(version, first_day=date(2026, 2, 1), end_day=date(2026, 4, 1)) == [february, march]
    assert compared(version, first_day=date(2026, 1, 2), end_day=date(2026, 3, 31)) == [february]
    assert compared(version, first_day=date(2026, 2, 2), end_day=date(2026, 3, 1)) == []


def test_other_plans_currencies_and_customers_are_left_out(version: PlanVersion) -> None:
    make_version("basic", flat("fee", "20"), currency="USD")
    pro = make_version("pro", flat("fee", "30"), currency="EUR")
    acme, bolt, cash = make_customer("acme"), make_customer("bolt"), make_customer("cash", currency="USD")
    subscribe(acme, now=LATER)
    subscribe(bolt, "pro", now=LATER)
    subscribe(cash, now=LATER)
    send_usage(bolt, "call", 10, "2026-01-10")
    dot = make_customer("dot")
    subscribe(dot, now=LATER)

    assert compared(version) == [("acme", "2026-01-01", 1000, 500), ("dot", "2026-01-01", 1000, 500)]
    assert compared(version, customer_id=dot.pk) == [("dot", "2026-01-01", 1000, 500)]
    assert compared(version, customer_id=bolt.pk) == []
    # Those who are on pro, by the prices of basic: 5 + 10 x 0.02.
    assert compared(version, plan_code="pro") == [("bolt", "2026-01-01", 3000, 520)]
    assert compared(pro, plan_code="basic") == [("acme", "2026-01-01", 1000, 3000), ("dot", "2026-01-01", 1000, 3000)]


def test_trials_pauses_and_superseded_periods_are_left_out(version: PlanVersion) -> None:
    trying, paused, gone = make_customer("trying"), make_customer("paused"), make_customer("gone")
    subscribe(trying, now=LATER, trial_days=10)
    subscription = subscribe(paused, now=at("2026-01-25"))
    pause_subscription(subscription_id=subscription.pk, when=at("2026-01-21"), actor=ACTOR, now=at("2026-01-25"))
    superseded = subscribe(gone, now=LATER)
    BillingPeriod.objects.filter(subscription=superseded).update(superseded_at=LATER)
    kinds = BillingPeriod.objects.filter(first_day__lt="2026-02-01").order_by("subscription__external_id", "index")
    assert [period.kind for period in kinds] == ["regular", "regular", "paused", "trial", "regular"]

    assert compared(version) == [
        ("paused", "2026-01-01", 645, 323),  # 20 of 31 days: 10 x 20/31 = 6.4516, 5 x 20/31 = 3.2258
        ("trying", "2026-01-11", 677, 339),  # 21 of 31 days: 6.7742, 3.3871
    ]


def test_fees_and_commitment_are_prorated_by_the_whole_period_that_is_stored(version: PlanVersion) -> None:
    committed = make_version(
        "basic",
        flat("fee", "5", billed="in_advance"),
        per_unit("calls", "0.02", meter="calls"),
        status="draft",
        minimum_commitment=Decimal(20),
    )
    whole, part = make_customer("acme"), make_customer("bolt")
    subscribe(whole, now=LATER)
    subscribe(part, starts="2026-01-17", now=LATER)
    for customer in (whole, part):
        send_usage(customer, "call", 150, "2026-01-20")
    assert compared(committed) == [
        ("acme", "2026-01-01", 1050, 2000),  # 5 + 3 = 8, trued up to 20
        ("bolt", "2026-01-17", 534, 968),  # 15 of 31 days: 4.84 + 0.50; 20 x 15/31 = 9.677
    ]


def test_quantities_go_on_where_the_other_version_has_the_charge_and_are_its_default_elsewhere() -> None:
    own = make_version("team", flat("fee", "1"), per_unit("seats", "3", quantity="2"), per_unit("desks", "7", quantity="1"))
    customer = make_customer()
    subscribe(customer, "team", now=LATER, quantities={"seats": Decimal(10), "desks": Decimal(3)})
    subscribe(make_customer("bolt"), "team", now=LATER)
    other = make_version("team", per_unit("seats", "4", quantity="1"), per_unit("rooms", "2.5", quantity="6"))

    assert compared(other) == [
        ("acme", "2026-01-01", 5200, 5500),  # 1 + 10 x 3 + 3 x 7; 10 x 4 + 6 x 2.50
        ("bolt", "2026-01-01", 1400, 1900),  # 1 + 2 x 3 + 7; 4 + 15
    ]
    assert own.version == 1


def test_add_ons_stay_on_both_sides(version: PlanVersion) -> None:
    make_version("support", flat("support", "8"), kind="add_on")
    customer = make_customer()
    subscription = subscribe(customer, now=NOW_IN_JANUARY)
    put_add_on(
        subscription_id=subscription.pk,
        plan_code="support",
        quantity=Decimal(2),
        when=at("2026-01-01"),
        actor=ACTOR,
        now=NOW_IN_JANUARY,
    )
    assert compared(version) == [("acme", "2026-01-01", 2600, 2100)]  # 10 and 5, and 2 x 8


def test_usage_that_the_other_version_does_not_price_is_told(version: PlanVersion) -> None:
    make_catalog("meters: [{code: disk, event_type: disk, aggregation: max, value: n}]\nplans: []")
    both = make_version("both", per_unit("calls", "0.01", meter="calls"), per_unit("disk", "1", meter="disk"), status="published")
    customer = make_customer()
    subscribe(customer, "both", now=LATER)
    send_usage(customer, "call", 30, "2026-01-10", {"region": "us"})
    send_usage(customer, "call", 12, "2026-01-11")
    send_usage(customer, "call", 5, "2026-01-11", {"region": "eu"})
    send_usage(customer, "disk", 7, "2026-01-11")
    assert only(both).unpriced == ()

    narrow = make_version("both", per_unit("calls", "1", meter="calls", filter={"region": "eu"}), status="draft")
    found = only(narrow)

    assert (found.own_minor, found.other_minor) == (747, 500)  # 0.47 + 7; 5 x 1
    assert found.unpriced == (
        UnpricedUsage(meter="calls", quantity=Decimal(42)),
        UnpricedUsage(meter="disk", quantity=Decimal(7)),
    )


def test_a_meter_that_neither_version_prices_is_not_told(version: PlanVersion) -> None:
    make_version("fees", flat("fee", "1"))
    customer, other = make_customer("acme"), make_customer("bolt")
    subscribe(customer, "fees", now=LATER)
    subscribe(other, now=LATER)
    send_usage(customer, "call", 30, "2026-01-10")
    fees = make_version("fees", flat("fee", "2"))
    assert only(fees).unpriced == ()
    assert only(fees, plan_code="basic").unpriced == ()  # bolt has used nothing


def test_a_period_that_cannot_be_rated_says_why_and_the_next_ones_go_on(version: PlanVersion) -> None:
    for name in ("acme", "bolt", "cash"):
        subscribe(make_customer(name), now=LATER)
        send_usage(name, "call", 150, "2026-01-10")
    sql("UPDATE usage_rollup SET value_sum = -5 WHERE customer_id = (SELECT id FROM customers_customer WHERE name = 'Bolt')")

    acme, bolt, cash = rerate(version_id=version.pk, **JANUARY)

    assert (bolt.own_minor, bolt.other_minor, bolt.difference_minor) == (None, None, None)
    assert bolt.error == "ValueError: a quantity must be zero or more, got -5"
    assert [(each.error, each.own_minor, each.other_minor) for each in (acme, cash)] == [("", 1050, 800)] * 2


def test_periods_of_a_version_that_cannot_be_read_are_told_and_others_go_on(version: PlanVersion) -> None:
    subscribe(make_customer("acme"), now=LATER)
    broken = make_version("basic", flat("fee", "1"))
    subscribe(make_customer("bolt"), now=LATER)
    with triggers_off():
        Charge.objects.filter(plan_version=broken).update(terms={"model": "flat"})

    acme, bolt = rerate(version_id=version.pk, **JANUARY)

    assert (acme.own_minor, acme.other_minor) == (1000, 500)
    assert (bolt.own_minor, bolt.other_minor, bolt.version) == (None, None, 3)
    assert bolt.error.startswith("ChargeError: amount")


def test_a_version_of_another_interval_is_not_compared(version: PlanVersion) -> None:
    subscribe(make_customer(), now=LATER)
    yearly = make_version("basic", flat("fee", "100"), interval="yearly", status="draft")
    found = only(yearly)
    assert (found.own_minor, found.other_minor) == (None, None)
    assert found.error == "it is billed monthly and version 3 yearly: fees of different intervals cannot be compared"


def test_a_draft_may_be_asked_for_and_does_not_get_into_the_book(version: PlanVersion) -> None:
    subscribe(make_customer(), now=LATER)
    draft = make_version("basic", flat("fee", "6"), status="draft")
    book = TermsBook()
    assert compared(draft, terms_book=book) == [("acme", "2026-01-01", 1000, 600)]
    Charge.objects.filter(plan_version=draft).update(terms={"model": "flat", "amount": "7"})
    assert compared(draft, terms_book=book) == [("acme", "2026-01-01", 1000, 700)]


def test_pages_follow_each_other_in_order_without_a_gap(version: PlanVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    make_version("calm", flat("fee", "1"))
    bolt, acme = make_customer("bolt"), make_customer("acme")
    for customer in (bolt, acme):
        subscribe(customer, ends="2026-02-10", now=at("2026-03-20"), external_id=f"{customer.external_id}-z")
        subscribe(customer, starts="2026-02-10", now=at("2026-03-20"), external_id=f"{customer.external_id}-a")
    asked: dict[str, Any] = {"version_id": version.pk, "first_day": date(2026, 1, 1), "end_day": date(2026, 4, 1)}
    at_once = [(period.customer, period.subscription, period.first_day.isoformat()) for period in rerate(**asked)]
    assert at_once == [
        (customer, f"{customer}-{name}", day)
        for customer in ("acme", "bolt")
        for name, day in (("a", "2026-02-10"), ("a", "2026-03-01"), ("z", "2026-01-01"), ("z", "2026-02-01"))
    ]
    for size in (1, 2, 3):
        monkeypatch.setattr(rerating, "PAGE_SIZE", size)
        assert [(period.customer, period.subscription, period.first_day.isoformat()) for period in rerate(**asked)] == at_once


def test_many_customers_are_as_many_queries_as_one(version: PlanVersion) -> None:
    asked = []
    for number in range(1, 8):
        customer = make_customer(f"c{number}")
        subscribe(customer, now=LATER)
        send_usage(customer, "call", 150, "2026-01-10")
        with CaptureQueriesContext(connection) as queries:
            assert len(list(rerate(version_id=version.pk, **JANUARY))) == number
        asked.append(len(queries))
    # Version, its terms and the first's (2 each), a page of periods, usage, changes; and a page with nothing more.
    assert asked == [9] * 7


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        ({"end_day": date(2026, 1, 1)}, "no_days", "the last day must come after the first"),
        ({"plan_code": "gold"}, "plan_not_found", "there is no plan gold"),
        ({"plan_code": "support"}, "plan_not_found", "there is no plan support"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_before_anything_is_rated(
    version: PlanVersion, asked: dict[str, Any], code: str, message: str
) -> None:
    support = make_version("support", flat("support", "8"), kind="add_on")
    with pytest.raises(UnableToRerate, match=message) as refused:
        rerate(**({"version_id": version.pk} | JANUARY | asked))
    assert refused.value.code == code
    with pytest.raises(UnableToRerate, match="support is an add-on"):
        rerate(version_id=support.pk, first_day=date(2026, 1, 1), end_day=date(2026, 2, 1))
