"""The tables of a month, row by row as they come from the database, so that memory stays flat however many there are."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.db.models.fields.json import KT

from billing.accounting.cells import Cell, money
from billing.accounting.movements import CREDIT_MOVEMENTS, PAYMENT_MOVEMENTS
from billing.accounting.period import Period
from billing.models import CreditNote, CreditNoteLine, CreditNoteTax, Invoice, InvoiceDiscount, InvoiceLine, InvoiceTax
from squill.lib.decimals import plain

_FETCHED_AT_ONCE: Final = 2_000

# Grain: a movement of a payment in the month.
_PAYMENTS: Final = f"""
WITH {PAYMENT_MOVEMENTS}
SELECT m.day, m.item, p.public_id::text, c.external_id, c.name, p.method, p.reference, p.received_on, i.number, m.currency,
       m.amount_minor, CASE WHEN m.item = 'reversed' THEN p.reversal_reason ELSE '' END
FROM payment_movements m JOIN billing_payment p ON p.id = m.payment_id JOIN customers_customer c ON c.id = p.customer_id
LEFT JOIN billing_invoice i ON i.id = m.invoice_id
WHERE m.day >= %(first)s AND m.day < %(end)s
ORDER BY m.day, p.id, m.place, i.id
"""  # noqa: S608 (constants only)
# Grain: an entry of a credit in the month.
_CREDITS: Final = f"""
WITH {CREDIT_MOVEMENTS}
SELECT m.day, m.item, k.kind, k.name, k.reference, c.external_id, c.name, n.number, i.number, m.currency, m.amount_minor
FROM credit_movements m JOIN billing_credit k ON k.id = m.credit_id JOIN customers_customer c ON c.id = k.customer_id
LEFT JOIN billing_creditnote n ON n.id = k.credit_note_id LEFT JOIN billing_invoice i ON i.id = m.invoice_id
WHERE m.day >= %(first)s AND m.day < %(end)s
ORDER BY m.day, m.id
"""  # noqa: S608 (constants only)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file of the export: its heads, and its rows, which are read while they are asked for."""

    name: str
    heads: tuple[str, ...]
    rows: Callable[[Period], Iterator[tuple[Cell, ...]]]


def _invoices(period: Period) -> Iterator[tuple[Cell, ...]]:
    found = Invoice.objects.filter(period.issued()).exclude(status=Invoice.Status.DRAFT).order_by("issued_on", "pk")
    texts = ("number", "kind", "status", "customer__external_id", KT("snapshot__buyer__legal_name"))
    buyer = (KT("snapshot__buyer__country"), KT("snapshot__buyer__tax_id"), KT("snapshot__purchase_order"))
    days = ("issued_on", "due_on", "first_day", "last_day", "subscription__external_id", "replaces__number", "void_reason")
    amounts = ("subtotal_minor", "discount_minor", "tax_minor", "total_minor", "credits_minor", "due_minor")
    for row in _read(found, *texts, *buyer, *days, "currency", *amounts):
        currency = row[15]
        yield (*row[:16], *(money(minor, currency) for minor in row[16:]))


def _lines(period: Period) -> Iterator[tuple[Cell, ...]]:
    found = InvoiceLine.objects.filter(period.issued("invoice__")).exclude(invoice__status=Invoice.Status.DRAFT)
    texts = ("invoice__number", "position", "group", "charge_code", "description", "detail", "meter_code", "unit", "first_day")
    numbers = ("last_day", "quantity", "unit_amount", "exact_amount", "tax_rate_pct", "tax_category", "invoice__currency")
    ordered = found.order_by("invoice__issued_on", "invoice_id", "position")
    for row in _read(ordered, *texts, *numbers, "amount_minor", "discount_minor"):
        *facts, quantity, unit_amount, exact_amount, rate, category, currency, amount, discount = row
        exact = (_plain(quantity), _plain(unit_amount), _plain(exact_amount), _plain(rate), category, currency)
        yield (*facts, *exact, *(money(minor, currency) for minor in (amount, discount, amount - discount)))


def _taxes(period: Period) -> Iterator[tuple[Cell, ...]]:
    found = InvoiceTax.objects.filter(period.issued("invoice__")).exclude(invoice__status=Invoice.Status.DRAFT)
    ordered = found.order_by("invoice__issued_on", "invoice_id", "rate_pct", "category")
    yield from _tax_rows(ordered, "invoice__number", "invoice__currency")


def _tax_rows(found: Any, number: str, currency_of: str) -> Iterator[tuple[Cell, ...]]:
    words = ("category", "label", "exemption_code", "note", "rate_pct", currency_of, "base_minor", "amount_minor")
    for *facts, rate, currency, base, amount in _read(found, number, *words):
        yield (*facts, _plain(rate), currency, money(base, currency), money(amount, currency))


def _discounts(period: Period) -> Iterator[tuple[Cell, ...]]:
    found = InvoiceDiscount.objects.filter(period.issued("invoice__")).exclude(invoice__status=Invoice.Status.DRAFT)
    names = ("invoice__number", "position", "redemption__coupon__code", "label", "percent", "invoice__currency", "amount_minor")
    for *facts, percent, currency, amount in _read(found.order_by("invoice__issued_on", "invoice_id", "position"), *names):
        yield (*facts, _plain(percent), currency, money(amount, currency))


def _credit_notes(period: Period) -> Iterator[tuple[Cell, ...]]:
    found = CreditNote.objects.filter(period.issued()).order_by("issued_on", "pk")
    texts = ("number", "invoice__number", "customer__external_id", KT("snapshot__buyer__legal_name"), "reason", "explanation")
    amounts = ("subtotal_minor", "discount_minor", "tax_minor", "total_minor")
    settled = ("to_invoice_minor", "to_balance_minor", "to_refund_minor")
    for row in _read(found, *texts, "issued_on", "currency", *amounts, *settled):
        yield (*row[:8], *(money(minor, row[7]) for minor in row[8:]))


def _credit_note_lines(period: Period) -> Iterator[tuple[Cell, ...]]:
    found = CreditNoteLine.objects.filter(period.issued("credit_note__"))
    texts = ("credit_note__number", "position", "invoice_line__position", "invoice_line__charge_code", "description", "detail")
    numbers = ("quantity", "exact_amount", "invoice_line__tax_rate_pct", "invoice_line__tax_category", "credit_note__currency")
    ordered = found.order_by("credit_note__issued_on", "credit_note_id", "position")
    for row in _read(ordered, *texts, *numbers, "amount_minor", "discount_minor"):
        *facts, quantity, exact_amount, rate, category, currency, amount, discount = row
        exact = (_plain(quantity), _plain(exact_amount), _plain(rate), category, currency)
        yield (*facts, *exact, *(money(minor, currency) for minor in (amount, discount, amount - discount)))


def _credit_note_taxes(period: Period) -> Iterator[tuple[Cell, ...]]:
    found = CreditNoteTax.objects.filter(period.issued("credit_note__"))
    ordered = found.order_by("credit_note__issued_on", "credit_note_id", "rate_pct", "category")
    yield from _tax_rows(ordered, "credit_note__number", "credit_note__currency")


def _payments(period: Period) -> Iterator[tuple[Cell, ...]]:
    for *facts, currency, amount, reason in _select(_PAYMENTS, period):
        yield (*facts, currency, money(amount, currency), reason)


def _credits(period: Period) -> Iterator[tuple[Cell, ...]]:
    for *facts, currency, amount in _select(_CREDITS, period):
        yield (*facts, currency, money(amount, currency))


_TAX_HEADS: Final = ("category", "tax", "exemption_code", "note", "rate", "currency", "base", "amount")
TABLES: Final = (
    Table(
        name="invoices",
        heads=(
            *("number", "kind", "status", "customer", "buyer", "buyer_country", "buyer_tax_id", "purchase_order", "issued_on"),
            *("due_on", "first_day", "last_day", "subscription", "replaces", "void_reason", "currency", "subtotal", "discount"),
            *("tax", "total", "credits", "due"),
        ),
        rows=_invoices,
    ),
    Table(
        name="lines",
        heads=(
            *("invoice", "position", "group", "charge", "description", "detail", "meter", "unit", "first_day", "last_day"),
            *("quantity", "unit_amount", "exact_amount", "tax_rate", "tax_category", "currency", "amount", "discount", "net"),
        ),
        rows=_lines,
    ),
    Table(name="taxes", heads=("invoice", *_TAX_HEADS), rows=_taxes),
    Table(name="discounts", heads=("invoice", "position", "coupon", "label", "percent", "currency", "amount"), rows=_discounts),
    Table(
        name="credit_notes",
        heads=(
            *("number", "invoice", "customer", "buyer", "reason", "explanation", "issued_on", "currency", "subtotal", "discount"),
            *("tax", "total", "to_invoice", "to_balance", "to_refund"),
        ),
        rows=_credit_notes,
    ),
    Table(
        name="credit_note_lines",
        heads=(
            *("credit_note", "position", "invoice_position", "charge", "description", "detail", "quantity", "exact_amount"),
            *("tax_rate", "tax_category", "currency", "amount", "discount", "net"),
        ),
        rows=_credit_note_lines,
    ),
    Table(name="credit_note_taxes", heads=("credit_note", *_TAX_HEADS), rows=_credit_note_taxes),
    Table(
        name="payments",
        heads=(
            *("day", "movement", "payment", "customer", "customer_name", "method", "reference", "received_on", "invoice"),
            *("currency", "amount", "reason"),
        ),
        rows=_payments,
    ),
    Table(
        name="credits",
        heads=(
            *("day", "movement", "kind", "name", "reference", "customer", "customer_name", "credit_note", "invoice"),
            *("currency", "amount"),
        ),
        rows=_credits,
    ),
)


def _read(found: Any, *columns: Any) -> Iterator[tuple[Any, ...]]:
    """Read columns of a query a few rows at a time."""
    named = {f"column_{place}": column for place, column in enumerate(columns) if not isinstance(column, str)}
    names = [column if isinstance(column, str) else f"column_{place}" for place, column in enumerate(columns)]
    yield from found.annotate(**named).values_list(*names).iterator(_FETCHED_AT_ONCE)


def _select(statement: str, period: Period) -> Iterator[tuple[Any, ...]]:
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(statement, period.arguments)
        while rows := cursor.fetchmany(_FETCHED_AT_ONCE):
            yield from rows


def _plain(number: Any) -> Any:
    """Return a number that is written without the zeros that the column pads it with."""
    return None if number is None else type(number)(plain(number))
