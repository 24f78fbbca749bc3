"""The examples that the OpenAPI document shows. One story: Acme is on the plan Scale and made 1500 calls in January 2026."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

PLAN_BODY: Final[dict[str, Any]] = {
    "code": "scale",
    "name": "Scale",
    "currency": "EUR",
    "interval": "monthly",
    "anchor": "calendar",
    "charges": [
        {"code": "platform", "name": "Platform fee", "model": "flat", "amount": "20", "billed": "in_advance"},
        {
            "code": "calls",
            "name": "API calls",
            "meter": "calls",
            "model": "graduated",
            "tiers": [{"up_to": "1000", "unit_amount": "0.01"}, {"up_to": None, "unit_amount": "0.005"}],
        },
    ],
}
PLAN: Final[dict[str, Any]] = {
    "kind": "plan",
    **PLAN_BODY,
    "customer": None,
    "version": 1,
    "status": "published",
    "derived_from": None,
    "published_at": "2026-01-01T00:00:00Z",
}
DRAFT: Final[dict[str, Any]] = {**PLAN, "version": 2, "status": "draft", "published_at": None}
DERIVE_BODY: Final[dict[str, Any]] = {
    "customer": "acme",
    "charges": [{"code": "platform", "name": "Platform fee", "model": "flat", "amount": "15", "billed": "in_advance"}],
}
OWN_DRAFT: Final[dict[str, Any]] = {
    **DRAFT,
    "customer": "acme",
    "charges": [*DERIVE_BODY["charges"], *PLAN_BODY["charges"][1:]],
    "derived_from": 1,
}
COMPARISON: Final[dict[str, Any]] = {
    "from": 1,
    "to": 2,
    "differences": ["Platform fee: 20 → 15", "API calls, tier 2: 0.005 → 0.004 EUR each"],
    "members": [
        {"field": "charges.platform.amount", "before": "20", "after": "15"},
        {"field": "charges.calls.tiers[1].unit_amount", "before": "0.005", "after": "0.004"},
    ],
}

SUBSCRIPTION_BODY: Final[dict[str, Any]] = {"customer": "acme", "plan": "scale", "starts_at": "2026-01-01T00:00:00Z"}
CHANGE: Final[dict[str, Any]] = {
    "id": 17,
    "kind": "quantity",
    "effective_on": "2026-03-01",
    "plan": None,
    "version": None,
    "charge": "seats",
    "add_on": None,
    "code": None,
    "quantity": "12",
    "trial_ends_on": None,
    "actor": "sq_live_4qLm81xZ",
    "recorded_at": "2026-02-10T12:00:00Z",
    "undone_at": None,
    "state": "planned",
}
SUBSCRIPTION: Final[dict[str, Any]] = {
    "external_id": "acme:scale:2026-01-01",
    "customer": "acme",
    "plan": "scale",
    "plan_version": 1,
    "state": "active",
    "active": True,
    "started_on": "2026-01-01",
    "ended_on": None,
    "starts_at": "2026-01-01T00:00:00Z",
    "ends_at": None,
    "trial_ends_on": None,
    "quantities": {"seats": "5"},
    "add_ons": [{"code": "support", "add_on": "support", "quantity": "1"}],
    "planned": [CHANGE],
    "created_at": "2026-01-01T00:00:00Z",
}
PERIOD: Final[dict[str, Any]] = {
    "index": 0,
    "kind": "regular",
    "plan": "scale",
    "plan_version": 1,
    "first_day": "2026-01-01",
    "last_day": "2026-01-31",
    "starts_at": "2026-01-01T00:00:00Z",
    "ends_at": "2026-02-01T00:00:00Z",
    "bills_in_advance": True,
    "advance_billed_at": "2026-01-01T00:00:00Z",
    "advance_invoice": "0198c1d2-7f3e-7000-8000-000000000000",
    "arrears_billed_at": None,
    "arrears_invoice": None,
    "parked_at": None,
}

_TAX: Final[dict[str, Any]] = {"category": "S", "label": "VAT", "rate": "20", "exemption_code": "", "note": ""}
_LINE: Final[dict[str, Any]] = {
    "position": 1,
    "group": "usage",
    "charge": "calls",
    "description": "API calls",
    "detail": "",
    "meter": "calls",
    "unit": "calls",
    "first_day": "2026-01-01",
    "last_day": "2026-01-31",
    "quantity": "1500",
    "unit_amount": None,
    "exact_amount": "12.5",
    "amount": "12.5",
    "tax_category": "S",
    "tax_rate": "20",
    "breakdown": [
        {"step": "tier", "above": "0", "up_to": "1000", "quantity": "1000", "unit_amount": "0.01", "amount": "10"},
        {"step": "tier", "above": "1000", "up_to": None, "quantity": "500", "unit_amount": "0.005", "amount": "2.5"},
    ],
}
_TOTALS: Final[dict[str, Any]] = {
    "currency": "EUR",
    "first_day": "2026-01-01",
    "last_day": "2026-01-31",
    "issued_on": "2026-02-01",
    "due_on": "2026-03-03",
    "subtotal": "12.5",
    "discount": "0",
    "tax_total": "2.5",
    "total": "15",
    "credits": "0",
    "due": "15",
}
_PARTS: Final[dict[str, Any]] = {
    "lines": [_LINE],
    "discounts": [],
    "tax": [_TAX | {"base": "12.5", "amount": "2.5"}],
    "credits_used": [],
}
INVOICE_SUMMARY: Final[dict[str, Any]] = {
    "id": "0198c1d2-7f3e-7000-8000-000000000000",
    "number": "INV-000001",
    "kind": "invoice",
    "status": "finalized",
    "overdue": False,
    "customer": "acme",
    "subscription": "acme:scale:2026-01-01",
    **_TOTALS,
    "paid": "0",
    "credited": "0",
    "left": "15",
    "finalized_at": "2026-02-01T00:00:00Z",
    "sent_at": None,
    "voided_at": None,
    "void_reason": "",
}
INVOICE: Final[dict[str, Any]] = {
    **INVOICE_SUMMARY,
    **_PARTS,
    "payments": [],
    "credit_notes": [],
    "note": "",
    "replaces": None,
    "replaced_by": None,
    "pdf_sha256": None,
}
PAYMENT_BODY: Final[dict[str, Any]] = {"amount": "15", "received_on": "2026-02-10", "reference": "bank-2026-02-10-17"}
PAYMENT: Final[dict[str, Any]] = {
    "id": "0198c1d2-7f3e-7000-8000-000000000017",
    "customer": "acme",
    "invoice": "INV-000001",
    "currency": "EUR",
    "amount": "15",
    "left": "0",
    "received_on": "2026-02-10",
    "method": "bank_transfer",
    "reference": "bank-2026-02-10-17",
    "recorded_at": "2026-02-10T09:00:00Z",
    "allocations": [{"invoice": "INV-000001", "amount": "15", "recorded_at": "2026-02-10T09:00:00Z"}],
    "reversed": False,
    "reversed_at": None,
    "reversal_reason": "",
}
CUSTOMER_PAYMENT_BODY: Final[dict[str, Any]] = {
    "amount": "20",
    "received_on": "2026-02-10",
    "reference": "bank-2026-02-10-18",
    "remittance": "inv-000001 thank you",
}
CUSTOMER_PAYMENT: Final[dict[str, Any]] = {
    **PAYMENT,
    "invoice": None,
    "amount": "20",
    "left": "5",
    "received_on": "2026-02-10",
    "reference": "bank-2026-02-10-18",
}
REVERSE_BODY: Final[dict[str, Any]] = {"reason": "The bank took it back: no funds"}
REVERSED_PAYMENT: Final[dict[str, Any]] = {
    **PAYMENT,
    "allocations": [
        *PAYMENT["allocations"],
        {"invoice": "INV-000001", "amount": "-15", "recorded_at": "2026-02-24T09:00:00Z"},
    ],
    "reversed": True,
    "reversed_at": "2026-02-24T09:00:00Z",
    "reversal_reason": REVERSE_BODY["reason"],
}
CUSTOMER_BALANCE: Final[dict[str, Any]] = {
    "customer": "acme",
    "as_of": "2026-02-20T12:00:00Z",
    "balances": [{"currency": "EUR", "payments": "5", "credits": "0", "owed": "0"}],
}
ONE_OFF_ITEMS_BODY: Final[dict[str, Any]] = {
    "items": [
        {"description": "Onboarding workshop", "quantity": "1.5", "unit_amount": "900", "unit": "days", "tax_rate": "20"},
        {"description": "Goodwill", "quantity": "1", "unit_amount": "-50", "tax_rate": "20"},
    ],
    "payment_terms_days": 14,
    "note": "Thank you for the workshop.",
}
ONE_OFF_BODY: Final[dict[str, Any]] = {"customer": "acme", **ONE_OFF_ITEMS_BODY}
_ITEM: Final[dict[str, Any]] = {
    **_LINE,
    "group": "item",
    "charge": "item-1",
    "description": "Onboarding workshop",
    "meter": "",
    "unit": "days",
    "first_day": "2026-02-10",
    "last_day": "2026-02-10",
    "quantity": "1.5",
    "unit_amount": "900",
    "exact_amount": "1350",
    "amount": "1350",
    "breakdown": [],
}
_GOODWILL: Final[dict[str, Any]] = {
    **_ITEM,
    "position": 2,
    "charge": "item-2",
    "description": "Goodwill",
    "unit": "",
    "quantity": "1",
    "unit_amount": "-50",
    "exact_amount": "-50",
    "amount": "-50",
}
ONE_OFF: Final[dict[str, Any]] = {
    **INVOICE,
    "number": None,
    "kind": "one_off",
    "status": "draft",
    "subscription": None,
    "first_day": "2026-02-10",
    "last_day": "2026-02-10",
    "issued_on": "2026-02-10",
    "due_on": "2026-02-24",
    "subtotal": "1300",
    "tax_total": "260",
    "total": "1560",
    "due": "1560",
    "finalized_at": None,
    "lines": [_ITEM, _GOODWILL],
    "tax": [_TAX | {"base": "1300", "amount": "260"}],
    "note": ONE_OFF_ITEMS_BODY["note"],
}
BILLING_PROFILE_BODY: Final[dict[str, Any]] = {"grace_minutes": 180, "buyer_reference": "04011000-12345-34"}
BILLING_PROFILE: Final[dict[str, Any]] = {
    "customer": "acme",
    "billing_entity": None,
    "grace_minutes": 180,
    "finalizes_by_itself": None,
    "tax_exemption_reason": "",
    "tax_exemption_code": "",
    "buyer_reference": "04011000-12345-34",
    "reminders_paused": False,
}
BILLING_ENTITY: Final[dict[str, Any]] = {
    "code": "default",
    "name": "Northlight",
    "legal_name": "Northlight Ltd",
    "country": "IE",
    "tax_id": "IE6388047V",
    "timezone": "Europe/Dublin",
    "is_default": True,
    "grace_minutes": None,
    "finalizes_by_itself": True,
    "series": [
        {"kind": "credit_note", "pattern": "CN-{number:06}", "resets_yearly": False},
        {"kind": "invoice", "pattern": "INV-{number:06}", "resets_yearly": False},
    ],
}
GIVE_UP_BODY: Final[dict[str, Any]] = {"reason": "Insolvent; case 12 IN 345/26"}
LINE_EXPLANATION: Final[dict[str, Any]] = {
    "invoice": INVOICE["number"],
    "line": _PARTS["lines"][-1],
    "event_type": "call",
    "filter": {},
    "days": [
        {
            "day": "2026-01-10",
            "quantity": "1500",
            "events": "https://squill.example/api/v1/events?customer=acme&type=call"
            "&from=2026-01-10T00%3A00%3A00Z&to=2026-01-11T00%3A00%3A00Z",
        }
    ],
}
VOID_BODY: Final[dict[str, Any]] = {"reason": "Billed to the wrong legal entity"}
END_BODY: Final[dict[str, Any]] = {"ends_at": "2026-07-01T00:00:00Z"}
CHANGE_PLAN_BODY: Final[dict[str, Any]] = {"plan": "scale", "when": "period_end", "quantities": {"seats": "12"}}
CHANGE_QUANTITY_BODY: Final[dict[str, Any]] = {"charge": "seats", "quantity": "12", "when": "2026-03-01T00:00:00Z"}
PUT_ADD_ON_BODY: Final[dict[str, Any]] = {"add_on": "support", "quantity": "1", "when": "now"}
MOMENT_BODY: Final[dict[str, Any]] = {"when": "period_end"}

UPCOMING: Final[dict[str, Any]] = {
    "customer": "acme",
    "currency": "EUR",
    "as_of": "2026-01-20T12:00:00Z",
    "total": "15",
    "invoices": [{"subscription": "acme:scale:2026-01-01", **_TOTALS, **_PARTS}],
}
CHANGE_PREVIEW: Final[dict[str, Any]] = {
    "before": UPCOMING["invoices"][0],
    "after": None,
    "difference": "-12.5",
    "compared_until": "2026-02-01T00:00:00Z",
}

CALCULATION_BODY: Final[dict[str, Any]] = {
    "currency": "USD",
    "lines": [
        {
            "id": "api",
            "charge": {
                "model": "graduated",
                "tiers": [{"up_to": "1000", "unit_amount": "0"}, {"up_to": None, "unit_amount": "0.01"}],
            },
            "quantity": "1500",
            "taxes": ["20"],
        }
    ],
}
CALCULATION: Final[dict[str, Any]] = {
    "lines": [
        {
            "id": "api",
            "quantity": "1500",
            "exact_amount": "5",
            "amount": "5",
            "breakdown": [
                {"step": "tier", "above": "0", "up_to": "1000", "quantity": "1000", "unit_amount": "0", "amount": "0"},
                {"step": "tier", "above": "1000", "up_to": None, "quantity": "500", "unit_amount": "0.01", "amount": "5"},
            ],
        }
    ],
    "true_ups": [],
    "subtotal": "5",
    "discount": "0",
    "net": "5",
    "tax": [{"rate": "20", "base": "5", "amount": "1"}],
    "total": "6",
    "credit_notes_used": "0",
    "prepaid_credits_used": "0",
    "due": "6",
}


def sent(value: Any) -> OpenApiExample:
    """Return the example of a request's body."""
    return OpenApiExample("Request", value=value, request_only=True)


def answered(value: Any, *statuses: int) -> OpenApiExample:
    """Return the example of an answer with one of the statuses (200 if none is given), an item of it where it is a page."""
    codes = [str(status) for status in statuses or (200,)]
    return OpenApiExample("Answer", value=value, response_only=True, status_codes=codes)


CHANGED: Final = [
    answered(SUBSCRIPTION),
    OpenApiExample("Preview", value=CHANGE_PREVIEW, response_only=True, status_codes=["200"]),
]
