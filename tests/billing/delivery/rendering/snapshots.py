"""One believable invoice, worked by hand, and variations of it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from billing.invoicing.snapshot import Bank, BreakdownStep, InvoiceSnapshot, Line, LineGroup, Party, TaxTotal, UsageChart

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
        "notes": ("Payment within 30 days of the issue date.",),
        "lines": LINES,
        # 499.00 + 1243.71 - 4.12 = 1738.59; 10 % off = 173.86; net 1564.73; 23 % = 359.89 (359.8879); 1924.62 - 120 = 1804.62
        "subtotal_minor": 173_859,
        "discount_minor": 17_386,
        "taxes": (TaxTotal(rate=Decimal(23), base_minor=156_473, amount_minor=35_989),),
        "total_minor": 192_462,
        "credits_minor": 12_000,
        "due_minor": 180_462,
        "chart": UsageChart(
            title="API requests per day", first_day=FIRST, values=tuple(Decimal(100 + day * 37 % 90) for day in range(31))
        ),
    }
    return InvoiceSnapshot(**(given | facts))


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
