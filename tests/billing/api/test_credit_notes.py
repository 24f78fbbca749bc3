"""Credit notes over HTTP: previewed, written once, read, paid back, and nobody else's (I12)."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from billing.models import CreditNote, Document, Invoice, Subscription
from customers.models import AuditEvent, Customer
from tests.billing.api.calling import Answer, Caller
from tests.billing.builders import ACTOR, at, make_customer, row_counts, send_usage
from tests.billing.desks import invoice_of, small_books
from usage.corrections import void_event
from usage.models import Event

pytestmark = pytest.mark.django_db
BODY: dict[str, Any] = {
    "reason": "goodwill",
    "explanation": "Three days of outage",
    "reference": "ticket-1",
    "lines": [{"position": 2, "amount": "5"}],
}


@pytest.fixture
def customer() -> Customer:
    """January: 10.00 for the fee and 15.00 for 1,600 calls, 20 % tax, 30.00, unpaid."""
    return small_books()


@pytest.fixture
def invoice(customer: Customer) -> Invoice:
    return invoice_of(customer)


def credit(body: dict[str, Any], query: str = "", *, caller: Caller | None = None) -> Answer:
    return (caller or Caller("write")).post(f"/invoices/INV-000001/credit_notes{query}", body)


def test_a_preview_says_what_the_credit_note_would_and_writes_nothing(invoice: Invoice) -> None:
    caller = Caller("write")
    before = row_counts()
    answer = credit(BODY, "?preview=true", caller=caller)
    assert answer.status == 200
    assert row_counts() == before
    assert CreditNote.objects.count() == 0
    written = credit(BODY)
    assert written.status == 201
    assert {name: written.json[name] for name in answer.json} == answer.json


def test_an_amount_of_a_line_is_credited_with_its_tax(invoice: Invoice) -> None:
    told = credit(BODY).json
    expected = {
        "number": "CN-000001",
        "invoice": "INV-000001",
        "customer": "acme",
        "reason": "goodwill",
        "explanation": "Three days of outage",
        "reference": "ticket-1",
        "currency": "EUR",
        "issued_on": "2026-02-10",
        "issued_at": "2026-02-10T12:00:00Z",
        "subtotal": "5",
        "discount": "0",
        "tax_total": "1",
        "total": "6",
        "settlement": {"to_invoice": "6", "to_balance": "0", "to_refund": "0"},
        "sent_at": None,
        "refunded_at": None,
        "refund_reference": "",
        "tax": [{"category": "S", "label": "Tax", "rate": "20", "exemption_code": "", "note": "", "base": "5", "amount": "1"}],
        "lines": [
            {
                "position": 1,
                "invoice_line": 2,
                "charge": "calls",
                "description": "Calls",
                "detail": "of 15.00 EUR that were billed",
                "first_day": "2026-01-01",
                "last_day": "2026-01-31",
                "quantity": "1",
                "exact_amount": "5",
                "amount": "5",
                "discount": "0",
                "net": "5",
                "tax_category": "S",
                "tax_rate": "20",
            }
        ],
        "pdf_sha256": None,
    }
    assert {name: told[name] for name in expected} == expected
    caller = Caller("read")
    assert caller.get("/credit_notes/CN-000001").json == told
    assert caller.get(f"/credit_notes/{told['id']}").json == told
    shown = caller.get("/invoices/INV-000001").json
    assert (shown["credited"], shown["left"], shown["credit_notes"], shown["status"]) == ("6", "24", ["CN-000001"], "finalized")


def test_all_that_is_left_is_credited_without_lines_and_repeated_it_is_the_same(invoice: Invoice) -> None:
    credit(BODY)
    body = {"reason": "other", "reference": "rest", "rest": "balance"}
    first, again = credit(body), credit(body)
    assert (first.status, first.json["total"]) == (201, "24")
    assert again.json == first.json
    assert CreditNote.objects.count() == 2
    assert AuditEvent.objects.filter(action="credit_note.issued").count() == 2
    shown = Caller("read").get("/invoices/INV-000001").json
    assert (shown["credited"], shown["left"], shown["credit_notes"], shown["status"]) == (
        "30",
        "0",
        ["CN-000001", "CN-000002"],
        "paid",
    )


@pytest.mark.parametrize(
    ("change", "status", "field", "message"),
    [
        ({"lines": [{"position": 1}, {"position": 2, "amount": "15.01"}]}, 409, "lines[1]", "15.00 EUR are left of line 2"),
        ({"lines": [{"position": 9}]}, 400, "lines[0]", "the invoice has no line 9"),
        ({"lines": [{"position": 2, "amount": "0.001"}]}, 400, "lines[0].amount", "An amount in EUR has at most 2 decimals."),
        ({"lines": []}, 400, "", "name a line at least, or credit the whole invoice"),
        ({"settlement": {"to_invoice": "7"}}, 409, "settlement", None),
        ({"settlement": {"to_refund": "6"}}, 409, "settlement", None),
        ({"rest": "balance", "settlement": {"to_invoice": "6"}}, 400, "settlement", "Send either rest or settlement."),
        ({"reason": "correction"}, 400, "lines[0]", None),
        ({"reason": "whim"}, 400, "reason", None),
        ({"reference": ""}, 400, "reference", None),
        ({"colour": "red"}, 400, "colour", "There is no such member."),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(
    invoice: Invoice, change: dict[str, Any], status: int, field: str, message: str | None
) -> None:
    caller = Caller("write")
    before = row_counts()
    answer = credit(BODY | change, caller=caller)
    assert answer.status == status
    assert [told[0] for told in answer.told] == [field]
    assert message is None or answer.told[0][1] == message
    assert row_counts() == before
    assert CreditNote.objects.count() == 0


def test_a_reference_of_other_content_is_refused(invoice: Invoice) -> None:
    credit(BODY)
    answer = credit(BODY | {"reason": "other"})
    assert (answer.status, answer.told[0][0], answer.json["errors"][0]["code"]) == (409, "reference", "reference_differs")


def test_they_are_listed_newest_first_and_filtered(invoice: Invoice) -> None:
    credit(BODY)
    credit({"reason": "other", "reference": "rest"})
    caller = Caller("read")

    def numbers(query: str = "") -> list[str]:
        return [one["number"] for one in caller.get(f"/credit_notes{query}").json["items"]]

    assert numbers() == ["CN-000002", "CN-000001"]
    assert numbers("?customer=acme&reason=goodwill") == ["CN-000001"]
    assert numbers("?invoice=INV-000001&issued_from=2026-02-10&issued_to=2026-02-11") == ["CN-000002", "CN-000001"]
    assert numbers("?customer=bert") == []
    assert numbers("?issued_from=2026-02-11") == []
    assert caller.get("/credit_notes?reason=whim").status == 400
    assert caller.get("/credit_notes?colour=red").status == 400


def test_what_was_paid_is_marked_as_paid_back_once(invoice: Invoice) -> None:
    caller = Caller()
    caller.post("/invoices/INV-000001/payments", {"amount": "30", "received_on": "2026-02-09", "reference": "R"})
    told = credit(BODY | {"rest": "refund"}).json
    assert told["settlement"] == {"to_invoice": "0", "to_balance": "0", "to_refund": "6"}
    for _twice in range(2):
        answer = caller.post("/credit_notes/CN-000001/refunded", {"reference": "SEPA-9"})
        assert (answer.status, answer.json["refunded_at"], answer.json["refund_reference"]) == (
            200,
            "2026-02-10T12:00:00Z",
            "SEPA-9",
        )
    assert caller.post("/credit_notes/CN-000001/refunded", {"reference": "SEPA-10"}).status == 409
    credit({"reason": "other", "reference": "rest"})
    assert (
        caller.post("/credit_notes/CN-000002/refunded", {"reference": "SEPA-11"}).json["errors"][0]["code"] == "nothing_to_refund"
    )


def test_the_pdf_is_handed_out_once_it_is_made(invoice: Invoice, documents: Path) -> None:
    credit(BODY)
    waiting = Caller("read").get("/credit_notes/CN-000001/pdf")
    assert (waiting.status, waiting.headers["Retry-After"]) == (409, "10")
    content = b"%PDF-1.7 credit"
    storages["documents"].save("kept.pdf", ContentFile(content))
    Document.objects.create(
        credit_note=CreditNote.objects.get(),
        storage_key="kept.pdf",
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        renderer="test",
        rendered_at=at("2026-02-10"),
    )
    answer = Caller("read").get("/credit_notes/CN-000001/pdf")
    assert (answer.status, answer.content, answer.headers["Content-Type"]) == (200, content, "application/pdf")
    assert Caller("read").get("/credit_notes/CN-000001").json["pdf_sha256"] == hashlib.sha256(content).hexdigest()


def test_differences_of_a_subscription_are_credited_instead_of_waiting(customer: Customer, invoice: Invoice) -> None:
    send_usage("acme", "call", 100, "2026-02-01", event_id="other")
    subscription = Subscription.objects.get()
    path = f"/subscriptions/{subscription.external_id}/credit_corrections"
    body = {"reference": "case-17", "explanation": "sent twice"}
    caller = Caller("write")
    nothing = caller.post(path, body)
    assert (nothing.status, nothing.json["errors"][0]["code"]) == (409, "nothing_to_credit")

    event = send_and_void("acme", 600, "2026-01-20")
    before = CreditNote.objects.count()
    preview = caller.post(f"{path}?preview=true", body)
    assert CreditNote.objects.count() == before
    (planned,) = preview.json["credit_notes"]
    assert (planned["invoice"], planned["total"], planned["lines"][0]["quantity"]) == ("INV-000001", "7.2", "600"), event
    made = caller.post(path, body)
    assert made.status == 201
    (note,) = made.json["credit_notes"]
    assert {name: note[name] for name in planned} == planned
    assert (note["reason"], made.json["not_credited"]) == ("correction", [])
    assert caller.post(path, body).json == made.json


def send_and_void(customer: str, calls: int, when: str) -> str:
    """Void the event of the books that reported so many calls."""
    event = Event.objects.get(customer__external_id=customer, occurred_at=at(when))
    assert json.loads(event.data)["n"] == calls
    void_event(source=event.source, event_id=event.event_id, reason="sent twice", actor=ACTOR, now=at("2026-02-09"))
    return event.event_id


def test_a_narrowed_key_neither_reads_nor_credits_what_is_not_its_customers(customer: Customer, invoice: Invoice) -> None:
    credit(BODY)
    stranger = Caller.narrowed_to(make_customer("bert"))
    before = row_counts(), CreditNote.objects.count()
    external_id = Subscription.objects.get().external_id
    for answer in (
        stranger.get("/credit_notes/CN-000001"),
        stranger.get("/credit_notes/CN-000001/pdf"),
        stranger.post("/credit_notes/CN-000001/refunded", {"reference": "x"}),
        stranger.post("/invoices/INV-000001/credit_notes", {"reason": "other", "reference": "x"}),
        stranger.post(f"/subscriptions/{external_id}/credit_corrections", {"reference": "x"}),
    ):
        assert answer.status == 404
    assert stranger.get("/credit_notes").json["items"] == []
    assert (row_counts(), CreditNote.objects.count()) == before
    assert Caller.narrowed_to(customer).get("/credit_notes/CN-000001").status == 200
    assert Caller("read").post("/invoices/INV-000001/credit_notes", BODY).status == 403
