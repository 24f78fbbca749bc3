"""Invoices of items that belong to no subscription: drafted, edited and discarded by a person; final like all others."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.invoicing.drafting import clear_draft, write_items
from billing.invoicing.items import Item, ItemsRefused, OneOff, check_items
from billing.locks import lock_invoice
from billing.models import Invoice
from customers.audit import record
from customers.models import Customer
from squill.lib.actor import Actor
from squill.lib.refusal import Refused


class UnableToEdit(Refused):
    """The items of an invoice cannot be changed; `code` is stable, the message is for a person."""


@transaction.atomic
def draft_one_off(
    *,
    customer_id: int,
    currency: str,
    items: Sequence[Item],
    now: datetime,
    actor: Actor,
    payment_terms_days: int | None = None,
    note: str = "",
    replaces: Invoice | None = None,
) -> Invoice:
    """
    Draft an invoice of items. No run touches it: a person makes it final (finalize_invoice) or discards it.

    Issued on the seller's day of `now`, and dated anew when it is made final. Amounts are rounded once an item; an item may have
    a price below zero as long as the invoice stays at zero or above. `replaces` is the void invoice that it bills anew.

    :raises ItemsRefused: no_items, item_invalid, negative, currency_differs (a customer is billed in one currency), or archived
    """
    customer = Customer.objects.get(pk=customer_id)
    if customer.archived_at is not None:
        raise ItemsRefused(_("the customer is archived: restore it first"), code="archived", field="customer")
    if currency != customer.currency:
        message = _("this customer is billed in %(currency)s") % {"currency": customer.currency}
        raise ItemsRefused(message, code="currency_differs", field="currency")
    wanted = _wanted(items, payment_terms_days, note)
    draft = Invoice(customer=customer, kind=Invoice.Kind.ONE_OFF, currency=currency, replaces=replaces)
    invoice = write_items(draft, wanted, as_of=now)
    _record("invoice.drafted", invoice, actor=actor, now=now)
    return invoice


@transaction.atomic
def change_items(
    *,
    invoice_id: int,
    items: Sequence[Item],
    now: datetime,
    actor: Actor,
    payment_terms_days: int | None = None,
    note: str = "",
) -> Invoice:
    """
    Put other items, terms and note in the place of those of a draft. Locks the invoice.

    :raises UnableToEdit: not_one_off, or final
    :raises ItemsRefused: as draft_one_off does
    """
    invoice = _draft(invoice_id)
    before = {"total_minor": invoice.total_minor, "currency": invoice.currency}
    write_items(invoice, _wanted(items, payment_terms_days, note), as_of=now)
    _record("invoice.items_changed", invoice, actor=actor, now=now, before=before)
    return invoice


@transaction.atomic
def discard_one_off(*, invoice_id: int, now: datetime, actor: Actor) -> None:
    """
    Delete a draft that shall not be sent: it has no number yet, so nothing is missing. Locks the invoice.

    :raises UnableToEdit: not_one_off (what a subscription owes is billed by its draft), or final
    """
    invoice = _draft(invoice_id)
    _record("invoice.discarded", invoice, actor=actor, now=now)
    clear_draft(invoice)
    invoice.delete()


def _wanted(items: Sequence[Item], payment_terms_days: int | None, note: str) -> OneOff:
    wanted = OneOff(items=tuple(items), payment_terms_days=payment_terms_days, note=note.strip())
    check_items(wanted)
    return wanted


def _draft(invoice_id: int) -> Invoice:
    invoice = lock_invoice(invoice_id)
    if invoice.kind != Invoice.Kind.ONE_OFF:
        raise UnableToEdit(_("the lines of a subscription's invoice follow from its plan and usage"), code="not_one_off")
    if invoice.status != Invoice.Status.DRAFT:
        raise UnableToEdit(_("a final invoice never changes: void or credit it instead"), code="final")
    return invoice


def _record(action: str, invoice: Invoice, *, actor: Actor, now: datetime, before: dict[str, object] | None = None) -> None:
    record(
        action=action,
        object_type="invoice",
        object_id=str(invoice.public_id),
        customer_id=invoice.customer_id,
        actor=actor,
        now=now,
        before=before,
        after={"total_minor": invoice.total_minor, "currency": invoice.currency},
    )
