from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from customers.api_keys import revoke_api_key
from customers.models import Customer
from squill.lib import clock
from tests.customers.factories import ACTOR, NOW, CustomerFactory, api_key, bearer

pytestmark = pytest.mark.django_db

CUSTOMERS = "/api/v1/customers"


def refusal(client: Client, headers: dict[str, str]) -> dict[str, Any]:
    answer = client.get(CUSTOMERS, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="squill"'
    document: dict[str, Any] = answer.json()
    assert document["type"] == "/problems/not-authenticated"
    return document


def test_no_key_says_how_to_send_one(client: Client) -> None:
    assert refusal(client, {})["detail"] == "Send an API key in the header “Authorization: Bearer sq_live_…”."


def test_another_scheme_says_how_to_send_a_key(client: Client) -> None:
    assert "Authorization: Bearer" in refusal(client, {"Authorization": "Basic YTpi"})["detail"]


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Bearer x", "bearer sq_live_abcdefgh_" + "A" * 43])
def test_an_unknown_key_is_refused(client: Client, value: str) -> None:
    assert refusal(client, {"Authorization": value})["detail"] == "The API key is unknown, revoked or expired."


def test_a_revoked_and_an_expired_key_are_refused(client: Client) -> None:
    revoked, secret = api_key()
    revoke_api_key(api_key_id=revoked.pk, actor=ACTOR, now=NOW)
    refusal(client, {"Authorization": f"Bearer {secret}"})
    _expired, secret = api_key(expires_at=NOW + timedelta(days=1))
    assert clock.now() > NOW + timedelta(days=1)
    refusal(client, {"Authorization": f"Bearer {secret}"})


def test_the_scheme_may_be_in_any_case(client: Client) -> None:
    _key, secret = api_key("read")
    assert client.get(CUSTOMERS, headers={"Authorization": f"bearer {secret}"}).status_code == 200


def test_a_session_of_the_finance_desk_opens_no_api(admin_client: Client) -> None:
    assert admin_client.get(CUSTOMERS).status_code == 401


@pytest.mark.parametrize(("scope", "read", "write"), [("read", 200, 403), ("write", 403, 201), ("events:write", 403, 403)])
def test_reading_and_writing_have_scopes_of_their_own(client: Client, scope: str, read: int, write: int) -> None:
    headers = bearer(scope)
    assert client.get(CUSTOMERS, headers=headers).status_code == read
    body = {"external_id": "acme", "name": "Acme"}
    assert client.post(CUSTOMERS, body, "application/json", headers=headers).status_code == write
    assert Customer.objects.exists() == (write == 201)


def test_a_lacking_scope_is_named(client: Client) -> None:
    made, secret = api_key("read")
    answer = client.delete(f"{CUSTOMERS}/acme", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 403
    assert answer.json()["detail"] == f"The API key {made.prefix} lacks the scope write."


def test_a_narrowed_key_sees_only_its_customer(client: Client) -> None:
    own, other = CustomerFactory.create(), CustomerFactory.create()
    headers = bearer(customer=own)
    items = client.get(CUSTOMERS, headers=headers).json()["items"]
    assert [item["external_id"] for item in items] == [own.external_id]
    assert client.get(f"{CUSTOMERS}/{own.external_id}", headers=headers).status_code == 200
    for method in ("get", "put", "patch", "delete"):
        answer = client.generic(method, f"{CUSTOMERS}/{other.external_id}", "{}", "application/json", headers=headers)
        assert answer.status_code == 404
        assert answer.json()["detail"] == f"There is no customer {other.external_id}."
    other.refresh_from_db()
    assert other.archived_at is None


def test_a_narrowed_key_creates_no_customers(client: Client) -> None:
    headers = bearer(customer=CustomerFactory.create())
    answer = client.post(CUSTOMERS, {"external_id": "acme", "name": "Acme"}, "application/json", headers=headers)
    assert answer.status_code == 403
    assert Customer.objects.count() == 1
