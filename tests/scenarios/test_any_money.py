"""I3 to I7 and I10 as a property: whatever finance, customers and usage do, and in which order, the books agree."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.invoicing.crediting.correcting import credit_corrections
from billing.invoicing.crediting.issuing import issue_credit_note
from billing.invoicing.crediting.planning import LineAsked
from billing.invoicing.finalizing import finalize_invoice
from billing.invoicing.items import Item
from billing.invoicing.one_off import draft_one_off
from billing.invoicing.paying.payments import record_customer_payment
from billing.invoicing.paying.reversing import reverse_payment
from billing.invoicing.voiding import void_invoice
from billing.models import Credit, CreditNote, Invoice, Payment
from billing.reconciliation.report import reconcile
from billing.reductions.granting import grant_credit
from billing.reductions.offering import create_coupon
from billing.reductions.redeeming import redeem_coupon
from customers.models import Customer
from squill.lib.refusal import Refused
from tests.billing.builders import ACTOR, at, make_catalog, make_customer, subscribe, usage
from tests.billing.builders import bill as run
from usage.corrections import void_event
from usage.ingestion import ingest
from usage.models import Event

pytestmark = pytest.mark.django_db

# Fees in advance and in arrears, tiers, and a commitment: everything that can come back or be trued up.
PLANS = """
meters:
  - {code: calls, name: Calls, event_type: call, aggregation: sum, value: n, dimensions: [region]}
plans:
  - code: scale
    name: Scale
    currency: EUR
    interval: monthly
    anchor: calendar
    charges:
      - {code: fee, name: Fee, model: flat, amount: "29.90", billed: in_advance}
      - code: calls
        name: Calls
        meter: calls
        model: graduated
        tiers: [{up_to: "100", unit_amount: "0.013"}, {up_to: null, unit_amount: "0.007"}]
    minimum_commitment: "40"
"""
MONTHS = 4
shares = st.integers(1, 130)  # per cent of what is there
picks = st.integers(0, 9)
deeds = st.one_of(
    st.tuples(st.just("use"), st.integers(0, 60), st.integers(1, 4000)),
    st.tuples(st.just("take back usage"), picks, st.just(0)),
    st.tuples(st.just("coupon"), st.sampled_from(["10", "33.3333", "100"]), st.integers(0, 3)),
    st.tuples(st.just("amount coupon"), st.integers(1, 9000), st.integers(0, 3)),
    st.tuples(st.just("grant"), st.integers(1, 9000), st.integers(0, 2)),
    st.tuples(st.just("pay"), picks, shares),
    st.tuples(st.just("reverse"), picks, st.just(0)),
    st.tuples(st.just("void"), picks, st.just(0)),
    st.tuples(st.just("credit"), picks, shares),
    st.tuples(st.just("credit all"), picks, st.just(0)),
    st.tuples(st.just("corrections"), st.just(0), st.just(0)),
    st.tuples(st.just("items"), st.integers(1, 9000), st.integers(1, 5)),
)


@dataclass
class World:
    """One customer with a subscription, and all that can be done about its money; a refusal does nothing, and is counted."""

    customer: Customer
    subscription_id: int
    now: datetime
    done: int = 0
    refused: list[str] = field(default_factory=list)

    def do(self, deed: str, first: Any, second: Any) -> None:
        self.done += 1
        self.now += timedelta(minutes=1)
        deeds: dict[str, Callable[[Any, Any], object]] = {
            "use": self._use,
            "take back usage": self._take_back_usage,
            "coupon": self._coupon,
            "amount coupon": self._amount_coupon,
            "grant": self._grant,
            "pay": self._pay,
            "reverse": self._reverse,
            "void": self._void,
            "credit": self._credit,
            "credit all": self._credit_all,
            "corrections": self._corrections,
            "items": self._items,
        }
        try:
            with transaction.atomic():
                deeds[deed](first, second)
        except Refused as refusal:
            self.refused.append(f"{deed}: {refusal.code}")

    @property
    def _name(self) -> str:
        return f"deed-{self.done}"

    @property
    def _who(self) -> dict[str, Any]:
        return {"actor": ACTOR, "now": self.now}

    def _invoice(self, pick: int) -> Invoice | None:
        final = list(Invoice.objects.exclude(status=Invoice.Status.DRAFT).order_by("pk"))
        return final[pick % len(final)] if final else None

    def _use(self, days_ago: int, calls: int) -> None:
        when = max(self.now - timedelta(days=days_ago), at("2026-01-01"))
        ingest([usage(self.customer, "call", calls, when.isoformat(), {"region": "eu"}, event_id=self._name)], now=self.now)

    def _take_back_usage(self, pick: int, _second: int) -> None:
        events = list(Event.objects.order_by("event_id"))
        if events:
            event = events[pick % len(events)]
            void_event(source=event.source, event_id=event.event_id, reason="a test", **self._who)

    def _coupon(self, percent: str, count: int) -> None:
        lasts = {"duration": "periods", "period_count": count} if count else {"duration": "forever"}
        create_coupon(code=self._name, name="Off", percent=Decimal(percent), **lasts, **self._who)
        redeem_coupon(customer_id=self.customer.pk, code=self._name, **self._who)

    def _amount_coupon(self, amount_minor: int, count: int) -> None:
        lasts = {"duration": "periods", "period_count": count} if count else {"duration": "once"}
        create_coupon(code=self._name, name="Off", amount_minor=amount_minor, currency="EUR", **lasts, **self._who)
        redeem_coupon(customer_id=self.customer.pk, code=self._name, **self._who)

    def _grant(self, amount_minor: int, months: int) -> None:
        expires_at = self.now + timedelta(days=30 * months) if months else None
        grant_credit(
            customer_id=self.customer.pk,
            kind=Credit.Kind.PROMOTIONAL,
            name="Welcome",
            reference=self._name,
            currency="EUR",
            amount_minor=amount_minor,
            expires_at=expires_at,
            **self._who,
        )

    def _pay(self, pick: int, share: int) -> None:
        invoice = self._invoice(pick)
        if invoice is not None and invoice.due_minor:
            record_customer_payment(
                customer_id=self.customer.pk,
                currency="EUR",
                amount_minor=max(invoice.due_minor * share // 100, 1),
                received_on=self.now.date(),
                reference=self._name,
                **self._who,
            )

    def _reverse(self, pick: int, _second: int) -> None:
        payments = list(Payment.objects.order_by("pk"))
        if payments:
            reverse_payment(payment_id=payments[pick % len(payments)].pk, reason="charged back", **self._who)

    def _void(self, pick: int, _second: int) -> None:
        invoice = self._invoice(pick)
        if invoice is not None:
            void_invoice(invoice_id=invoice.pk, reason="wrong", **self._who)

    def _credit(self, pick: int, share: int) -> None:
        invoice = self._invoice(pick)
        if invoice is not None:
            line = invoice.lines.order_by("-amount_minor")[0]
            asked = [LineAsked(line.position, max(line.net_minor * share // 100, 1))]
            self._credit_lines(invoice, asked)

    def _credit_all(self, pick: int, _second: int) -> None:
        invoice = self._invoice(pick)
        if invoice is not None:
            self._credit_lines(invoice, None)

    def _credit_lines(self, invoice: Invoice, lines: list[LineAsked] | None) -> None:
        reason = CreditNote.Reason.GOODWILL
        issue_credit_note(invoice_id=invoice.pk, reason=reason, reference=self._name, lines=lines, **self._who)

    def _corrections(self, _first: int, _second: int) -> None:
        credit_corrections(subscription_id=self.subscription_id, reference=self._name, **self._who)

    def _items(self, price_minor: int, count: int) -> None:
        price = Decimal(price_minor).scaleb(-2)
        items = [Item(description="Work", quantity=Decimal(count), unit_amount=price)]
        draft = draft_one_off(customer_id=self.customer.pk, currency="EUR", items=items, **self._who)
        finalize_invoice(invoice_id=draft.pk, as_of=self.now, **self._who)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(months=st.lists(st.lists(deeds, max_size=7), min_size=MONTHS, max_size=MONTHS))
def test_the_books_agree_after_every_month_whatever_was_done(months: list[list[tuple[str, Any, Any]]]) -> None:
    with transaction.atomic():
        make_catalog(PLANS)
        customer = make_customer(tax_rate_pct="19")
        subscription = subscribe(customer, "scale", "2026-01-01T00:00:00Z")
        world = World(customer, subscription.pk, at("2026-01-10"))
        for number, month in enumerate(months, start=2):
            for deed in month:
                world.do(*deed)
            closing = date(2026, number, 1)
            run(closing.isoformat())
            world.now = at(closing.isoformat()) + timedelta(days=9)
            assert reconcile().differences == ()
        transaction.set_rollback(True)
