from typing import Any

import pytest

from billing.api.tax_rates import BODY
from billing.models import BillingEntity, TaxRate
from customers.models import AuditEvent
from tests.billing.api.calling import Caller
from tests.billing.builders import bill, make_catalog, make_customer, row_counts, subscribe

pytestmark = pytest.mark.django_db


def test_a_rate_is_entered_and_listed() -> None:
    caller = Caller()
    created = caller.post("/tax_rates", BODY)
    assert (created.status, created.json) == (201, BODY)
    caller.post("/tax_rates", {"country": "AU", "rate": "10", "valid_from": "2026-01-01"})
    listed = caller.get("/tax_rates").json
    assert [(rate["country"], rate["rate"]) for rate in listed["items"]] == [("AU", "10"), ("US", "7.25")]
    assert [rate["region"] for rate in caller.get("/tax_rates?country=US").json["items"]] == ["CA"]
    assert AuditEvent.objects.filter(action="tax_rate.created").count() == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"country": "LI"}, "country"),
        ({"rate": "101"}, "rate"),
        ({"rate": None}, "rate"),
        ({"tax_class": "exempt"}, "tax_class"),
        ({"valid_until": "2025-12-31"}, "valid_until"),
        ({"valid_from": "tomorrow"}, "valid_from"),
        ({"percent": "5"}, "percent"),
    ],
)
def test_a_rate_that_cannot_be_names_the_member_and_writes_nothing(changes: dict[str, Any], field: str) -> None:
    caller = Caller()
    answer = caller.post("/tax_rates", BODY | changes)
    assert (answer.status, [error["field"] for error in answer.json["errors"]]) == (400, [field])
    assert not TaxRate.objects.exists()


def test_a_second_rate_from_the_same_day_is_refused() -> None:
    caller = Caller()
    caller.post("/tax_rates", BODY)
    answer = caller.post("/tax_rates", BODY | {"rate": "8"})
    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "valid_from")
    assert TaxRate.objects.count() == 1


def test_scopes_are_needed_and_a_narrowed_key_enters_none() -> None:
    assert Caller("read").post("/tax_rates", BODY).status == 403
    assert Caller("read").get("/tax_rates").status == 200
    narrowed = Caller("read", "write", customer=make_customer())
    assert narrowed.post("/tax_rates", BODY).status == 403
    assert not TaxRate.objects.exists()


def test_an_estimate_whose_tax_is_not_known_says_which_rate_to_enter() -> None:
    make_catalog()
    subscribe(make_customer(country="AU"))
    bill("2026-02-01")
    BillingEntity.objects.filter(is_default=True).update(country="AU", tax_id="51824753556")
    caller = Caller()
    before = row_counts()
    answer = caller.get("/customers/acme/upcoming_invoice")
    assert (answer.status, answer.json["errors"][0]["code"]) == (409, "rate_missing")
    assert "There is no tax rate for AU, class standard, on " in answer.json["detail"]
    assert row_counts() == before
    caller.post("/tax_rates", {"country": "AU", "rate": "10", "valid_from": "2020-01-01"})
    assert caller.get("/customers/acme/upcoming_invoice").status == 200
