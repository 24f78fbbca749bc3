from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from customers.models import AuditEvent, Customer, Subject
from customers.services import archive_customer
from tests.customers.factories import ACTOR, NOW, CustomerFactory, api_key

pytestmark = pytest.mark.django_db

CUSTOMERS = "/api/v1/customers"
FULL = {
    "external_id": "acme/eu 1",
    "name": "Acme",
    "legal_name": "Acme GmbH",
    "email": "billing@acme.example",
    "address": {
        "line1": "Torstraße 1",
        "line2": "Hof",
        "postal_code": "10119",
        "city": "Berlin",
        "region": "BE",
        "country": "DE",
    },
    "tax_id": "DE123456789",
    "tax_rate_pct": "19",
    "purchase_order": "PO-7",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "locale": "de",
    "payment_terms_days": 14,
    "subject_keys": ["acme-a", "acme/eu 1"],
}


class Api:
    """The API with a key that may do everything."""

    def __init__(self) -> None:
        made, secret = api_key()
        self.prefix = made.prefix
        self.client = Client(headers={"Authorization": f"Bearer {secret}"})

    def __call__(self, method: str, path: str = "", body: Any = None) -> HttpResponse:
        send = getattr(self.client, method)
        answer = send(CUSTOMERS + path) if body is None else send(CUSTOMERS + path, body, "application/json")
        assert isinstance(answer, HttpResponse)
        return answer


@pytest.fixture
def api() -> Api:
    return Api()


def document(answer: HttpResponse) -> Any:
    return answer.json()  # type: ignore[attr-defined]


def errors(answer: HttpResponse) -> dict[str, str]:
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = document(answer)
    assert problem["type"] == "/problems/invalid"
    for error in problem["errors"]:
        assert error["message"] in problem["detail"]
    return {error["field"]: error["message"] for error in problem["errors"]}


def test_a_created_customer_reads_back_as_it_was_sent(api: Api) -> None:
    with time_machine.travel(NOW, tick=False):
        created = api("post", "", FULL)
    assert created.status_code == 201
    assert document(created) == {**FULL, "created_at": "2026-03-01T12:00:00Z", "archived_at": None}
    assert document(api("get", "/acme/eu%201")) == document(created)
    event = AuditEvent.objects.get(action="customer.created")
    assert (event.actor_kind, event.actor_label) == ("api_key", api.prefix)


def test_two_members_are_enough_for_a_customer(api: Api) -> None:
    created = document(api("post", "", {"external_id": "acme", "name": "Acme"}))
    assert (created["currency"], created["timezone"], created["locale"]) == ("EUR", "UTC", "en")
    assert (created["tax_rate_pct"], created["payment_terms_days"], created["subject_keys"]) == (None, 30, ["acme"])


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, {"external_id": "This field is required.", "name": "This field is required."}),
        ({"external_id": "a", "name": "A", "colour": "red"}, {"colour": "There is no such member."}),
        ({"external_id": "a", "name": "A", "archived_at": None}, {"archived_at": "This cannot be set."}),
        ({"external_id": "a", "name": "A", "address": {"street": "x"}}, {"address.street": "There is no such member."}),
        (
            {"external_id": "a", "name": "A", "address": {"country": "XX"}},
            {"address.country": "Write the two letters of ISO 3166, such as DE or US."},
        ),
        ({"external_id": 42, "name": "A"}, {"external_id": "Not a valid string."}),
        ({"external_id": "a", "name": "A", "currency": "XXX"}, {"currency": "Write an ISO 4217 code such as EUR or USD."}),
        ({"external_id": "a", "name": "A", "tax_rate_pct": "101"}, {"tax_rate_pct": "Write a percentage from 0 to 100."}),
        ({"external_id": "a", "name": "A", "tax_rate_pct": "NaN"}, {"tax_rate_pct": "A valid number is required."}),
        ({"external_id": "a", "name": "A", "tax_rate_pct": True}, {"tax_rate_pct": "A valid number is required."}),
        (
            {"external_id": "a", "name": "A", "payment_terms_days": 366},
            {"payment_terms_days": "Write a whole number of days from 0 to 365."},
        ),
        ({"external_id": "a", "name": "A", "subject_keys": [1]}, {"subject_keys.0": "Not a valid string."}),
        (
            {"external_id": "a", "name": "A", "subject_keys": [" "]},
            {"subject_keys": "' ': Use printable characters only, with no space at the beginning or end."},
        ),
    ],
)
def test_a_bad_body_names_the_member_and_writes_nothing(api: Api, body: dict[str, Any], named: dict[str, str]) -> None:
    assert errors(api("post", "", body)) == named
    assert not Customer.objects.exists()
    assert not Subject.objects.exists()


def test_a_body_that_is_no_object_is_refused(api: Api) -> None:
    answer = api("post", "", ["acme"])
    assert answer.status_code == 400
    assert document(answer)["detail"] == "Invalid data. Expected a dictionary, but got list."


def test_a_taken_external_id_and_key_are_refused(api: Api) -> None:
    CustomerFactory.create(external_id="acme", subject_keys=["eu"])
    taken = errors(api("post", "", {"external_id": "acme", "name": "Acme"}))
    assert taken == {"external_id": "The customer acme exists already."}
    taken = errors(api("post", "", {"external_id": "other", "name": "Other", "subject_keys": ["eu"]}))
    assert taken == {"subject_keys": "The key 'eu' belongs to the customer acme."}
    assert Customer.objects.count() == 1


def test_a_patch_changes_only_what_it_names(api: Api) -> None:
    api("post", "", FULL)
    changed = document(api("patch", "/acme/eu%201", {"address": {"city": "Bonn"}, "tax_rate_pct": "7.70"}))
    assert changed["address"] == {**FULL["address"], "city": "Bonn"}  # type: ignore[dict-item]
    assert changed["tax_rate_pct"] == "7.7"
    assert (changed["name"], changed["subject_keys"]) == ("Acme", ["acme-a", "acme/eu 1"])
    event = AuditEvent.objects.get(action="customer.updated")
    assert (event.before, event.after) == (
        {"city": "Berlin", "tax_rate_pct": "19"},
        {"city": "Bonn", "tax_rate_pct": "7.7"},
    )


def test_a_fixed_tax_rate_is_left_to_the_rules_again(api: Api) -> None:
    api("post", "", FULL)
    assert document(api("patch", "/acme/eu%201", {"tax_rate_pct": None}))["tax_rate_pct"] is None
    event = AuditEvent.objects.get(action="customer.updated")
    assert (event.before, event.after) == ({"tax_rate_pct": "19"}, {"tax_rate_pct": None})


def test_a_put_takes_what_it_leaves_out_back_to_the_defaults(api: Api) -> None:
    api("post", "", FULL)
    replaced = document(api("put", "/acme/eu%201", {"external_id": "acme/eu 1", "name": "Acme 2"}))
    assert (replaced["name"], replaced["legal_name"], replaced["address"]["city"]) == ("Acme 2", "", "")
    assert (replaced["tax_rate_pct"], replaced["payment_terms_days"], replaced["timezone"]) == (None, 30, "UTC")
    assert replaced["subject_keys"] == ["acme/eu 1"]


def test_the_external_id_cannot_be_changed(api: Api) -> None:
    CustomerFactory.create(external_id="acme")
    refused = errors(api("put", "/acme", {"external_id": "other", "name": "Other"}))
    assert refused == {"external_id": "The external id of a customer never changes."}
    assert Customer.objects.get().external_id == "acme"


def test_deleting_archives(api: Api) -> None:
    CustomerFactory.create(external_id="acme")
    for _time in range(2):
        answer = api("delete", "/acme")
        assert (answer.status_code, answer.content) == (204, b"")
    assert document(api("get", "/acme"))["archived_at"] is not None
    assert AuditEvent.objects.filter(action="customer.archived").count() == 1


@pytest.mark.parametrize("path", ["/nobody", "/a%00b", "/%F0%9F%A6%91"])
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_a_customer_that_is_not_there_is_not_found(api: Api, method: str, path: str) -> None:
    body = None if method in ("get", "delete") else {"external_id": "nobody", "name": "Nobody"}
    answer = api(method, path, body)
    assert answer.status_code == 404
    assert document(answer)["type"] == "/problems/not-found"


def test_lists_are_newest_first_in_pages_without_a_query_a_row(
    api: Api, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    names = [CustomerFactory.create().external_id for _number in range(5)]
    with django_assert_max_num_queries(4):  # the key, its use, the page, the subjects
        first = document(api("get", "?limit=3"))
    second = document(api("get", f"?limit=3&cursor={first['nextCursor']}"))
    assert [item["external_id"] for item in first["items"] + second["items"]] == names[::-1]
    assert second["nextCursor"] is None


def test_filters(api: Api) -> None:
    CustomerFactory.create(external_id="acme", email="Billing@Acme.example")
    archived = CustomerFactory.create(external_id="old")
    archive_customer(customer_id=archived.pk, actor=ACTOR, now=NOW)

    def found(query: str) -> list[str]:
        return [item["external_id"] for item in document(api("get", query))["items"]]

    assert found("?external_id=acme") == ["acme"]
    assert found("?external_id=ACME") == []
    assert found("?external_id=") == found("?email=nobody@acme.example") == []  # nobody is meant, not everybody
    assert found("?email=billing@acme.example") == ["acme"]
    assert found("?archived=true") == ["old"]
    assert found("?archived=false") == ["acme"]
    assert found("") == ["old", "acme"]
    assert found("?external_id=%00") == []
    assert errors(api("get", "?archived=maybe")) == {"archived": "Write true or false."}


def test_a_method_that_is_not_taken_says_so(api: Api) -> None:
    answer = api("delete")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert document(answer)["type"] == "/problems/method-not-allowed"
