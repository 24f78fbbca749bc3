from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.models import Invoice
from tests.billing.api.calling import Caller
from tests.billing.builders import bill, invoices, make_catalog, make_customer, row_counts, send_usage, subscribe

pytestmark = pytest.mark.django_db


def _billed(external_id: str = "acme", *, finalize: bool = True, **fields: Any) -> Invoice:
    """January of a customer who made 1500 calls: 10 + (1500 - 100) * 0.01 = 24."""
    customer = make_customer(external_id, **fields)
    subscribe(customer, external_id=f"{external_id}-sub")
    send_usage(customer, "call", 1500, "2026-01-10", {"region": "eu"})
    bill("2026-02-01", finalize=finalize)
    return invoices(customer=customer)[0]


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    make_catalog()


def test_an_invoice_says_everything_in_decimal_strings() -> None:
    invoice = _billed(tax_rate_pct="20")

    answer = Caller("read").get(f"/invoices/{invoice.number}")

    assert answer.status == 200
    assert answer.json == {
        "id": str(invoice.public_id),
        "number": "INV-000001",
        "kind": "invoice",
        "status": "finalized",
        "overdue": False,
        "customer": "acme",
        "subscription": "acme-sub",
        "currency": "EUR",
        "first_day": "2026-01-01",
        "last_day": "2026-01-31",
        "issued_on": "2026-02-01",
        "due_on": "2026-03-03",
        "subtotal": "24",
        "discount": "0",
        "tax_total": "4.8",  # 20 % of 24
        "total": "28.8",
        "credits": "0",
        "due": "28.8",
        "paid": "0",
        "credited": "0",
        "left": "28.8",
        "finalized_at": "2026-02-01T00:00:00Z",
        "sent_at": None,
        "voided_at": None,
        "void_reason": "",
        "lines": [
            {
                "position": 1,
                "group": "subscription",
                "charge": "fee",
                "description": "Platform fee",
                "detail": "",
                "meter": "",
                "unit": "",
                "first_day": "2026-01-01",
                "last_day": "2026-01-31",
                "quantity": "1",
                "unit_amount": "10",
                "exact_amount": "10",
                "amount": "10",
                "tax_category": "S",
                "tax_rate": "20",
                "breakdown": [{"step": "flat", "flat_amount": "10", "amount": "10"}],
            },
            {
                "position": 2,
                "group": "usage",
                "charge": "calls",
                "description": "Calls",
                "detail": "",
                "meter": "calls",
                "unit": "calls",
                "first_day": "2026-01-01",
                "last_day": "2026-01-31",
                "quantity": "1500",
                "unit_amount": None,
                "exact_amount": "14",
                "amount": "14",
                "tax_category": "S",
                "tax_rate": "20",
                "breakdown": [
                    {"step": "tier", "above": "0", "up_to": "100", "quantity": "100", "unit_amount": "0", "amount": "0"},
                    {"step": "tier", "above": "100", "up_to": None, "quantity": "1400", "unit_amount": "0.01", "amount": "14"},
                ],
            },
        ],
        "tax": [{"category": "S", "label": "Tax", "rate": "20", "exemption_code": "", "note": "", "base": "24", "amount": "4.8"}],
        "discounts": [],
        "credits_used": [],
        "payments": [],
        "credit_notes": [],
        "note": "",
        "replaces": None,
        "replaced_by": None,
        "pdf_sha256": None,
    }


def test_a_draft_is_found_by_its_id_and_a_final_one_by_both() -> None:
    final = _billed("bolt")
    draft = _billed(finalize=False)
    caller = Caller()

    assert caller.get(f"/invoices/{draft.public_id}").json["number"] is None
    assert caller.get(f"/invoices/{draft.public_id}").json["status"] == "draft"
    assert caller.get(f"/invoices/{final.public_id}").json["number"] == final.number
    assert caller.get("/invoices/INV-999999").status == 404
    assert caller.get("/invoices/00000000-0000-0000-0000-000000000000").status == 404
    assert caller.get("/invoices/no%00ne").status == 404


def test_an_invoice_is_overdue_from_the_day_after_its_due_date_where_the_customer_is(monkeypatch: pytest.MonkeyPatch) -> None:
    # Due on 3 March. At noon UTC of the 3rd it is the 4th already in Kiritimati (UTC+14), and the 3rd in UTC.
    _billed("kiri", timezone="Pacific/Kiritimati")
    _billed("acme")
    caller = Caller()

    def overdue(query: str = "?overdue=true") -> list[str]:
        return sorted(item["customer"] for item in caller.get(f"/invoices{query}").json["items"])

    assert overdue() == []
    monkeypatch.setenv("SQUILL_NOW", "2026-03-03T12:00:00Z")
    assert overdue() == ["kiri"]
    assert overdue("?overdue=false") == ["acme"]
    monkeypatch.setenv("SQUILL_NOW", "2026-03-04T00:00:00Z")
    assert overdue() == ["acme", "kiri"]
    assert caller.get("/invoices/INV-000001").json["overdue"] is True


def test_invoices_are_listed_newest_first_and_filtered(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for external_id in ("acme", "bolt", "core"):
        _billed(external_id)
    send_usage("acme", "call", 5, "2026-02-02", {"region": "eu"})
    bill("2026-03-01", finalize=False)  # drafts of February
    caller = Caller("read")

    def listed(query: str) -> list[tuple[str, str | None]]:
        return [(item["customer"], item["number"]) for item in caller.get(f"/invoices{query}").json["items"]]

    with django_assert_max_num_queries(3):  # the key, its last use, the page
        assert len(listed("")) == 6
    assert listed("?status=finalized") == [("core", "INV-000003"), ("bolt", "INV-000002"), ("acme", "INV-000001")]
    assert listed("?customer=bolt&status=draft") == [("bolt", None)]
    assert listed("?customer=") == listed("?number=") == []  # nobody is meant, not everybody
    assert listed("?number=INV-000002") == [("bolt", "INV-000002")]
    assert len(listed("?issued_from=2026-02-01&issued_to=2026-03-01")) == 3  # the end is not included
    assert listed("?issued_from=2026-03-02") == []
    first = caller.get("/invoices?status=finalized&limit=2").json
    assert "lines" not in first["items"][0]
    assert listed(f"?status=finalized&limit=2&cursor={first['nextCursor']}") == [("acme", "INV-000001")]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=open", "status"),
        ("status=", "status"),
        ("overdue=1", "overdue"),
        ("issued_from=yesterday", "issued_from"),
        ("issued=2026-01-01", "issued"),
        ("limit=0", "limit"),
        ("cursor=x", "cursor"),
        ("number=%00", "number"),
    ],
)
def test_a_filter_that_cannot_be_used_is_named(query: str, field: str) -> None:
    answer = Caller("read").get(f"/invoices?{query}")

    assert answer.status == 400
    assert [said for said, _message in answer.told] == [field]


def test_amounts_have_the_decimals_of_their_currency() -> None:
    make_catalog("plans: [{code: yen, currency: JPY, charges: [{code: fee, model: flat, amount: '1500'}]}]")
    make_catalog("plans: [{code: dinar, currency: KWD, charges: [{code: fee, model: flat, amount: '1.2345'}]}]")
    for plan, currency in (("yen", "JPY"), ("dinar", "KWD")):
        subscribe(make_customer(plan, currency=currency), plan)
    bill("2026-02-01")

    totals = {item["currency"]: item["total"] for item in Caller().get("/invoices").json["items"]}

    assert totals == {"JPY": "1500", "KWD": "1.235"}  # 1.2345 to three decimals, half away from zero


def test_the_upcoming_invoice_is_the_spend_so_far_and_writes_nothing() -> None:
    customer = make_customer("acme", tax_rate_pct="20")
    subscribe(customer, external_id="sub")
    bill("2026-02-01")
    send_usage(customer, "call", 350, "2026-02-05", {"region": "eu"})
    caller = Caller("read")
    caller.get("/plans")  # the key's last use is written now, and not within the minute
    before = row_counts()

    answer = caller.get("/customers/acme/upcoming_invoice")

    assert answer.status == 200
    # 10 + (350 - 100) * 0.01 = 12.50, with 20 % tax 15.00
    assert (answer.json["total"], answer.json["currency"], answer.json["as_of"]) == ("15", "EUR", "2026-02-10T12:00:00Z")
    [upcoming] = answer.json["invoices"]
    assert (upcoming["subscription"], upcoming["subtotal"], upcoming["tax_total"], upcoming["due"]) == (
        "sub",
        "12.5",
        "2.5",
        "15",
    )
    assert (upcoming["first_day"], upcoming["last_day"], upcoming["issued_on"]) == ("2026-02-01", "2026-02-28", "2026-03-01")
    assert [(line["charge"], line["quantity"], line["amount"]) for line in upcoming["lines"]] == [
        ("fee", "1", "10"),
        ("calls", "350", "2.5"),
    ]
    assert row_counts() == before


def test_a_customer_without_a_subscription_has_nothing_upcoming() -> None:
    make_customer("acme")

    answer = Caller().get("/customers/acme/upcoming_invoice")

    assert (answer.json["total"], answer.json["invoices"]) == ("0", [])


def test_a_narrowed_key_knows_of_its_customer_alone() -> None:
    invoice = _billed("bolt")
    acme = make_customer("acme")
    narrowed = Caller.narrowed_to(acme)

    assert narrowed.get("/invoices").json["items"] == []
    assert narrowed.get(f"/invoices?number={invoice.number}").json["items"] == []
    for name in (invoice.number, invoice.public_id):
        assert narrowed.get(f"/invoices/{name}").status == 404
    assert narrowed.get("/customers/bolt/upcoming_invoice").status == 404
    assert narrowed.get("/customers/acme/upcoming_invoice").status == 200


def test_the_read_scope_is_needed() -> None:
    invoice = _billed()
    writer = Caller("write")

    assert writer.get("/invoices").status == 403
    assert writer.get(f"/invoices/{invoice.number}").status == 403
    assert writer.get("/customers/acme/upcoming_invoice").status == 403
