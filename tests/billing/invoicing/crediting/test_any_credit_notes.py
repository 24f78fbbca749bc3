"""Random credit notes on random invoices never exceed them, and in the end are exactly the invoice; two at once do not double."""

from datetime import date
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.invoicing.crediting.issuing import issue_credit_note
from billing.invoicing.crediting.planning import LineAsked, creditable
from billing.invoicing.crediting.settling import UnableToCredit
from billing.invoicing.paying.payments import record_payment
from billing.models import CreditNote, CreditNoteLine, CreditNoteTax, Invoice, NumberCounter
from billing.reconciliation.credit_notes import check_credit_notes
from billing.reconciliation.invoices import check_numbers
from tests.billing.builders import ACTOR, at, make_customer
from tests.billing.items import Item, an_invoice
from tests.usage.builders import in_threads

_names = count(1)  # all examples share a database
RATES = ["0", "7", "19", "20"]


def credit(invoice: Invoice, reference: str, *lines: tuple[int, int], **fields: Any) -> CreditNote:
    return issue_credit_note(
        invoice_id=invoice.pk,
        reason=CreditNote.Reason.GOODWILL,
        reference=reference,
        lines=[LineAsked(*line) for line in lines] or None,
        actor=ACTOR,
        now=at("2026-02-10"),
        **fields,
    )


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    items=st.lists(st.tuples(st.integers(1, 3000), st.sampled_from(RATES)), min_size=1, max_size=4),
    discounts=st.lists(st.sampled_from(["3", "10", "33.3333", "50"]), max_size=2),
    steps=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 100)), max_size=5),
    paid_share=st.integers(0, 100),
)
def test_credit_notes_never_exceed_the_invoice_and_in_the_end_equal_it(
    items: list[Item], discounts: list[str], steps: list[tuple[int, int]], paid_share: int
) -> None:
    customer = make_customer(f"c-{next(_names)}")
    invoice = an_invoice(customer, *items, discounts=[(percent, ()) for percent in discounts])
    if paid := invoice.due_minor * paid_share // 100:
        record_payment(
            invoice_id=invoice.pk,
            amount_minor=paid,
            received_on=date(2026, 2, 5),
            reference="R",
            actor=ACTOR,
            now=at("2026-02-05"),
        )
    if not invoice.total_minor:
        return
    for number, (index, share) in enumerate(steps):
        position = index % len(items) + 1
        left = creditable(Invoice.objects.get(pk=invoice.pk)).at(position).left.net_minor
        net = left * share // 100
        if net:
            credit(invoice, f"step-{number}", (position, net))
        with pytest.raises(UnableToCredit):
            credit(invoice, f"more-{number}", (position, left - net + 1))
    if creditable(Invoice.objects.get(pk=invoice.pk)).total_left_minor:
        credit(invoice, "rest")

    invoice = Invoice.objects.get(pk=invoice.pk)
    notes = CreditNote.objects.filter(invoice=invoice)
    assert sum(note.subtotal_minor for note in notes) == invoice.subtotal_minor
    assert sum(note.discount_minor for note in notes) == invoice.discount_minor
    assert sum(note.tax_minor for note in notes) == invoice.tax_minor
    assert sum(note.total_minor for note in notes) == invoice.total_minor
    for line in invoice.lines.all():
        of_line = CreditNoteLine.objects.filter(invoice_line=line)
        assert sum(each.amount_minor for each in of_line) == line.amount_minor
        assert sum(each.discount_minor for each in of_line) == line.discount_minor
    for tax in invoice.taxes.all():
        of_rate = CreditNoteTax.objects.filter(credit_note__invoice=invoice, rate_pct=tax.rate_pct)
        assert sum(each.base_minor for each in of_rate) == tax.base_minor
        assert sum(each.amount_minor for each in of_rate) == tax.amount_minor
    assert (invoice.status, invoice.left_minor) == ("paid", 0)
    assert [*check_credit_notes(), *check_numbers()] == []


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_on_one_line_the_second_sees_what_the_first_left() -> None:
    invoice = an_invoice(make_customer(), (1000, "20"), (500, "20"))

    def attempt(reference: str) -> str:
        try:
            return str(credit(invoice, reference, (1, 600)).total_minor)
        except UnableToCredit as refusal:
            return str(refusal)

    found = in_threads(lambda: attempt("A"), lambda: attempt("B"))
    assert sorted(map(str, found)) == ["4.00 EUR are left of line 1", "720"]
    assert NumberCounter.objects.get(series__kind="credit_note").last_number == 1
    invoice.refresh_from_db()
    assert invoice.credited_minor == 720
    assert list(check_credit_notes()) == []


@pytest.mark.django_db(transaction=True)
def test_the_same_request_twice_at_once_is_one_credit_note() -> None:
    invoice = an_invoice(make_customer(), (1000, "20"))
    first, second = in_threads(*[lambda: credit(invoice, "A", (1, 600)).number] * 2)
    assert first == second
    assert CreditNote.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_at_once_leave_no_gap_in_the_numbers() -> None:
    customer = make_customer()
    found = [an_invoice(customer, (1000, "20"), on=f"2026-02-{day:02}") for day in range(1, 7)]

    def attempt(invoice: Invoice, net: int) -> str:
        try:
            return credit(invoice, "A", (1, net)).number
        except UnableToCredit:
            return ""

    work = [(lambda invoice=invoice, net=net: attempt(invoice, net)) for invoice, net in zip(found, [1, 2000] * 3, strict=True)]
    numbers = in_threads(*work)
    assert sorted(str(number) for number in numbers if number) == ["CN-000001", "CN-000002", "CN-000003"]
    assert list(check_numbers()) == []
