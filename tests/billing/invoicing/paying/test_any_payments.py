"""Whatever comes in, goes back and is billed in whatever order: the sums hold after each step (I7)."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.invoicing.paying.balances import UnableToApply, allocate_balance, customer_balance
from billing.invoicing.paying.payments import PaymentError, record_customer_payment, record_payment
from billing.invoicing.paying.reversing import reverse_payment
from billing.invoicing.voiding import UnableToVoid, void_invoice
from billing.models import Invoice, Payment
from billing.reconciliation.invoices import check_audit, check_invoices, check_numbers
from billing.reconciliation.payments import check_payments
from tests.billing.builders import ACTOR, at, bill
from tests.billing.paying import customer_with_invoices
from tests.faults import FULL

pytestmark = pytest.mark.django_db

# Invoices are of 10.00: amounts below, at, and well above.
_AMOUNTS = st.sampled_from([1, 300, 999, 1000, 1001, 1700, 2500, 10_000])
_PLACES = st.integers(0, 5)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("bill")),
        st.tuples(st.just("pay"), _PLACES, _AMOUNTS),
        st.tuples(st.just("pay_for"), st.none() | st.lists(_PLACES, max_size=3), _AMOUNTS),
        st.tuples(st.just("again"), _PLACES),
        st.tuples(st.just("apply"), _PLACES),
        st.tuples(st.just("reverse"), _PLACES),
        st.tuples(st.just("void"), _PLACES),
    ),
    min_size=1,
    max_size=14,
)


class _World:
    """A customer, and what happens to its money, hour by hour."""

    def __init__(self) -> None:
        self.customer = customer_with_invoices(1)
        self.received = 0
        self.hour = 0

    @property
    def now(self) -> Any:
        self.hour += 1
        return at(f"2026-12-{1 + self.hour // 24:02}T{self.hour % 24:02}:00:00Z")

    def bill(self) -> None:
        months = Invoice.objects.exclude(status="void").count() + 2
        if months <= 12:
            bill(f"2026-{months:02}-01")

    def pay(self, place: int, amount: int) -> None:
        now = self.now
        reference = f"P{self.hour}"
        record_payment(
            invoice_id=self._at(place).pk, amount_minor=amount, received_on=now.date(), reference=reference, actor=ACTOR, now=now
        )
        self.received += amount

    def pay_for(self, places: list[int] | None, amount: int) -> None:
        now = self.now
        names = None if places is None else [self._at(place).number or "" for place in places]
        record_customer_payment(
            customer_id=self.customer.pk,
            currency="EUR",
            amount_minor=amount,
            received_on=now.date(),
            reference=f"C{self.hour}",
            invoices=names,
            actor=ACTOR,
            now=now,
        )
        self.received += amount

    def again(self, place: int) -> None:
        if payment := self._payment(place):
            facts: dict[str, Any] = {"received_on": payment.received_on, "reference": payment.reference, "actor": ACTOR}
            if payment.invoice_id is None:
                facts |= {"customer_id": self.customer.pk, "currency": "EUR"}
                again = record_customer_payment(amount_minor=payment.amount_minor, now=self.now, **facts)
            else:
                facts |= {"invoice_id": payment.invoice_id}
                again = record_payment(amount_minor=payment.amount_minor, now=self.now, **facts)
            assert again == payment

    def apply(self, place: int) -> None:
        allocate_balance(invoice_id=self._at(place).pk, actor=ACTOR, now=self.now)

    def reverse(self, place: int) -> None:
        payment = self._payment(place)
        if payment is not None and payment.reversed_at is None:
            reverse_payment(payment_id=payment.pk, reason="no funds", actor=ACTOR, now=self.now)
            self.received -= payment.amount_minor

    def void(self, place: int) -> None:
        void_invoice(invoice_id=self._at(place).pk, reason="wrong", actor=ACTOR, now=self.now)

    def check(self) -> None:
        """Every unit that came in and did not go back is on an invoice or left over; and what reconcile finds is nothing."""
        on_invoices = sum(Invoice.objects.values_list("paid_minor", flat=True))
        balances = customer_balance(customer_id=self.customer.pk, at=at("2027-01-01"))
        left_over = sum(balance.payments_minor for balance in balances)
        assert on_invoices + left_over == self.received
        assert [*check_payments(), *check_invoices(), *check_numbers(), *check_audit()] == []

    def _at(self, place: int) -> Invoice:
        numbered = list(Invoice.objects.order_by("pk"))
        return numbered[place % len(numbered)]

    def _payment(self, place: int) -> Payment | None:
        payments = list(Payment.objects.order_by("pk"))
        return payments[place % len(payments)] if payments else None


@settings(
    max_examples=200 if FULL else 12,
    deadline=None,
    derandomize=not FULL,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=_STEPS)
def test_no_unit_is_lost_or_counted_twice(steps: list[Any]) -> None:
    with transaction.atomic():
        world = _World()
        for name, *values in steps:
            try:
                with transaction.atomic():
                    getattr(world, name)(*values)
            except (PaymentError, UnableToApply, UnableToVoid):
                pass  # refused, so nothing was written: the sums say so
            world.check()
        transaction.set_rollback(True)
