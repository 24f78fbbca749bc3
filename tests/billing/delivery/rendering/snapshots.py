"""One believable invoice, worked by hand, the credit note and the receipt that follow it, and variations of them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from billing.invoicing.snapshot import (
    Bank,
    BreakdownStep,
    CreditUsed,
    Discount,
    InvoiceSnapshot,
    Line,
    LineGroup,
    Party,
    ReceivedPayment,
    Related,
    Settlement,
    TaxTotal,
    UsageChart,
)

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)

SELLER = Party(
    legal_name="Northlight Systems Ltd",
    name="Northlight",
    address=("14 Harbour Street", "Dublin D02 XY45"),
    country="IE",
    tax_id="IE 3628739L",
    email="billing@northlight.example",
)
BUYER = Party(
    legal_name="Fenwick & Daly Ltd",
    address=("Accounts payable", "8 Patrick Street", "Cork T12 W8KP"),
    country="IE",
    tax_id="IE 4471205T",
    reference="cus_8WQ2M",
)
# 1,000,000 x 0.0004 + 2,000,000 x 0.0003 + 1,218,530 x 0.0002 = 400 + 600 + 243.706 = 1243.706
TIERS = (
    BreakdownStep(
        step="tier",
        amount=Decimal(400),
        above=Decimal(0),
        up_to=Decimal(1_000_000),
        quantity=Decimal(1_000_000),
        unit_amount=Decimal("0.0004"),
    ),
    BreakdownStep(
        step="tier",
        amount=Decimal(600),
        above=Decimal(1_000_000),
        up_to=Decimal(3_000_000),
        quantity=Decimal(2_000_000),
        unit_amount=Decimal("0.0003"),
    ),
    BreakdownStep(
        step="tier",
        amount=Decimal("243.706"),
        above=Decimal(3_000_000),
        quantity=Decimal(1_218_530),
        unit_amount=Decimal("0.0002"),
    ),
)


def line(description: str, *, amount_minor: int, group: LineGroup = "usage", position: int = 1, **facts: Any) -> Line:
    """Make a line of October; `facts` replace the rest."""
    given: dict[str, Any] = {
        "charge_code": "charge",
        "first_day": FIRST,
        "last_day": LAST,
        "quantity": Decimal(1),
        "exact_amount": Decimal(amount_minor) / 100,
        "tax_rate": Decimal(23),
    }
    return Line(position=position, group=group, description=description, amount_minor=amount_minor, **(given | facts))


LINES = (
    line(
        "Scale plan",
        group="subscription",
        amount_minor=49_900,
        unit="month",
        unit_amount=Decimal(499),
        detail="Platform fee, billed in advance",
        first_day=date(2026, 11, 1),
        last_day=date(2026, 11, 30),
    ),
    line(
        "API requests",
        position=2,
        amount_minor=124_371,
        quantity=Decimal(4_218_530),
        unit="requests",
        exact_amount=Decimal("1243.706"),
        breakdown=TIERS,
    ),
    line(
        "API requests, corrected",
        group="adjustment",
        position=3,
        amount_minor=-412,
        quantity=Decimal(-10_300),
        unit="requests",
        unit_amount=Decimal("0.0004"),
        first_day=date(2026, 9, 1),
        last_day=date(2026, 9, 30),
    ),
)


def snapshot(**facts: Any) -> InvoiceSnapshot:
    """Make the invoice; `facts` replace parts of it."""
    given: dict[str, Any] = {
        "number": "NL-2026-000417",
        "currency": "EUR",
        "locale": "en",
        "timezone": "Europe/Dublin",
        "issued_on": date(2026, 11, 1),
        "due_on": date(2026, 12, 1),
        "finalized_at": datetime(2026, 11, 1, 2, 0, 5, tzinfo=UTC),
        "first_day": FIRST,
        "last_day": LAST,
        "purchase_order": "PO 4500-88213",
        "seller": SELLER,
        "buyer": BUYER,
        "bank": Bank(bank_name="AIB Bank plc", iban="IE29AIBK93115212345678", bic="AIBKIE2D"),
        "footer": "Northlight Systems Ltd · Registered in Ireland No. 628739",
        "payment_url": "https://pay.northlight.example/NL-2026-000417",
        "payment_terms": "Payment within 30 days of the issue date.",
        "notes": ("Late payments bear statutory interest under Directive 2011/7/EU.",),
        "lines": LINES,
        # 499.00 + 1243.71 - 4.12 = 1738.59; 10 % off = 173.86; net 1564.73; 23 % = 359.89 (359.8879); 1924.62 - 120 = 1804.62
        "subtotal_minor": 173_859,
        "discounts": (Discount(label="Launch partner discount", code="LAUNCH", percent=Decimal(10), amount_minor=17_386),),
        "discount_minor": 17_386,
        "taxes": (TaxTotal(rate=Decimal(23), label="VAT", base_minor=156_473, amount_minor=35_989),),
        "total_minor": 192_462,
        "credits": (CreditUsed(kind="paid", label="Annual prepayment", amount_minor=12_000),),
        "credits_minor": 12_000,
        "due_minor": 180_462,
        "chart": UsageChart(
            title="API requests per day", first_day=FIRST, values=tuple(Decimal(100 + day * 37 % 90) for day in range(31))
        ),
    }
    return InvoiceSnapshot(**(given | facts))


def credit_note(**facts: Any) -> InvoiceSnapshot:
    """Make a credit note over a part of the invoice's usage; `facts` replace parts of it."""
    given: dict[str, Any] = {
        "number": "NL-CN-2026-000031",
        "kind": "credit_note",
        "issued_on": date(2026, 11, 9),
        "due_on": date(2026, 11, 9),
        "finalized_at": datetime(2026, 11, 9, 10, 15, tzinfo=UTC),
        "reason": "An outage of the EU region on 14 October made 200,000 requests fail. They are not charged.",
        "related": (Related(number="NL-2026-000417", issued_on=date(2026, 11, 1)),),
        "lines": (
            line(
                "API requests",
                amount_minor=6_000,
                quantity=Decimal(200_000),
                unit="requests",
                unit_amount=Decimal("0.0003"),
                detail="Outage of 14 October",
            ),
        ),
        # 60.00; 10 % off = 6.00; net 54.00; 23 % = 12.42; 66.42 = 50.00 + 16.42
        "subtotal_minor": 6_000,
        "discounts": (Discount(label="Launch partner discount", percent=Decimal(10), amount_minor=600),),
        "discount_minor": 600,
        "taxes": (TaxTotal(rate=Decimal(23), label="VAT", base_minor=5_400, amount_minor=1_242),),
        "total_minor": 6_642,
        "credits": (),
        "credits_minor": 0,
        "due_minor": 0,
        "settlement": Settlement(to_invoice_minor=5_000, to_balance_minor=1_642),
        "payment_url": "",
        "payment_terms": "",
        "notes": (),
        "chart": None,
    }
    return snapshot(**(given | facts))


def receipt(**facts: Any) -> InvoiceSnapshot:
    """Make the receipt of a payment of 2,000.00 for the invoice and one before it; `facts` replace parts of it."""
    given: dict[str, Any] = {
        "number": "NL-R-2026-000112",
        "kind": "receipt",
        "issued_on": date(2026, 11, 20),
        "due_on": date(2026, 11, 20),
        "finalized_at": datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
        # 1,804.62 + 150.00 = 1,954.62; 45.38 are kept
        "related": (
            Related(number="NL-2026-000398", issued_on=date(2026, 10, 1), amount_minor=15_000),
            Related(number="NL-2026-000417", issued_on=date(2026, 11, 1), amount_minor=180_462),
        ),
        "lines": (),
        "subtotal_minor": 0,
        "discounts": (),
        "discount_minor": 0,
        "taxes": (),
        "total_minor": 200_000,
        "credits": (),
        "credits_minor": 0,
        "due_minor": 0,
        "payments": (
            ReceivedPayment(
                reference="SEPA 2026-11-19 7731", method="bank_transfer", received_on=date(2026, 11, 19), amount_minor=200_000
            ),
        ),
        "payment_url": "",
        "payment_terms": "",
        "notes": (),
        "chart": None,
    }
    return snapshot(**(given | facts))


def many_lines(count: int) -> tuple[Line, ...]:
    """Make that many usage lines, each with a name of its own."""
    return tuple(
        line(
            f"Meter {number:03d}",
            position=number,
            amount_minor=1_000 + number,
            quantity=Decimal(number * 1_000),
            unit="calls",
            detail="eu-west-1 · production",
            unit_amount=Decimal("0.0105"),
        )
        for number in range(1, count + 1)
    )


def document(name: str) -> InvoiceSnapshot:
    """Return a document by a word: `credit_note`, `receipt`, or the locale of an invoice."""
    of_kind = {"credit_note": credit_note, "receipt": receipt}
    return of_kind[name]() if name in of_kind else snapshot(locale=name)


# A snapshot as version 1 kept it: no discounts, no tax words, no kinds of credit.
VERSION_1 = """{"version": 1, "number": "INV-000001", "kind": "invoice", "currency": "EUR", "locale": "en", "timezone": "UTC",
"issued_on": "2026-02-01", "due_on": "2026-03-03", "finalized_at": "2026-02-01T00:00:00Z", "first_day": "2026-01-01",
"last_day": "2026-01-31", "purchase_order": "", "seller": {"legal_name": "Old Ltd", "tax_id": "IE 1"},
"buyer": {"legal_name": "Buyer Ltd"}, "bank": {"bank_name": "", "account_holder": "", "iban": "", "bic": ""},
"brand_color": "#3346a8", "footer": "", "notes": [], "lines": [{"position": 1, "group": "usage", "description": "Calls",
"charge_code": "calls", "first_day": "2026-01-01", "last_day": "2026-01-31", "quantity": "5", "unit_amount": "2",
"exact_amount": "10", "amount_minor": 1000, "tax_rate": "20", "breakdown": []}], "subtotal_minor": 1000,
"discount_minor": 100, "taxes": [{"rate": "20", "base_minor": 900, "amount_minor": 180}], "total_minor": 1080,
"credits_minor": 80, "due_minor": 1000, "chart": null}"""
