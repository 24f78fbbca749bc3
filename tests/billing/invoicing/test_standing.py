from datetime import date

import pytest

from billing.invoicing.paying.payments import record_payment
from billing.invoicing.standing import Receivable, Standing, is_overdue, receivables, standing
from billing.models import Invoice
from tests.billing.builders import ACTOR, at, make_customer
from tests.billing.desks import invoice_of, small_books

pytestmark = pytest.mark.django_db


def test_an_invoice_is_overdue_from_the_day_after_it_was_due() -> None:
    invoice = invoice_of(small_books())  # due on 3 March
    assert standing(invoice, today=date(2026, 3, 3)) == Standing.OPEN
    assert standing(invoice, today=date(2026, 3, 4)) == Standing.OVERDUE
    assert not Invoice.objects.filter(is_overdue(today=date(2026, 3, 3))).exists()
    assert Invoice.objects.filter(is_overdue(today=date(2026, 3, 4))).get() == invoice


def test_receivables_are_what_is_left_to_pay() -> None:
    customer = small_books()
    invoice = invoice_of(customer)
    record_payment(
        invoice_id=invoice.pk, amount_minor=1250, received_on=date(2026, 2, 9), reference="T", actor=ACTOR, now=at("2026-02-09")
    )
    invoice.refresh_from_db()
    assert standing(invoice, today=date(2026, 3, 3)) == Standing.PARTLY_PAID
    # 30.00 - 12.50 = 17.50
    open_only = Receivable(currency="EUR", open_minor=1750, open_count=1, overdue_minor=0, overdue_count=0)
    late = Receivable(currency="EUR", open_minor=1750, open_count=1, overdue_minor=1750, overdue_count=1)
    assert receivables(today=date(2026, 3, 3)) == [open_only]
    assert receivables(today=date(2026, 3, 4), customer_id=customer.pk) == [late]
    assert receivables(today=date(2026, 3, 4), customer_id=make_customer("other").pk) == []
