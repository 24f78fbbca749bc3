"""How money comes and goes: where to pay an invoice, how a payment was made, what becomes of a credit."""

import re
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import pgettext, pgettext_lazy

from billing.delivery.rendering.pictures import Picture
from billing.delivery.rendering.qr import transfer_code
from billing.delivery.rendering.rows import Row
from billing.delivery.rendering.texts import cut, isolated
from billing.invoicing.snapshot import InvoiceSnapshot
from squill.web import formatting

_VALUE_CHARACTERS: Final = 120
_METHODS: Final[dict[str, Promise]] = {
    "bank_transfer": pgettext_lazy("invoice", "Bank transfer"),
    "card": pgettext_lazy("invoice", "Card"),
    "cash": pgettext_lazy("invoice", "Cash"),
    "cheque": pgettext_lazy("invoice", "Cheque"),
    "direct_debit": pgettext_lazy("invoice", "Direct debit"),
    "other": pgettext_lazy("invoice", "Other"),
}


def method_name(method: str) -> str:
    """Return how a payment was made; a word that is not known is printed as it is, without its underscores."""
    known = _METHODS.get(method)
    return str(known) if known is not None else cut(method.replace("_", " ").capitalize(), _VALUE_CHARACTERS)


def online_address(snapshot: InvoiceSnapshot) -> str:
    """Return where the invoice can be paid online; empty where nowhere, or where the address is none that a browser pays at."""
    return snapshot.payment_url if re.match(r"https?://\S+$", snapshot.payment_url) else ""


def bank_rows(snapshot: InvoiceSnapshot) -> list[Row]:
    """Return where to transfer to, and what to write; empty where no account is known."""
    bank = snapshot.bank
    if not (bank.iban or bank.account_holder or bank.bank_name):
        return []
    rows = [
        Row(label=pgettext("invoice", "Bank"), value=bank.bank_name),
        Row(label=pgettext("invoice", "Account holder"), value=bank.account_holder),
        Row(label="IBAN", value=in_fours(bank.iban)),
        Row(label="BIC", value=bank.bic),
        Row(label=pgettext("invoice", "Reference"), value=snapshot.number),
    ]
    return [Row(label=row.label, value=isolated(cut(row.value, _VALUE_CHARACTERS))) for row in rows if row.value]


def bank_code(snapshot: InvoiceSnapshot, *, amount_minor: int) -> Picture | None:
    """Draw the code that banking apps scan; None where it is no SEPA transfer: other money than euro, or no IBAN."""
    if snapshot.currency != "EUR" or not snapshot.bank.iban:
        return None
    return transfer_code(
        name=snapshot.bank.account_holder or snapshot.seller.legal_name,
        iban=snapshot.bank.iban,
        bic=snapshot.bank.bic,
        amount_minor=amount_minor,
        text=snapshot.number,
    )


def settlement_rows(snapshot: InvoiceSnapshot) -> list[Row]:
    """Return what becomes of a credit note's total."""
    settlement = snapshot.settlement
    if settlement is None:
        return []
    number = isolated(cut(snapshot.related[0].number, _VALUE_CHARACTERS)) if snapshot.related else ""
    if number:
        to_invoice = pgettext("invoice", "Taken off invoice %(number)s") % {"number": number}
    else:
        to_invoice = pgettext("invoice", "Taken off the invoice")
    amounts = (
        (to_invoice, settlement.to_invoice_minor),
        (pgettext("invoice", "Kept for your next invoices"), settlement.to_balance_minor),
        (pgettext("invoice", "Paid back to you"), settlement.to_refund_minor),
    )
    return [
        Row(label=label, value=formatting.format_money_minor(minor, snapshot.currency, snapshot.locale))
        for label, minor in amounts
        if minor
    ]


def in_fours(iban: str) -> str:
    """Write an account number in groups of four, as banks do."""
    return " ".join(re.findall(".{1,4}", re.sub(r"\s", "", iban)))
