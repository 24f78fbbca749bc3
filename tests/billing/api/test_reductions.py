"""Coupons and credits over HTTP: made, given, shown on invoices, taken back; narrowed keys only read their own."""

from typing import Any

import pytest

from billing.models import Coupon, CouponRedemption, Credit, CreditEntry
from customers.models import Customer
from tests.billing.api.calling import Caller
from tests.billing.builders import bill, invoices, make_catalog, make_customer, subscribe
from tests.billing.reductions.reduced import coupon, grant, redeem

pytestmark = pytest.mark.django_db

COUPON: dict[str, Any] = {"code": "FIVER", "name": "Five off", "amount": "5", "currency": "EUR", "duration": "forever"}
GRANT: dict[str, Any] = {"reference": "pre/1", "kind": "paid", "name": "Prepaid", "amount": "4.5", "cost_basis": "4"}


def billed() -> Customer:
    """A customer on the plan of CALLS with 20 % tax: 10.00 a month."""
    make_catalog()
    acme = make_customer("acme/eu", tax_rate_pct="20", email="billing@acme.example")
    subscribe(acme, external_id="acme-sub")
    return acme


def test_a_coupon_is_made_read_changed_and_archived() -> None:
    api = Caller()
    made = api.post("/coupons", COUPON)
    assert made.status == 201
    assert made.json == {
        "code": "FIVER",
        "name": "Five off",
        "percent": None,
        "amount": "5",
        "currency": "EUR",
        "duration": "forever",
        "period_count": None,
        "plans": [],
        "charges": [],
        "max_redemptions": None,
        "redeem_until": None,
        "redemptions": 0,
        "archived_at": None,
        "created_at": "2026-02-10T12:00:00Z",
    }
    assert api.post("/coupons", COUPON).told == [("code", "there is a coupon FIVER already: choose another code")]
    changed = api.patch("/coupons/FIVER", {"percent": "12.5", "amount": None, "currency": None, "max_redemptions": 3})
    assert (changed.status, changed.json["percent"], changed.json["amount"], changed.json["max_redemptions"]) == (
        200,
        "12.5",
        None,
        3,
    )
    assert api.get("/coupons/FIVER").json == changed.json
    assert api.post("/coupons/FIVER/archive").json["archived_at"] == "2026-02-10T12:00:00Z"
    assert [one["code"] for one in api.get("/coupons?archived=true").json["items"]] == ["FIVER"]
    assert api.get("/coupons?archived=false").json["items"] == []


@pytest.mark.parametrize(
    ("members", "status", "field"),
    [
        ({"amount": "5.001"}, 400, "amount"),
        ({"amount": None}, 400, "percent"),
        ({"currency": None}, 400, "currency"),
        ({"currency": "XYZ"}, 400, "currency"),
        ({"plans": ["gold"]}, 400, "plans"),
        ({"charges": ["seats"]}, 400, "charges"),
        ({"duration": "weekly"}, 400, "duration"),
        ({"period_count": 2}, 400, "period_count"),
        ({"max_redemptions": "3"}, 400, "max_redemptions"),
        ({"discount": "5"}, 400, "discount"),
    ],
)
def test_a_coupon_that_cannot_be_names_the_member_and_writes_nothing(members: dict[str, Any], status: int, field: str) -> None:
    answer = Caller().post("/coupons", {**COUPON, **members})
    assert (answer.status, [told[0] for told in answer.told]) == (status, [field])
    assert Coupon.objects.count() == 0


def test_what_a_coupon_takes_off_is_fixed_once_it_is_redeemed() -> None:
    coupon()
    redeem(make_customer())
    api = Caller()
    answer = api.patch("/coupons/TEN", {"percent": "20"})
    assert (answer.status, answer.told[0][0]) == (409, "percent")
    assert api.patch("/coupons/TEN", {"code": "ELEVEN"}).status == 400
    assert api.patch("/coupons/NONE", {"name": "x"}).status == 404


def test_a_coupon_is_redeemed_shown_on_the_invoice_and_taken_away() -> None:
    acme = billed()
    coupon(duration="periods", period_count=2)
    redeem(acme)
    grant(acme, 300)
    api = Caller()
    bill("2026-02-01")
    upcoming = api.get("/customers/acme/eu/upcoming_invoice").json["invoices"]
    shown = api.get(f"/invoices/{invoices()[0].number}").json
    discount = {"code": "TEN", "label": "Ten", "percent": "10", "amount": "1"}
    assert shown["discounts"] == [discount]
    assert shown["credits_used"] == [{"kind": "promotional", "name": "Gift", "amount": "3"}]
    # 10.00 - 1.00 = 9.00, tax 1.80, 10.80 less 3.00
    assert (shown["discount"], shown["tax_total"], shown["credits"], shown["due"]) == ("1", "1.8", "3", "7.8")
    assert [(one["discounts"], one["credits_used"]) for one in upcoming] == [([discount], [])]  # the credit is used up

    assert api.get("/customers/acme/eu/coupons").json["items"] == [
        {
            "coupon": "TEN",
            "name": "Ten",
            "subscription": None,
            "state": "running",
            "uses": 1,
            "uses_left": 1,
            "redeemed_at": "2026-01-01T00:00:00Z",
            "ended_at": None,
        }
    ]
    again = api.post("/customers/acme/eu/coupons", {"coupon": "TEN"})
    assert (again.status, again.told[0][0]) == (409, "coupon")
    ended = api.delete("/customers/acme/eu/coupons/TEN")
    assert (ended.status, ended.json["state"], ended.json["ended_at"]) == (200, "taken_away", "2026-02-10T12:00:00Z")
    assert api.delete("/customers/acme/eu/coupons/NONE").status == 404
    anew = api.post("/customers/acme/eu/coupons", {"coupon": "TEN", "subscription": "acme-sub"})
    assert (anew.status, anew.json["subscription"], CouponRedemption.objects.count()) == (201, "acme-sub", 2)


def test_a_draft_shows_its_credits_as_they_are_now() -> None:
    acme = billed()
    credit = grant(acme, 300)
    bill("2026-02-01", finalize=False)
    api = Caller()
    (draft,) = invoices()
    shown = api.get(f"/invoices/{draft.public_id}").json
    assert (shown["credits"], shown["due"], len(shown["credits_used"])) == ("3", "9", 1)
    api.post(f"/customers/acme/eu/credits/{credit.reference}/void", {})
    shown = api.get(f"/invoices/{draft.public_id}").json
    assert (shown["credits"], shown["due"], shown["credits_used"]) == ("0", "12", [])


def test_a_credit_is_granted_once_used_paid_out_and_told_in_the_ledger() -> None:
    billed()
    api = Caller()
    assert api.post("/customers/acme/eu/credits", GRANT).told[0][0] == "reference"
    body = {**GRANT, "reference": "pre-1", "amount": "20"}
    granted = api.post("/customers/acme/eu/credits", body)
    assert (granted.status, granted.json["left"], granted.json["cost_basis"], granted.json["priority"]) == (201, "20", "4", 100)
    assert api.post("/customers/acme/eu/credits", body).status == 200
    differs = api.post("/customers/acme/eu/credits", {**body, "amount": "21"})
    assert (differs.status, differs.told[0][0]) == (409, "reference")
    bill("2026-02-10T13:00:00Z")
    paid_out = api.post("/customers/acme/eu/credits/pre-1/refund", {"reason": "left us"})
    assert (paid_out.status, paid_out.json["left"], paid_out.json["state"]) == (200, "0", "used_up")
    assert api.post("/customers/acme/eu/credits/pre-1/refund", {}).status == 409
    ledger = api.get("/customers/acme/eu/credit_entries").json["items"]
    assert [(one["kind"], one["amount"], one["balance"], one["invoice"]) for one in ledger] == [
        ("refunded", "-8", "0", None),
        ("used", "-12", "8", "INV-000001"),
        ("granted", "20", "20", None),
    ]
    page = api.get("/customers/acme/eu/credit_entries?limit=1&credit=pre-1&currency=EUR").json
    following = api.get(f"/customers/acme/eu/credit_entries?limit=1&cursor={page['nextCursor']}").json
    assert [one["balance"] for one in following["items"]] == ["8"]
    assert api.get("/customers/acme/eu/credits?currency=USD").json["items"] == []


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "1.234"}, "amount"),
        ({"cost_basis": "1.234"}, "cost_basis"),
        ({"kind": "credit_note"}, "kind"),
        ({"kind": "promotional"}, "cost_basis"),
        ({"currency": "eur"}, "currency"),
        ({"expires_at": "2026-02-10T12:00:00Z"}, "expires_at"),
        ({"priority": -1}, "priority"),
        ({"reference": ""}, "reference"),
    ],
)
def test_a_credit_that_cannot_be_names_the_member_and_writes_nothing(members: dict[str, Any], field: str) -> None:
    make_customer()
    answer = Caller().post("/customers/acme/credits", {**GRANT, "reference": "p", **members})
    assert (answer.status, [told[0] for told in answer.told]) == (400, [field])
    assert (Credit.objects.count(), CreditEntry.objects.count()) == (0, 0)


def test_a_narrowed_key_reads_its_own_and_changes_nothing() -> None:
    acme, other = make_customer(), make_customer("other")
    for code, customer in (("TEN", acme), ("OTHER", other)):
        coupon(code)
        redeem(customer, code)
        grant(customer, 100)
    api = Caller.narrowed_to(acme)
    assert [one["code"] for one in api.get("/coupons").json["items"]] == ["TEN"]
    assert api.get("/coupons/OTHER").status == 404
    for path in ("coupons", "credits", "credit_entries"):
        assert len(api.get(f"/customers/acme/{path}").json["items"]) == 1
        assert api.get(f"/customers/other/{path}").status == 404
    before = (CouponRedemption.objects.filter(ended_at=None).count(), CreditEntry.objects.count(), Coupon.objects.count())
    assert api.post("/coupons", COUPON).status == 403
    assert api.patch("/coupons/TEN", {"name": "x"}).status == 403
    assert api.post("/coupons/TEN/archive").status == 403
    assert api.post("/customers/acme/coupons", {"coupon": "OTHER"}).status == 403
    assert api.delete("/customers/acme/coupons/TEN").status == 403
    assert api.post("/customers/acme/credits", GRANT).status == 403
    for action in ("void", "refund"):
        assert api.post(f"/customers/acme/credits/gift/{action}", {}).status == 403
    assert before == (CouponRedemption.objects.filter(ended_at=None).count(), CreditEntry.objects.count(), Coupon.objects.count())
