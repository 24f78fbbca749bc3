"""The worked examples of ADR 0025: credit notes take back exactly what was invoiced; corrections count as billed less."""

from decimal import Decimal

import pytest

from billing.invoicing.crediting.correcting import credit_corrections
from billing.invoicing.crediting.issuing import issue_credit_note
from billing.invoicing.crediting.planning import LineAsked
from billing.invoicing.paying.payments import record_payment
from billing.models import CreditEntry, CreditNote, Invoice, Subscription
from billing.reconciliation.convergence import compare_with_metered
from billing.reconciliation.credit_notes import check_credit_notes
from tests.billing.builders import make_customer
from tests.billing.items import an_invoice
from tests.golden.books import ACTOR, bill, day, lines_of, sell, subscribe, use
from usage.corrections import void_event

pytestmark = pytest.mark.django_db


def goodwill(invoice: Invoice, reference: str, *lines: LineAsked) -> CreditNote:
    return issue_credit_note(
        invoice_id=invoice.pk,
        reason=CreditNote.Reason.GOODWILL,
        reference=reference,
        lines=lines or None,
        actor=ACTOR,
        now=day(2, 10),
    )


def test_three_credit_notes_are_exactly_the_invoice() -> None:
    invoice = an_invoice(make_customer(), (1000, "19"), (333, "19"), discounts=[("15", ())])
    assert (invoice.subtotal_minor, invoice.discount_minor, invoice.tax_minor, invoice.total_minor) == (1333, 200, 215, 1348)
    notes = [
        goodwill(invoice, "first", LineAsked(1, 100)),
        goodwill(invoice, "second", LineAsked(1, 100)),
        goodwill(invoice, "rest"),
    ]
    assert [(note.subtotal_minor, note.discount_minor, note.tax_minor, note.total_minor) for note in notes] == [
        (118, 18, 19, 119),
        (117, 17, 19, 119),
        (1098, 165, 177, 1110),
    ]
    assert 119 + 119 + 1110 == 1348
    assert list(check_credit_notes()) == []


def _january() -> tuple[Subscription, Invoice]:
    """1,000 calls at 0.10: 100.00, paid; 200 calls in February."""
    sell('{code: calls, meter: calls, model: per_unit, unit_amount: "0.10"}')
    subscription = subscribe()
    use("once", "600", day(1, 10))
    use("twice", "400", day(1, 11))
    use("february", "200", day(2, 5))
    january = bill(day(2, 1))
    record_payment(
        invoice_id=january.pk, amount_minor=10000, received_on=day(2, 3).date(), reference="R", actor=ACTOR, now=day(2, 3)
    )
    return subscription, january


def _left() -> int:
    return sum(CreditEntry.objects.values_list("amount_minor", flat=True))


def test_a_correction_is_credited_instead_of_adjusted() -> None:
    subscription, january = _january()
    void_event(source="tests", event_id="twice", reason="sent twice", actor=ACTOR, now=day(2, 9))
    made = credit_corrections(subscription_id=subscription.pk, reference="case-17", actor=ACTOR, now=day(2, 10))
    (note,) = made.credit_notes
    line = note.lines.get()
    assert (note.invoice, line.quantity, line.exact_amount, line.amount_minor) == (january, Decimal(400), Decimal(40), 4000)
    assert note.to_balance_minor == 4000

    february = bill(day(3, 1))
    assert lines_of(february) == [("usage", "calls", 2, "200", 2000)]
    assert (february.credits_minor, february.due_minor, _left()) == (2000, 0, 2000)
    assert list(compare_with_metered()) == []


def test_goodwill_leaves_billed_what_was_billed() -> None:
    _subscription, january = _january()
    goodwill(january, "outage", LineAsked(1, 4000))
    february = bill(day(3, 1))
    assert lines_of(february) == [("usage", "calls", 2, "200", 2000)]
    assert (february.credits_minor, february.due_minor, _left()) == (2000, 0, 2000)
    assert list(compare_with_metered()) == []
