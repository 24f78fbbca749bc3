"""Subscriptions changed in the finance desk: a preview first, then one service call; refusals at their field, nothing written."""

import html
import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from billing.models import BillingPeriod, Plan, Subscription, SubscriptionChange
from billing.subscriptions.changing import change_plan, pause_subscription
from customers.models import AuditEvent, Customer, User
from tests.billing.builders import ACTOR, at, bill, make_catalog, make_customer, row_counts, subscribe

pytestmark = pytest.mark.django_db

# Seats in advance at 10.00, three unless said otherwise; a flat plan; an add-on, and one of another currency.
OFFERS = """
plans:
  - code: team
    name: Team
    currency: EUR
    charges:
      - {code: seats, name: Seats, model: per_unit, unit_amount: "10", default_quantity: "3", billed: in_advance}
  - code: flat
    name: Flat
    currency: EUR
    charges:
      - {code: fee, name: Fee, model: flat, amount: "100", billed: in_advance}
  - code: dollars
    name: Dollars
    currency: USD
    charges:
      - {code: fee, name: Fee, model: flat, amount: "100"}
add_ons:
  - code: support
    name: Support
    currency: EUR
    charges:
      - {code: support, name: Support, model: per_unit, unit_amount: "20", default_quantity: "1", billed: in_advance}
"""


def team(**fields: object) -> Subscription:
    """A customer on three seats; January and the fees of February are billed: today is 15 February."""
    make_catalog(OFFERS)
    customer = make_customer()
    subscription = subscribe(customer, "team", **fields)  # type: ignore[arg-type]
    bill("2026-02-01")
    return subscription


def path_of(subscription: Subscription, action: str) -> str:
    return f"/admin/billing/subscription/{subscription.pk}/{action}/"


def text_of(page: str) -> str:
    """Return what a page says, without its tags."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def post(desk: Client, subscription: Subscription, action: str, step: str = "look", **values: object) -> str:
    answer = desk.post(path_of(subscription, action), {"step": step, **values}, follow=True)
    assert answer.status_code == 200
    return text_of(answer.content.decode())


def pk_of(plan: str) -> int:
    return Plan.objects.get(code=plan).pk


def test_a_subscription_starts_with_a_trial_and_quantities(desk: Client) -> None:
    make_catalog(OFFERS)
    customer = make_customer()
    values = {"customer": customer.pk, "plan": pk_of("team"), "starts_on": "2026-02-01", "ends_on": "", "external_id": ""}
    before = row_counts()
    refused = desk.post("/admin/billing/subscription/add/", {**values, "trial_days": "9999"}).content.decode()
    assert "a trial has 0 to 730 days" in refused
    refused = desk.post("/admin/billing/subscription/add/", {**values, "quantities-seats": "many"}).content.decode()
    assert "seats: write a number" in refused
    assert row_counts() == before

    desk.post("/admin/billing/subscription/add/", {**values, "trial_days": "14", "quantities-seats": "8"})
    subscription = Subscription.objects.get()
    start, seats = subscription.changes.order_by("pk")
    assert (str(start.trial_ends_on), seats.charge_code, seats.quantity) == ("2026-02-15", "seats", Decimal(8))
    assert AuditEvent.objects.get(action="subscription.started").actor_label == "finance@example.com"


def test_a_change_of_plan_is_previewed_then_made(desk: Client) -> None:
    """From 1 March: 3 seats x 10.00 = 30.00 as it is, 100.00 with the change, so 70.00 more."""
    subscription = team()
    before = row_counts()
    assert "Dollars" not in desk.get(path_of(subscription, "change-plan")).content.decode()
    values: dict[str, Any] = {"plan": pk_of("flat"), "when": "period_end"}
    page = post(desk, subscription, "change-plan", **values)
    assert "Difference to all that is due up to 1 March 2026, before tax +€70.00" in page
    assert "As it is to be issued 1 March 2026 Seats 3" in page
    assert "€30.00" in page
    assert "€100.00" in page
    assert "At the end of the running period" in page
    assert row_counts() == before

    assert "The plan is changed." in post(desk, subscription, "change-plan", "do", **values)
    change = subscription.changes.get(kind="plan")
    assert (str(change.effective_on), change.actor_label) == ("2026-03-01", "finance@example.com")
    made = row_counts()
    post(desk, subscription, "change-plan", "do", **values)  # a second click changes nothing
    assert row_counts() == made


def test_what_the_service_refuses_stands_at_its_field(desk: Client) -> None:
    subscription = team()
    before = row_counts()
    to_flat = {"plan": pk_of("flat"), "when": "day"}
    for step in ("look", "do"):
        assert "Choose the day." in post(desk, subscription, "change-plan", step, **to_flat)
        page = post(desk, subscription, "change-plan", step, **to_flat, day="2026-01-10")
        assert "is billed already" in page
        page = post(desk, subscription, "change-plan", step, **to_flat, day="2026-03-01", **{"quantities-seats": "2"})
        assert "has no fee by quantity seats" in page
        assert "Select a valid choice" in post(desk, subscription, "change-plan", step, plan=pk_of("dollars"), when="now")
        values = {"charge": "seats", "quantity": "x", "when": "now"}
        assert "write a number" in post(desk, subscription, "change-quantity", step, **values)
        assert "zero or more" in post(desk, subscription, "change-quantity", step, **(values | {"quantity": "-1"}))
        assert "it is not paused at that time" in post(desk, subscription, "resume", step, when="now")
        assert "must end at least a day after" in post(desk, subscription, "end", step, when="day", day="2025-12-01")
    assert row_counts() == before


def test_seats_are_changed_from_a_day_and_the_rest_of_the_month_comes_on_the_next_invoice(desk: Client) -> None:
    """Five seats from 15 February: 2 x 10.00 x 14/28 = 10.00 more for February, and 5 x 10.00 = 50.00 for March, not 30.00."""
    subscription = team()
    values = {"charge": "seats", "quantity": "5", "when": "now"}
    assert "Difference to all that is due up to 1 March 2026, before tax +€30.00" in post(
        desk, subscription, "change-quantity", **values
    )
    post(desk, subscription, "change-quantity", "do", **values)
    assert subscription.changes.get(kind="quantity").quantity == Decimal(5)
    page = text_of(desk.get(path_of(subscription, "change")).content.decode())
    assert "Seats: 5 from 15 February 2026 · finance@example.com" in page


def test_an_add_on_is_put_on_changed_and_taken_off(desk: Client) -> None:
    """From 1 March: 2 x 20.00 = 40.00 more."""
    subscription = team()
    values: dict[str, Any] = {"plan": pk_of("support"), "quantity": "2", "code": "", "when": "period_end"}
    assert "+€40.00" in post(desk, subscription, "add-on", **values)
    post(desk, subscription, "add-on", "do", **values)
    post(desk, subscription, "add-on", "do", **(values | {"quantity": "0"}))
    assert [change.quantity for change in subscription.changes.filter(kind="add_on").order_by("pk")] == [2, 0]
    page = text_of(desk.get(path_of(subscription, "change")).content.decode())
    assert "Add-on Support comes off" in page


def test_a_pause_and_its_end_are_previewed(desk: Client) -> None:
    """The whole of March is paused: its 30.00 are not charged."""
    subscription = team()
    assert "−€30.00" in post(desk, subscription, "pause", when="period_end")
    post(desk, subscription, "pause", "do", when="now")
    page = text_of(desk.get(path_of(subscription, "change")).content.decode())
    assert "State paused" in page
    post(desk, subscription, "resume", "do", when="day", day="2026-02-20")
    kinds = list(subscription.changes.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["start", "pause", "resume"]
    assert AuditEvent.objects.get(action="subscription.resumed").actor_label == "finance@example.com"


def test_a_planned_change_is_listed_and_undone(desk: Client) -> None:
    subscription = team()
    change_plan(subscription_id=subscription.pk, plan_code="flat", when="period_end", actor=ACTOR, now=at("2026-02-10"))
    change = subscription.changes.get(kind="plan")
    undo = path_of(subscription, f"undo/{change.pk}")
    page = desk.get(path_of(subscription, "change")).content.decode()
    assert undo in page
    assert "Plan becomes Flat v1 from 1 March 2026 · tests, 10 February 2026" in text_of(page)

    before = row_counts()
    assert "−€70.00" in text_of(desk.post(undo, {"step": "look"}).content.decode())
    assert desk.get(undo).status_code == 200
    assert row_counts() == before
    assert "The change is undone." in desk.post(undo, {"step": "do"}, follow=True).content.decode()
    change.refresh_from_db()
    assert change.undone_at is not None
    assert AuditEvent.objects.get(action="subscription.change_undone").actor_label == "finance@example.com"
    assert "is undone already" in desk.post(undo, {"step": "do"}, follow=True).content.decode()


def test_what_has_taken_effect_is_not_undone(desk: Client) -> None:
    subscription = team()
    pause_subscription(subscription_id=subscription.pk, when=at("2026-02-10"), actor=ACTOR, now=at("2026-02-10"))
    change = SubscriptionChange.objects.get(kind="pause")
    undo = path_of(subscription, f"undo/{change.pk}")
    assert undo not in desk.get(path_of(subscription, "change")).content.decode()
    before = row_counts()
    assert "cannot be undone" in text_of(desk.post(undo, {"step": "do"}).content.decode())
    assert row_counts() == before


def test_one_that_has_not_begun_is_withdrawn(desk: Client) -> None:
    make_catalog(OFFERS)
    subscription = subscribe(make_customer(), "team", "2026-03-01", now=at("2026-02-10"))
    assert "planned" in text_of(desk.get("/admin/billing/subscription/?state=planned").content.decode())
    desk.post(path_of(subscription, "withdraw"), follow=True)
    assert not Subscription.objects.exists()


def test_the_list_tells_and_filters_states(desk: Client) -> None:
    make_catalog(OFFERS)
    trial = subscribe(make_customer("on-trial"), "team", "2026-02-10", trial_days=30, now=at("2026-02-10"))
    paused = subscribe(make_customer("resting"), "team")
    pause_subscription(subscription_id=paused.pk, when=at("2026-02-10"), actor=ACTOR, now=at("2026-02-10"))
    ended = subscribe(make_customer("gone"), "team", ends="2026-02-01")
    active = subscribe(make_customer("busy"), "team")
    wanted = {"trial": trial, "paused": paused, "ended": ended, "active": active}
    for state, subscription in wanted.items():
        page = desk.get("/admin/billing/subscription/", {"state": state}).content.decode()
        shown = {one.external_id for one in wanted.values() if f">{one.external_id}<" in page}
        assert shown == {subscription.external_id}, state


def test_periods_that_changes_took_away_are_left_out(desk: Client) -> None:
    subscription = team()
    BillingPeriod.objects.create(
        subscription=subscription,
        plan_version=subscription.plan_version,
        index=99,
        first_day="2027-05-01",
        end_day="2027-06-01",
        whole_first_day="2027-05-01",
        whole_end_day="2027-06-01",
        starts_at=at("2027-05-01"),
        ends_at=at("2027-06-01"),
        superseded_at=at("2026-02-02"),
    )
    page = desk.get(path_of(subscription, "change")).content.decode()
    assert "February 2026" in page
    assert "May 2027" not in page


def test_subscriptions_move_to_the_newest_version_after_a_look(desk: Client) -> None:
    """Seats at 12.00 instead of 10.00: the last billed month, January, would have cost 36.00 instead of 30.00."""
    subscription = team()
    make_catalog(OFFERS.replace('"10"', '"12"'), new_versions=True)
    move = f"/admin/billing/plan/{subscription.plan_id}/move/"
    before = row_counts()
    page = desk.post(move, {"when": "period_end", "step": "look"}).content.decode()
    assert "1 → 2 1 March 2026 €30.00 1 – 31 January 2026 €36.00 +€6.00" in text_of(page).replace("\u2009", " ")
    assert row_counts() == before
    done = desk.post(move, {"when": "period_end", "step": "do", "only": subscription.external_id}, follow=True)
    assert "1 subscription is moved." in done.content.decode()
    assert str(subscription.changes.get(kind="plan").effective_on) == "2026-03-01"
    assert "has the newest version" in desk.get(move).content.decode()


def test_past_usage_is_priced_by_another_version(desk: Client) -> None:
    """January: 3 seats x 10.00 = 30.00, by the new version 36.00."""
    subscription = team()
    make_catalog(OFFERS.replace('"10"', '"12"'), new_versions=True)
    newest = subscription.plan.versions.get(version=2)
    before = row_counts()
    path = f"/admin/billing/planversion/{newest.pk}/past-usage/"
    page = text_of(desk.get(path, {"first_day": "2026-01-01", "end_day": "2026-02-01"}).content.decode())
    assert "€30.00 €36.00 +€6.00" in page
    assert "the last day must come after the first" in text_of(
        desk.get(path, {"first_day": "2026-02-01", "end_day": "2026-02-01"}).content.decode()
    )
    assert row_counts() == before


def test_who_may_only_look_changes_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUILL_NOW", "2026-02-15T12:00:00Z")
    subscription = team()
    change_plan(subscription_id=subscription.pk, plan_code="flat", when="period_end", actor=ACTOR, now=at("2026-02-10"))
    change = subscription.changes.get(kind="plan")
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_subscription"))
    client.force_login(clerk)
    before = row_counts()
    page = client.get(path_of(subscription, "change")).content.decode()
    assert "Undo" not in page
    assert "Change plan" not in page
    actions = ["change-plan", "change-quantity", "add-on", "pause", "resume", "end", "withdraw", f"undo/{change.pk}"]
    for action in actions:
        assert client.post(path_of(subscription, action), {"when": "now", "step": "do"}).status_code == 403, action
    assert row_counts() == before
    assert Customer.objects.count() == 1
