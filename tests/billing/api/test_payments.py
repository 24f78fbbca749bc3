"""Payments over HTTP: recorded for a customer, found, reversed, and what is left of them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Payment
from tests.billing.api.calling import Caller
from tests.billing.builders import row_counts
from tests.billing.paying import customer_with_invoices, standings

pytestmark = pytest.mark.django_db

# The calls are made on 10 February 2026.
_BODY = {"amount": "15", "received_on": "2026-02-10", "reference": "bank-18"}


def test_money_of_a_customer_pays_what_is_open_and_the_rest_is_the_balance() -> None:
    customer_with_invoices(1)
    caller = Caller()
    answer = caller.post("/customers/acme/payments", {**_BODY, "method": "card"})
    assert answer.status == 201
    payment = answer.json
    assert (payment["customer"], payment["invoice"], payment["currency"]) == ("acme", None, "EUR")
    assert (payment["amount"], payment["left"], payment["method"], payment["reversed"]) == ("15", "5", "card", False)
    assert [(row["invoice"], row["amount"]) for row in payment["allocations"]] == [("INV-000001", "10")]
    assert caller.get("/customers/acme/balance").json["balances"] == [
        {"currency": "EUR", "payments": "5", "credits": "0", "owed": "0"}
    ]
    assert caller.get("/invoices/INV-000001").json["payments"] == [payment]
    assert caller.post("/customers/acme/payments", {**_BODY, "method": "card"}).json == payment
    assert Payment.objects.count() == 1


def test_numbers_in_the_text_of_the_transfer_are_paid() -> None:
    customer_with_invoices(2)
    answer = Caller().post("/customers/acme/payments", {**_BODY, "remittance": "thanks for inv-00\n0002"})
    assert [(row["invoice"], row["amount"]) for row in answer.json["allocations"]] == [("INV-000002", "10")]
    assert answer.json["left"] == "5"


def test_named_invoices_win_over_the_text() -> None:
    customer_with_invoices(2)
    body = {**_BODY, "invoices": ["INV-000001"], "remittance": "INV-000002"}
    assert Caller().post("/customers/acme/payments", body).json["allocations"][0]["invoice"] == "INV-000001"
    assert Caller().post("/customers/acme/payments", {**body, "reference": "x", "invoices": []}).json["left"] == "15"


@pytest.mark.parametrize(
    ("change", "status", "field", "code"),
    [
        ({"amount": "-1"}, 400, "amount", None),
        ({"amount": "0.001"}, 400, "amount", None),
        ({"currency": "XXX"}, 400, "currency", None),
        ({"currency": "USD"}, 409, "currency", "currency_differs"),
        ({"invoices": ["INV-000009"]}, 409, "invoices", "invoice_not_found"),
        ({"received_on": "2026-02-11"}, 409, "received_on", "in_future"),
        ({"received_on": "1999-02-11"}, 409, "received_on", "too_long_ago"),
        ({"surplus": 1}, 400, "surplus", None),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, object], status: int, field: str, code: str | None) -> None:
    customer_with_invoices(1)
    caller = Caller()
    before = row_counts()
    answer = caller.post("/customers/acme/payments", {**_BODY, **change})
    assert (answer.status, answer.told[0][0]) == (status, field)
    assert code is None or answer.json["errors"][0]["code"] == code
    assert row_counts() == before


def test_payments_are_found() -> None:
    customer_with_invoices(1)
    customer_with_invoices(1, "other")
    caller = Caller()
    first = caller.post("/invoices/INV-000001/payments", {**_BODY, "amount": "4", "reference": "a"}).json
    second = caller.post("/customers/acme/payments", {**_BODY, "reference": "b", "received_on": "2026-02-09"}).json
    third = caller.post("/customers/other/payments", {**_BODY, "amount": "10", "reference": "c"}).json
    third = caller.post(f"/payments/{third['id']}/reverse", {"reason": "no funds"}).json

    def found(query: str) -> list[object]:
        return list(caller.get(f"/payments{query}").json["items"])

    assert found("") == [third, second, first]
    assert found("?customer=acme") == [second, first]
    assert found("?invoice=INV-000001") == [second, first]
    assert found("?reference=a") == [first]
    assert found("?from=2026-02-10") == [third, first]
    assert found("?to=2026-02-10") == [second]
    assert found("?reversed=true") == [third]
    assert found("?left=true") == [second]
    assert found("?left=false") == [third, first]
    assert caller.get(f"/payments/{first['id']}").json == first
    assert caller.get("/payments?color=red").status == 400


def test_a_payment_is_reversed_once() -> None:
    customer_with_invoices(1)
    caller = Caller()
    payment = caller.post("/customers/acme/payments", _BODY).json
    answer = caller.post(f"/payments/{payment['id']}/reverse", {"reason": "no funds"})
    assert (answer.status, answer.json["reversed"], answer.json["left"]) == (200, True, "0")
    assert (answer.json["reversal_reason"], answer.json["reversed_at"]) == ("no funds", "2026-02-10T12:00:00Z")
    assert [row["amount"] for row in answer.json["allocations"]] == ["10", "-10"]
    assert caller.post(f"/payments/{payment['id']}/reverse", {"reason": "again"}).json == answer.json
    assert standings() == [("INV-000001", 0, "finalized")]
    assert caller.post(f"/payments/{payment['id']}/reverse", {"reason": " "}).status == 400


def test_an_open_invoice_is_paid_from_the_balance() -> None:
    customer_with_invoices(1)
    caller = Caller()
    refused = caller.post("/invoices/INV-000001/apply_balance")
    assert (refused.status, refused.json["errors"][0]["code"]) == (409, "no_balance")
    caller.post("/customers/acme/payments", {**_BODY, "invoices": []})
    answer = caller.post("/invoices/INV-000001/apply_balance")
    assert (answer.status, answer.json["status"], answer.json["paid"]) == (200, "paid", "10")
    again = caller.post("/invoices/INV-000001/apply_balance")
    assert (again.status, again.json["errors"][0]["code"]) == (409, "not_open")


def test_another_customers_money_is_not_there() -> None:
    customer_with_invoices(1)
    other = customer_with_invoices(0, "other")
    payment = Caller().post("/customers/acme/payments", _BODY).json
    narrowed = Caller.narrowed_to(other)
    before = row_counts()
    assert narrowed.get(f"/payments/{payment['id']}").status == 404
    assert narrowed.post(f"/payments/{payment['id']}/reverse", {"reason": "mine"}).status == 404
    assert narrowed.post("/customers/acme/payments", _BODY).status == 404
    assert narrowed.get("/customers/acme/balance").status == 404
    assert narrowed.post("/invoices/INV-000001/apply_balance").status == 404
    assert narrowed.get("/payments").json["items"] == []
    assert row_counts() == before


def test_the_list_asks_the_same_number_of_queries_for_any_number() -> None:
    customer_with_invoices(2)
    caller = Caller()
    asked = []
    for reference in "abc":
        caller.post("/customers/acme/payments", {**_BODY, "amount": "7", "reference": reference})
        with CaptureQueriesContext(connection) as queries:
            caller.get("/payments")
        asked.append(len(queries))
    assert asked[0] == asked[1] == asked[2]
