import threading
from contextlib import suppress

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.api.examples import PLAN_BODY
from billing.catalog import apply
from billing.catalog.document import PlanSpec
from billing.models import Charge, Plan, PlanVersion
from customers.models import AuditEvent
from tests.billing.api.calling import Caller
from tests.billing.builders import make_catalog, make_customer, row_counts, subscribe
from tests.usage.builders import in_threads

pytestmark = pytest.mark.django_db
_FEE = {"currency": "EUR", "charges": [{"code": "fee", "model": "flat", "amount": "10"}]}
_BASIC = {
    "code": "basic",
    "name": "Basic",
    "currency": "EUR",
    "interval": "monthly",
    "anchor": "calendar",
    "charges": [
        {"code": "fee", "name": "Platform fee", "model": "flat", "amount": "10"},
        {
            "code": "calls",
            "name": "Calls",
            "meter": "calls",
            "model": "graduated",
            "tiers": [{"up_to": "100", "unit_amount": "0"}, {"up_to": None, "unit_amount": "0.01"}],
        },
    ],
    "version": 1,
    "status": "published",
    "published_at": "2026-01-01T00:00:00Z",
}


def test_a_plan_has_the_members_of_the_catalogue_file() -> None:
    make_catalog()

    assert Caller("read").get("/plans/basic").json == _BASIC


def test_plans_are_listed_by_code_with_one_query_for_all_charges(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    make_catalog()
    caller = Caller()
    for code in ("zeta", "alpha"):
        caller.put(f"/plans/{code}", _FEE)

    with django_assert_max_num_queries(5):  # the key, its last use, the page, its versions, their charges
        listed = caller.get("/plans").json

    assert [plan["code"] for plan in listed["items"]] == ["alpha", "basic", "zeta"]
    first = caller.get("/plans?limit=2").json
    assert [plan["code"] for plan in caller.get(f"/plans?limit=2&cursor={first['nextCursor']}").json["items"]] == ["zeta"]


def test_a_new_plan_is_created_and_the_same_body_again_changes_nothing() -> None:
    make_catalog()
    caller = Caller()

    created = caller.put("/plans/scale", {**PLAN_BODY})
    before = row_counts()
    again = caller.put("/plans/scale", {**PLAN_BODY})

    assert (created.status, again.status) == (201, 200)
    assert created.json == again.json
    assert created.json["version"] == 1
    assert created.json["published_at"] == "2026-02-10T12:00:00Z"
    assert row_counts() == before
    assert AuditEvent.objects.get(action="plan.created", object_id="scale").actor_kind == "api_key"


def test_a_published_plan_changes_only_where_a_new_version_is_asked_for() -> None:
    caller = Caller()
    caller.put("/plans/fee", _FEE)
    dearer = {**_FEE, "charges": [{"code": "fee", "model": "flat", "amount": "12"}]}
    before = row_counts()

    refused = caller.put("/plans/fee", dearer)

    assert refused.status == 409
    assert refused.told == [("charges.fee.amount", "10 → 12")]
    assert "charges.fee.amount: 10 → 12" in refused.json["detail"]
    assert row_counts() == before

    published = caller.put("/plans/fee", {**dearer, "new_version": True})

    assert published.status == 200
    assert published.json["version"] == 2
    versions = caller.get("/plans/fee/versions").json["items"]
    assert [(v["version"], v["status"], v["charges"][0]["amount"]) for v in versions] == [
        (2, "published", "12"),
        (1, "archived", "10"),
    ]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ([], "", "object"),
        ({"charges": []}, "currency", "is missing"),
        ({**_FEE, "charges": []}, "charges", "at least one charge"),
        ({**_FEE, "currency": "EURO"}, "currency", "unknown currency"),
        ({**_FEE, "trial": "14"}, "trial", "unknown member"),
        ({**_FEE, "code": "other"}, "code", "The path says fee"),
        ({**_FEE, "new_version": "yes"}, "new_version", "true or false"),
        ({**_FEE, "interval": "daily"}, "interval", "weekly, monthly"),
        ({**_FEE, "minimum_commitment": "-1"}, "minimum_commitment", "zero or more"),
        ({**_FEE, "charges": [{"code": "fee", "model": "flat", "amount": "NaN"}]}, "charges[0].amount", "decimal string"),
        ({**_FEE, "charges": [{"code": "fee", "model": "flat", "price": "1"}]}, "charges[0]", ""),
        (
            {**_FEE, "charges": [{"code": "a", "meter": "calls", "model": "per_unit", "unit_amount": "1"}]},
            "charges.a.meter",
            "there is no meter calls",
        ),
        (
            {**_FEE, "charges": [{"code": "a", "meter": "m", "model": "volume", "tiers": [{"up_to": "5", "unit_amount": "1"}]}]},
            "charges[0].tiers",
            "",
        ),
    ],
)
def test_a_plan_that_cannot_be_read_names_the_member_and_writes_nothing(body: object, field: str, message: str) -> None:
    caller = Caller()
    before = row_counts()

    refused = caller.put("/plans/fee", body)

    assert refused.status == 400
    [(said_field, said_message)] = [(error.get("field", ""), error["message"]) for error in refused.json["errors"]]
    assert said_field.startswith(field)
    assert message in said_message
    assert row_counts() == before


def test_a_plan_keeps_its_currency() -> None:
    caller = Caller()
    caller.put("/plans/fee", _FEE)
    before = row_counts()

    refused = caller.put("/plans/fee", {**_FEE, "currency": "USD", "new_version": True})

    assert refused.status == 409
    assert refused.told[0][0] == "currency"
    assert row_counts() == before


def test_numbers_of_json_are_taken_to_the_last_digit() -> None:
    caller = Caller()

    answer = caller.put(
        "/plans/fee", '{"currency": "EUR", "charges": [{"code": "a", "model": "flat", "amount": 0.000000000001}]}'
    )

    assert answer.status == 201
    assert answer.json["charges"][0]["amount"] == "0.000000000001"


def test_a_narrowed_key_sees_the_plans_of_its_customer_and_changes_none() -> None:
    make_catalog()
    acme = make_customer("acme")
    subscribe(acme)
    Caller().put("/plans/secret-deal", _FEE)
    narrowed = Caller.narrowed_to(acme)
    before = row_counts()

    assert [plan["code"] for plan in narrowed.get("/plans").json["items"]] == ["basic"]
    assert narrowed.get("/plans/basic").status == 200
    assert narrowed.get("/plans/secret-deal").status == 404
    assert narrowed.get("/plans/secret-deal/versions").status == 404
    assert narrowed.put("/plans/basic", {**_FEE, "new_version": True}).status == 403
    assert narrowed.put("/plans/new", _FEE).status == 403
    assert row_counts() == before


def test_scopes_are_needed_and_unknown_plans_are_not_found() -> None:
    before = row_counts()

    assert Caller("read").put("/plans/fee", _FEE).status == 403
    assert Caller("write").get("/plans").status == 403
    assert Caller("read").get("/plans/none").status == 404
    assert Caller("read").get("/plans/no%00ne").status == 404
    assert row_counts()["billing_plan"] == before["billing_plan"]


@pytest.mark.django_db(transaction=True)
def test_two_different_first_publications_at_once_make_one_version(monkeypatch: pytest.MonkeyPatch) -> None:
    # Both look at what is published before either publishes, unless something makes one wait for the other.
    both_have_looked = threading.Barrier(2)

    def look(spec: PlanSpec) -> apply.Change:
        change = compare(spec)
        with suppress(threading.BrokenBarrierError):
            both_have_looked.wait(0.5)
        return change

    compare = apply._compare_plan
    monkeypatch.setattr(apply, "_compare_plan", look)
    callers = (Caller(), Caller())
    bodies = [{"currency": "EUR", "charges": [{"code": "fee", "model": "flat", "amount": amount}]} for amount in ("10", "12")]

    answers = in_threads(
        lambda: callers[0].put("/plans/fee", bodies[0]).status,
        lambda: callers[1].put("/plans/fee", bodies[1]).status,
    )

    assert sorted(map(str, answers)) == ["201", "409"]
    assert (Plan.objects.count(), PlanVersion.objects.count(), Charge.objects.count()) == (1, 1, 1)
