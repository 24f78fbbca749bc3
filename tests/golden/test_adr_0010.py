"""The worked example of ADR 0010: the database itself refuses to change what a final invoice says."""

import pytest
from django.db import IntegrityError, connection, transaction

from billing.models import Invoice
from tests.golden.books import bill, day, sell, subscribe, use

pytestmark = pytest.mark.django_db


def _invoice() -> Invoice:
    sell('{code: calls, meter: calls, model: per_unit, unit_amount: "0.10"}')
    subscribe()
    use("january", "500", day(1, 10))
    return bill(day(2, 1))


def _attack(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_invoice SET due_on = due_on + 1",
        "UPDATE billing_invoice SET snapshot = '{}'",
        "UPDATE billing_invoice SET status = 'draft'",
        "DELETE FROM billing_invoice",
        "TRUNCATE billing_invoice CASCADE",
        "UPDATE billing_invoiceline SET amount_minor = 1",
        "DELETE FROM billing_invoiceline",
        "INSERT INTO billing_invoicetax (invoice_id, rate_pct, base_minor, amount_minor) SELECT id, 20, 0, 0 "
        "FROM billing_invoice",
    ],
)
def test_what_a_final_invoice_says_is_refused(statement: str) -> None:
    invoice = _invoice()
    with pytest.raises(IntegrityError, match=r"final|append-only"):
        _attack(statement)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.due_minor, invoice.lines.get().amount_minor) == ("finalized", 5000, 5000)


def test_what_happens_to_it_afterwards_may_be_written() -> None:
    invoice = _invoice()
    Invoice.objects.filter(pk=invoice.pk).update(sent_at=day(2, 1), paid_minor=5000, status="paid")
    invoice.refresh_from_db()
    assert (invoice.status, invoice.paid_minor) == ("paid", 5000)
