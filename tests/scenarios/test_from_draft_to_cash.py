"""Invoices from their draft to the money: each story goes through the services that people use, in numbers worked out by hand."""

import pytest
from django.core import mail

from billing.delivery.receipts import receipt_snapshot
from billing.delivery.reminding import send_reminders
from billing.invoicing.giving_up import give_up_invoice
from billing.invoicing.snapshot import InvoiceSnapshot, from_json
from billing.invoicing.voiding import replacement_of, void_invoice
from billing.models import Delivery, Document, Invoice
from customers.services import update_customer
from tests.billing.accounting.books import exported, rows
from tests.billing.builders import ACTOR, amounts, at, bill, make_catalog, make_customer, send_usage, subscribe
from tests.billing.paying import numbered, pay, standings
from tests.billing.reductions.reduced import entries, grant, totals
from tests.scenarios.cash import BERLIN, assert_all_ends_well, seller, subjects, work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("documents")]


def said(invoice: Invoice) -> InvoiceSnapshot:
    """What the document of a final invoice says."""
    return from_json(Invoice.objects.get(pk=invoice.pk).snapshot)


def test_late_usage_reminders_payments_in_parts_and_a_balance_for_the_next_invoice() -> None:
    seller(name="Northlight", grace_minutes=60, reminder_days=[-3, 7], sends_receipts=True)
    make_catalog()
    acme = make_customer(tax_rate_pct="19", payment_terms_days=14)
    subscribe(acme)
    send_usage(acme, "call", 1600, "2026-01-10", {"region": "eu"})

    # Drafted at the end of January: 10.00 + (1,600 - 100) x 0.01 = 25.00, tax 4.75.
    assert bill("2026-02-01").waiting == 1
    draft = Invoice.objects.get()
    assert (draft.status, draft.number, totals(draft)) == ("draft", None, (2500, 0, 475, 2975, 0, 2975))

    # 400 calls of January come half an hour later, within the grace: 29.00, tax 5.51.
    send_usage(acme, "call", 400, "2026-01-31T23:59:00Z", {"region": "us"})
    assert bill("2026-02-01T00:30:00Z").waiting == 1
    assert totals(draft) == (2900, 0, 551, 3451, 0, 3451)
    work("2026-02-01T00:30:00Z")
    assert (Invoice.objects.count(), Document.objects.count(), subjects()) == (1, 0, [])

    # Made final by itself at the tick after the grace, and mailed once.
    assert bill("2026-02-01T01:00:00Z").waiting == 0
    work("2026-02-01T01:01:00Z")
    work("2026-02-01T01:02:00Z")
    january = numbered(1)
    assert (january.pk, january.status, january.due_on) == (draft.pk, "finalized", at("2026-02-15").date())
    assert january.sent_at == at("2026-02-01T01:01:00Z")
    assert subjects() == ["Invoice INV-000001 from Northlight: €34.51 due 15 February 2026"]
    assert [name for name, _content, _type in mail.outbox[0].attachments] == ["INV-000001.pdf"]

    # Reminded of three days before it is due; 14.51 of it are paid, which leaves 20.00 to be reminded of a week after.
    assert [send_reminders(at(f"2026-02-{day}T09:00:00Z")) for day in (11, 12, 13)] == [0, 1, 0]
    work("2026-02-12T09:01:00Z")
    pay(january, 1451, "BANK-1", received_on=at("2026-02-14").date(), now=at("2026-02-14"))
    work("2026-02-14T00:01:00Z")
    assert standings() == [("INV-000001", 1451, "finalized")]
    assert [send_reminders(at(f"2026-02-{day}T09:00:00Z")) for day in (15, 21, 22, 23)] == [0, 0, 1, 0]
    work("2026-02-22T09:01:00Z")

    # The rest with 5.00 too much, which its receipt says are kept.
    rest = pay(january, 2500, "BANK-2", received_on=at("2026-02-24").date(), now=at("2026-02-24"))
    work("2026-02-24T00:01:00Z")
    assert standings() == [("INV-000001", 3451, "paid")]
    receipt = receipt_snapshot(rest, as_of=at("2026-02-24T00:01:00Z"))
    assert (receipt.total_minor, [(paid.number, paid.amount_minor) for paid in receipt.related]) == (2500, [("INV-000001", 2000)])

    # February: 10.00 and tax 1.90, of which the 5.00 pay a part.
    bill("2026-03-01T00:00:00Z")
    bill("2026-03-01T01:00:00Z")
    work("2026-03-01T01:01:00Z")
    february = numbered(2)
    assert (totals(february), february.paid_minor, february.left_minor) == ((1000, 0, 190, 1190, 0, 1190), 500, 690)
    assert [(paid.reference, paid.amount_minor) for paid in said(february).payments] == [("BANK-2", 500)]
    assert subjects()[1:] == [
        "Reminder: invoice INV-000001 from Northlight, €34.51 due 15 February 2026",
        "Receipt from Northlight: €14.51 received on 14 February 2026",
        "Overdue: invoice INV-000001 from Northlight, €20.00 was due 15 February 2026",
        "Receipt from Northlight: €25.00 received on 24 February 2026",
        "Invoice INV-000002 from Northlight: €6.90 due 15 March 2026",
    ]
    assert_all_ends_well(receipts=2)


def test_wrong_address_is_voided_and_issued_anew_with_the_credits_of_the_first() -> None:
    make_catalog()
    acme, birch = make_customer(tax_rate_pct="19", city="Bonn", country="DE"), make_customer("birch")
    subscribe(acme)
    subscribe(birch)
    prepaid = grant(acme, 2000, "prepaid", kind="paid", cost_basis_minor=2000)
    send_usage(acme, "call", 1600, "2026-01-10", {"region": "eu"})
    bill("2026-02-01")
    work("2026-02-01T00:05:00Z")
    wrong = numbered(1)
    assert totals(wrong) == (2500, 0, 475, 2975, 2000, 975)

    # The draft that takes its place names it, and shows the credit that came back; it is used when it is made final.
    update_customer(customer_id=acme.pk, changes=BERLIN, actor=ACTOR, now=at("2026-02-02"))
    void_invoice(invoice_id=wrong.pk, reason="wrong address", actor=ACTOR, now=at("2026-02-02"), reissue=True)
    draft = replacement_of(wrong)
    assert draft is not None
    assert (draft.status, totals(draft)) == ("draft", (2500, 0, 475, 2975, 2000, 975))
    assert entries(prepaid) == [("granted", 2000), ("used", -2000), ("returned", 2000)]

    bill("2026-02-02T01:00:00Z")
    work("2026-02-02T01:05:00Z")
    assert standings() == [("INV-000001", 0, "void"), ("INV-000002", 0, "finalized"), ("INV-000003", 0, "finalized")]
    right = numbered(3)
    assert (right.pk, right.replaces, totals(right)) == (draft.pk, wrong, (2500, 0, 475, 2975, 2000, 975))
    assert [related.number for related in said(right).related] == ["INV-000001"]
    assert (said(wrong).buyer.city, said(right).buyer.city) == ("Bonn", "Berlin")
    assert said(right).buyer.street == ("Invalidenstraße 1",)
    assert entries(prepaid) == [("granted", 2000), ("used", -2000), ("returned", 2000), ("used", -2000)]
    assert subjects() == [
        "Invoice INV-000001 from Your company: €9.75 due 3 March 2026",
        "Invoice INV-000002 from Your company: €10.00 due 3 March 2026",
        "Invoice INV-000003 from Your company: €9.75 due 4 March 2026",
    ]
    assert_all_ends_well()


def test_insolvent_customer_is_not_reminded_and_pays_after_all() -> None:
    seller(reminder_days=[-3, 7])
    make_catalog()
    acme = make_customer(tax_rate_pct="19")
    subscribe(acme, ends="2026-02-01")
    bill("2026-02-01")
    work("2026-02-01T00:05:00Z")
    invoice = numbered(1)
    assert (amounts(invoice), invoice.total_minor) == ([("subscription", "fee", 1000)], 1190)

    # The reminder of 28 February is queued, and not sent any more once the money is given up.
    assert send_reminders(at("2026-02-28")) == 1
    give_up_invoice(invoice_id=invoice.pk, reason="insolvent", actor=ACTOR, now=at("2026-02-28T08:00:00Z"))
    work("2026-02-28T09:00:00Z")
    assert [send_reminders(at(day)) for day in ("2026-03-01", "2026-03-10", "2026-04-10")] == [0, 0, 0]
    assert list(Delivery.objects.order_by("pk").values_list("kind", "occasion", "status")) == [
        ("invoice", "", "sent"),
        ("reminder", "-3", "cancelled"),
    ]
    february = {(row["account"], row["item"]): row["amount"] for row in rows(exported("2026-02")[0], "totals")}
    assert (february["receivables", "uncollectible"], february["receivables", "closing"]) == ("-11.90", "0.00")

    pay(invoice, 1190, "ADMINISTRATOR", received_on=at("2026-04-20").date(), now=at("2026-04-20"))
    work("2026-04-20T00:05:00Z")
    assert standings() == [("INV-000001", 1190, "paid")]
    assert subjects() == ["Invoice INV-000001 from Your company: €11.90 due 3 March 2026"]
    assert_all_ends_well()
