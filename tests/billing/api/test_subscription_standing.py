"""What the JSON of a subscription says of it as of now, at what cost, and how one that has not begun is withdrawn."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import BillingPeriod, Subscription, SubscriptionChange, SubscriptionClaim
from customers.models import AuditEvent
from tests.billing.api.calling import Caller
from tests.billing.api.plans_by_seat import TEAM
from tests.billing.builders import bill, make_catalog, make_customer, row_counts, subscribe

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    make_catalog(TEAM)


def _body(**members: Any) -> dict[str, Any]:
    return {"customer": "acme", "plan": "team", "starts_at": "2026-01-01T00:00:00Z", "external_id": "sub", **members}


def test_a_subscription_starts_with_a_trial_and_quantities() -> None:
    make_customer("acme")

    answer = Caller().post("/subscriptions", _body(starts_at="2026-02-01T00:00:00Z", trial_days=30, quantities={"seats": "5"}))

    assert answer.status == 201
    assert (answer.json["state"], answer.json["active"], answer.json["trial_ends_on"]) == ("trial", True, "2026-03-03")
    assert (answer.json["quantities"], answer.json["planned"]) == ({"seats": "5"}, [])
    [period] = Caller().get("/subscriptions/sub/periods").json["items"]
    assert (period["kind"], period["first_day"], period["last_day"]) == ("trial", "2026-02-01", "2026-03-02")


@pytest.mark.parametrize(
    ("members", "ends_on"), [({}, "2026-01-15"), ({"trial_days": None}, "2026-01-15"), ({"trial_days": 0}, None)]
)
def test_the_trial_is_the_plans_unless_the_request_says_another(members: dict[str, Any], ends_on: str | None) -> None:
    make_customer("acme")

    assert Caller().post("/subscriptions", _body(plan="taster", **members)).json["trial_ends_on"] == ends_on


@pytest.mark.parametrize(
    ("members", "field", "code"),
    [
        ({"trial_days": 731}, "trial_days", "trial_unusable"),
        ({"trial_days": -1}, "trial_days", "trial_unusable"),
        ({"trial_days": "14"}, "trial_days", None),
        ({"trial_days": True}, "trial_days", None),
        ({"trial_days": 1.5}, "trial_days", None),
        ({"trial_days": 10**30}, "trial_days", "trial_unusable"),
        ({"quantities": {"cars": "5"}}, "quantities.cars", "charge_not_found"),
        ({"quantities": {"seats": "five"}}, "quantities.seats", None),
        ({"quantities": {"seats": None}}, "quantities.seats", None),
        ({"quantities": "5"}, "quantities", None),
        ({"quantities": None}, "quantities", None),
        ({"plan": "support"}, "plan", "not_a_plan"),
    ],
)
def test_a_start_that_cannot_be_names_the_member_and_writes_nothing(
    members: dict[str, Any], field: str, code: str | None
) -> None:
    make_customer("acme")
    caller = Caller()
    before = row_counts()

    answer = caller.post("/subscriptions", _body(**members))

    assert answer.status == 400
    assert [(error["field"], error.get("code")) for error in answer.json["errors"]] == [(field, code)]
    assert row_counts() == before


def test_the_state_is_that_of_now_before_within_and_after() -> None:
    """It is 10 February."""
    for name, start, end, trial_days in (
        ("ahead", "2026-02-11", None, 5),
        ("trying", "2026-02-01", None, 10),
        ("running", "2026-01-31", None, 10),  # its trial ended with the 9th
        ("over", "2026-01-01", "2026-02-10", 0),
    ):
        subscribe(make_customer(name), "team", start, ends=end, external_id=name, trial_days=trial_days)
    subscribe(make_customer("resting"), "team", external_id="resting")
    caller = Caller()
    caller.post("/subscriptions/resting/pause", {"when": "2026-02-05T00:00:00Z"})

    items = caller.get("/subscriptions").json["items"]

    assert [(item["external_id"], item["state"], item["active"]) for item in items] == [
        ("resting", "paused", True),
        ("over", "ended", False),
        ("running", "active", True),
        ("trying", "trial", True),
        ("ahead", "planned", False),
    ]
    assert [caller.get(f"/subscriptions/{item['external_id']}").json for item in items] == items
    active = [item["external_id"] for item in caller.get("/subscriptions?active=true").json["items"]]
    assert active == ["resting", "running", "trying"]
    assert len(caller.get("/subscriptions?active=false").json["items"]) == 2


def test_what_it_is_on_is_that_of_today_and_not_of_the_newest_period() -> None:
    """Billing has not come by since the plan changed: the periods are made by the next run."""
    subscribe(make_customer("acme"), "team", external_id="sub")
    caller = Caller()
    caller.post("/subscriptions/sub/change-plan", {"plan": "pro", "when": "2026-02-01T00:00:00Z", "quantities": {"seats": "7"}})
    BillingPeriod.objects.filter(index__gt=0).delete()
    Subscription.objects.update(plan=SubscriptionChange.objects.get(kind="start").plan_version.plan)  # type: ignore[union-attr]

    answer = caller.get("/subscriptions/sub")

    assert (answer.json["plan"], answer.json["plan_version"], answer.json["quantities"]) == ("pro", 1, {"seats": "7"})


def test_one_that_has_ended_tells_what_it_was_on_last() -> None:
    subscribe(make_customer("acme"), "team", external_id="sub")
    caller = Caller()
    caller.post("/subscriptions/sub/quantities", {"charge": "seats", "quantity": "9", "when": "2026-02-08T00:00:00Z"})
    caller.post("/subscriptions/sub/end", {"ends_at": "2026-02-09T00:00:00Z"})

    answer = caller.get("/subscriptions/sub")

    assert (answer.json["state"], answer.json["ended_on"], answer.json["quantities"]) == ("ended", "2026-02-09", {"seats": "9"})


def test_a_longer_list_costs_no_more_queries() -> None:
    caller = Caller("read", "write")

    def full(name: str) -> None:
        subscribe(make_customer(name), "team", external_id=name)
        caller.post(f"/subscriptions/{name}/quantities", {"charge": "seats", "quantity": "9", "when": "now"})
        caller.post(f"/subscriptions/{name}/add-ons", {"add_on": "support", "when": "now"})
        caller.post(f"/subscriptions/{name}/change-plan", {"plan": "pro", "when": "period_end"})

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert caller.get("/subscriptions").status == 200
        return len(captured)

    full("first")
    caller.get("/subscriptions")  # the key's last use is written now, and not within the minute
    one = queries()
    for number in range(4):
        full(f"more-{number}")

    assert queries() == one


def test_superseded_periods_are_left_out() -> None:
    subscribe(make_customer("acme"), "team", external_id="sub")
    BillingPeriod.objects.filter(index=1).update(superseded_at="2026-02-01T00:00:00Z")

    assert [period["index"] for period in Caller().get("/subscriptions/sub/periods").json["items"]] == [0]


def test_one_that_has_not_begun_is_withdrawn_without_a_trace_but_the_audit() -> None:
    make_customer("acme")
    caller = Caller()
    caller.get("/plans")
    before = row_counts()
    body = _body(starts_at="2026-02-11T00:00:00Z", quantities={"seats": "5"}, ends_at="2026-06-01T00:00:00Z")
    caller.post("/subscriptions", body)

    assert caller.delete("/subscriptions/sub").status == 204
    assert caller.delete("/subscriptions/sub").status == 404
    assert row_counts() == before | {"customers_auditevent": before["customers_auditevent"] + 2}
    assert AuditEvent.objects.filter(object_id="sub").order_by("pk").last() is not None
    assert caller.post("/subscriptions", body).status == 201  # its name and its days are free


def test_one_that_has_begun_is_not_withdrawn() -> None:
    subscribe(make_customer("acme"), "team", "2026-02-10", external_id="begun")
    subscribe(make_customer("bolt"), "team", "2026-02-11", external_id="billed")
    bill("2026-03-01")
    caller = Caller()
    before = row_counts()

    for name in ("begun", "billed"):
        answer = caller.delete(f"/subscriptions/{name}")
        assert (answer.status, answer.json["errors"][0]["code"]) == (409, "has_begun")
    assert row_counts() == before
    assert SubscriptionClaim.objects.count() == 2
