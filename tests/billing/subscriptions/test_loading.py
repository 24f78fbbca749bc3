"""Customers with their subscriptions from NDJSON: all or nothing, and it can be repeated."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from billing.models import Subscription, SubscriptionChange
from billing.subscriptions.changing import change_plan
from billing.subscriptions.loading import LoadError, LoadReport, load_customers
from customers.models import Customer
from tests.billing.builders import ACTOR, CALLS, NOW, at, make_catalog, row_counts, send_usage
from usage.models import QuarantinedEvent, Rollup

pytestmark = pytest.mark.django_db

ACME: dict[str, Any] = {
    "external_id": "acme",
    "name": "Acme",
    "email": "pay@acme.example",
    "currency": "EUR",
    "timezone": "Asia/Tokyo",
    "subscriptions": [{"plan": "basic", "starts_at": "2026-01-01T00:00:00+09:00"}],
}


def load(*customers: object) -> LoadReport:
    return load_customers([json.dumps(customer) for customer in customers], actor=ACTOR, now=NOW)


def test_customers_are_created_with_their_subscriptions() -> None:
    make_catalog()
    report = load(ACME, {"external_id": "solo", "name": "Solo", "tax_rate_pct": "20", "payment_terms_days": 14})
    assert report == LoadReport(customers_created=2, subscriptions_started=1)
    subscription = Subscription.objects.get()
    assert (subscription.customer.external_id, str(subscription.started_on)) == ("acme", "2026-01-01")
    solo = Customer.objects.get(external_id="solo")
    assert (solo.tax_rate_pct, solo.payment_terms_days) == (Decimal(20), 14)


def test_repeating_the_file_changes_nothing() -> None:
    make_catalog()
    load(ACME)
    before = row_counts()
    assert load(ACME) == LoadReport(customers_known=1, subscriptions_known=1)
    assert load(ACME | {"name": "Another name"}) == LoadReport(customers_known=1, subscriptions_known=1)
    assert row_counts() == before
    assert Customer.objects.get().name == "Acme"


def test_a_new_subscription_of_a_known_customer_is_started() -> None:
    make_catalog()
    load(ACME | {"subscriptions": []})
    assert load(ACME) == LoadReport(customers_known=1, subscriptions_started=1)


SEATS = """
plans:
  - code: team
    currency: EUR
    trial_days: 14
    charges: [{code: seats, model: per_unit, unit_amount: "10", default_quantity: "1"}]
"""


def test_a_subscription_comes_with_its_trial_and_quantities() -> None:
    make_catalog(SEATS)
    start = {"plan": "team", "starts_at": "2026-01-01T00:00:00+09:00"}
    text = json.dumps(ACME | {"subscriptions": [start | {"trial_days": 30, "quantities": {"seats": "2.5"}}]})
    plain = ACME | {"external_id": "plain", "subscriptions": [start | {"trial_days": None, "quantities": None}]}
    none = ACME | {"external_id": "none", "subscriptions": [start | {"trial_days": 0, "quantities": {"seats": 3}}]}
    load_customers([text, json.dumps(plain), json.dumps(none)], actor=ACTOR, now=NOW)

    def told(external_id: str) -> list[tuple[str, str, Decimal | None]]:
        changes = SubscriptionChange.objects.filter(subscription__customer__external_id=external_id).order_by("pk")
        return [(change.kind, str(change.trial_ends_on), change.quantity) for change in changes]

    assert told("acme") == [("start", "2026-01-31", None), ("quantity", "None", Decimal("2.5"))]
    assert told("plain") == [("start", "2026-01-15", None)]
    assert told("none") == [("start", "None", None), ("quantity", "None", Decimal(3))]


def test_a_subscription_that_changed_its_plan_since_is_known() -> None:
    make_catalog()
    make_catalog(CALLS.replace("code: basic", "code: second"))
    load(ACME)
    subscription = Subscription.objects.get()
    change_plan(subscription_id=subscription.pk, plan_code="second", when=at("2026-01-01T00:00:00+09:00"), actor=ACTOR, now=NOW)
    assert Subscription.objects.get().plan.code == "second"
    before = row_counts()
    assert load(ACME) == LoadReport(customers_known=1, subscriptions_known=1)
    assert row_counts() == before


def test_a_number_with_a_point_keeps_its_digits() -> None:
    text = '{"external_id": "acme", "name": "Acme", "tax_rate_pct": 19.6001}'
    load_customers(["", text], actor=ACTOR, now=NOW)
    assert Customer.objects.get().tax_rate_pct == Decimal("19.6001")


def _with(**members: object) -> str:
    return json.dumps(ACME | members)


def _subscription(**members: object) -> str:
    return _with(subscriptions=[ACME["subscriptions"][0], {"plan": "basic", "starts_at": "2027-01-01T00:00:00Z"} | members])


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("{", "line 3: not JSON"),
        ("[" * 100_000, "line 3: is nested too deep"),
        ("[]", "line 3: each line must be one JSON object"),
        ('{"name": "x", "name": "y"}', "line 3: not JSON: a member stands twice"),
        ('{"name": "x"}', "line 3: external_id: is missing"),
        ('{"external_id": "x"}', "line 3: name: is missing"),
        (_with(external_id=5), "line 3: external_id: "),
        (_with(external_id="nul\x00"), "line 3: external_id: "),
        (_with(currency="EURO"), "line 3: currency: "),
        (_with(timezone="Mars/Olympus"), "line 3: timezone: "),
        (_with(email="nobody"), "line 3: email: "),
        (_with(colour="red"), "line 3: colour: There is no such field."),
        (_with(actor="root"), "line 3: actor: There is no such field."),
        (_with(now="2020"), "line 3: now: There is no such field."),
        (_with(tax_rate_pct="many"), "line 3: tax_rate_pct: "),
        ('{"external_id": "x", "name": "x", "tax_rate_pct": NaN}', "line 3: tax_rate_pct: "),
        (_with(subscriptions={}), "line 3: subscriptions: write a list"),
        (_with(subscriptions=["basic"]), r"line 3: subscriptions[0]: write an object"),
        (_subscription(plan="gold"), "line 3: subscriptions[1].plan: there is no plan gold; plans: basic"),
        (_subscription(plan="nul\x00"), "line 3: subscriptions[1].plan: is missing or not a text"),
        (_subscription(plan=None), "line 3: subscriptions[1].plan: is missing or not a text"),
        (_subscription(seats=5), "line 3: subscriptions[1].seats: unknown member"),
        (_subscription(starts_at="soon"), "line 3: subscriptions[1].starts_at: 'soon' is not an instant"),
        (_subscription(starts_at="2027-01-01"), "line 3: subscriptions[1].starts_at: "),
        (_subscription(starts_at="2027-01-01T00:00:00"), "line 3: subscriptions[1].starts_at: "),
        (_subscription(starts_at="0001-01-01T00:00:00+14:00"), "line 3: subscriptions[1].starts_at: "),
        (_subscription(starts_at="9998-12-31T23:59:59Z"), "line 3: subscriptions[1].starts_at: write a day from 2000"),
        (_subscription(ends_at=5), "line 3: subscriptions[1].ends_at: "),
        (_subscription(ends_at="2026-06-01T00:00:00Z"), "line 3: subscriptions[1].ends_at: it must end at least a day"),
        (_subscription(), "line 3: subscriptions[1].plan: customer acme is on plan basic at that time already"),
        (_subscription(trial_days="14"), "line 3: subscriptions[1].trial_days: write a whole number of days"),
        (_subscription(trial_days=1.5), "line 3: subscriptions[1].trial_days: write a whole number of days"),
        (_subscription(trial_days=True), "line 3: subscriptions[1].trial_days: write a whole number of days"),
        (_subscription(trial_days=731), "line 3: subscriptions[1].trial_days: a trial has 0 to 730 days"),
        (_subscription(trial_days=-1), "line 3: subscriptions[1].trial_days: a trial has 0 to 730 days"),
        (_subscription(quantities=["seats"]), "line 3: subscriptions[1].quantities: write an object of quantities"),
        (_subscription(quantities={"seats": "five"}), "line 3: subscriptions[1].quantities.seats: must be a decimal string"),
        (_subscription(quantities={"seats": None}), "line 3: subscriptions[1].quantities.seats: must be a decimal string"),
        (_subscription(quantities={"seats": "-1"}), "line 3: subscriptions[1].quantities.seats: must be zero or more"),
        (_subscription(quantities={"calls": "5"}), "line 3: subscriptions[1].quantities.calls: Basic v1 has no fee by quantity"),
        (_subscription(external_id="x" * 300), "line 3: subscriptions[1].external_id: write at most 255"),
        (_with(currency="USD"), "line 3: subscriptions[0].plan: plan basic has no price in USD"),
    ],
)
def test_a_bad_line_is_named_with_its_member_and_nothing_of_the_file_is_kept(bad: str, says: str) -> None:
    make_catalog()
    before = row_counts()
    good = json.dumps(ACME | {"external_id": "good"})
    with pytest.raises(LoadError) as caught:
        load_customers([good, "", bad], actor=ACTOR, now=NOW)
    assert str(caught.value).startswith(says)
    assert row_counts() == before


def test_the_command_loads_brings_back_waiting_usage_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_catalog()
    send_usage("acme", "call", 7, "2026-01-05")
    assert QuarantinedEvent.objects.filter(status="waiting").count() == 1
    file = tmp_path / "customers.ndjson"
    file.write_text(json.dumps(ACME) + "\n")
    call_command("load_customers", str(file))
    assert capsys.readouterr().out == "customers: 1 created, 0 known · subscriptions: 1 started, 0 known\n"
    assert Rollup.objects.get().value_sum == 7
    call_command("load_customers", str(file), "--json")
    assert json.loads(capsys.readouterr().out)["customers_known"] == 1


def test_the_command_refuses_a_bad_file_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "customers.ndjson"
    file.write_text('{"external_id": "x"}')
    with pytest.raises(CommandError, match=r"customers\.ndjson: line 1: name: is missing\nNothing was changed"):
        call_command("load_customers", str(file))
    file.write_bytes(b"\xff")
    with pytest.raises(CommandError, match="not UTF-8"):
        call_command("load_customers", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_customers", str(tmp_path / "nothing"))
