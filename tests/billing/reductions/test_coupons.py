"""Which coupons reduce an invoice: by their day, scope, use and order; a use is given back by a void invoice."""

from decimal import Decimal
from typing import Any

import pytest

from billing.invoicing.drafting import draft_boundary, refresh_draft
from billing.invoicing.items import Item
from billing.invoicing.one_off import draft_one_off
from billing.invoicing.preview import upcoming_invoice, upcoming_invoices
from billing.invoicing.voiding import void_invoice
from billing.models import CouponRedemption, Invoice
from billing.rating.terms import TermsBook
from billing.reductions.coupons import UsableCoupon
from billing.reductions.redeeming import take_away_coupon
from billing.subscriptions.changing import put_add_on
from tests.billing.builders import ACTOR, at, bill, invoices, make_catalog, make_customer, send_usage, subscribe
from tests.billing.offers import flat, make_version
from tests.billing.reductions.reduced import coupon, discounts, redeem, totals
from tests.usage.builders import in_threads

pytestmark = pytest.mark.django_db


def void(invoice: Invoice, when: str = "2026-02-02") -> None:
    void_invoice(invoice_id=invoice.pk, reason="wrong", actor=ACTOR, now=at(when))


def test_a_coupon_redeemed_on_the_day_of_a_boundary_reduces_it_and_one_of_the_next_day_does_not() -> None:
    make_catalog()
    coupon()
    for name, when in (("same-day", "2026-02-01T23:59:59Z"), ("next-day", "2026-02-02")):
        customer = make_customer(name)
        subscribe(customer)
        redeem(customer, when=when)
    bill("2026-02-01")
    found = {invoice.customer.external_id: discounts(invoice) for invoice in invoices()}
    assert found == {"next-day": [], "same-day": [("TEN", 100)]}


def test_the_day_is_that_of_the_customer() -> None:
    make_catalog()
    coupon()
    tokyo = make_customer(timezone="Asia/Tokyo")
    subscribe(tokyo, starts="2025-12-31T15:00:00Z")
    redeem(tokyo, when="2026-02-01T15:00:00Z")  # 2 February, 0:00 in Tokyo
    bill("2026-02-01")
    assert [discounts(invoice) for invoice in invoices(boundary_at=at("2026-01-31T15:00:00Z"))] == [[]]


def test_a_coupon_of_the_day_on_which_a_subscription_begins_reduces_its_first_fees_in_advance() -> None:
    make_version("pro", flat("fee", "30", billed="in_advance"))
    coupon()
    acme = make_customer()
    subscribe(acme, "pro", "2026-01-01")
    redeem(acme, when="2026-01-01T10:00:00Z")
    bill("2026-01-01T12:00:00Z")
    assert [totals(invoice) for invoice in invoices()] == [(3000, 300, 0, 2700, 0, 2700)]


def test_n_invoices_are_counted_over_all_subscriptions_of_the_customer() -> None:
    make_version("a", flat("fee", "10"))
    make_version("b", flat("fee", "20"))
    coupon(duration="periods", period_count=3)
    acme = make_customer()
    subscribe(acme, "a")
    subscribe(acme, "b")
    redeem(acme)
    bill("2026-03-01")
    assert sorted(discounts(invoice) for invoice in invoices()) == [[], [("TEN", 100)], [("TEN", 100)], [("TEN", 200)]]


def test_a_coupon_of_one_subscription_reduces_no_other() -> None:
    make_version("a", flat("fee", "10"))
    make_version("b", flat("fee", "20"))
    coupon(duration="forever")
    acme = make_customer()
    subscribe(acme, "a")
    subscribe(acme, "b", external_id="acme-b")
    redeem(acme, subscription="acme-b")
    bill("2026-02-01")
    assert sorted((invoice.subtotal_minor, invoice.discount_minor) for invoice in invoices()) == [(1000, 0), (2000, 200)]


def test_a_coupon_on_an_invoice_of_nothing_is_not_used() -> None:
    make_catalog()
    coupon(charge_codes=["calls"])
    acme = make_customer()
    subscribe(acme)
    redeem(acme)
    bill("2026-02-01")  # no calls
    send_usage(acme, "call", 1100, "2026-02-10")
    bill("2026-03-01")  # 1,000 calls at 0.01
    assert [discounts(invoice) for invoice in invoices()] == [[], [("TEN", 100)]]


def test_a_void_invoice_gives_the_use_back_to_the_one_that_follows() -> None:
    make_catalog()
    coupon()
    acme = make_customer()
    subscribe(acme)
    redeem(acme)
    bill("2026-02-01")
    void(invoices()[0])
    bill("2026-02-03")
    bill("2026-03-01")
    found = [(invoice.status, discounts(invoice)) for invoice in Invoice.objects.order_by("pk")]
    assert found == [("void", [("TEN", 100)]), ("finalized", [("TEN", 100)]), ("finalized", [])]


def test_a_draft_keeps_its_own_use_when_it_is_worked_out_anew_and_loses_a_coupon_that_is_taken_away() -> None:
    make_catalog()
    coupon()
    acme = make_customer()
    subscribe(acme)
    redemption = redeem(acme)
    bill("2026-02-01", finalize=False)
    (draft,) = invoices()
    refresh_draft(invoice_id=draft.pk, as_of=at("2026-02-01"), terms_book=TermsBook())
    assert discounts(draft) == [("TEN", 100)]
    take_away_coupon(redemption_id=redemption.pk, actor=ACTOR, now=at("2026-02-02"))
    refresh_draft(invoice_id=draft.pk, as_of=at("2026-02-03"), terms_book=TermsBook())
    assert (discounts(draft), totals(draft)) == ([], (1000, 0, 0, 1000, 0, 1000))


def test_coupons_come_off_one_after_the_other_in_the_order_in_which_they_were_redeemed() -> None:
    make_catalog()
    coupon("FIVE", amount_minor=500)
    coupon("HALF", percent="50")
    for name, order in (("a", ("FIVE", "HALF")), ("b", ("HALF", "FIVE"))):
        customer = make_customer(name, tax_rate_pct="20")
        subscribe(customer)
        for code in order:
            redeem(customer, code)
    bill("2026-02-01")
    a, b = invoices()
    assert (discounts(a), totals(a)) == ([("FIVE", 500), ("HALF", 250)], (1000, 750, 50, 300, 0, 300))
    assert (discounts(b), totals(b)) == ([("HALF", 500), ("FIVE", 500)], (1000, 1000, 0, 0, 0, 0))


def test_the_charge_of_an_add_on_is_named_by_its_own_code_and_its_plan_by_the_add_on() -> None:
    make_version("basic", flat("fee", "10"))
    make_version("support", flat("fee", "40"), kind="add_on")
    scopes: tuple[tuple[str, dict[str, Any]], ...] = (
        ("BOTH", {"charge_codes": ["fee"]}),
        ("ADDON", {"plan_codes": ["support"]}),
        ("PLAN", {"plan_codes": ["basic"], "charge_codes": ["fee"]}),
    )
    for code, members in scopes:
        coupon(code, **members)
        acme = make_customer(code.lower())
        subscription = subscribe(acme, "basic")
        put_add_on(
            subscription_id=subscription.pk,
            plan_code="support",
            quantity=Decimal(1),
            when=at("2026-01-01"),
            actor=ACTOR,
            now=at("2026-01-01"),
        )
        redeem(acme, code)
    bill("2026-02-01")
    found = {invoice.customer.external_id: invoice.discount_minor for invoice in invoices()}
    assert found == {"both": 500, "addon": 400, "plan": 100}


@pytest.mark.parametrize(
    ("plans", "charges", "plan", "line", "applies"),
    [
        ([], [], "", "setup", True),
        ([], ["setup"], "", "setup", False),  # a one-off item, whatever it is called
        (["basic"], [], "", "setup", False),
        (["basic"], [], "basic", "fee", True),
        (["basic"], [], "other", "fee", False),
        ([], ["fee"], "support", ":support:fee", True),
        ([], ["fee"], "support", ":a:b:fee", True),
        ([], ["minimum-commitment"], "basic", ":minimum-commitment", False),
        ([], [":minimum-commitment"], "basic", ":minimum-commitment", True),
    ],
)
def test_what_a_coupon_applies_to(plans: list[str], charges: list[str], plan: str, line: str, applies: bool) -> None:
    usable = UsableCoupon(
        redemption_id=1,
        code="TEN",
        label="Ten",
        percent=None,
        amount_minor=100,
        plan_codes=frozenset(plans),
        charge_codes=frozenset(charges),
        uses_left=1,
    )
    assert usable.applies_to(plan_code=plan, charge_code=line) is applies


def test_previews_of_several_subscriptions_share_the_last_use() -> None:
    make_version("a", flat("fee", "10"))
    make_version("b", flat("fee", "20"))
    coupon()
    acme = make_customer()
    subscriptions = [subscribe(acme, "a"), subscribe(acme, "b")]
    redeem(acme)
    now = at("2026-01-15")
    assert [one.totals.discount_minor for one in upcoming_invoices(acme, now=now)] == [100, 0]
    alone = [upcoming_invoice(one, now=now) for one in subscriptions]
    assert [one.totals.discount_minor for one in alone if one] == [100, 200]
    assert CouponRedemption.objects.get().discounts.count() == 0


@pytest.mark.django_db(transaction=True)
def test_subscriptions_drafted_at_once_take_the_one_use_once() -> None:
    for code in "abcd":
        make_version(code, flat("fee", "10"))
    coupon()
    acme = make_customer()
    subscriptions = [subscribe(acme, code, now=at("2026-02-02")) for code in "abcd"]
    redeem(acme)

    def draft(subscription_id: int) -> None:
        february = at("2026-02-01")
        draft_boundary(subscription_id=subscription_id, boundary_at=february, as_of=february, terms_book=TermsBook())

    in_threads(*[lambda pk=subscription.pk: draft(pk) for subscription in subscriptions])
    assert sorted(invoice.discount_minor for invoice in invoices()) == [0, 0, 0, 100]


def test_a_one_off_invoice_is_reduced_by_coupons_of_everything_only() -> None:
    make_version("basic", flat("fee", "10"))
    acme = make_customer()
    subscribe(acme, external_id="acme-basic")
    given: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("ALL", {}, ""),
        ("PLAN", {"plan_codes": ["basic"]}, ""),
        ("CHARGE", {"charge_codes": ["fee"]}, ""),
        ("SUBSCRIPTION", {}, "acme-basic"),
    )
    for code, members, only in given:
        coupon(code, duration="forever", **members)
        redeem(acme, code, subscription=only)
    now = at("2026-01-15")
    item = Item(description="Set-up", quantity=Decimal(1), unit_amount=Decimal(50))
    invoice = draft_one_off(customer_id=acme.pk, currency="EUR", items=[item], actor=ACTOR, now=now)
    assert (discounts(invoice), totals(invoice)) == ([("ALL", 500)], (5000, 500, 0, 4500, 0, 4500))
