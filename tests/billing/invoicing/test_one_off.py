"""Invoices of items: rounded once an item, final like all others, edited and discarded only as drafts."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.invoicing.drafting import refresh_draft
from billing.invoicing.finalizing import finalize_invoice
from billing.invoicing.items import Item, ItemsRefused, kept_items
from billing.invoicing.one_off import UnableToEdit, change_items, discard_one_off, draft_one_off
from billing.invoicing.snapshot import from_json
from billing.invoicing.voiding import replacement_of, void_invoice
from billing.models import Coupon, CouponRedemption, Credit, CreditEntry, Invoice, InvoiceLine
from billing.rating.terms import TermsBook
from billing.reconciliation.canonical import export_canonical
from billing.reconciliation.report import reconcile
from customers.models import AuditEvent, Customer
from customers.services import archive_customer, update_customer
from tests.billing.builders import ACTOR, at, bill, make_catalog, make_customer, row_counts, subscribe

pytestmark = pytest.mark.django_db
NOW = at("2026-02-10T12:00:00Z")


def item(description: str = "Set-up", quantity: str = "1", price: str = "100", **fields: Any) -> Item:
    return Item(description=description, quantity=Decimal(quantity), unit_amount=Decimal(price), **fields)


def untaxed() -> Customer:
    """A customer without a rate of its own: items say theirs."""
    customer = make_customer()
    Customer.objects.filter(pk=customer.pk).update(tax_rate_pct=None)
    return Customer.objects.get(pk=customer.pk)


def draft(customer: Customer, *items: Item, **fields: Any) -> Invoice:
    wanted: dict[str, Any] = {"currency": customer.currency, "items": items or (item(),), "now": NOW, "actor": ACTOR}
    return draft_one_off(customer_id=customer.pk, **(wanted | fields))


def finalize(invoice: Invoice, when: str = "2026-02-12") -> Invoice:
    return finalize_invoice(invoice_id=invoice.pk, as_of=at(when), actor=ACTOR, now=at(when))


def test_each_item_is_rounded_once_and_taxed_by_its_rate() -> None:
    customer = untaxed()
    invoice = draft(
        customer,
        item("Consulting", "2.5", "120.10", unit="hours", tax_rate=Decimal(20)),  # 300.25
        item("Licence", "3", "0.335", tax_rate=Decimal(10)),  # 1.005 → 1.01
        item("Goodwill", "1", "-50", tax_rate=Decimal(20)),
        payment_terms_days=7,
        note="Thank you for the workshop.",
    )
    lines = InvoiceLine.objects.order_by("position")
    assert [
        (line.group, line.charge_code, line.exact_amount, line.amount_minor, line.tax_rate_pct, line.billing_period_id)
        for line in lines
    ] == [
        ("item", "item-1", Decimal("300.25"), 30025, Decimal(20), None),
        ("item", "item-2", Decimal("1.005"), 101, Decimal(10), None),
        ("item", "item-3", Decimal(-50), -5000, Decimal(20), None),
    ]
    # (300.25 - 50) x 20 % = 50.05; 1.01 x 10 % = 0.101 → 0.10
    assert [(tax.rate_pct, tax.base_minor, tax.amount_minor) for tax in invoice.taxes.order_by("rate_pct")] == [
        (Decimal(10), 101, 10),
        (Decimal(20), 25025, 5005),
    ]
    assert (invoice.kind, invoice.status, invoice.subscription_id, invoice.boundary_at) == ("one_off", "draft", None, None)
    assert (invoice.subtotal_minor, invoice.tax_minor, invoice.due_minor) == (25126, 5015, 30141)
    assert (invoice.issued_on, invoice.due_on) == (date(2026, 2, 10), date(2026, 2, 17))
    assert (invoice.first_day, invoice.last_day) == (date(2026, 2, 10), date(2026, 2, 10))


def test_it_is_numbered_frozen_sent_and_paid_like_every_invoice() -> None:
    make_catalog()
    customer = make_customer()
    subscribe(customer)
    bill("2026-02-01")
    first = draft(customer, item(first_day=date(2026, 1, 5), last_day=date(2026, 1, 9)), note="For the pilot")
    bill("2026-02-11")  # no run touches it
    assert Invoice.objects.get(pk=first.pk).status == "draft"

    invoice = finalize(first)

    said = from_json(invoice.snapshot)
    assert (invoice.number, invoice.status, invoice.issued_on) == ("INV-000002", "finalized", date(2026, 2, 12))
    assert (said.number, said.notes, said.due_minor, said.first_day) == (
        "INV-000002",
        ("For the pilot",),
        10000,
        date(2026, 1, 5),
    )
    assert [(line.description, line.amount_minor) for line in said.lines] == [("Set-up", 10000)]
    assert invoice.deliveries.get().recipient == "billing@acme.example"
    assert reconcile().differences == ()
    told = export_canonical()["invoices"]
    assert [(one["kind"], one["number"], [line["period"] for line in one["lines"]]) for one in told] == [
        ("one_off", "INV-000002", [None]),
        ("invoice", "INV-000001", [["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"]]),
    ]


def test_a_draft_is_worked_out_anew_with_the_taxes_and_credits_of_the_day() -> None:
    customer = make_customer(tax_rate_pct="10")
    invoice = draft(customer, item(), item("Fixed", tax_rate=None))
    assert invoice.tax_minor == 2000
    update_customer(customer_id=customer.pk, changes={"tax_rate_pct": Decimal(20)}, actor=ACTOR, now=NOW)
    credit = Credit.objects.create(
        customer=customer, kind="promotional", name="Welcome", currency="EUR", amount_minor=5000, granted_at=NOW
    )
    CreditEntry.objects.create(credit=credit, kind="granted", amount_minor=5000, recorded_at=NOW, recorded_by="x")

    refreshed = refresh_draft(invoice_id=invoice.pk, as_of=NOW + timedelta(days=1), terms_book=TermsBook())

    assert refreshed is not None
    assert (refreshed.pk, refreshed.public_id) == (invoice.pk, invoice.public_id)
    assert (refreshed.tax_minor, refreshed.credits_minor, refreshed.due_minor) == (4000, 5000, 19000)
    final = finalize(invoice)
    assert (final.due_minor, credit.entries.count()) == (19000, 2)


def test_a_coupon_for_every_plan_takes_off_items_too_and_one_of_a_plan_does_not() -> None:
    customer = make_customer()
    for name, plans in (("All", []), ("Basic only", ["basic"])):
        coupon = Coupon.objects.create(
            code=name, name=name, percent=Decimal(10), duration="forever", plan_codes=plans, created_at=NOW
        )
        CouponRedemption.objects.create(coupon=coupon, customer=customer, redeemed_at=at("2026-01-01"))
    invoice = draft(customer)
    assert [(one.label, one.amount_minor) for one in invoice.discounts.all()] == [("All", 1000)]
    assert invoice.due_minor == 9000


def test_items_are_changed_as_long_as_it_is_a_draft() -> None:
    customer = make_customer()
    invoice = draft(customer)
    changed = change_items(invoice_id=invoice.pk, items=[item("Travel", "2", "75.5")], note="new", now=NOW, actor=ACTOR)
    assert (changed.pk, changed.due_minor, kept_items(changed).note) == (invoice.pk, 15100, "new")
    assert InvoiceLine.objects.get().description == "Travel"
    event = AuditEvent.objects.get(action="invoice.items_changed")
    assert (event.object_id, event.before["total_minor"], event.after["total_minor"]) == (str(invoice.public_id), 10000, 15100)
    finalize(invoice)
    rows = row_counts()
    for refused in (
        lambda: change_items(invoice_id=invoice.pk, items=[item()], now=NOW, actor=ACTOR),
        lambda: discard_one_off(invoice_id=invoice.pk, now=NOW, actor=ACTOR),
    ):
        with pytest.raises(UnableToEdit) as caught:
            refused()
        assert caught.value.code == "final"
    assert row_counts() == rows


def test_a_discarded_draft_is_gone_and_takes_no_number() -> None:
    customer = make_customer()
    discard_one_off(invoice_id=draft(customer).pk, now=NOW, actor=ACTOR)
    assert (Invoice.objects.count(), InvoiceLine.objects.count()) == (0, 0)
    assert AuditEvent.objects.filter(action="invoice.discarded").count() == 1
    assert finalize(draft(customer)).number == "INV-000001"


def test_a_draft_of_a_subscription_has_no_items_to_change() -> None:
    make_catalog()
    subscribe(make_customer())
    bill("2026-02-01", finalize=False)
    invoice = Invoice.objects.get()
    rows = row_counts()
    with pytest.raises(UnableToEdit) as caught:
        discard_one_off(invoice_id=invoice.pk, now=NOW, actor=ACTOR)
    assert (caught.value.code, row_counts()) == ("not_one_off", rows)


@pytest.mark.parametrize(
    ("items", "fields", "code", "field"),
    [
        ([], {}, "no_items", "items"),
        ([item(description="  ")], {}, "item_invalid", "items[0].description"),
        ([item(), item(quantity="0")], {}, "item_invalid", "items[1].quantity"),
        ([item(quantity="-1")], {}, "item_invalid", "items[0].quantity"),
        ([item(price="NaN")], {}, "item_invalid", "items[0].unit_amount"),
        ([item(price="1e15")], {}, "item_invalid", "items[0].unit_amount"),
        ([item(quantity="1e9", price="1e9")], {}, "item_invalid", "items[0].unit_amount"),
        ([item(price="0.0000000000001")], {}, "item_invalid", "items[0].unit_amount"),
        ([item(tax_rate=Decimal(101))], {}, "item_invalid", "items[0].tax_rate"),
        ([item(unit="x" * 33)], {}, "item_invalid", "items[0].unit"),
        ([item(description="a\0b")], {}, "item_invalid", "items[0].description"),
        ([item(first_day=date(2026, 2, 2), last_day=date(2026, 2, 1))], {}, "item_invalid", "items[0].last_day"),
        ([item(price="10"), item(price="-10.01")], {}, "negative", "items"),
        ([item()], {"currency": "USD"}, "currency_differs", "currency"),
        ([item()], {"payment_terms_days": 366}, "item_invalid", "payment_terms_days"),
    ],
)
def test_what_cannot_be_billed_is_refused_with_the_member(
    items: list[Item], fields: dict[str, Any], code: str, field: str
) -> None:
    customer = make_customer()
    wanted: dict[str, Any] = {"currency": "EUR", "items": items, "now": NOW, "actor": ACTOR} | fields
    rows = row_counts()
    with pytest.raises(ItemsRefused) as caught:
        draft_one_off(customer_id=customer.pk, **wanted)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert row_counts() == rows | {"billing_billingentity": row_counts()["billing_billingentity"]}


def test_an_archived_customer_is_not_billed() -> None:
    customer = make_customer()
    archive_customer(customer_id=customer.pk, actor=ACTOR, now=NOW)
    with pytest.raises(ItemsRefused) as caught:
        draft(customer)
    assert (caught.value.code, Invoice.objects.count()) == ("archived", 0)


def test_voided_with_reissue_it_is_drafted_again_with_all_that_was_asked_for() -> None:
    customer = untaxed()
    asked = (
        item("Consulting", "2", "10", unit="hours", tax_rate=Decimal(20), tax_class="reduced"),
        item("Retainer", first_day=date(2026, 1, 1), last_day=date(2026, 1, 31)),
    )
    first = finalize(draft(customer, *asked, payment_terms_days=9, note="Twice"))
    void_invoice(invoice_id=first.pk, reason="wrong address", actor=ACTOR, now=at("2026-03-01"), reissue=True)
    void_invoice(invoice_id=first.pk, reason="wrong address", actor=ACTOR, now=at("2026-03-01"), reissue=True)
    again = replacement_of(first)
    assert again is not None
    wanted = kept_items(again)
    assert (wanted.items, wanted.payment_terms_days, wanted.note) == (asked, 9, "Twice")
    assert (again.due_minor, again.issued_on, again.due_on) == (12400, date(2026, 3, 1), date(2026, 3, 10))
    final = finalize(again, "2026-03-02")
    assert (final.number, final.replaces_id) == ("INV-000002", first.pk)
    assert [(one.number, one.issued_on) for one in from_json(final.snapshot).related] == [("INV-000001", date(2026, 2, 12))]
    assert reconcile().differences == ()
