"""What the top of each kind of document says: its name, the amount that it is about, and the facts beside it."""

from typing import Final

from django.utils.translation import pgettext

from billing.delivery.rendering.payment import method_name
from billing.delivery.rendering.rows import Row
from billing.delivery.rendering.texts import cut, isolated
from billing.delivery.rendering.totals import final_label, final_row, left_to_pay_minor
from billing.invoicing.snapshot import InvoiceSnapshot
from squill.web import formatting

_FIELD_CHARACTERS: Final = 120


def heading(snapshot: InvoiceSnapshot, *, estimate: bool) -> str:
    """Name the kind of document."""
    if estimate:
        return pgettext("invoice", "Estimate")
    if snapshot.kind == "credit_note":
        return pgettext("invoice", "Credit note")
    return pgettext("invoice", "Receipt") if snapshot.kind == "receipt" else pgettext("invoice", "Invoice")


def card(snapshot: InvoiceSnapshot, *, estimate: bool) -> Row:
    """Return the amount that the document is about, with a sentence below it."""
    amount = final_row(snapshot, estimate=estimate).value
    return Row(label=final_label(snapshot, estimate=estimate), value=amount, small=_sentence(snapshot, estimate=estimate))


def facts(snapshot: InvoiceSnapshot) -> list[Row]:
    """Return what the reader files the document by; what is not known is left out."""
    rows = _receipt_facts(snapshot) if snapshot.kind == "receipt" else _billing_facts(snapshot)
    rows.append(Row(label=pgettext("invoice", "Customer number"), value=snapshot.buyer.reference))
    return [
        Row(label=row.label, value=isolated(cut(row.value, _FIELD_CHARACTERS)), small=isolated(row.small))
        for row in rows
        if row.value
    ]


def _sentence(snapshot: InvoiceSnapshot, *, estimate: bool) -> str:
    if estimate:
        return pgettext("invoice", "Not an invoice: the amount may still change.")
    if snapshot.kind == "credit_note":
        return (
            pgettext("invoice", "Corrects invoice %(numbers)s") % {"numbers": isolated(_numbers(snapshot))}
            if snapshot.related
            else ""
        )
    if snapshot.kind == "receipt":
        return pgettext("invoice", "Thank you for your payment.")
    if left_to_pay_minor(snapshot) <= 0:
        return pgettext("invoice", "Nothing to pay")
    return pgettext("invoice", "Due by %(day)s") % {"day": isolated(formatting.format_date(snapshot.due_on, snapshot.locale))}


def _billing_facts(snapshot: InvoiceSnapshot) -> list[Row]:
    locale = snapshot.locale
    period = formatting.format_date_range(snapshot.first_day, snapshot.last_day, locale)
    corrected = pgettext("invoice", "Corrected invoice")
    replaced = pgettext("invoice", "Replaces invoice")
    only_day = formatting.format_date(snapshot.related[0].issued_on, locale) if len(snapshot.related) == 1 else ""
    return [
        Row(label=pgettext("invoice", "Issue date"), value=formatting.format_date(snapshot.issued_on, locale)),
        Row(label=pgettext("invoice", "Service period"), value=period),
        Row(label=corrected if snapshot.kind == "credit_note" else replaced, value=_numbers(snapshot), small=only_day),
        Row(label=pgettext("invoice", "Your order number"), value=snapshot.purchase_order),
        Row(label=pgettext("invoice", "Your reference"), value=snapshot.buyer_reference),
    ]


def _receipt_facts(snapshot: InvoiceSnapshot) -> list[Row]:
    locale = snapshot.locale
    rows = [Row(label=pgettext("invoice", "Issue date"), value=formatting.format_date(snapshot.issued_on, locale))]
    for payment in snapshot.payments:
        rows += [
            Row(label=pgettext("invoice", "Received on"), value=formatting.format_date(payment.received_on, locale)),
            Row(label=pgettext("invoice", "Payment method"), value=method_name(payment.method)),
            Row(label=pgettext("invoice", "Payment reference"), value=payment.reference),
        ]
    return rows


def _numbers(snapshot: InvoiceSnapshot) -> str:
    return cut(", ".join(related.number for related in snapshot.related), _FIELD_CHARACTERS)
