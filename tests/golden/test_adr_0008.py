"""The worked example of ADR 0008: a void invoice keeps its number, and its period is billed again."""

import pytest

from billing.invoicing.voiding import UnableToVoid, void_invoice
from billing.models import Invoice
from customers.services import update_customer
from tests.golden.books import ACTOR, bill, day, lines_of, sell, subscribe, use

pytestmark = pytest.mark.django_db


def test_a_void_invoice_stays_and_its_period_is_billed_anew() -> None:
    sell('{code: calls, meter: calls, model: per_unit, unit_amount: "0.10"}')
    subscription = subscribe()
    use("january", "500", day(1, 10))
    first = bill(day(2, 1))
    assert (first.number, first.due_minor) == ("INV-000001", 5000)  # 500 * 0.10

    update_customer(customer_id=subscription.customer_id, changes={"purchase_order": "PO-7"}, actor=ACTOR, now=day(2, 2))
    void_invoice(invoice_id=first.pk, reason="Purchase order missing", actor=ACTOR, now=day(2, 2))
    use("late", "20", day(1, 31))
    second = bill(day(2, 3))

    # One line, not an adjustment: nothing of January is billed any more. 520 * 0.10 = 52.00
    assert lines_of(second) == [("usage", "calls", 1, "520", 5200)]
    assert (second.number, second.snapshot["purchase_order"]) == ("INV-000002", "PO-7")
    first.refresh_from_db()
    assert (first.status, first.number, first.snapshot["purchase_order"]) == ("void", "INV-000001", "")


def test_nothing_is_voided_without_a_reason() -> None:
    sell('{code: calls, meter: calls, model: per_unit, unit_amount: "0.10"}')
    subscribe()
    use("january", "500", day(1, 10))
    invoice = bill(day(2, 1))
    with pytest.raises(UnableToVoid, match="reason"):
        void_invoice(invoice_id=invoice.pk, reason=" ", actor=ACTOR, now=day(2, 2))
    assert Invoice.objects.get().status == "finalized"
