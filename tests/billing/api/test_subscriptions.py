from typing import Any

import pytest

from billing.models import Subscription
from customers.models import AuditEvent
from customers.services import archive_customer
from tests.billing.api.calling import Caller
from tests.billing.builders import ACTOR, CALLS, NOW, bill, invoices, make_catalog, make_customer, row_counts, subscribe

pytestmark = pytest.mark.django_db
_OTHER_PLAN = """
plans:
  - {code: seats, name: Seats, currency: EUR, charges: [{code: seat, model: flat, amount: "5", billed: in_advance}]}
  - {code: dollars, name: Dollars, currency: USD, charges: [{code: fee, model: flat, amount: "5"}]}
"""

_SAME_METER = """
plans:
  - {code: rival, currency: EUR, charges: [{code: calls, meter: calls, model: per_unit, unit_amount: "1"}]}
"""


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    make_catalog(CALLS)
    make_catalog(_OTHER_PLAN)


def _body(**members: Any) -> dict[str, Any]:
    return {"customer": "acme", "plan": "basic", "starts_at": "2026-01-01T00:00:00+01:00", **members}


def test_a_subscription_starts_on_the_local_day_of_the_customer() -> None:
    make_customer("acme", timezone="Europe/Berlin")

    answer = Caller().post("/subscriptions", _body())

    assert answer.status == 201
    assert answer.json == {
        "external_id": "acme:basic:2026-01-01",
        "customer": "acme",
        "plan": "basic",
        "plan_version": 1,
        "state": "active",
        "active": True,
        "started_on": "2026-01-01",
        "ended_on": None,
        "starts_at": "2025-12-31T23:00:00Z",  # midnight in Berlin
        "ends_at": None,
        "trial_ends_on": None,
        "quantities": {},
        "add_ons": [],
        "planned": [],
        "created_at": "2026-02-10T12:00:00Z",
    }
    assert AuditEvent.objects.get(action="subscription.started").actor_kind == "api_key"


def test_a_subscription_is_found_by_an_external_id_with_slashes() -> None:
    make_customer("acme/eu", email="")
    caller = Caller()
    caller.post("/subscriptions", _body(customer="acme/eu", external_id="acme/eu/2026"))

    assert caller.get("/subscriptions/acme/eu/2026").json["customer"] == "acme/eu"
    assert [period["index"] for period in caller.get("/subscriptions/acme/eu/2026/periods").json["items"]] == [2, 1, 0]
    assert caller.get("/subscriptions/acme/eu").status == 404
    assert caller.get("/subscriptions/no%00ne").status == 404


def test_subscriptions_are_listed_newest_first_and_filtered() -> None:
    acme, bolt = make_customer("acme"), make_customer("bolt")
    subscribe(acme, "basic", "2026-01-01", ends="2026-02-01", external_id="over")
    subscribe(acme, "seats", "2026-01-01", external_id="running")
    subscribe(bolt, "basic", "2026-03-01", external_id="coming")
    caller = Caller("read")

    def listed(query: str = "") -> list[str]:
        return [item["external_id"] for item in caller.get(f"/subscriptions{query}").json["items"]]

    assert listed() == ["coming", "running", "over"]
    assert listed("?active=true") == ["running"]
    assert listed("?active=false") == ["coming", "over"]
    assert listed("?customer=acme") == ["running", "over"]
    assert listed("?plan=basic&customer=bolt") == ["coming"]
    assert listed("?customer=") == listed("?plan=") == []  # nobody is meant, not everybody
    assert caller.get("/subscriptions?active=perhaps").status == 400
    assert caller.get("/subscriptions?customr=acme").told == [("customr", "There is no such parameter.")]


@pytest.mark.parametrize(
    ("body", "status", "field", "code"),
    [
        (_body(plan="none"), 400, "plan", "plan_not_found"),
        (_body(plan="dollars"), 400, "plan", "currency_mismatch"),
        (_body(ends_at="2025-12-31T23:30:00Z"), 400, "ends_at", "ends_before_start"),
        (_body(external_id="a\tb"), 400, "external_id", "external_id_unusable"),
        (_body(external_id="taken"), 409, "external_id", "external_id_taken"),
        (_body(customer="bolt", starts_at="2026-01-15T00:00:00Z"), 409, "plan", "overlaps"),
        (_body(customer="archived"), 409, "customer", "customer_archived"),
        (_body(starts_at="2026-01-01"), 400, "starts_at", None),
        (_body(starts_at="2026-01-01T00:00:00"), 400, "starts_at", None),
        (_body(starts_at="0001-01-01T00:00:00Z"), 400, "starts_at", None),
        (_body(starts_at="9999-12-31T23:00:00-05:00"), 400, "starts_at", None),
        (_body(starts_at=1767225600), 400, "starts_at", None),
        (_body(seats=5), 400, "seats", None),
        ({"customer": "acme", "plan": "basic"}, 400, "starts_at", None),
        (_body(customer="nobody"), 404, "customer", None),
        ([], 400, "", None),
    ],
)
def test_a_refused_subscription_names_the_member_and_writes_nothing(body: Any, status: int, field: str, code: str | None) -> None:
    make_customer("acme")
    bolt = make_customer("bolt")
    subscribe(bolt, external_id="taken")
    caller = Caller()
    archive_customer(customer_id=make_customer("archived").pk, actor=ACTOR, now=NOW)
    before = row_counts()

    answer = caller.post("/subscriptions", body)

    assert answer.status == status
    assert (answer.json["errors"][0].get("field", ""), answer.json["errors"][0].get("code")) == (field, code)
    assert row_counts() == before


def test_a_second_plan_on_the_same_meter_is_refused() -> None:
    make_catalog(_SAME_METER)
    subscribe(make_customer("acme"))
    caller = Caller()
    before = row_counts()

    answer = caller.post("/subscriptions", _body(plan="rival"))

    assert answer.status == 409
    assert answer.json["errors"][0]["code"] == "meter_taken"
    assert row_counts() == before


def test_ending_cuts_the_period_and_is_refused_once_billed() -> None:
    subscribe(make_customer("acme"), external_id="sub")
    caller = Caller()

    ended = caller.post("/subscriptions/sub/end", {"ends_at": "2026-02-20T15:00:00Z"})

    assert ended.status == 200
    assert (ended.json["ended_on"], ended.json["ends_at"]) == ("2026-02-20", "2026-02-20T00:00:00Z")
    bill("2026-02-01")
    before = row_counts()
    refused = caller.post("/subscriptions/sub/end", {"ends_at": "2026-01-15T00:00:00Z"})
    later = caller.post("/subscriptions/sub/end", {"ends_at": "2026-03-15T00:00:00Z"})
    unknown = caller.post("/subscriptions/sub/end", {"ends_at": "2026-02-20T00:00:00Z", "why": "x"})
    assert (refused.status, refused.json["errors"][0]["code"]) == (409, "period_billed")
    assert (later.status, later.json["errors"][0]["code"]) == (409, "ends_later")
    assert (unknown.status, unknown.told) == (400, [("why", "There is no such member.")])
    assert row_counts() == before
    assert Subscription.objects.get().ended_on is not None


def test_periods_say_what_bills_them() -> None:
    subscribe(make_customer("acme"), "seats", external_id="sub")
    bill("2026-02-01")
    [january, february] = invoices()

    periods = Caller("read").get("/subscriptions/sub/periods?limit=2").json["items"]

    assert periods == [
        {
            "index": 1,
            "kind": "regular",
            "plan": "seats",
            "plan_version": 1,
            "first_day": "2026-02-01",
            "last_day": "2026-02-28",
            "starts_at": "2026-02-01T00:00:00Z",
            "ends_at": "2026-03-01T00:00:00Z",
            "bills_in_advance": True,
            "advance_billed_at": "2026-02-01T00:00:00Z",
            "advance_invoice": str(february.public_id),
            "arrears_billed_at": None,
            "arrears_invoice": None,
            "parked_at": None,
        },
        {
            "index": 0,
            "kind": "regular",
            "plan": "seats",
            "plan_version": 1,
            "first_day": "2026-01-01",
            "last_day": "2026-01-31",
            "starts_at": "2026-01-01T00:00:00Z",
            "ends_at": "2026-02-01T00:00:00Z",
            "bills_in_advance": True,
            "advance_billed_at": "2026-02-01T00:00:00Z",
            "advance_invoice": str(january.public_id),
            # Its end shares the invoice of February's fee.
            "arrears_billed_at": "2026-02-01T00:00:00Z",
            "arrears_invoice": str(february.public_id),
            "parked_at": None,
        },
    ]


def test_a_narrowed_key_knows_of_its_customer_alone() -> None:
    acme, bolt = make_customer("acme"), make_customer("bolt")
    subscribe(bolt, external_id="theirs")
    narrowed = Caller.narrowed_to(acme)
    before = row_counts()

    assert narrowed.get("/subscriptions").json["items"] == []
    assert narrowed.get("/subscriptions?customer=bolt").json["items"] == []
    assert narrowed.get("/subscriptions/theirs").status == 404
    assert narrowed.get("/subscriptions/theirs/periods").status == 404
    assert narrowed.post("/subscriptions/theirs/end", {"ends_at": "2026-03-01T00:00:00Z"}).status == 404
    assert narrowed.post("/subscriptions", _body(customer="bolt", plan="seats")).status == 404
    assert row_counts() == before
    assert narrowed.post("/subscriptions", _body()).status == 201


def test_scopes_are_needed() -> None:
    subscribe(make_customer("acme"), external_id="sub")
    reader, writer = Caller("read"), Caller("write")
    before = row_counts()

    assert reader.post("/subscriptions", _body(plan="seats")).status == 403
    assert reader.post("/subscriptions/sub/end", {"ends_at": "2026-03-01T00:00:00Z"}).status == 403
    assert writer.get("/subscriptions").status == 403
    after = row_counts()
    assert after["billing_subscription"] == before["billing_subscription"]
    assert Subscription.objects.get().ends_at is None
