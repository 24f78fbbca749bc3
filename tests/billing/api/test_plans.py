import threading
from contextlib import suppress

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.api.examples import PLAN_BODY
from billing.catalog import apply
from billing.catalog.document import PlanSpec
from billing.models import Charge, Plan, PlanVersion, Subscription
from customers.models import AuditEvent
from tests.billing.api.calling import Caller
from tests.billing.builders import NOW, make_catalog, make_customer, row_counts, subscribe
from tests.usage.builders import in_threads

pytestmark = pytest.mark.django_db
_FEE = {"currency": "EUR", "charges": [{"code": "fee", "model": "flat", "amount": "10"}]}
_BASIC = {
    "kind": "plan",
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
    "customer": None,
    "version": 1,
    "status": "published",
    "derived_from": None,
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
    assert "fee: 10 → 12" in refused.json["detail"]
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
        ({**_FEE, "interval": "once"}, "interval", "only an add-on is charged once"),
        ({**_FEE, "interval_count": 0}, "interval_count", "from 1 to 100"),
        ({**_FEE, "billing_day": 31, "interval": "weekly"}, "billing_day", "leave it at 1"),
        ({**_FEE, "trial_days": 731}, "trial_days", "from 0 to 730"),
        ({**_FEE, "customer": "nobody"}, "customer", "there is no customer nobody"),
        (
            {**_FEE, "charges": [{"code": "seats", "model": "per_unit", "unit_amount": "1"}]},
            "charges[0].meter",
            "default_quantity to price seats",
        ),
        ({**_FEE, "kind": "add_on", "trial_days": 1}, "trial_days", "an add-on follows the plan"),
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


def test_a_plan_that_is_sold_in_several_currencies_is_asked_for_by_currency() -> None:
    caller = Caller()
    caller.put("/plans/fee", _FEE)

    dollars = caller.put("/plans/fee", {**_FEE, "currency": "USD"})

    assert (dollars.status, dollars.json["version"]) == (201, 2)
    assert [(plan["currency"], plan["version"]) for plan in caller.get("/plans").json["items"]] == [("EUR", 1), ("USD", 2)]
    assert [plan["version"] for plan in caller.get("/plans?currency=USD").json["items"]] == [2]
    assert caller.get("/plans/fee?currency=USD").json["version"] == 2
    assert caller.get("/plans/fee?currency=JPY").status == 404
    asked = caller.get("/plans/fee")
    assert (asked.status, asked.told) == (400, [("currency", "There is one in each of EUR, USD: say which.")])


def test_an_add_on_is_a_kind_of_its_own_for_good() -> None:
    caller = Caller()
    setup = {**_FEE, "kind": "add_on", "interval": "once"}

    created = caller.put("/plans/setup", setup)
    caller.put("/plans/fee", _FEE)
    before = row_counts()

    assert (created.status, created.json["kind"], created.json["interval"]) == (201, "add_on", "once")
    assert [plan["code"] for plan in caller.get("/plans?kind=add_on").json["items"]] == ["setup"]
    assert [plan["code"] for plan in caller.get("/plans?kind=plan").json["items"]] == ["fee"]
    assert caller.put("/plans/setup", {**_FEE, "interval": "once"}).status == 200  # the kind is known
    refused = caller.put("/plans/setup", {**_FEE, "kind": "plan"})
    assert (refused.status, refused.told) == (409, [("code", "setup is the code of an add-on: give the plan another")])
    assert caller.put("/plans/fee", {**_FEE, "kind": "offer"}).told == [("kind", "Write plan or add_on.")]
    assert caller.get("/plans?kind=offer").told == [("kind", "Write plan or add_on.")]
    assert row_counts() == before


def test_a_customers_own_version_is_published_and_found_by_its_customer() -> None:
    make_customer("acme")
    caller = Caller()
    caller.put("/plans/fee", {**_FEE, "name": "Fee"})
    own = {**_FEE, "customer": "acme", "charges": [{"code": "fee", "model": "flat", "amount": "8"}]}

    created = caller.put("/plans/fee", own)

    assert (created.status, created.json["version"], created.json["customer"], created.json["name"]) == (201, 2, "acme", "Fee")
    assert [plan["version"] for plan in caller.get("/plans").json["items"]] == [1]
    assert [plan["version"] for plan in caller.get("/plans?customer=acme").json["items"]] == [2]
    assert caller.get("/plans/fee").json["version"] == 1
    assert caller.get("/plans/fee?customer=acme").json["version"] == 2
    assert caller.get("/plans/fee?customer=other").status == 404
    before = row_counts()
    assert caller.put("/plans/fee", {**own, "customer": "other"}).told[0][0] == "customer"
    assert caller.put("/plans/fee", {**own, "currency": "USD"}).told[0][0] == "currency"
    assert caller.get("/plans/fee?currrency=EUR").status == 400
    assert caller.get("/plans?page=2").status == 400
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


def test_a_narrowed_key_sees_own_versions_of_its_customer_alone() -> None:
    acme, other = make_customer("acme"), make_customer("other")
    wide = Caller()
    for customer, amount in ((None, "10"), ("acme", "8"), ("other", "7")):
        charges = [{"code": "fee", "model": "flat", "amount": amount}]
        wide.put("/plans/fee", {**_FEE, "customer": customer, "charges": charges})
    wide.put("/plans/fee/draft", {**_FEE, "customer": "acme"})
    narrowed = Caller.narrowed_to(acme)
    before = row_counts()

    # Without a subscription the public version is not its business; its own is.
    assert [plan["customer"] for plan in narrowed.get("/plans").json["items"]] == ["acme"]
    assert narrowed.get("/plans/fee").json["charges"][0]["amount"] == "8"
    assert narrowed.get("/plans?customer=other").json["items"] == []
    assert narrowed.get("/plans/fee?customer=other").status == 404
    assert [version["version"] for version in narrowed.get("/plans/fee/versions").json["items"]] == [2]
    assert [narrowed.get(f"/plans/fee/versions/{number}").status for number in (1, 2, 3, 4)] == [404, 200, 404, 404]
    assert narrowed.get("/plans/fee/compare?from=2&to=3").status == 404

    plan = Plan.objects.get()
    Subscription.objects.create(
        customer=acme,
        plan=plan,
        plan_version=PlanVersion.objects.get(version=2),
        external_id="acme:fee",
        started_on=NOW,
        starts_at=NOW,
        created_at=NOW,
    )

    assert [plan["customer"] for plan in narrowed.get("/plans").json["items"]] == [None, "acme"]
    assert narrowed.get("/plans/fee").json["charges"][0]["amount"] == "8"
    assert [version["version"] for version in narrowed.get("/plans/fee/versions").json["items"]] == [2, 1]
    assert [narrowed.get(f"/plans/fee/versions/{number}").status for number in (1, 2, 3, 4)] == [200, 200, 404, 404]
    for call, path, body in (
        (narrowed.put, "/plans/fee/draft", _FEE),
        (narrowed.post, "/plans/fee/versions/2/publish", None),
        (narrowed.post, "/plans/fee/versions/2/archive", None),
        (narrowed.post, "/plans/fee/versions/1/derive", {"customer": "acme"}),
    ):
        assert call(path, body).status == 403
    assert narrowed.delete("/plans/fee/draft").status == 403
    assert row_counts() == before | {"billing_subscription": 1}
    assert [plan["customer"] for plan in Caller.narrowed_to(other).get("/plans").json["items"]] == ["other"]


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
