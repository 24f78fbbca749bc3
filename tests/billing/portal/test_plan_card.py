"""What the portal says of a subscription: state, seats, add-ons, and what is planned."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Subscription
from billing.portal.plan_card import plan_card
from billing.rating.terms import TermsBook
from billing.subscriptions.changing import change_plan, change_quantity, end_subscription, pause_subscription, put_add_on
from tests.billing.builders import ACTOR, at, make_catalog, make_customer, subscribe

pytestmark = pytest.mark.django_db

TEAM = """
plans:
  - code: team
    name: Team
    currency: EUR
    trial_days: 14
    charges:
      - {code: seats, name: Seats, model: per_unit, unit_amount: "10", default_quantity: "2", billed: in_advance}
  - code: wide
    name: Wide
    currency: EUR
    interval: monthly
    interval_count: 2
    charges: [{code: fee, name: Fee, model: flat, amount: "30"}]
add_ons:
  - {code: support, name: Support, currency: EUR, charges: [{code: fee, name: Fee, model: flat, amount: "5"}]}
"""


def card(subscription: Subscription, today: date) -> dict[str, Any]:
    subscription.refresh_from_db()
    return plan_card(subscription, TermsBook(), subscription.customer, today=today)


def test_a_trial_says_how_long_it_lasts_and_seats_how_many_there_are() -> None:
    make_catalog(TEAM)
    found = card(subscribe(make_customer(), "team", "2026-01-01"), date(2026, 1, 5))
    assert (found["name"], found["interval"], found["trial_until"], found["is_paused"]) == (
        "Team",
        "monthly",
        "14 January 2026",
        False,
    )
    assert [(charge["name"], charge["held"], charge["words"]) for charge in found["charges"]] == [("Seats", "2", ["€10.00 each"])]
    assert (found["planned"], found["until"]) == ([], "")


def test_what_is_planned_stands_in_the_order_of_its_days() -> None:
    make_catalog(TEAM)
    subscription = subscribe(make_customer(), "team", "2026-01-01", trial_days=0)
    said: dict[str, Any] = {"subscription_id": subscription.pk, "actor": ACTOR, "now": at("2026-01-10")}
    put_add_on(plan_code="support", quantity=Decimal(2), when=at("2026-01-10"), **said)
    put_add_on(plan_code="support", quantity=Decimal(0), when=at("2026-03-01"), **said)
    change_plan(plan_code="wide", when=at("2026-03-01"), **said)
    change_quantity(charge_code="seats", quantity=Decimal(7), when=at("2026-02-01"), **said)
    pause_subscription(when=at("2026-04-01"), **said)
    end_subscription(ends_at=at("2026-06-01"), **said)
    found = card(subscription, date(2026, 1, 10))
    assert found["planned"] == ["Seats: 7 from 1 February 2026", "Wide from 1 March 2026", "paused from 1 April 2026"]
    assert found["until"] == "31 May 2026"
    assert [(charge["name"], charge["held"]) for charge in found["charges"]] == [("Seats", "2"), ("Support", "2")]
    later = card(subscription, date(2026, 4, 2))
    assert (later["name"], later["interval"], later["is_paused"]) == ("Wide", "every 2 months", True)
