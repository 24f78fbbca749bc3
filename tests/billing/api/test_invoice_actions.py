from datetime import date
from typing import Any

import pytest
from django.db import connection

from billing.models import BillingPeriod, Invoice, NumberCounter, Payment
from customers.models import AuditEvent, Customer
from tests.billing.api.calling import Caller
from tests.billing.builders import bill, invoices, make_catalog, make_customer, row_counts, send_usage, subscribe
from tests.usage.builders import in_threads

pytestmark = pytest.mark.django_db
_PAYMENT = {"amount": "10", "received_on": "2026-02-09", "reference": "bank-17"}


def _invoice(external_id: str = "acme", *, finalize: bool = True) -> Invoice:
    """January of a customer who made no calls: the fee of 10."""
    customer = Customer.objects.filter(external_id=external_id).first()
    if customer is None:
        make_catalog()
        customer = make_customer(external_id)
        subscribe(customer)
    bill("2026-02-01", finalize=finalize)
    return invoices(customer=customer)[0]


def test_a_draft_is_worked_out_anew_numbered_and_frozen() -> None:
    draft = _invoice(finalize=False)
    send_usage("acme", "call", 300, "2026-01-31", {"region": "eu"})
    caller = Caller()

    answer = caller.post(f"/invoices/{draft.public_id}/finalize")
    again = caller.post(f"/invoices/{answer.json['number']}/finalize")

    assert (answer.status, again.status) == (200, 200)
    assert answer.json == again.json
    assert (answer.json["number"], answer.json["status"]) == ("INV-000001", "finalized")
    assert answer.json["total"] == "12"  # 10 + (300 - 100) * 0.01, though the usage came after the draft
    assert answer.json["issued_on"] == "2026-02-10"
    assert NumberCounter.objects.get().last_number == 1
    assert AuditEvent.objects.get(action="invoice.finalized").actor_kind == "api_key"


def test_a_void_invoice_cannot_be_finalised() -> None:
    invoice = _invoice()
    caller = Caller()
    caller.post(f"/invoices/{invoice.number}/void", {"reason": "wrong entity"})
    before = row_counts()

    answer = caller.post(f"/invoices/{invoice.number}/finalize")

    assert (answer.status, answer.json["errors"][0]["code"]) == (409, "void")
    assert row_counts() == before


def test_voiding_keeps_number_and_reason_and_makes_the_period_due_again() -> None:
    invoice = _invoice()
    caller = Caller()

    answer = caller.post(f"/invoices/{invoice.number}/void", {"reason": "wrong entity"})
    again = caller.post(f"/invoices/{invoice.number}/void", {"reason": "another reason"})

    assert answer.status == again.status == 200
    assert (answer.json["number"], answer.json["status"], answer.json["void_reason"]) == ("INV-000001", "void", "wrong entity")
    assert answer.json["voided_at"] == "2026-02-10T12:00:00Z"
    assert again.json == answer.json
    assert BillingPeriod.objects.filter(first_day=date(2026, 1, 1), arrears_billed_at=None).count() == 1
    bill("2026-02-11")
    numbers = [item["number"] for item in caller.get("/invoices?status=finalized").json["items"]]
    assert numbers == ["INV-000002"]


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "reason"), ({"reason": " "}, "reason"), ({"reason": 5}, "reason"), ({"reason": "x", "force": True}, "force")],
)
def test_voiding_without_a_reason_is_refused(body: Any, field: str) -> None:
    invoice = _invoice()
    caller = Caller()
    before = row_counts()

    answer = caller.post(f"/invoices/{invoice.number}/void", body)

    assert (answer.status, answer.told[0][0]) == (400, field)
    assert row_counts() == before
    assert Invoice.objects.get().status == "finalized"


def test_drafts_and_paid_invoices_are_not_voided() -> None:
    draft = _invoice(finalize=False)
    caller = Caller()

    refused = caller.post(f"/invoices/{draft.public_id}/void", {"reason": "x"})

    assert (refused.status, refused.json["errors"][0]["code"]) == (409, "draft")
    number = caller.post(f"/invoices/{draft.public_id}/finalize").json["number"]
    caller.post(f"/invoices/{number}/payments", {**_PAYMENT, "amount": "4"})
    refused = caller.post(f"/invoices/{number}/void", {"reason": "x"})
    assert (refused.status, refused.json["errors"][0]["code"]) == (409, "paid")
    assert Invoice.objects.get().status == "finalized"


def test_payments_add_up_until_the_invoice_is_paid() -> None:
    invoice = _invoice()
    caller = Caller()

    first = caller.post(f"/invoices/{invoice.number}/payments", {**_PAYMENT, "amount": "4.5"})

    assert first.status == 201
    assert first.json == {
        "id": str(Payment.objects.get().public_id),
        "customer": "acme",
        "invoice": "INV-000001",
        "currency": "EUR",
        "amount": "4.5",
        "left": "0",
        "received_on": "2026-02-09",
        "method": "bank_transfer",
        "reference": "bank-17",
        "recorded_at": "2026-02-10T12:00:00Z",
        "allocations": [{"invoice": "INV-000001", "amount": "4.5", "recorded_at": "2026-02-10T12:00:00Z"}],
        "reversed": False,
        "reversed_at": None,
        "reversal_reason": "",
    }
    shown = caller.get(f"/invoices/{invoice.number}").json
    assert (shown["status"], shown["paid"], shown["payments"]) == ("finalized", "4.5", [first.json])
    caller.post(f"/invoices/{invoice.number}/payments", {**_PAYMENT, "amount": "5.5", "reference": "bank-18"})
    shown = caller.get(f"/invoices/{invoice.number}").json
    assert (shown["status"], shown["paid"], shown["due"]) == ("paid", "10", "10")


def test_the_same_reference_is_one_payment() -> None:
    invoice = _invoice()
    caller = Caller()
    first = caller.post(f"/invoices/{invoice.number}/payments", _PAYMENT)
    before = row_counts()

    again = caller.post(f"/invoices/{invoice.public_id}/payments", _PAYMENT)
    differing = caller.post(f"/invoices/{invoice.number}/payments", {**_PAYMENT, "amount": "9"})

    assert (again.status, again.json) == (201, first.json)
    assert (differing.status, differing.json["errors"][0]["code"]) == (409, "reference_differs")
    assert row_counts() == before


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"amount": "999999999999999999"}, 400, "amount"),
        ({"amount": "1.001"}, 400, "amount"),
        ({"amount": "0"}, 400, "amount"),
        ({"amount": "-1"}, 400, "amount"),
        ({"amount": "1e1"}, 400, "amount"),
        ({"amount": "Infinity"}, 400, "amount"),
        ({"amount": True}, 400, "amount"),
        ({"amount": None}, 400, "amount"),
        ({"received_on": "yesterday"}, 400, "received_on"),
        ({"reference": ""}, 400, "reference"),
        ({"reference": "x" * 141}, 400, "reference"),
        ({"method": ""}, 400, "method"),
        ({"received_on": "2026-02-11"}, 409, "received_on"),
        ({"currency": "USD"}, 409, "currency"),
    ],
)
def test_a_payment_that_cannot_be_names_the_member_and_writes_nothing(change: dict[str, Any], status: int, field: str) -> None:
    invoice = _invoice()
    caller = Caller()
    before = row_counts()

    answer = caller.post(f"/invoices/{invoice.number}/payments", {**_PAYMENT, **change})

    assert (answer.status, answer.told[0][0]) == (status, field)
    assert row_counts() == before
    assert Invoice.objects.get().paid_minor == 0


def test_a_draft_cannot_be_paid() -> None:
    draft = _invoice(finalize=False)

    answer = Caller().post(f"/invoices/{draft.public_id}/payments", _PAYMENT)

    assert (answer.status, answer.json["errors"][0]["code"]) == (409, "not_open")
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("action", "body"),
    [("finalize", None), ("void", {"reason": "mine now"}), ("payments", _PAYMENT)],
    ids=["finalize", "void", "pay"],
)
def test_a_narrowed_key_and_a_key_without_the_scope_change_nothing(action: str, body: Any) -> None:
    invoice = _invoice(finalize=action != "finalize")
    others, reader = Caller.narrowed_to(make_customer("bolt")), Caller("read")
    before = row_counts()

    assert others.post(f"/invoices/{invoice.public_id}/{action}", body).status == 404
    assert reader.post(f"/invoices/{invoice.public_id}/{action}", body).status == 403

    after = row_counts()
    assert after == before
    assert Invoice.objects.get().status == invoice.status


@pytest.mark.django_db(transaction=True)
def test_the_same_reference_twice_at_once_is_one_payment() -> None:
    invoice = _invoice()
    callers = (Caller(), Caller())

    def pay(caller: Caller) -> tuple[int, str]:
        answer = caller.post(f"/invoices/{invoice.number}/payments", {**_PAYMENT, "amount": "6"})
        return answer.status, answer.json["recorded_at"]

    answers = in_threads(lambda: pay(callers[0]), lambda: pay(callers[1]))

    assert answers == [(201, "2026-02-10T12:00:00Z")] * 2
    assert Payment.objects.count() == 1
    assert Invoice.objects.get().paid_minor == 600
    assert AuditEvent.objects.filter(action="invoice.payment_recorded").count() == 1
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")  # Django does not manage the table, and so does not flush it
