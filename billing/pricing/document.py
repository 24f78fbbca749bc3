"""`calculate`: one JSON document in, the priced invoice out. The same code that bills."""

from collections.abc import Mapping
from decimal import Decimal

from billing.pricing.breakdown import BreakdownRow, Priced
from billing.pricing.charge import price, price_events
from billing.pricing.document_reading import DocumentError, DocumentLine, read_document, read_json
from billing.pricing.money import from_minor, round_to_minor
from billing.pricing.totals import TotalLine, Totals, total_invoice
from squill.lib.currency import exponent
from squill.lib.decimals import plain

__all__ = ["DocumentError", "breakdown_members", "calculate", "read_json"]


def calculate(document: Mapping[str, object]) -> dict[str, object]:
    """
    Price the lines of a document and total the invoice.

    Amounts are decimal strings in major units; `exact_amount` is the price before rounding (ADR-0003).

    :raises DocumentError: naming the member that cannot be used and what to do
    """
    read = read_document(document)
    places = exponent(read.currency)
    priced = [(line, _price(line)) for line in read.lines]
    totals = total_invoice(
        currency=read.currency,
        lines=[TotalLine(line.id, round_to_minor(it.exact, exponent=places), line.tax_rates) for line, it in priced],
        discounts=read.discounts,
        commitments=read.commitments,
        credit_notes=read.credit_notes,
        prepaid_credits=read.prepaid_credits,
    )
    return {"lines": [_line_answer(line.id, it, places) for line, it in priced], **_totals_answer(totals, places)}


def breakdown_members(row: BreakdownRow) -> dict[str, object]:
    """Return a row of a breakdown as JSON members; a tier's `up_to` is null if the tier is open, else absent means none."""
    members: dict[str, object] = {"step": row.step}
    for name in ("above", "up_to", "quantity", "unit_amount", "flat_amount", "rate"):
        number: Decimal | None = getattr(row, name)
        if number is not None:
            members[name] = plain(number)
        elif name == "up_to" and row.above is not None:
            members[name] = None
    members["amount"] = plain(row.amount)
    return members


def _price(line: DocumentLine) -> Priced:
    if line.events is not None:
        return price_events(line.charge, line.events)
    return price(line.charge, line.quantity)


def _line_answer(line_id: str, priced: Priced, places: int) -> dict[str, object]:
    return {
        "id": line_id,
        "quantity": plain(priced.quantity),
        "exact_amount": plain(priced.exact_amount),
        "amount": _money(round_to_minor(priced.exact, exponent=places), places),
        "breakdown": [breakdown_members(row) for row in priced.breakdown],
    }


def _totals_answer(totals: Totals, places: int) -> dict[str, object]:
    return {
        "true_ups": [{"id": added.id, "amount": _money(added.amount_minor, places)} for added in totals.true_ups],
        "subtotal": _money(totals.subtotal_minor, places),
        "discount": _money(totals.discount_minor, places),
        "net": _money(totals.net_minor, places),
        "tax": [
            {"rate": plain(tax.rate), "base": _money(tax.base_minor, places), "amount": _money(tax.amount_minor, places)}
            for tax in totals.taxes
        ],
        "total": _money(totals.total_minor, places),
        "credit_notes_used": _money(sum(totals.credit_notes_used), places),
        "prepaid_credits_used": _money(sum(totals.prepaid_credits_used), places),
        "due": _money(totals.due_minor, places),
    }


def _money(minor: int, places: int) -> str:
    return plain(from_minor(minor, exponent=places))
