"""One-off invoices, previews, giving up, and how customers are billed, over HTTP."""

from typing import Any

import pytest

from billing.models import BillingEntity, BillingProfile, Invoice
from customers.models import AuditEvent, Customer
from tests.billing.api.calling import Caller
from tests.billing.builders import bill, invoices, make_catalog, make_customer, row_counts, send_usage, subscribe

pytestmark = pytest.mark.django_db
ITEM = {"description": "Workshop", "quantity": "1.5", "unit_amount": "900", "unit": "days", "tax_rate": "20"}


def _customer() -> Customer:
    """A customer whose items say their tax."""
    customer = make_customer()
    Customer.objects.filter(pk=customer.pk).update(tax_rate_pct=None)
    return customer


def _open() -> Invoice:
    make_catalog()
    subscribe(make_customer())
    bill("2026-02-01")
    return invoices()[0]


def test_a_one_off_invoice_is_drafted_changed_and_finalised() -> None:
    _customer()
    caller = Caller()
    body = {
        "customer": "acme",
        "items": [ITEM, {"description": "Goodwill", "quantity": "1", "unit_amount": "-50", "tax_rate": "20"}],
    }
    answer = caller.post("/invoices", {**body, "payment_terms_days": 14, "note": "Thanks"})
    assert answer.status == 201
    draft = answer.json
    # 1.5 x 900 = 1350; - 50 = 1300; 20 % = 260
    assert (draft["kind"], draft["status"], draft["number"], draft["total"]) == ("one_off", "draft", None, "1560")
    assert [(line["group"], line["charge"], line["amount"]) for line in draft["lines"]] == [
        ("item", "item-1", "1350"),
        ("item", "item-2", "-50"),
    ]
    assert (draft["issued_on"], draft["due_on"], draft["note"], draft["subscription"]) == (
        "2026-02-10",
        "2026-02-24",
        "Thanks",
        None,
    )
    changed = caller.put(f"/invoices/{draft['id']}/items", {"items": [ITEM]})
    assert (changed.status, changed.json["total"], changed.json["note"], changed.json["id"]) == (200, "1620", "", draft["id"])
    final = caller.post(f"/invoices/{draft['id']}/finalize").json
    assert (final["number"], final["status"]) == ("INV-000001", "finalized")
    for refused in (
        caller.put(f"/invoices/{draft['id']}/items", {"items": [ITEM]}),
        caller.delete(f"/invoices/{draft['id']}"),
    ):
        assert (refused.status, refused.json["errors"][0]["code"]) == (409, "final")


def test_a_draft_is_discarded() -> None:
    _customer()
    caller = Caller()
    draft = caller.post("/invoices", {"customer": "acme", "items": [ITEM]}).json
    assert caller.delete(f"/invoices/{draft['id']}").status == 204
    assert caller.get(f"/invoices/{draft['id']}").status == 404
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"customer": "nobody"}, "customer"),
        ({"items": []}, "items"),
        ({"items": [{**ITEM, "unit_amount": "--1"}]}, "items[0].unit_amount"),
        ({"items": [{**ITEM, "unit_amount": 5}]}, "items[0].unit_amount"),
        ({"items": [{**ITEM, "quantity": "0"}]}, "items[0].quantity"),
        ({"items": [ITEM, {**ITEM, "unit_amount": "-9000"}]}, "items"),
        ({"currency": "USD"}, "currency"),
        ({"payment_terms_days": 366}, "payment_terms_days"),
        ({"note": "x" * 501}, "note"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_cannot_be_billed_names_the_member_and_writes_nothing(change: dict[str, Any], field: str) -> None:
    _customer()
    caller = Caller()
    rows = row_counts()
    answer = caller.post("/invoices", {"customer": "acme", "items": [ITEM], **change})
    assert answer.status == 400
    assert answer.told[0][0].startswith(field.partition("[")[0])
    kept = {"billing_billingentity"}
    assert {name: count for name, count in row_counts().items() if name not in kept} == {
        name: count for name, count in rows.items() if name not in kept
    }


def test_a_subscriptions_draft_has_no_items_to_replace_or_discard() -> None:
    make_catalog()
    subscribe(make_customer())
    bill("2026-02-01", finalize=False)
    draft = invoices()[0]
    caller = Caller()
    assert caller.delete(f"/invoices/{draft.public_id}").json["errors"][0]["code"] == "not_one_off"
    assert caller.put(f"/invoices/{draft.public_id}/items", {"items": [ITEM]}).json["errors"][0]["code"] == "not_one_off"
    assert Invoice.objects.get().status == "draft"


def test_the_key_of_a_customer_bills_nothing_and_gives_nothing_up() -> None:
    invoice = _open()
    caller = Caller.narrowed_to(invoice.customer)
    rows = row_counts()
    for answer in (
        caller.post("/invoices", {"customer": "acme", "items": [ITEM]}),
        caller.put(f"/invoices/{invoice.number}/items", {"items": [ITEM]}),
        caller.delete(f"/invoices/{invoice.number}"),
        caller.post(f"/invoices/{invoice.number}/mark-uncollectible", {"reason": "mine"}),
        caller.post(f"/invoices/{invoice.number}/reopen"),
    ):
        assert answer.status == 403
    assert (row_counts(), Invoice.objects.get().status) == (rows, "finalized")


def test_a_draft_is_previewed_by_what_is_known_now_and_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[tuple[int, str, bool]] = []

    def draw(snapshot: Any, *, logo: Any = None, estimate: bool = False) -> bytes:
        printed.append((snapshot.total_minor, snapshot.number, estimate))
        return b"%PDF-1.7 estimate"

    monkeypatch.setattr("billing.delivery.rendering.pdf.render_pdf", draw)
    make_catalog()
    subscribe(make_customer())
    bill("2026-02-01", finalize=False)
    draft = invoices()[0]
    send_usage("acme", "call", 300, "2026-01-31")
    caller = Caller()
    rows = row_counts()
    answer = caller.get(f"/invoices/{draft.public_id}/preview.pdf")
    assert (answer.status, answer.content, answer.headers["Content-Type"]) == (200, b"%PDF-1.7 estimate", "application/pdf")
    assert printed == [(1200, "", True)]
    assert (row_counts(), Invoice.objects.get().total_minor) == (rows, 1000)
    caller.post(f"/invoices/{draft.public_id}/finalize")
    refused = caller.get("/invoices/INV-000001/preview.pdf")
    assert (refused.status, refused.json["errors"][0]["code"]) == (409, "final")
    stranger = Caller.narrowed_to(make_customer("bolt"))
    assert stranger.get(f"/invoices/{draft.public_id}/preview.pdf").status == 404


def test_an_invoice_is_given_up_and_taken_up_again() -> None:
    invoice = _open()
    caller = Caller()
    given_up = caller.post(f"/invoices/{invoice.number}/mark-uncollectible", {"reason": "insolvent"})
    assert (given_up.status, given_up.json["status"], given_up.json["overdue"]) == (200, "uncollectible", False)
    reopened = caller.post(f"/invoices/{invoice.number}/reopen")
    assert (reopened.status, reopened.json["status"]) == (200, "finalized")
    assert caller.post(f"/invoices/{invoice.number}/mark-uncollectible", {"reason": " "}).status == 400
    caller.post(f"/invoices/{invoice.number}/void", {"reason": "x"})
    refused = caller.post(f"/invoices/{invoice.number}/reopen")
    assert (refused.status, refused.json["errors"][0]["code"]) == (409, "not_given_up")
    assert AuditEvent.objects.get(action="invoice.given_up").after["reason"] == "insolvent"


def test_voided_with_reissue_both_invoices_name_each_other() -> None:
    invoice = _open()
    caller = Caller()
    void = caller.post(f"/invoices/{invoice.number}/void", {"reason": "wrong entity", "reissue": True}).json
    draft = Invoice.objects.get(status="draft")
    assert (void["status"], void["replaced_by"], void["replaces"]) == ("void", str(draft.public_id), None)
    final = caller.post(f"/invoices/{draft.public_id}/finalize").json
    assert (final["number"], final["replaces"], final["replaced_by"]) == ("INV-000002", "INV-000001", None)
    assert caller.get("/invoices/INV-000001").json["replaced_by"] == "INV-000002"


def test_how_a_customer_is_billed_is_read_and_changed() -> None:
    make_customer()
    BillingEntity.objects.create(code="second", name="Second", legal_name="Second Ltd", country="IE")
    caller = Caller()
    plain = caller.get("/customers/acme/billing")
    assert (plain.status, plain.json["billing_entity"], plain.json["grace_minutes"]) == (200, None, None)
    assert not BillingProfile.objects.exists()
    changed = caller.patch("/customers/acme/billing", {"billing_entity": "second", "grace_minutes": 0})
    assert (changed.status, changed.json["billing_entity"], changed.json["grace_minutes"]) == (200, "second", 0)
    assert caller.get("/customers/acme/billing").json == changed.json
    for body, field in (
        ({"billing_entity": "none"}, "billing_entity"),
        ({"grace_minutes": -1}, "grace_minutes"),
        ({"x": 1}, "x"),
    ):
        refused = caller.patch("/customers/acme/billing", body)
        assert (refused.status, refused.told[0][0]) == (400, field)
    assert AuditEvent.objects.filter(action="customer.billing_changed").count() == 1
    theirs = Caller.narrowed_to(Customer.objects.get())
    assert theirs.patch("/customers/acme/billing", {"grace_minutes": 5}).status == 403
    assert theirs.get("/customers/acme/billing").status == 200


def test_sellers_are_listed_with_their_series_and_a_customers_key_sees_its_own() -> None:
    invoice = _open()
    BillingEntity.objects.create(code="second", name="Second", legal_name="Second Ltd")
    listed = Caller().get("/billing_entities").json["items"]
    assert {one["code"]: [series["pattern"] for series in one["series"]] for one in listed} == {
        "default": ["INV-{number:06}"],
        "second": [],
    }
    own = Caller.narrowed_to(invoice.customer).get("/billing_entities").json["items"]
    assert [one["code"] for one in own] == ["default"]
