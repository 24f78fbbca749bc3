"""Tax by place, credit notes of both kinds, and a one-off invoice up to the export of its month: sums worked out by hand."""

from datetime import date
from decimal import Decimal

import pytest
from django.db.models import Sum

from billing.invoicing.crediting.correcting import credit_corrections
from billing.invoicing.crediting.issuing import issue_credit_note
from billing.invoicing.crediting.planning import LineAsked
from billing.invoicing.finalizing import finalize_invoice
from billing.invoicing.items import Item
from billing.invoicing.one_off import draft_one_off
from billing.invoicing.snapshot import TaxTotal, from_json
from billing.models import CreditNote, CreditNoteLine, Invoice, InvoiceLine
from billing.reconciliation.convergence import compare_with_metered
from tests.billing.accounting.books import exported, rows
from tests.billing.builders import ACTOR, at, bill, make_catalog, make_customer, send_usage, subscribe
from tests.billing.paying import numbered, pay, reverse, standings
from tests.billing.reductions.reduced import coupon, discounts, entries, grant, redeem, totals
from tests.scenarios.cash import BERLIN, NORTHLIGHT, assert_all_ends_well, seller, subjects, work
from usage.corrections import void_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("documents")]

REVERSE_CHARGE = "Reverse charge: the customer owes the tax (Article 196 of Directive 2006/112/EC)."
EXPORT = (
    "Not subject to VAT: the service is supplied outside the European Union (Articles 44, 58 and 59 of Directive 2006/112/EC)."
)


def taxes_of(invoice: Invoice) -> list[TaxTotal]:
    """The taxes that the document of a final invoice prints."""
    return list(from_json(Invoice.objects.get(pk=invoice.pk).snapshot).taxes)


def test_three_customers_of_a_german_seller_and_a_coupon_on_calls() -> None:
    seller(**NORTHLIGHT)
    make_catalog()
    coupon("CALLS10", percent="10", duration="forever", charge_codes=["calls"])
    customers = [
        make_customer("berlin", **BERLIN),
        make_customer("lyon", country="FR", postal_code="69001", city="Lyon", tax_id="FR 61 954 506 077"),
        make_customer("zurich", country="CH", postal_code="8001", city="Zürich"),
    ]
    for customer in customers:
        subscribe(customer)
        redeem(customer, "CALLS10")
        send_usage(customer, "call", 1600, "2026-01-10", {"region": "eu"})
    bill("2026-02-01")
    work("2026-02-01T00:05:00Z")

    # Each 10.00 + 15.00 less 10 % of the calls: 23.50; in Berlin 19 % of that, 4.465, is 4.47.
    berlin, lyon, zurich = (Invoice.objects.get(customer=customer) for customer in customers)
    assert [totals(each) for each in (berlin, lyon, zurich)] == [
        (2500, 150, 447, 2797, 0, 2797),
        (2500, 150, 0, 2350, 0, 2350),
        (2500, 150, 0, 2350, 0, 2350),
    ]
    assert [discounts(each) for each in (berlin, lyon, zurich)] == [[("CALLS10", 150)]] * 3
    printed = [taxes_of(each) for each in (berlin, lyon, zurich)]
    assert [[(tax.category, tax.rate, tax.base_minor, tax.amount_minor) for tax in taxes] for taxes in printed] == [
        [("S", Decimal(19), 2350, 447)],
        [("AE", Decimal(0), 2350, 0)],
        [("O", Decimal(0), 2350, 0)],
    ]
    assert [[(tax.exemption_code, tax.note) for tax in taxes] for taxes in printed] == [
        [("", "")],
        [("VATEX-EU-AE", REVERSE_CHARGE)],
        [("VATEX-EU-O", EXPORT)],
    ]

    # What the tax office is told of the month.
    files, found = exported("2026-02")
    by_category = {row["category"]: (row["base"], row["amount"]) for row in rows(files, "taxes")}
    assert by_category == {"S": ("23.50", "4.47"), "AE": ("23.50", "0.00"), "O": ("23.50", "0.00")}
    assert found.differences == []
    assert_all_ends_well()


def test_goodwill_pays_the_next_invoice_and_a_correction_counts_as_billed_less() -> None:
    seller(name="Northlight")
    make_catalog()
    acme = make_customer(tax_rate_pct="19")
    subscription = subscribe(acme)
    send_usage(acme, "call", 1200, "2026-01-10", {"region": "eu"})
    send_usage(acme, "call", 400, "2026-01-11", {"region": "eu"}, event_id="twice")
    send_usage(acme, "call", 300, "2026-02-10", {"region": "eu"})

    # January: 10.00 + 15.00 and tax 4.75, paid.
    bill("2026-02-01")
    january = numbered(1)
    pay(january, 2975, "BANK-1", received_on=date(2026, 2, 5), now=at("2026-02-05"))
    work("2026-02-05T00:05:00Z")

    # 5.00 of the calls as goodwill, tax 0.95. February: 10.00 + 2.00 and tax 2.28, of which the 5.95 are taken.
    calls = january.lines.get(charge_code="calls")
    goodwill = issue_credit_note(
        invoice_id=january.pk,
        reason=CreditNote.Reason.GOODWILL,
        reference="outage",
        lines=[LineAsked(calls.position, 500)],
        actor=ACTOR,
        now=at("2026-02-10"),
    )
    assert (goodwill.number, goodwill.total_minor, goodwill.to_balance_minor) == ("CN-000001", 595, 595)
    bill("2026-03-01")
    february = numbered(2)
    assert totals(february) == (1200, 0, 228, 1428, 595, 833)
    pay(february, 833, "BANK-2", received_on=date(2026, 3, 2), now=at("2026-03-02"))

    # 400 calls of January were sent twice: 4.00 and tax 0.76 too much.
    void_event(source="tests", event_id="twice", reason="sent twice", actor=ACTOR, now=at("2026-03-10"))
    made = credit_corrections(subscription_id=subscription.pk, reference="case-17", actor=ACTOR, now=at("2026-03-10"))
    (note,) = made.credit_notes
    assert (note.number, note.invoice, note.reason) == ("CN-000002", january, "correction")
    assert (note.subtotal_minor, note.tax_minor, note.total_minor, note.to_balance_minor) == (400, 76, 476, 476)

    # March: 10.00 and tax 1.90, less the 4.76; no line adjusts January once more.
    bill("2026-04-01")
    march = numbered(3)
    assert totals(march) == (1000, 0, 190, 1190, 476, 714)
    assert [line.charge_code for line in march.lines.exclude(amount_minor=0)] == ["fee"]

    # Over all documents January's calls are (1,200 - 100) x 0.01 = 11.00: goodwill takes nothing back of what was metered.
    of_january = InvoiceLine.objects.filter(charge_code="calls", first_day=date(2026, 1, 1))
    corrected = CreditNoteLine.objects.filter(invoice_line__in=of_january, credit_note__reason="correction")
    billed = [each.aggregate(n=Sum("quantity"), sum=Sum("exact_amount")) for each in (of_january, corrected)]
    assert [(row["n"], row["sum"]) for row in billed] == [(1600, Decimal(15)), (400, Decimal(4))]
    assert list(compare_with_metered()) == []

    work("2026-04-01T00:05:00Z")
    assert standings() == [("INV-000001", 2975, "paid"), ("INV-000002", 833, "paid"), ("INV-000003", 0, "finalized")]
    assert "Credit note CN-000002 from Northlight: €4.76 for invoice INV-000001" in subjects()
    assert_all_ends_well()


def test_one_off_with_two_tax_classes_and_a_payment_that_comes_back_sums_to_the_books() -> None:
    seller(**NORTHLIGHT)
    acme = make_customer(**BERLIN)
    prepaid = grant(acme, 10000, "prepaid", when="2026-03-01", kind="paid", cost_basis_minor=10000)
    # 3 x 80.00 at 19 % and 2 x 15.50 at 7 %: 271.00, tax 45.60 + 2.17.
    items = [
        Item(description="Workshop", quantity=Decimal(3), unit="h", unit_amount=Decimal(80)),
        Item(description="Handbook", quantity=Decimal(2), unit_amount=Decimal("15.50"), tax_class="reduced"),
    ]
    draft = draft_one_off(customer_id=acme.pk, currency="EUR", items=items, actor=ACTOR, now=at("2026-03-04"))
    assert totals(draft) == (27100, 0, 4777, 31877, 10000, 21877)
    assert entries(prepaid) == [("granted", 10000)]
    invoice = finalize_invoice(invoice_id=draft.pk, as_of=at("2026-03-05"), actor=ACTOR, now=at("2026-03-05"))
    assert [(tax.rate, tax.base_minor, tax.amount_minor) for tax in taxes_of(invoice)] == [
        (Decimal(7), 3100, 217),
        (Decimal(19), 24000, 4560),
    ]
    assert entries(prepaid) == [("granted", 10000), ("used", -10000)]
    work("2026-03-05T00:05:00Z")

    payment = pay(invoice, 21877, "DEBIT-1", received_on=date(2026, 3, 10), now=at("2026-03-10"))
    assert standings() == [("INV-000001", 21877, "paid")]
    reverse(payment, "no funds", "2026-03-20")
    assert standings() == [("INV-000001", 0, "finalized")]
    work("2026-03-20T00:05:00Z")

    files, found = exported("2026-03")
    assert found.differences == []
    assert [(row["account"], row["item"], row["amount"]) for row in rows(files, "totals") if row["amount"] != "0.00"] == [
        ("invoices", "subtotal", "271.00"),
        ("invoices", "tax", "47.77"),
        ("invoices", "total", "318.77"),
        ("receivables", "invoiced", "318.77"),
        ("receivables", "credits_used", "-100.00"),
        ("receivables", "paid", "-218.77"),
        ("receivables", "taken_back", "218.77"),
        ("receivables", "closing", "218.77"),
        ("receivables", "closing_by_documents", "218.77"),
        ("payments", "received", "218.77"),
        ("payments", "reversed", "-218.77"),
        ("payments", "allocated", "-218.77"),
        ("payments", "taken_back", "218.77"),
        ("credits", "granted", "100.00"),
        ("credits", "used", "-100.00"),
    ]
    assert [(row["rate"], row["base"], row["amount"]) for row in rows(files, "taxes")] == [
        ("7", "31.00", "2.17"),
        ("19", "240.00", "45.60"),
    ]
    assert subjects() == ["Invoice INV-000001 from Northlight: €218.77 due 4 April 2026"]
    assert_all_ends_well()
