"""Coupons and credits in the finance desk: made, given, taken back, each after a question and with the person on the trail."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from billing.models import Coupon, CouponRedemption, Credit, CreditEntry, Invoice
from customers.models import AuditEvent, Customer, User
from tests.billing.builders import bill
from tests.billing.desks import small_books
from tests.billing.reductions.reduced import coupon, entries, grant, redeem

pytestmark = pytest.mark.django_db

FORM = {"code": "SPRING", "name": "Spring", "percent": "10", "duration": "once"}


def page(desk: Client, path: str) -> str:
    answer = desk.get(f"/admin/{path}/")
    assert answer.status_code == 200
    return answer.content.decode()


def do(desk: Client, path: str, **values: object) -> str:
    answer = desk.post(f"/admin/{path}/", values, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def trail(action: str) -> list[str]:
    return list(AuditEvent.objects.filter(action=action, actor_kind="user").values_list("actor_label", flat=True))


def test_a_coupon_is_made_by_a_form_and_what_it_takes_off_is_fixed(desk: Client) -> None:
    small_books()
    assert "Spring" in do(desk, "billing/coupon/add", **FORM, plans=["basic"], charges=["calls"], max_redemptions="5")
    made = Coupon.objects.get()
    assert (made.percent, made.plan_codes, made.charge_codes, made.max_redemptions) == (Decimal(10), ["basic"], ["calls"], 5)
    assert trail("coupon.created") == ["finance@example.com"]
    inline = {"redemptions-TOTAL_FORMS": "0", "redemptions-INITIAL_FORMS": "0"}
    do(desk, f"billing/coupon/{made.pk}/change", name="Spring sale", max_redemptions="6", percent="90", **inline)
    made.refresh_from_db()
    assert (made.name, made.percent, made.max_redemptions) == ("Spring sale", Decimal(10), 6)
    assert trail("coupon.updated") == ["finance@example.com"]


def test_what_the_service_refuses_stands_in_the_form(desk: Client) -> None:
    assert "either a percentage or an amount" in do(desk, "billing/coupon/add", **FORM, amount="5", currency="EUR")
    assert "at most 0 decimals" in do(desk, "billing/coupon/add", **{**FORM, "percent": ""}, amount="5.5", currency="JPY")
    assert "ISO 4217" in do(desk, "billing/coupon/add", **{**FORM, "percent": ""}, amount="5", currency="")
    assert Coupon.objects.count() == 0


def test_a_coupon_is_archived_after_a_question(desk: Client) -> None:
    made = coupon()
    redeem(small_books())
    assert "The 1 customer who has it keeps it" in page(desk, f"billing/coupon/{made.pk}/archive")
    assert Coupon.objects.get().archived_at is None
    assert "TEN is archived." in do(desk, f"billing/coupon/{made.pk}/archive")
    assert f"/admin/billing/coupon/{made.pk}/archive/" not in page(desk, f"billing/coupon/{made.pk}/change")
    assert trail("coupon.archived") == ["finance@example.com"]


def test_a_customer_gets_a_coupon_and_loses_it(desk: Client) -> None:
    acme = small_books()
    made = coupon(duration="forever")
    assert f"/admin/customers/customer/{acme.pk}/take-coupon-away/" not in page(desk, f"customers/customer/{acme.pk}/change")
    assert "Ten (TEN): 10 %, for ever" in page(desk, f"customers/customer/{acme.pk}/redeem-coupon")
    assert "Acme has coupon TEN." in do(desk, f"customers/customer/{acme.pk}/redeem-coupon", coupon=made.pk)
    assert "has coupon TEN already" in do(desk, f"customers/customer/{acme.pk}/redeem-coupon", coupon=made.pk)
    held = CouponRedemption.objects.get()
    assert "TEN is taken away." in do(desk, f"customers/customer/{acme.pk}/take-coupon-away", redemption=held.pk)
    held.refresh_from_db()
    assert held.ended_at is not None
    assert trail("coupon.redeemed") == trail("coupon.taken_away") == ["finance@example.com"]


def test_a_customer_gets_a_credit_which_is_taken_back(desk: Client) -> None:
    acme = small_books()
    values = {"kind": "promotional", "name": "Sorry", "amount": "12.50", "priority": "100", "reference": "sorry-1"}
    path = f"customers/customer/{acme.pk}/grant-credit"
    assert "Sorry is granted." in do(desk, path, **values, expires_on="2026-03-01")
    assert "was granted already" in do(desk, path, **values, expires_on="2026-03-01")
    credit = Credit.objects.get()
    assert (credit.amount_minor, f"{credit.expires_at:%Y-%m-%d %H:%M}") == (1250, "2026-03-01 00:00")
    assert "nothing is paid for a promotional credit" in do(desk, path, **{**values, "reference": "2"}, cost_basis="1")
    assert "€12.50" in page(desk, f"customers/customer/{acme.pk}/change")
    done = do(desk, f"customers/customer/{acme.pk}/take-credit-back", credit=credit.pk, reason="twice")
    assert "Sorry is taken back." in done
    assert entries(credit) == [("granted", 1250), ("voided", -1250)]
    assert trail("credit.granted") == trail("credit.voided") == ["finance@example.com"]


def test_what_is_left_of_a_prepaid_credit_is_paid_out(desk: Client) -> None:
    credit = grant(small_books(), 5000, "prepaid", kind="paid", cost_basis_minor=5000)
    assert "€50.00" in page(desk, f"billing/credit/{credit.pk}/pay-out")
    assert "€50.00 are recorded as paid out." in do(desk, f"billing/credit/{credit.pk}/pay-out", reason="asked for it")
    assert "nothing is left" in do(desk, f"billing/credit/{credit.pk}/pay-out")
    assert "is taken back" in do(desk, f"billing/credit/{credit.pk}/take-back")
    assert entries(credit) == [("granted", 5000), ("refunded", -5000)]


def test_lists_objects_and_the_invoice_show_every_discount_and_credit(desk: Client) -> None:
    acme = small_books()
    for code in ("TEN", "TWENTY"):
        coupon(code, percent={"TEN": "10", "TWENTY": "20"}[code])
        redeem(acme, code, "2026-02-15")
    credit = grant(acme, 500, when="2026-02-15")
    bill("2026-03-01", finalize=False)
    draft = Invoice.objects.get(status="draft")
    # 15.00: 1.50, then 20 % of 13.50 = 2.70; 10.80 and tax 2.16; 5.00 of 12.96 by the credit
    shown = page(desk, f"billing/invoice/{draft.pk}/change")
    for text in ("Discount: Ten", "-€1.50", "Discount: Twenty", "-€2.70", "Credit: Gift", "-€5.00", "€7.96"):
        assert text in shown.replace("\N{MINUS SIGN}", "-"), text
    bill("2026-03-01")
    assert "1, 0 left" in page(desk, f"billing/coupon/{Coupon.objects.get(code='TEN').pk}/change")
    entry = CreditEntry.objects.get(kind="used")
    for path in (
        "billing/coupon",
        "billing/credit",
        "billing/creditentry",
        "billing/coupon/add",
        f"billing/credit/{credit.pk}/change",
        f"billing/creditentry/{entry.pk}/change",
    ):
        page(desk, path)
    assert "INV-000002" in page(desk, "billing/creditentry")


def test_staff_do_only_what_they_may(client: Client) -> None:
    acme: Customer = small_books()
    credit = grant(acme, 100)
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_customer"), Permission.objects.get(codename="view_credit"))
    client.force_login(clerk)
    assert "grant-credit" not in client.get(f"/admin/customers/customer/{acme.pk}/change/").content.decode()
    for action in ("redeem-coupon", "take-coupon-away", "grant-credit", "take-credit-back"):
        assert client.post(f"/admin/customers/customer/{acme.pk}/{action}/", {}).status_code == 403
    for action in ("take-back", "pay-out"):
        assert client.post(f"/admin/billing/credit/{credit.pk}/{action}/", {}).status_code == 403
    assert client.get("/admin/billing/coupon/").status_code == 403
    assert entries(credit) == [("granted", 100)]
