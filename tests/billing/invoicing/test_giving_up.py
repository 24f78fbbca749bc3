"""An invoice whose money is not expected any more is in no list of what is open, and can come back into it."""

from typing import Any

import pytest

from billing.invoicing.giving_up import UnableToGiveUp, give_up_invoice, take_up_invoice
from billing.invoicing.paying.payments import record_payment
from billing.invoicing.standing import Standing, receivables, standing, with_overdue
from billing.invoicing.voiding import void_invoice
from billing.models import Delivery, Invoice
from tests.billing.builders import ACTOR, at, bill, invoices, make_catalog, make_customer, row_counts, subscribe

pytestmark = pytest.mark.django_db
NOW = at("2026-04-01")
TODAY = NOW.date()


def open_invoice() -> Invoice:
    """10.00 for January, due on 3 March."""
    make_catalog()
    subscribe(make_customer(), ends="2026-02-01")
    bill("2026-02-01")
    return invoices()[0]


def give_up(invoice: Invoice, reason: str = "insolvent") -> Invoice:
    return give_up_invoice(invoice_id=invoice.pk, reason=reason, actor=ACTOR, now=NOW)


def take_up(invoice: Invoice) -> Invoice:
    return take_up_invoice(invoice_id=invoice.pk, actor=ACTOR, now=NOW)


def overdue() -> int:
    return sum(invoice.overdue for invoice in with_overdue(Invoice.objects.all(), now=NOW))  # type: ignore[attr-defined]


def test_it_is_neither_open_nor_overdue_and_its_reminders_are_cancelled() -> None:
    invoice = open_invoice()
    Delivery.objects.create(invoice=invoice, kind="reminder", occasion="+7", recipient="a@acme.example", queued_at=NOW)
    assert (overdue(), [(one.open_minor, one.overdue_minor) for one in receivables(today=TODAY)]) == (1, [(1000, 1000)])

    given_up = give_up(invoice)

    assert standing(given_up, today=TODAY) == Standing.UNCOLLECTIBLE
    assert (overdue(), receivables(today=TODAY)) == (0, [])
    assert dict(Delivery.objects.values_list("kind", "status")) == {"invoice": "queued", "reminder": "cancelled"}


def test_taken_up_again_it_is_open_with_its_old_due_date() -> None:
    invoice = open_invoice()
    give_up(invoice)
    taken_up = take_up(invoice)
    assert (taken_up.status, standing(taken_up, today=TODAY)) == ("finalized", Standing.OVERDUE)
    assert [(one.open_minor, one.overdue_count) for one in receivables(today=TODAY)] == [(1000, 1)]


def test_doing_it_twice_does_it_once() -> None:
    invoice = open_invoice()
    give_up(invoice)
    rows = row_counts()
    give_up(invoice, "another reason")
    assert row_counts() == rows
    take_up(invoice)
    rows = row_counts()
    take_up(invoice)
    assert row_counts() == rows


def test_it_can_be_paid_after_all_in_parts() -> None:
    invoice = open_invoice()
    give_up(invoice)
    pay: dict[str, Any] = {"invoice_id": invoice.pk, "received_on": TODAY, "actor": ACTOR, "now": NOW}
    record_payment(amount_minor=400, reference="A", **pay)
    assert Invoice.objects.get().status == "uncollectible"
    record_payment(amount_minor=600, reference="B", **pay)
    assert Invoice.objects.get().status == "paid"


def test_it_can_be_voided() -> None:
    invoice = open_invoice()
    give_up(invoice)
    assert void_invoice(invoice_id=invoice.pk, reason="sent twice", actor=ACTOR, now=NOW).status == "void"


@pytest.mark.parametrize("state", ["draft", "paid", "void"])
def test_what_is_not_open_is_not_given_up_nor_taken_up(state: str) -> None:
    invoice = open_invoice()
    if state == "void":
        void_invoice(invoice_id=invoice.pk, reason="x", actor=ACTOR, now=NOW)
    if state == "paid":
        record_payment(invoice_id=invoice.pk, amount_minor=1000, received_on=TODAY, reference="A", actor=ACTOR, now=NOW)
    if state == "draft":
        void_invoice(invoice_id=invoice.pk, reason="x", actor=ACTOR, now=NOW, reissue=True)
        invoice = Invoice.objects.get(status="draft")
    rows = row_counts()
    with pytest.raises(UnableToGiveUp) as refused:
        give_up(invoice)
    assert refused.value.code == "not_open"
    with pytest.raises(UnableToGiveUp) as refused:
        take_up(invoice)
    assert refused.value.code == "not_given_up"
    assert (row_counts(), Invoice.objects.get(pk=invoice.pk).status) == (rows, state)


def test_a_reason_is_needed() -> None:
    invoice = open_invoice()
    rows = row_counts()
    with pytest.raises(UnableToGiveUp) as refused:
        give_up(invoice, "  ")
    assert (refused.value.code, row_counts(), Invoice.objects.get().status) == ("reason_missing", rows, "finalized")
