"""What finance does besides billing: a coupon, prepaid credit, one-off items, credit notes, money too much and taken back."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from billing.invoicing.crediting.issuing import issue_credit_note
from billing.invoicing.crediting.planning import LineAsked
from billing.invoicing.finalizing import finalize_invoice
from billing.invoicing.giving_up import give_up_invoice
from billing.invoicing.items import Item
from billing.invoicing.one_off import draft_one_off
from billing.invoicing.paying.payments import record_customer_payment, record_payment
from billing.invoicing.paying.reversing import reverse_payment
from billing.models import Credit, CreditNote, Invoice, Payment
from billing.reductions.granting import grant_credit
from billing.reductions.offering import create_coupon
from billing.reductions.redeeming import redeem_coupon
from customers.models import Customer
from squill.lib.actor import system

_DISCOUNTED: Final = "atelier-nord"
_PREPAID: Final = "fenwick"
_WORKSHOP: Final = "lindqvist"
_COMPLAINS: Final = "praxis"
_GAVE_UP: Final = "bluefin"
_ACTOR: Final = system("demo")


def open_accounts(now: datetime) -> None:
    """Give one customer a launch discount for three invoices, and another the credit that it paid for in advance."""
    said: dict[str, Any] = {"actor": _ACTOR, "now": now}
    create_coupon(code="LAUNCH10", name="Launch partner", percent=Decimal(10), duration="periods", period_count=3, **said)
    redeem_coupon(customer_id=_customer(_DISCOUNTED).pk, code="LAUNCH10", **said)
    grant_credit(
        customer_id=_customer(_PREPAID).pk,
        kind=Credit.Kind.PAID,
        name="Annual prepayment",
        reference="prepaid-1",
        currency="EUR",
        amount_minor=400_00,
        cost_basis_minor=360_00,
        **said,
    )


def bill_workshop(now: datetime) -> None:
    """Bill two days on site, which no subscription has, and leave the next one as a draft."""
    said: dict[str, Any] = {"actor": _ACTOR, "now": now}
    customer = _customer(_WORKSHOP)
    for description, is_final in (("Integration workshop, on site", True), ("Follow-up workshop, remote", False)):
        items = [Item(description=description, quantity=Decimal(2), unit_amount=Decimal(950), unit="days")]
        draft = draft_one_off(customer_id=customer.pk, currency=customer.currency, items=items, **said)
        if is_final:
            finalize_invoice(invoice_id=draft.pk, as_of=now, **said)


def settle_accounts(now: datetime) -> None:
    """
    Credit a line of an invoice that somebody complained about, take money that was too much and money that bounced, and give up
    the oldest invoice of who stopped paying.
    """
    said: dict[str, Any] = {"actor": _ACTOR, "now": now}
    complained = Invoice.objects.filter(customer__external_id=_COMPLAINS).exclude(status="draft").order_by("boundary_at")[0]
    dearest = complained.lines.order_by("-amount_minor")[0]
    issue_credit_note(
        invoice_id=complained.pk,
        reason=CreditNote.Reason.UNSATISFACTORY,
        reference="ticket-4711",
        explanation="The service was not to be reached for a day.",
        lines=[LineAsked(dearest.position, dearest.net_minor // 4)],
        **said,
    )
    record_customer_payment(
        customer_id=_customer(_PREPAID).pk,
        currency="EUR",
        amount_minor=250_00,
        received_on=now.date() - timedelta(days=1),
        reference="SEPA paid twice",
        **said,
    )
    bounced = Payment.objects.filter(customer__external_id=_WORKSHOP).order_by("-received_on")[0]
    reverse_payment(payment_id=bounced.pk, reason="The bank returned the debit: no funds", **said)
    owed = Invoice.objects.filter(customer__external_id=_GAVE_UP, status=Invoice.Status.FINALIZED).order_by("boundary_at")
    if len(owed) > 1:
        give_up_invoice(invoice_id=owed[0].pk, reason="In insolvency; the claim is with the administrator", **said)
        record_payment(
            invoice_id=owed[1].pk,
            amount_minor=owed[1].due_minor // 3,
            received_on=now.date() - timedelta(days=2),
            reference="SEPA first instalment",
            **said,
        )


def _customer(external_id: str) -> Customer:
    return Customer.objects.get(external_id=external_id)
