"""The states of an invoice and the moves between them: one table, kept here by a conditional update and below by a trigger."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from billing.models import Invoice
from customers.audit import record
from squill.lib.actor import Actor

_S = Invoice.Status
# The trigger squill_freeze_invoice holds the same table; tests/billing/invoicing/test_moves.py compares the two.
MOVES: Final[Mapping[Invoice.Status, frozenset[Invoice.Status]]] = {
    _S.DRAFT: frozenset({_S.FINALIZED, _S.PAID}),  # nothing due is paid
    _S.FINALIZED: frozenset({_S.PAID, _S.VOID, _S.UNCOLLECTIBLE}),
    _S.PAID: frozenset({_S.FINALIZED, _S.VOID}),  # a payment was reversed; nothing was due
    _S.UNCOLLECTIBLE: frozenset({_S.FINALIZED, _S.PAID, _S.VOID}),  # taken up again, paid after all
    _S.VOID: frozenset(),
}


class MoveRefused(Exception):
    """The table has no such move, or somebody else moved the invoice meanwhile. Services refuse in words before."""


def move_invoice(
    invoice: Invoice,
    to: Invoice.Status,
    *,
    action: str,
    actor: Actor,
    now: datetime,
    facts: Mapping[str, Any] | None = None,
    **columns: Any,
) -> None:
    """
    Move an invoice to a state, write other columns with it, and record who did it.

    One conditional update from the state that `invoice` was read in, so that of two movers one is refused. `facts` go on the
    trail beside the states. The same state is no move, and allowed: only the columns are written.

    :raises MoveRefused: if there is no such move, or the row has moved on
    """
    before = Invoice.Status(invoice.status)
    if to != before and to not in MOVES[before]:
        raise MoveRefused(f"{invoice} is {before} and cannot become {to}")
    if not Invoice.objects.filter(pk=invoice.pk, status=before).update(status=to, **columns):
        raise MoveRefused(f"{invoice} is not {before} any more")
    invoice.status = to
    for name, value in columns.items():
        setattr(invoice, name, value)
    record(
        action=action,
        object_type="invoice",
        object_id=str(invoice.number),
        customer_id=invoice.customer_id,
        actor=actor,
        now=now,
        before={"status": before.value},
        after={"status": to.value, **(facts or {})},
    )


def settled_status(invoice: Invoice) -> Invoice.Status:
    """Return the state of an invoice that is neither draft, void nor given up, by what is left to pay: paid, or open."""
    return Invoice.Status.FINALIZED if invoice.left_minor else Invoice.Status.PAID
