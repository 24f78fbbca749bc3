"""The examples of credit notes that the OpenAPI document shows; they go on with the story of billing.api.examples."""

from typing import Any, Final

CREDIT_BODY: Final[dict[str, Any]] = {
    "reason": "goodwill",
    "explanation": "Three days of outage",
    "reference": "ticket-4711",
    "lines": [{"position": 1, "amount": "5"}],
}
_CREDITED_LINE: Final[dict[str, Any]] = {
    "position": 1,
    "invoice_line": 1,
    "charge": "calls",
    "description": "API calls",
    "detail": "of 12.50 EUR that were billed",
    "first_day": "2026-01-01",
    "last_day": "2026-01-31",
    "quantity": "1",
    "exact_amount": "5",
    "amount": "5",
    "discount": "0",
    "net": "5",
    "tax_category": "S",
    "tax_rate": "20",
}
_CREDITED_TAX: Final[dict[str, Any]] = {
    "category": "S",
    "label": "VAT",
    "rate": "20",
    "exemption_code": "",
    "note": "",
    "base": "5",
    "amount": "1",
}
_CREDIT_TOTALS: Final[dict[str, Any]] = {
    "invoice": "INV-000001",
    "customer": "acme",
    "reason": "goodwill",
    "explanation": "Three days of outage",
    "currency": "EUR",
    "issued_on": "2026-02-10",
    "subtotal": "5",
    "discount": "0",
    "tax_total": "1",
    "total": "6",
    "settlement": {"to_invoice": "6", "to_balance": "0", "to_refund": "0"},
}
CREDIT_NOTE_SUMMARY: Final[dict[str, Any]] = {
    **_CREDIT_TOTALS,
    "id": "0198c1d2-7f3e-7000-8000-000000000001",
    "number": "CN-000001",
    "reference": "ticket-4711",
    "issued_at": "2026-02-10T12:00:00Z",
    "sent_at": None,
    "refunded_at": None,
    "refund_reference": "",
}
CREDIT_NOTE: Final[dict[str, Any]] = {
    **CREDIT_NOTE_SUMMARY,
    "lines": [_CREDITED_LINE],
    "tax": [_CREDITED_TAX],
    "pdf_sha256": None,
}
CREDIT_NOTE_PREVIEW: Final[dict[str, Any]] = {**_CREDIT_TOTALS, "lines": [_CREDITED_LINE], "tax": [_CREDITED_TAX]}
REFUNDED_BODY: Final[dict[str, Any]] = {"reference": "SEPA-2026-02-12-3"}
CORRECTIONS_BODY: Final[dict[str, Any]] = {"explanation": "Events were sent twice", "reference": "case-17", "rest": "balance"}
_CORRECTED: Final[dict[str, Any]] = {"reason": "correction", "explanation": "Events were sent twice"}
_CORRECTED_LINES: Final[dict[str, Any]] = {
    "lines": [{**_CREDITED_LINE, "quantity": "1000", "detail": "of 12.50 EUR that were billed"}],
}
CORRECTION: Final[dict[str, Any]] = {**CREDIT_NOTE, **_CORRECTED, **_CORRECTED_LINES, "reference": "case-17"}
CORRECTION_PREVIEW: Final[dict[str, Any]] = {**CREDIT_NOTE_PREVIEW, **_CORRECTED, **_CORRECTED_LINES}
NOT_CREDITED: Final[dict[str, Any]] = {
    "first_day": "2026-01-01",
    "charge": "storage",
    "amount": "1.5",
    "why": "1.50 EUR of 2.00 EUR are more than is left of the lines that billed it, after other credit notes",
}
