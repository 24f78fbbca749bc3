"""Drafts, versions and their comparison over HTTP: every refusal says why, and writes nothing."""

from typing import Any

import pytest

from billing.api.examples import DERIVE_BODY, PLAN_BODY
from billing.models import Plan, PlanVersion
from customers.models import AuditEvent
from tests.billing.api.calling import Answer, Caller
from tests.billing.builders import make_catalog, make_customer, row_counts

pytestmark = pytest.mark.django_db
NOW = "2026-02-10T12:00:00Z"  # as the tests of the API pin it


def fee(amount: str = "10", **members: Any) -> dict[str, Any]:
    charges = [{"code": "fee", "name": "Fee", "model": "flat", "amount": amount}]
    return {"name": "Fee", "currency": "EUR", "charges": charges, **members}


def standing(caller: Caller) -> list[tuple[int, str, str]]:
    """Each version as the API tells it: number, state, amount of the fee."""
    items = caller.get("/plans/fee/versions").json["items"]
    return [(item["version"], item["status"], item["charges"][0]["amount"]) for item in items]


def codes(answer: Answer) -> list[tuple[str | None, str]]:
    return [(error.get("code"), error["message"]) for error in answer.json["errors"]]


def test_a_draft_is_saved_changed_and_published() -> None:
    caller = Caller()
    caller.put("/plans/fee", fee("10"))

    saved = caller.put("/plans/fee/draft", fee("11"))
    changed = caller.put("/plans/fee/draft", fee("12", trial_days=14))

    assert (saved.status, saved.json["version"], saved.json["status"], saved.json["published_at"]) == (200, 2, "draft", None)
    assert (changed.json["version"], changed.json["trial_days"]) == (2, 14)
    assert caller.get("/plans/fee").json["version"] == 1
    before = row_counts()
    assert caller.put("/plans/fee/draft", fee("12", trial_days=14)).json == changed.json
    assert row_counts() == before

    published = caller.post("/plans/fee/versions/2/publish")

    assert (published.status, published.json["status"], published.json["published_at"]) == (200, "published", NOW)
    assert standing(caller) == [(2, "published", "12"), (1, "archived", "10")]
    assert AuditEvent.objects.get(action="plan.version_published").actor_kind == "api_key"


def test_what_is_no_draft_or_says_nothing_new_is_not_published() -> None:
    caller = Caller()
    caller.put("/plans/fee", fee("10"))
    caller.put("/plans/fee/draft", fee("10"))
    before = row_counts()

    same = caller.post("/plans/fee/versions/2/publish")
    published = caller.post("/plans/fee/versions/1/publish")

    assert (same.status, published.status) == (409, 409)
    assert codes(same) == [
        ("nothing_changed", "version 2 says the same as version 1, which is on sale: change it first, or discard it")
    ]
    assert codes(published) == [("not_a_draft", "version 1 is published, and never changes: save a new draft")]
    assert caller.post("/plans/fee/versions/9/publish").status == 404
    assert caller.post("/plans/none/versions/1/publish").status == 404
    assert caller.post("/plans/fee/versions/99999999999999999999/publish").status == 404
    assert row_counts() == before
    assert standing(caller) == [(2, "draft", "10"), (1, "published", "10")]


def test_a_draft_is_discarded_and_with_the_last_the_plan() -> None:
    caller = Caller()
    caller.put("/plans/fee/draft", fee("10"))
    caller.put("/plans/fee/draft", fee("12", currency="USD"))
    before = row_counts()

    asked = caller.delete("/plans/fee/draft")

    assert (asked.status, asked.told) == (400, [("currency", "There is one in each of EUR, USD: say which.")])
    assert caller.delete("/plans/fee/draft?currency=JPY").status == 404
    assert caller.delete("/plans/fee/draft?customer=acme").status == 404
    assert caller.delete("/plans/fee/draft?version=1").status == 400
    assert row_counts() == before
    assert caller.delete("/plans/fee/draft?currency=USD").status == 204
    assert standing(caller) == [(1, "draft", "10")]
    assert caller.delete("/plans/fee/draft").status == 204
    assert not Plan.objects.exists()
    assert caller.delete("/plans/fee/draft").status == 404


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ([], "", "object"),
        (fee(interval_count=101), "interval_count", "from 1 to 100"),
        (fee(new_version=True), "new_version", "unknown member"),
        (fee(customer="nobody"), "customer", "there is no customer nobody"),
        (fee(customer=5), "customer", "there is no customer 5"),
        (fee(kind="coupon"), "kind", "Write plan or add_on."),
        (fee(code="other"), "code", "The path says fee"),
        (fee(charges=[{"code": "a", "meter": "m", "model": "flat", "amount": "1"}]), "charges.a.meter", "there is no meter m"),
    ],
)
def test_a_draft_that_cannot_be_read_names_the_member_and_writes_nothing(body: object, field: str, message: str) -> None:
    caller = Caller()
    before = row_counts()

    refused = caller.put("/plans/fee/draft", body)

    assert refused.status == 400
    [(said_field, said_message)] = refused.told
    assert said_field == field
    assert message in said_message
    assert row_counts() == before


def test_a_draft_of_the_other_kind_or_with_another_name_is_refused() -> None:
    caller = Caller()
    caller.put("/plans/fee", fee())
    before = row_counts()

    other_kind = caller.put("/plans/fee/draft", fee(kind="add_on"))
    other_name = caller.put("/plans/fee/draft", fee(name="Other"))

    assert (other_kind.status, other_kind.told) == (409, [("code", "fee is the code of a plan: give the add-on another")])
    assert (other_name.status, other_name.told[0][0]) == (400, "name")
    assert row_counts() == before


def test_an_archived_version_is_not_on_sale() -> None:
    caller = Caller()
    caller.put("/plans/fee", fee())

    archived = caller.post("/plans/fee/versions/1/archive")
    before = row_counts()

    assert (archived.status, archived.json["status"]) == (200, "archived")
    assert caller.get("/plans/fee").status == 404
    assert caller.get("/plans").json["items"] == []
    assert caller.get("/plans/fee/versions/1").json == archived.json
    again = caller.post("/plans/fee/versions/1/archive")
    assert (again.status, codes(again)) == (409, [("not_published", "version 1 is archived already")])
    assert row_counts() == before
    assert caller.put("/plans/fee", fee()).json["version"] == 2


def test_a_customers_own_version_is_derived_changed_and_published() -> None:
    make_catalog("meters: [{code: calls, event_type: call, aggregation: count}]")
    make_customer("acme")
    caller = Caller()
    caller.put("/plans/scale", PLAN_BODY)

    derived = caller.post("/plans/scale/versions/1/derive", DERIVE_BODY)

    assert derived.status == 201
    assert (derived.json["version"], derived.json["status"], derived.json["customer"]) == (2, "draft", "acme")
    assert derived.json["derived_from"] == 1
    assert derived.json["charges"] == [*DERIVE_BODY["charges"], *PLAN_BODY["charges"][1:]]

    caller.put("/plans/scale/draft", {**PLAN_BODY, "customer": "acme", "minimum_commitment": "50"})
    published = caller.post("/plans/scale/versions/2/publish")

    assert (published.status, published.json["minimum_commitment"], published.json["derived_from"]) == (200, "50", 1)
    assert caller.get("/plans/scale?customer=acme").json == published.json
    assert caller.get("/plans/scale").json["version"] == 1


def test_a_derivation_that_cannot_be_writes_nothing() -> None:
    make_customer("acme")
    make_customer("dollars", currency="USD")
    caller = Caller()
    caller.put("/plans/fee", fee())
    caller.post("/plans/fee/versions/1/derive", {"customer": "acme"})
    before = row_counts()

    def refused(body: object, version: int = 1) -> tuple[int, list[tuple[str, str]]]:
        answer = caller.post(f"/plans/fee/versions/{version}/derive", body)
        return answer.status, answer.told

    assert refused({}) == (400, [("customer", "Write the external id of the customer.")])
    assert refused({"customer": "nobody"}) == (404, [("customer", "There is no customer nobody.")])
    assert refused({"customer": "dollars"}) == (400, [("customer", "customer dollars pays in USD: derive from a version in USD")])
    assert refused({"customer": "acme"}) == (
        409,
        [("customer", "customer acme has a draft of its own already, version 2: change, publish or discard that")],
    )
    assert refused({"customer": "acme"}, version=2)[0] == 409
    assert PlanVersion.objects.get(version=2).status == "draft"
    caller.delete("/plans/fee/draft?customer=acme")
    before = row_counts()
    assert refused({"customer": "acme", "currency": "USD"})[1][0][0] == "currency"
    assert refused({"customer": "acme", "charges": [{"code": "fee", "model": "flat"}]})[1][0][0] == "charges.fee.amount"
    assert refused([])[0] == 400
    assert row_counts() == before


def test_two_versions_are_compared_in_words_and_by_member() -> None:
    caller = Caller()
    caller.put("/plans/fee", fee("10"))
    caller.put("/plans/fee", fee("12", minimum_commitment="600", new_version=True))

    compared = caller.get("/plans/fee/compare?from=1&to=2")

    assert compared.json == {
        "from": 1,
        "to": 2,
        "differences": ["minimum commitment: none → 600", "Fee: 10 → 12"],
        "members": [
            {"field": "charges.fee.amount", "before": "10", "after": "12"},
            {"field": "minimum_commitment", "before": None, "after": "600"},
        ],
    }
    assert caller.get("/plans/fee/compare?from=2&to=2").json["differences"] == []
    assert caller.get("/plans/fee/compare?from=2").told == [("to", "Write the number of a version, such as 1.")]
    assert caller.get("/plans/fee/compare?from=one&to=2").status == 400
    assert caller.get("/plans/fee/compare?from=1&to=2&by=day").status == 400
    assert caller.get("/plans/fee/compare?from=1&to=3").status == 404
    assert caller.get("/plans/none/compare?from=1&to=2").status == 404


def test_a_version_has_the_members_of_the_catalogue_file() -> None:
    caller = Caller()
    body = fee(interval_count=2, billing_day=15, trial_days=14, minimum_commitment="600")
    body["charges"].append(
        {
            "code": "seats",
            "name": "Seats",
            "model": "per_unit",
            "unit_amount": "5",
            "default_quantity": "3",
            "billed": "in_advance",
        }
    )

    published = caller.put("/plans/fee", {**body, "anchor": "calendar", "interval": "monthly"})

    told = {
        key: value for key, value in published.json.items() if key not in ("version", "status", "derived_from", "published_at")
    }
    assert told == {**body, "kind": "plan", "code": "fee", "anchor": "calendar", "interval": "monthly", "customer": None}
    assert caller.put("/plans/fee", told).status == 200  # what was answered can be sent
    assert caller.get("/plans/fee/versions/1").json == published.json


def test_scopes_are_needed() -> None:
    reader, writer = Caller("read"), Caller("write")
    writer.put("/plans/fee", fee())
    before = row_counts()

    assert reader.put("/plans/fee/draft", fee("12")).status == 403
    assert reader.delete("/plans/fee/draft").status == 403
    for step in ("publish", "archive", "derive"):
        assert reader.post(f"/plans/fee/versions/1/{step}", {"customer": "acme"}).status == 403
    assert writer.get("/plans/fee/versions/1").status == 403
    assert writer.get("/plans/fee/compare?from=1&to=1").status == 403
    assert row_counts() == before
