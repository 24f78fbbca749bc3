"""A credit note takes back what was invoiced and never more; every refusal leaves nothing behind."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import Error

from billing.invoicing.crediting.issuing import issue_credit_note, mark_refunded
from billing.invoicing.crediting.planning import LineAsked
from billing.invoicing.crediting.settling import UnableToCredit
from billing.invoicing.paying.payments import record_payment
from billing.invoicing.snapshot import Settlement, from_json
from billing.invoicing.voiding import UnableToVoid, void_invoice
from billing.models import BillingEntity, Credit, CreditEntry, CreditNote, Delivery, Invoice
from billing.reconciliation.credit_notes import check_credit_notes
from customers.models import AuditEvent, Customer
from tests.billing.builders import ACTOR, at, bill, invoices, row_counts
from tests.billing.desks import invoice_of, small_books
from tests.billing.items import an_invoice

pytestmark = pytest.mark.django_db
REASON = CreditNote.Reason


def credit(invoice: Invoice, *lines: tuple[int, int | None], reference: str = "C-1", **fields: Any) -> CreditNote:
    options: dict[str, Any] = {"reason": REASON.GOODWILL, "actor": ACTOR, "now": at("2026-02-10")}
    asked = [LineAsked(position, net) for position, net in lines] if lines else None
    return issue_credit_note(invoice_id=invoice.pk, reference=reference, **(options | {"lines": asked} | fields))


def pay(invoice: Invoice, amount_minor: int) -> None:
    record_payment(
        invoice_id=invoice.pk,
        amount_minor=amount_minor,
        received_on=date(2026, 2, 5),
        reference="R-1",
        actor=ACTOR,
        now=at("2026-02-05"),
    )


def said(note: CreditNote) -> tuple[list[tuple[int, int]], list[tuple[str, int, int]], int]:
    """The (amount, discount) of each line, the (rate, base, amount) of each tax, and the total."""
    lines = list(note.lines.order_by("position").values_list("amount_minor", "discount_minor"))
    taxes = [(f"{tax.rate_pct.normalize():f}", tax.base_minor, tax.amount_minor) for tax in note.taxes.order_by("rate_pct")]
    return lines, taxes, note.total_minor


def settled(note: CreditNote) -> tuple[int, int, int]:
    return note.to_invoice_minor, note.to_balance_minor, note.to_refund_minor


def refused(invoice: Invoice, *lines: tuple[int, int | None], **fields: Any) -> tuple[str, str]:
    """The code and the message of the refusal, which has written nothing."""
    before = row_counts(), CreditNote.objects.count(), Credit.objects.count()
    with pytest.raises(UnableToCredit) as refusal:
        credit(invoice, *lines, **fields)
    assert (row_counts(), CreditNote.objects.count(), Credit.objects.count()) == before
    return refusal.value.code, str(refusal.value)


@pytest.fixture
def customer() -> Customer:
    return small_books()


@pytest.fixture
def invoice(customer: Customer) -> Invoice:
    """10.00 for the fee, 15.00 for calls, 20 % tax: 30.00, of which nothing is paid."""
    return invoice_of(customer)


def test_a_whole_invoice_is_credited_with_its_lines_and_its_tax_and_is_paid_then(invoice: Invoice) -> None:
    note = credit(invoice, explanation="Three days of outage")
    assert said(note) == ([(1000, 0), (1500, 0)], [("20", 2500, 500)], 3000)
    assert settled(note) == (3000, 0, 0)
    assert (note.number, note.issued_on, note.subtotal_minor, note.tax_minor) == ("CN-000001", date(2026, 2, 10), 2500, 500)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.credited_minor, invoice.left_minor) == ("paid", 3000, 0)
    assert list(check_credit_notes()) == []


def test_an_amount_of_a_line_is_net_and_its_tax_goes_back_with_it(invoice: Invoice) -> None:
    note = credit(invoice, (2, 333))
    assert said(note) == ([(333, 0)], [("20", 333, 67)], 400)  # 66.6
    line = note.lines.get()
    assert (line.description, line.quantity, line.exact_amount) == ("Calls", Decimal(1), Decimal("3.33"))
    assert line.detail == "of 15.00 EUR that were billed"
    invoice.refresh_from_db()
    assert (invoice.status, invoice.left_minor) == ("finalized", 2600)


def test_the_parts_of_a_line_add_up_to_its_tax_however_they_are_cut(invoice: Invoice) -> None:
    taxes = [credit(invoice, (2, net), reference=f"C-{net}").tax_minor for net in (333, 334, 335, 498)]
    assert taxes == [67, 66, 67, 100]  # 66.6, 133.4, 200.4, 300
    assert said(credit(invoice, reference="rest")) == ([(1000, 0)], [("20", 1000, 200)], 1200)
    assert refused(invoice, reference="more") == ("nothing_left", "nothing is left to credit of this invoice")


def test_the_discount_of_a_line_goes_back_in_proportion_and_exactly_in_the_end(customer: Customer) -> None:
    # 10.00 less 15 % is 8.50, 3.33 less 15 % is 2.83: 11.33 and 19 % of it 2.15 (2.1527).
    invoice = an_invoice(customer, (1000, "19"), (333, "19"), discounts=[("15", ())])
    assert (invoice.discount_minor, invoice.tax_minor, invoice.total_minor) == (200, 215, 1348)
    # 1.00 of 8.50: the discount 1.50 in proportion is 17.6 cents.
    assert said(credit(invoice, (1, 100))) == ([(118, 18)], [("19", 100, 19)], 119)
    assert said(credit(invoice, (1, 100), reference="C-2")) == ([(117, 17)], [("19", 100, 19)], 119)  # 35.3 in all; 38 of 38
    rest = credit(invoice, reference="C-3")
    assert said(rest) == ([(765, 115), (333, 50)], [("19", 933, 177)], 1110)
    assert sum(note.total_minor for note in CreditNote.objects.all()) == 1348
    assert list(check_credit_notes()) == []


def test_a_line_whose_discount_took_all_goes_back_with_the_whole_invoice(customer: Customer) -> None:
    invoice = an_invoice(customer, (1000, "19"), (500, "0"), discounts=[("100", (1,))])
    assert said(credit(invoice)) == ([(1000, 1000), (500, 0)], [], 500)


def test_each_rate_goes_back_for_itself(customer: Customer) -> None:
    invoice = an_invoice(customer, (1005, "19"), (1005, "7"), (300, "0"))
    note = credit(invoice, (2, 5), (3, None), (1, 1000))
    assert said(note) == ([(1000, 0), (5, 0), (300, 0)], [("7", 5, 0), ("19", 1000, 190)], 1495)
    assert said(credit(invoice, reference="C-2"))[1] == [("7", 1000, 70), ("19", 5, 1)]  # 70.35, and 191 in all


def test_what_a_line_takes_off_is_not_credited_again(customer: Customer) -> None:
    invoice = an_invoice(customer, (1000, "20"), (500, "20"), (-300, "20"))
    assert invoice.total_minor == 1440
    assert refused(invoice, (3, None))[0] == "line_takes_off"
    assert refused(invoice, (1, None), (2, 201)) == (
        "too_much",
        "12.00 EUR are left of the lines with 20 % tax, since other lines take something off",
    )
    assert said(credit(invoice)) == ([(1000, 0), (200, 0)], [("20", 1200, 240)], 1440)
    assert list(check_credit_notes()) == []


def test_no_more_than_the_invoice_came_to_where_another_rate_is_below_zero(customer: Customer) -> None:
    invoice = an_invoice(customer, (10000, "20"), (-5000, "10"))
    assert invoice.total_minor == 6500
    assert refused(invoice) == ("too_much", "65.00 EUR are left of the invoice: name lines and amounts")
    assert credit(invoice, (1, 5416)).total_minor == 6499


def test_what_cannot_be_credited_is_refused_in_words(invoice: Invoice) -> None:
    credit(invoice, (2, 300))
    assert refused(invoice, (2, 1201), reference="x") == ("too_much", "12.00 EUR are left of line 2")
    assert refused(invoice, (7, 1), reference="x") == ("line_unknown", "the invoice has no line 7")
    assert refused(invoice, (2, 1), (2, 2), reference="x") == ("line_twice", "line 2 is named twice")
    assert refused(invoice, (2, 0), reference="x") == ("amount_not_positive", "write an amount above zero for line 2")
    assert refused(invoice, lines=[], reference="x")[0] == "nothing_asked"
    assert refused(invoice, reference="  ")[0] == "reference_missing"
    assert refused(invoice, (2, 5), reason=REASON.CORRECTION, reference="x")[0] == "correction_in_part"
    credit(invoice, (2, None), reference="C-2")
    assert refused(invoice, (2, None), reference="x") == ("too_much", "nothing is left to credit of line 2")


def test_drafts_void_invoices_and_those_of_zero_have_nothing_to_credit(customer: Customer, invoice: Invoice) -> None:
    bill("2026-03-01", finalize=False)
    assert refused(Invoice.objects.get(status="draft"))[0] == "draft"
    assert refused(an_invoice(customer, (0, "20")))[0] == "nothing_billed"
    void_invoice(invoice_id=invoice.pk, reason="wrong", actor=ACTOR, now=at("2026-02-10"))
    assert refused(invoice)[0] == "void"


def test_an_invoice_with_a_credit_note_is_not_voided(invoice: Invoice) -> None:
    credit(invoice, (1, 100))
    with pytest.raises(UnableToVoid, match="credit what is left of it instead"):
        void_invoice(invoice_id=invoice.pk, reason="wrong", actor=ACTOR, now=at("2026-02-10"))


def test_what_is_paid_already_is_kept_and_pays_the_next_invoice(invoice: Invoice) -> None:
    pay(invoice, 2500)
    note = credit(invoice)
    assert settled(note) == (500, 2500, 0)
    kept = Credit.objects.get()
    assert (kept.kind, kept.name, kept.amount_minor, kept.credit_note) == ("credit_note", "CN-000001", 2500, note)
    assert list(CreditEntry.objects.values_list("kind", "amount_minor")) == [("granted", 2500)]
    bill("2026-03-01")
    second = invoices()[-1]  # 15.00 and 3.00 tax
    assert (second.total_minor, second.credits_minor, second.due_minor, second.status) == (1800, 1800, 0, "paid")
    assert [(used.kind, used.label) for used in from_json(second.snapshot).credits] == [("credit_note", "CN-000001")]


def test_what_is_paid_already_can_be_paid_back_and_is_marked_once(invoice: Invoice) -> None:
    pay(invoice, 3000)
    note = credit(invoice, (1, None), settlement="refund")
    assert settled(note) == (0, 0, 1200)
    assert not Credit.objects.exists()
    for now in ("2026-02-12", "2026-02-13"):
        marked = mark_refunded(credit_note_id=note.pk, reference="SEPA-9", actor=ACTOR, now=at(now))
    assert (marked.refunded_at, marked.refund_reference) == (at("2026-02-12"), "SEPA-9")
    assert AuditEvent.objects.filter(action="credit_note.refunded", object_id=note.number).count() == 1
    with pytest.raises(UnableToCredit, match="paid back already, as SEPA-9"):
        mark_refunded(credit_note_id=note.pk, reference="SEPA-10", actor=ACTOR, now=at("2026-02-14"))
    kept = credit(invoice, (2, 100), reference="C-2")
    with pytest.raises(UnableToCredit, match="nothing of this credit note is to be paid back"):
        mark_refunded(credit_note_id=kept.pk, reference="SEPA-11", actor=ACTOR, now=at("2026-02-14"))
    assert list(check_credit_notes()) == []


def test_a_settlement_by_amounts_is_taken_as_it_is_asked_for(invoice: Invoice) -> None:
    pay(invoice, 1000)
    asked = Settlement(to_invoice_minor=500, to_balance_minor=1500, to_refund_minor=1000)
    note = credit(invoice, settlement=asked)
    assert settled(note) == (500, 1500, 1000)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.left_minor) == ("finalized", 1500)


def test_a_settlement_that_does_not_add_up_or_gives_what_never_came_is_refused(invoice: Invoice) -> None:
    pay(invoice, 1000)
    assert refused(invoice, settlement=Settlement(to_invoice_minor=2000)) == (
        "settlement_differs",
        "the amounts of the settlement are 20.00 EUR, and 30.00 EUR are credited: they must be the same",
    )
    assert refused(invoice, settlement=Settlement(to_invoice_minor=3000)) == (
        "more_than_left",
        "20.00 EUR are left to pay of the invoice: no more can be taken off it",
    )
    assert refused(invoice, settlement=Settlement(to_invoice_minor=1999, to_refund_minor=1001)) == (
        "more_than_paid",
        "10.01 EUR cannot be paid back: 10.00 EUR of this invoice have come in and are not paid back yet",
    )
    assert refused(invoice, settlement=Settlement(to_invoice_minor=3100, to_balance_minor=-100))[0] == "settlement_differs"


def test_a_promotional_credit_is_never_paid_out(customer: Customer, invoice: Invoice) -> None:
    gift = Credit.objects.create(
        customer=customer,
        kind="promotional",
        name="Welcome",
        reference="gift",
        currency="EUR",
        amount_minor=1000,
        granted_at=at("2026-01-01"),
    )
    CreditEntry.objects.create(credit=gift, kind="granted", amount_minor=1000, recorded_at=at("2026-01-01"), recorded_by="x")
    bill("2026-03-01")
    second = invoices()[-1]
    assert (second.due_minor, second.credits_minor) == (800, 1000)
    assert refused(second, settlement="refund")[0] == "more_than_paid"
    assert settled(credit(second)) == (800, 1000, 0)


def test_the_same_reference_is_the_same_credit_note_and_other_content_is_refused(invoice: Invoice) -> None:
    note = credit(invoice, (2, 300), explanation="sorry")
    before = row_counts()
    assert credit(invoice, (2, 300), explanation="sorry", now=at("2026-02-20")) == note
    assert row_counts() == before
    others: list[Callable[[], tuple[str, str]]] = [
        lambda: refused(invoice, (2, 301), explanation="sorry"),
        lambda: refused(invoice, (2, 300), explanation="very sorry"),
        lambda: refused(invoice, (2, 300), explanation="sorry", reason=REASON.OTHER),
        lambda: refused(invoice, explanation="sorry"),
        lambda: refused(invoice, (2, 300), explanation="sorry", settlement=Settlement(to_balance_minor=360)),
    ]
    for other in others:
        assert other() == (
            "reference_differs",
            "this reference is that of CN-000001, which is of other content: choose another one",
        )
    whole = credit(invoice, reference="C-2")
    assert credit(invoice, reference="C-2") == whole


def test_seller_and_buyer_are_those_of_the_invoice_whatever_they_are_today(customer: Customer, invoice: Invoice) -> None:
    Customer.objects.filter(pk=customer.pk).update(name="New name", legal_name="New name", email="new@acme.example")
    BillingEntity.objects.update(legal_name="New seller")
    note = credit(invoice, (2, None), explanation="Late answer")
    was, printed = from_json(invoice.snapshot), from_json(note.snapshot)
    assert (printed.seller, printed.buyer, printed.locale) == (was.seller, was.buyer, was.locale)
    assert (printed.kind, printed.number, printed.reason) == ("credit_note", "CN-000001", "Goodwill: Late answer")
    assert [(one.number, one.issued_on) for one in printed.related] == [("INV-000001", date(2026, 2, 1))]
    assert printed.settlement == Settlement(to_invoice_minor=1800)
    assert [(line.description, line.amount_minor, line.quantity) for line in printed.lines] == [("Calls", 1500, Decimal(1600))]
    assert (printed.total_minor, printed.chart, printed.payment_url, printed.credits) == (1800, None, "", ())


def test_it_is_issued_on_the_day_of_the_seller(invoice: Invoice) -> None:
    BillingEntity.objects.update(timezone="Asia/Tokyo")
    assert credit(invoice, now=at("2026-02-28T16:00:00Z")).issued_on == date(2026, 3, 1)


def test_who_credited_is_recorded_for_both_documents_and_the_notice_is_queued(invoice: Invoice) -> None:
    note = credit(invoice, (1, None))
    events = AuditEvent.objects.filter(action__in=["credit_note.issued", "invoice.credited"]).order_by("pk")
    assert [(event.object_type, event.object_id, event.actor_label) for event in events] == [
        ("credit_note", "CN-000001", "tests"),
        ("invoice", "INV-000001", "tests"),
    ]
    assert events[0].after == {
        "total_minor": 1200,
        "currency": "EUR",
        "invoice": "INV-000001",
        "reason": "goodwill",
        "to_invoice_minor": 1200,
        "to_balance_minor": 0,
        "to_refund_minor": 0,
    }
    assert list(Delivery.objects.filter(credit_note=note).values_list("kind", "recipient")) == [
        ("credit_note", "billing@acme.example")
    ]


def test_a_credit_note_that_fails_takes_its_number_back(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_about: object, **_facts: object) -> None:
        raise Error("the queue is gone")

    with monkeypatch.context() as patched:
        patched.setattr("billing.invoicing.crediting.issuing.queue_notice", fail)
        with pytest.raises(Error):
            credit(invoice)
    assert credit(invoice).number == "CN-000001"
    assert list(check_credit_notes()) == []
