"""The block that leads from the lines to what is due, credited or received."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import pgettext, pgettext_lazy

from billing.delivery.rendering.payment import method_name
from billing.delivery.rendering.rows import Row
from billing.delivery.rendering.taxes import document_words, tax_rows
from billing.delivery.rendering.texts import cut, isolated, joined
from billing.invoicing.snapshot import CreditKind, InvoiceSnapshot
from squill.web import formatting

_LABEL_CHARACTERS: Final = 120
_CREDITS: Final[dict[CreditKind, Promise]] = {
    "credit_note": pgettext_lazy("invoice", "Credit note %(label)s"),
    "promotional": pgettext_lazy("invoice", "Promotional credit: %(label)s"),
    "paid": pgettext_lazy("invoice", "Prepaid credit: %(label)s"),
}


def left_to_pay_minor(snapshot: InvoiceSnapshot) -> int:
    """Return what an invoice asks for: what is due, less what was paid before it was made final."""
    return snapshot.due_minor - snapshot.paid_minor


def totals(snapshot: InvoiceSnapshot) -> list[Row]:
    """Return the rows above the last one, which says what is due (see `final_row`)."""
    if snapshot.kind == "receipt":
        return _kept_of_a_payment(snapshot)
    rows = [Row(label=pgettext("invoice", "Subtotal"), value=_money(snapshot.subtotal_minor, snapshot)), *_discounts(snapshot)]
    if snapshot.discount_minor:
        without_tax = str(document_words(snapshot.taxes).total_without)
        rows.append(Row(label=without_tax, value=_money(snapshot.subtotal_minor - snapshot.discount_minor, snapshot)))
    rows += tax_rows(snapshot)
    if snapshot.kind == "credit_note":
        return rows
    rows.append(Row(label=pgettext("invoice", "Total"), value=_money(snapshot.total_minor, snapshot), kind="total"))
    return [*rows, *_credits(snapshot), *_payments(snapshot)]


def final_row(snapshot: InvoiceSnapshot, *, estimate: bool) -> Row:
    """Return the row that the document is about; it says the currency."""
    minor = left_to_pay_minor(snapshot) if snapshot.kind == "invoice" else snapshot.total_minor
    return Row(
        label=final_label(snapshot, estimate=estimate), small=snapshot.currency, value=_money(minor, snapshot), kind="final"
    )


def final_label(snapshot: InvoiceSnapshot, *, estimate: bool) -> str:
    """Name the amount that the document is about."""
    if snapshot.kind == "credit_note":
        return pgettext("invoice", "Total credited")
    if snapshot.kind == "receipt":
        return pgettext("invoice", "Amount received")
    return pgettext("invoice", "Estimated amount") if estimate else pgettext("invoice", "Amount due")


def _discounts(snapshot: InvoiceSnapshot) -> list[Row]:
    rows = []
    for discount in snapshot.discounts:
        label = isolated(cut(discount.label, _LABEL_CHARACTERS))
        if discount.percent is not None:
            percent = isolated(formatting.format_percent(discount.percent, snapshot.locale))
            label = pgettext("invoice", "%(label)s, %(percent)s") % {"label": label, "percent": percent}
        rows.append(Row(label=label, value=_money(-discount.amount_minor, snapshot)))
    # Documents of version 1 name none.
    unnamed = snapshot.discount_minor - sum(discount.amount_minor for discount in snapshot.discounts)
    if unnamed:
        rows.append(Row(label=pgettext("invoice", "Discount"), value=_money(-unnamed, snapshot)))
    return rows


def _credits(snapshot: InvoiceSnapshot) -> list[Row]:
    rows = [
        Row(
            label=str(_CREDITS[credit.kind]) % {"label": isolated(cut(credit.label, _LABEL_CHARACTERS))},
            value=_money(-credit.amount_minor, snapshot),
        )
        for credit in snapshot.credits
    ]
    unnamed = snapshot.credits_minor - sum(credit.amount_minor for credit in snapshot.credits)
    if unnamed:
        rows.append(Row(label=pgettext("invoice", "Credits applied"), value=_money(-unnamed, snapshot)))
    return rows


def _payments(snapshot: InvoiceSnapshot) -> list[Row]:
    rows = []
    for payment in snapshot.payments:
        day = isolated(formatting.format_date(payment.received_on, snapshot.locale))
        rows.append(
            Row(
                label=pgettext("invoice", "Paid on %(day)s") % {"day": day},
                small=joined(method_name(payment.method), cut(payment.reference, _LABEL_CHARACTERS)),
                value=_money(-payment.amount_minor, snapshot),
                kind="paid",
            )
        )
    unnamed = snapshot.paid_minor - sum(payment.amount_minor for payment in snapshot.payments)
    if unnamed:
        rows.append(Row(label=pgettext("invoice", "Paid already"), value=_money(-unnamed, snapshot)))
    return rows


def _kept_of_a_payment(snapshot: InvoiceSnapshot) -> list[Row]:
    paid = sum(related.amount_minor for related in snapshot.related)
    rows = []
    if snapshot.related:
        rows.append(Row(label=pgettext("invoice", "Paid on invoices"), value=_money(paid, snapshot)))
    if paid < snapshot.total_minor:
        kept = pgettext("invoice", "Kept for your next invoices")
        rows.append(Row(label=kept, value=_money(snapshot.total_minor - paid, snapshot)))
    return rows


def _money(minor: int, snapshot: InvoiceSnapshot) -> str:
    return formatting.format_money_minor(minor, snapshot.currency, snapshot.locale)
