"""Money received: in parts, in full, never too much, and the same reference once."""

import pytest

from billing.invoicing.payments import PaymentError, record_payment
from billing.models import Invoice, Payment
from customers.models import AuditEvent
from tests.billing.builders import ACTOR, at, bill, invoices, make_catalog, make_customer, row_counts, subscribe
from tests.usage.builders import in_threads

pytestmark = pytest.mark.django_db


def open_invoice(*, finalize: bool = True) -> Invoice:
    make_catalog()
    subscribe(make_customer())
    bill("2026-02-01", finalize=finalize)
    return invoices()[0]  # 10.00


def pay(invoice: Invoice, amount_minor: int, reference: str) -> Payment:
    return record_payment(
        invoice_id=invoice.pk,
        amount_minor=amount_minor,
        received_on=at("2026-02-03").date(),
        reference=reference,
        actor=ACTOR,
        now=at("2026-02-03"),
    )


def state() -> tuple[int, str]:
    return Invoice.objects.values_list("paid_minor", "status").get()


def test_parts_add_up_until_nothing_is_left() -> None:
    invoice = open_invoice()
    pay(invoice, 300, "A")
    assert state() == (300, "finalized")
    pay(invoice, 700, "B")
    assert state() == (1000, "paid")
    last = AuditEvent.objects.filter(action="invoice.payment_recorded").order_by("-pk")[0]
    assert last.before == {"status": "finalized", "paid_minor": 300}
    assert last.after == {"status": "paid", "paid_minor": 1000, "reference": "B"}


def test_the_same_reference_again_changes_nothing() -> None:
    invoice = open_invoice()
    first = pay(invoice, 1000, "A")
    before = row_counts()
    assert pay(invoice, 1000, "A") == first
    assert (row_counts(), state()) == (before, (1000, "paid"))


@pytest.mark.parametrize(
    ("amount", "reference", "code"),
    [(701, "B", "too_much"), (0, "B", "amount_not_positive"), (-5, "B", "amount_not_positive"), (5, "A", "reference_differs")],
)
def test_an_amount_that_cannot_be_is_refused(amount: int, reference: str, code: str) -> None:
    invoice = open_invoice()
    pay(invoice, 300, "A")
    before = row_counts()
    with pytest.raises(PaymentError) as caught:
        pay(invoice, amount, reference)
    assert caught.value.code == code
    assert (row_counts(), state()) == (before, (300, "finalized"))


def test_only_an_open_invoice_is_paid() -> None:
    draft = open_invoice(finalize=False)
    with pytest.raises(PaymentError) as caught:
        pay(draft, 5, "A")
    assert caught.value.code == "not_open"
    bill("2026-02-01")
    pay(draft, 1000, "A")
    with pytest.raises(PaymentError) as caught:
        pay(draft, 5, "B")
    assert caught.value.code == "not_open"
    assert Payment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_several_payments_at_once_never_come_to_more_than_is_due() -> None:
    invoice = open_invoice()

    def attempt(reference: str) -> str:
        try:
            pay(invoice, 400, reference)
        except PaymentError as error:
            return error.code
        return "taken"

    results = in_threads(*[lambda reference=reference: attempt(reference) for reference in "ABCD"])
    assert sorted(map(str, results)) == ["taken", "taken", "too_much", "too_much"]
    assert state() == (800, "finalized")


@pytest.mark.django_db(transaction=True)
def test_one_reference_from_several_at_once_is_one_payment() -> None:
    invoice = open_invoice()
    in_threads(*[lambda: pay(invoice, 1000, "A")] * 4)
    assert (Payment.objects.count(), state()) == (1, (1000, "paid"))
