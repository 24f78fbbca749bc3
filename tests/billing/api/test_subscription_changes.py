"""The life of a subscription over HTTP: what each operation does, that it can be sent again, and what it refuses."""

from typing import Any

import pytest

from billing.models import SubscriptionChange
from customers.models import AuditEvent
from tests.billing.api.calling import Answer, Caller
from tests.billing.api.plans_by_seat import TEAM
from tests.billing.builders import bill, make_catalog, make_customer, row_counts, subscribe

pytestmark = pytest.mark.django_db
SUB = "/subscriptions/sub"


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    make_catalog(TEAM)


def _team(**fields: Any) -> None:
    subscribe(make_customer("acme"), "team", external_id="sub", **fields)


def _codes(answer: Answer) -> tuple[int, str, str | None]:
    [error] = answer.json["errors"]
    return answer.status, error.get("field", ""), error.get("code")


def test_a_plan_changes_at_the_end_of_the_period_with_its_quantities() -> None:
    _team()
    body = {"plan": "pro", "when": "period_end", "quantities": {"seats": "3.5"}}
    caller = Caller()

    answer = caller.post(f"{SUB}/change-plan", body)
    before = row_counts()
    again = caller.post(f"{SUB}/change-plan", body)

    assert answer.status == again.status == 200
    assert (answer.json["plan"], answer.json["quantities"]) == ("team", {"seats": "2"})
    assert [
        (change["kind"], change["effective_on"], change["plan"], change["quantity"]) for change in answer.json["planned"]
    ] == [
        ("plan", "2026-03-01", "pro", None),
        ("quantity", "2026-03-01", None, "3.5"),
    ]
    assert again.json == answer.json
    assert row_counts() == before
    assert AuditEvent.objects.get(action="subscription.plan_changed").actor_kind == "api_key"


def test_a_plan_changes_now_and_the_period_is_cut() -> None:
    _team()

    answer = Caller().post(f"{SUB}/change-plan", {"plan": "pro", "when": "now"})

    assert (answer.json["plan"], answer.json["quantities"], answer.json["planned"]) == ("pro", {"seats": "1"}, [])
    periods = Caller().get(f"{SUB}/periods").json["items"]
    assert [(period["plan"], period["first_day"], period["last_day"]) for period in periods] == [
        ("pro", "2026-02-10", "2026-02-28"),
        ("team", "2026-02-01", "2026-02-09"),
        ("team", "2026-01-01", "2026-01-31"),
    ]


def test_quantities_change_on_the_local_day_of_the_customer() -> None:
    subscribe(make_customer("acme", timezone="Asia/Tokyo"), "team", "2025-12-31T15:00:00Z", external_id="sub")
    body = {"charge": "seats", "quantity": "12", "when": "2026-02-19T15:00:00Z"}  # midnight in Tokyo
    caller = Caller()

    answer = caller.post(f"{SUB}/quantities", body)
    before = row_counts()
    again = caller.post(f"{SUB}/quantities", body)

    assert answer.json["quantities"] == {"seats": "2"}
    assert [(change["effective_on"], change["charge"], change["quantity"]) for change in answer.json["planned"]] == [
        ("2026-02-20", "seats", "12")
    ]
    assert again.json == answer.json
    assert row_counts() == before
    assert caller.post(f"{SUB}/quantities", body | {"when": "now", "quantity": 0}).json["quantities"] == {"seats": "0"}


def test_add_ons_come_and_go() -> None:
    _team()
    caller = Caller()

    put = caller.post(f"{SUB}/add-ons", {"add_on": "support", "when": "now"})
    before = row_counts()
    again = caller.post(f"{SUB}/add-ons", {"add_on": "support", "when": "now"})
    more = caller.post(f"{SUB}/add-ons", {"add_on": "support", "when": "now", "quantity": "2", "code": "night shift"})
    off = caller.post(f"{SUB}/add-ons", {"add_on": "support", "when": "period_end", "quantity": "0"})

    support = {"code": "support", "add_on": "support", "quantity": "1"}
    assert put.json["add_ons"] == again.json["add_ons"] == [support]
    assert more.json["add_ons"] == off.json["add_ons"] == [support, {"code": "night shift", "add_on": "support", "quantity": "2"}]
    assert [(change["add_on"], change["quantity"]) for change in off.json["planned"]] == [("support", "0")]
    assert row_counts() == before | {
        "billing_subscriptionchange": before["billing_subscriptionchange"] + 2,
        "customers_auditevent": before["customers_auditevent"] + 2,
    }


def test_an_add_on_that_is_charged_once_is_put_on_once_under_a_name() -> None:
    _team()
    caller = Caller()
    caller.post(f"{SUB}/add-ons", {"add_on": "setup", "when": "now"})
    before = row_counts()

    again = caller.post(f"{SUB}/add-ons", {"add_on": "setup", "when": "now"})

    assert _codes(again) == (409, "code", "charged_once")
    assert row_counts() == before
    assert caller.post(f"{SUB}/add-ons", {"add_on": "setup", "when": "now", "code": "second"}).status == 200


def test_a_subscription_is_paused_and_resumed_and_each_can_be_sent_again() -> None:
    _team()
    caller = Caller()

    paused = caller.post(f"{SUB}/pause", {"when": "now"})
    before = row_counts()
    assert caller.post(f"{SUB}/pause", {"when": "now"}).json == paused.json
    assert row_counts() == before
    resumed = caller.post(f"{SUB}/resume", {"when": "2026-02-20T00:00:00Z"})
    before = row_counts()
    again = caller.post(f"{SUB}/resume", {"when": "2026-02-20T00:00:00Z"})

    assert (paused.json["state"], paused.json["active"]) == ("paused", True)
    assert [(change["kind"], change["effective_on"]) for change in resumed.json["planned"]] == [("resume", "2026-02-20")]
    assert again.json == resumed.json
    assert row_counts() == before
    kinds = [(period["kind"], period["first_day"]) for period in caller.get(f"{SUB}/periods").json["items"]]
    assert kinds == [("paused", "2026-02-10"), ("regular", "2026-02-01"), ("regular", "2026-01-01")]


def test_what_is_decided_for_later_does_not_make_a_retry_write() -> None:
    _team()
    caller = Caller()
    for operation, first, later in (
        ("quantities", {"charge": "seats", "quantity": "4"}, {"charge": "seats", "quantity": "5"}),
        ("add-ons", {"add_on": "support"}, {"add_on": "support", "quantity": "2"}),
        ("change-plan", {"plan": "pro"}, {"plan": "team"}),
        ("resume", {}, None),  # of a pause from the same day
    ):
        if later is None:
            caller.post(f"{SUB}/pause", {"when": "2026-02-12T00:00:00Z"})
        else:
            caller.post(f"{SUB}/{operation}", later | {"when": "2026-02-20T00:00:00Z"})
        done = caller.post(f"{SUB}/{operation}", first | {"when": "2026-02-12T00:00:00Z"})
        before = row_counts()

        assert done.status == 200
        assert caller.post(f"{SUB}/{operation}", first | {"when": "2026-02-12T00:00:00Z"}).json == done.json
        assert row_counts() == before


def test_a_subscription_ends_with_its_period_and_the_end_is_undone() -> None:
    _team()
    caller = Caller()

    ended = caller.post(f"{SUB}/end", {"ends_at": "period_end"})
    before = row_counts()
    again = caller.post(f"{SUB}/end", {"ends_at": "period_end"})
    assert (ended.json["ended_on"], ended.json["state"]) == ("2026-03-01", "active")
    assert again.json == ended.json
    assert row_counts() == before

    [planned] = ended.json["planned"]
    undone = caller.post(f"{SUB}/changes/{planned['id']}/undo")
    before = row_counts()
    undone_again = caller.post(f"{SUB}/changes/{planned['id']}/undo")

    assert (undone.json["ended_on"], undone.json["planned"]) == (None, [])
    assert undone_again.json == undone.json
    assert row_counts() == before


def test_changes_are_listed_newest_first_with_what_has_become_of_them() -> None:
    _team(trial_days=3)
    caller = Caller()
    caller.post(f"{SUB}/quantities", {"charge": "seats", "quantity": "4", "when": "2026-02-01T00:00:00Z"})
    caller.post(f"{SUB}/add-ons", {"add_on": "support", "when": "2026-04-01T00:00:00Z", "code": "help"})
    caller.post(f"{SUB}/change-plan", {"plan": "pro", "when": "period_end"})
    plan_change = caller.get(f"{SUB}/changes").json["items"][0]
    caller.post(f"{SUB}/end", {"ends_at": "2026-04-01T00:00:00Z"})
    caller.post(f"{SUB}/changes/{plan_change['id']}/undo")

    items = caller.get(f"{SUB}/changes").json["items"]

    assert [(item["kind"], item["effective_on"], item["state"]) for item in items] == [
        ("end", "2026-04-01", "planned"),
        ("plan", "2026-03-01", "undone"),
        ("add_on", "2026-04-01", "without effect"),
        ("quantity", "2026-02-01", "in effect"),
        ("start", "2026-01-01", "in effect"),
    ]
    assert (items[1]["plan"], items[1]["version"], items[1]["undone_at"]) == ("pro", 1, "2026-02-10T12:00:00Z")
    assert (items[2]["plan"], items[2]["add_on"], items[2]["code"], items[2]["quantity"]) == (None, "support", "help", "1")
    assert (items[3]["charge"], items[3]["quantity"], items[3]["add_on"]) == ("seats", "4", None)
    assert items[4] == {
        "id": items[4]["id"],
        "kind": "start",
        "effective_on": "2026-01-01",
        "plan": "team",
        "version": 1,
        "charge": None,
        "add_on": None,
        "code": None,
        "quantity": None,
        "trial_ends_on": "2026-01-04",
        "actor": "tests",
        "recorded_at": "2026-01-01T00:00:00Z",
        "undone_at": None,
        "state": "in effect",
    }
    first = caller.get(f"{SUB}/changes?limit=2").json
    rest = caller.get(f"{SUB}/changes?cursor={first['nextCursor']}").json
    assert [item["id"] for item in (*first["items"], *rest["items"])] == [item["id"] for item in items]
    assert caller.get(f"{SUB}/changes?kind=plan").told == [("kind", "There is no such parameter.")]


NOW: dict[str, Any] = {"when": "now"}
REFUSALS: list[tuple[str, Any, int, str, str | None]] = [
    ("change-plan", NOW | {"plan": "none"}, 400, "plan", "plan_not_found"),
    ("change-plan", NOW | {"plan": "dollars"}, 400, "plan", "currency_mismatch"),
    ("change-plan", NOW | {"plan": "support"}, 400, "plan", "not_a_plan"),
    ("change-plan", NOW | {"plan": "pro", "quantities": {"cars": "1"}}, 400, "quantities.cars", "charge_not_found"),
    ("change-plan", NOW | {"plan": "pro", "quantities": {"seats": "-1"}}, 400, "quantities.seats", None),
    ("change-plan", NOW | {"plan": "pro", "quantities": {"seats": 1.5}}, 200, "", None),  # exact: no double was made of it
    ("change-plan", NOW | {"plan": "pro", "quantities": ["seats"]}, 400, "quantities", None),
    ("change-plan", {"plan": "pro", "when": "2025-12-01T00:00:00Z"}, 409, "when", "not_running"),
    ("change-plan", {"plan": "pro", "when": "2026-01-15T00:00:00Z"}, 409, "when", "period_billed"),
    ("change-plan", {"plan": "pro"}, 400, "when", None),
    ("change-plan", {"plan": "pro", "when": "soon"}, 400, "when", None),
    ("change-plan", {"plan": "pro", "when": "2026-03-01"}, 400, "when", None),
    ("change-plan", {"plan": "pro", "when": None}, 400, "when", None),
    ("change-plan", {"plan": "pro", "when": "1999-03-01T00:00:00Z"}, 400, "when", None),
    ("change-plan", NOW | {"plan": "pro", "seats": "1"}, 400, "seats", None),
    ("change-plan", [], 400, "", None),
    ("quantities", NOW | {"charge": "cars", "quantity": "1"}, 400, "charge", "charge_not_found"),
    ("quantities", NOW | {"charge": "platform", "quantity": "1"}, 400, "charge", "charge_not_found"),
    ("quantities", NOW | {"charge": "seats", "quantity": "many"}, 400, "quantity", None),
    ("quantities", NOW | {"charge": "seats", "quantity": True}, 400, "quantity", None),
    ("quantities", NOW | {"charge": "seats", "quantity": "1e3"}, 400, "quantity", None),
    ("quantities", NOW | {"charge": "seats", "quantity": "1000000000000000"}, 400, "quantity", None),
    ("quantities", NOW | {"charge": "seats", "quantity": "0.0000000000001"}, 400, "quantity", None),
    ("quantities", NOW | {"charge": "seats", "quantity": None}, 400, "quantity", None),
    ("add-ons", NOW | {"add_on": "none"}, 400, "add_on", "plan_not_found"),
    ("add-ons", NOW | {"add_on": "pro"}, 400, "add_on", "not_a_plan"),
    ("add-ons", NOW | {"add_on": "advice"}, 409, "add_on", "add_on_does_not_fit"),
    ("add-ons", NOW | {"add_on": "support", "code": ":one"}, 400, "code", "code_unusable"),
    ("add-ons", NOW | {"add_on": "support", "quantity": "-1"}, 400, "quantity", None),
    ("pause", {"when": "2025-12-01T00:00:00Z"}, 409, "when", "not_running"),
    ("pause", {"when": "2026-01-15T00:00:00Z"}, 409, "when", "period_billed"),
    ("pause", None, 400, "when", None),
    ("resume", NOW, 409, "when", "does_not_fit"),
    ("end", {"ends_at": "now"}, 400, "ends_at", None),
    ("end", {"when": "period_end"}, 400, "when", None),
    ("end", {"ends_at": "2026-01-01T00:00:00Z"}, 400, "ends_at", "ends_before_start"),
    ("changes/999999/undo", None, 404, "", None),
    ("changes/99999999999999999999999/undo", None, 404, "", None),
]


@pytest.mark.parametrize("query", ["", "?preview=true"])
@pytest.mark.parametrize(("operation", "body", "status", "field", "code"), REFUSALS)
def test_a_refusal_names_the_member_and_writes_nothing(
    operation: str, body: Any, status: int, field: str, code: str | None, query: str
) -> None:
    _team()
    bill("2026-02-01")
    caller = Caller()
    before = row_counts()

    answer = caller.post(f"{SUB}/{operation}{query}", body)

    assert answer.status == status
    if status == 200:
        return
    [error, *_others] = answer.json.get("errors") or [{}]
    assert (error.get("field", ""), error.get("code")) == (field, code)
    assert row_counts() == before


def test_what_has_ended_or_taken_effect_stays_as_it_is() -> None:
    _team(ends="2026-02-01")
    start, end = SubscriptionChange.objects.order_by("pk")
    caller = Caller()
    before = row_counts()

    for operation, body in (
        ("change-plan", NOW | {"plan": "pro"}),
        ("quantities", NOW | {"charge": "seats", "quantity": "1"}),
        ("add-ons", NOW | {"add_on": "support"}),
        ("pause", NOW),
        ("resume", NOW),
        ("end", {"ends_at": "period_end"}),
        (f"changes/{end.pk}/undo", None),
    ):
        assert _codes(caller.post(f"{SUB}/{operation}", body)) == (409, "ends_at", "ended_already")
    assert row_counts() == before
    subscribe(make_customer("bolt"), "team", external_id="running")
    [start] = SubscriptionChange.objects.filter(subscription__external_id="running")
    assert _codes(caller.post(f"/subscriptions/running/changes/{start.pk}/undo")) == (409, "change", "change_not_found")
    assert caller.post(f"{SUB}/changes/{start.pk}/undo").status == 404  # it is of another subscription


def test_a_narrowed_key_changes_what_is_its_customers_alone() -> None:
    acme, bolt = make_customer("acme"), make_customer("bolt")
    subscribe(acme, "team", external_id="ours")
    subscribe(bolt, "team", external_id="theirs", ends="2026-06-01")
    narrowed, reader = Caller.narrowed_to(acme), Caller("read")
    end = SubscriptionChange.objects.get(kind="end")
    operations: list[tuple[str, Any]] = [
        ("change-plan", NOW | {"plan": "pro"}),
        ("quantities", NOW | {"charge": "seats", "quantity": "9"}),
        ("add-ons", NOW | {"add_on": "support"}),
        ("pause", NOW),
        ("resume", NOW),
        ("end", {"ends_at": "period_end"}),
        (f"changes/{end.pk}/undo", None),
    ]
    before = row_counts()

    for operation, body in operations:
        for query in ("", "?preview=true"):
            assert narrowed.post(f"/subscriptions/theirs/{operation}{query}", body).status == 404
            assert reader.post(f"/subscriptions/theirs/{operation}{query}", body).status == 403
    assert narrowed.get("/subscriptions/theirs/changes").status == 404
    assert narrowed.delete("/subscriptions/theirs").status == 404
    assert narrowed.post(f"/subscriptions/ours/changes/{end.pk}/undo").status == 404
    assert reader.delete("/subscriptions/theirs").status == 403
    assert row_counts() == before
    assert narrowed.post("/subscriptions/ours/quantities", NOW | {"charge": "seats", "quantity": "9"}).status == 200
