"""What becomes of a credit note's total: it lowers what is left to pay, is kept for the next invoices, or is paid back."""

from typing import Literal

from django.db.models import Sum
from django.utils.translation import gettext as _

from billing.invoicing.snapshot import Settlement
from billing.models import Credit, CreditEntry, Invoice
from billing.pricing.money import from_minor
from squill.lib.currency import exponent
from squill.lib.refusal import Refused

# What becomes of what the invoice does not take.
Rest = Literal["balance", "refund"]
Wish = Rest | Settlement


class UnableToCredit(Refused):
    """An invoice cannot be credited as asked; `code` is stable, the message is for a person, `position` names a line."""

    def __init__(self, message: str, *, code: str, position: int | None = None) -> None:
        super().__init__(message, code=code)
        self.position = position


def settle(invoice: Invoice, total_minor: int, *, wish: Wish, refunded_minor: int) -> Settlement:
    """
    Say what becomes of a total in minor units. By a word, what is left to pay of the invoice comes first, and the rest is kept
    or paid back; amounts are taken as they are asked for.

    What is paid back must have come in: payments, and credits that were no present. `refunded_minor` is what earlier credit
    notes pay back of it. One query.

    :raises UnableToCredit: settlement_differs, more_than_left, or more_than_paid
    """
    left = max(invoice.left_minor, 0)
    if isinstance(wish, Settlement):
        found = wish
        parts = (found.to_invoice_minor, found.to_balance_minor, found.to_refund_minor)
        if min(parts) < 0 or sum(parts) != total_minor:
            values = {"sum": amount_words(sum(parts), invoice.currency), "total": amount_words(total_minor, invoice.currency)}
            message = _("the amounts of the settlement are %(sum)s, and %(total)s are credited: they must be the same")
            raise UnableToCredit(message % values, code="settlement_differs")
        if found.to_invoice_minor > left:
            message = _("%(left)s are left to pay of the invoice: no more can be taken off it")
            raise UnableToCredit(message % {"left": amount_words(left, invoice.currency)}, code="more_than_left")
    else:
        to_invoice = min(total_minor, left)
        rest = total_minor - to_invoice
        found = Settlement(
            to_invoice_minor=to_invoice,
            to_balance_minor=rest if wish == "balance" else 0,
            to_refund_minor=rest if wish == "refund" else 0,
        )
    refundable = _refundable_minor(invoice) - refunded_minor
    if found.to_refund_minor > max(refundable, 0):
        values = {
            "asked": amount_words(found.to_refund_minor, invoice.currency),
            "paid": amount_words(max(refundable, 0), invoice.currency),
        }
        message = _("%(asked)s cannot be paid back: %(paid)s of this invoice have come in and are not paid back yet")
        raise UnableToCredit(message % values, code="more_than_paid")
    return found


def _refundable_minor(invoice: Invoice) -> int:
    """Return what has come in for the invoice: a promotional credit was a present, and is never paid out."""
    used = CreditEntry.objects.filter(invoice=invoice).exclude(credit__kind=Credit.Kind.PROMOTIONAL)
    return invoice.paid_minor - int(used.aggregate(sum=Sum("amount_minor", default=0))["sum"])


def amount_words(minor: int, currency: str) -> str:
    """
    Write an amount for a sentence.

    >>> amount_words(1200, "EUR")
    '12.00 EUR'
    """
    return f"{from_minor(minor, exponent=exponent(currency)):f} {currency}"
