"""
Everything that an invoice prints, as one plain value.

It is taken when the invoice is finalised and kept on the row as JSON; the PDF, the portal page and (later) the e-invoice XML read
this value and nothing else, so a change of a customer, plan or tax never reaches an old invoice (I5).
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

SNAPSHOT_VERSION = 1

LineGroup = Literal["subscription", "usage", "adjustment"]


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """The seller or the buyer as printed; `address` holds the lines between the name and the country, in order."""

    legal_name: str
    name: str = ""
    address: tuple[str, ...] = ()
    country: str = ""  # ISO 3166-1 alpha-2
    tax_id: str = ""
    email: str = ""
    reference: str = ""  # buyer: the external id that the company knows the customer by


class Bank(msgspec.Struct, frozen=True, kw_only=True):
    """Where to pay by transfer."""

    bank_name: str = ""
    account_holder: str = ""
    iban: str = ""
    bic: str = ""


class BreakdownStep(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a line's breakdown (billing.pricing.breakdown.BreakdownRow); the amounts add up to the line."""

    step: str
    amount: Decimal
    above: Decimal | None = None  # exclusive
    up_to: Decimal | None = None  # inclusive; None = and above
    quantity: Decimal | None = None
    unit_amount: Decimal | None = None
    flat_amount: Decimal | None = None
    rate: Decimal | None = None  # percent


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One printed line; `exact_amount` is unrounded major units, `amount_minor` is what counts."""

    position: int
    group: LineGroup
    description: str
    detail: str = ""
    charge_code: str
    meter_code: str = ""
    unit: str = ""
    first_day: date  # inclusive, in the customer's time zone
    last_day: date  # inclusive
    quantity: Decimal
    unit_amount: Decimal | None = None  # None where tiers print their own prices
    exact_amount: Decimal
    amount_minor: int
    tax_rate: Decimal  # percent
    breakdown: tuple[BreakdownStep, ...] = ()


class TaxTotal(msgspec.Struct, frozen=True, kw_only=True):
    """Tax of one rate on the rounded, discounted subtotal of its lines."""

    rate: Decimal  # percent
    base_minor: int
    amount_minor: int


class UsageChart(msgspec.Struct, frozen=True, kw_only=True):
    """A day-by-day chart of the main meter; `values` has one number a day from `first_day` on."""

    title: str
    unit: str = ""
    first_day: date
    values: tuple[Decimal, ...]


class InvoiceSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The whole document. Amounts are minor units of `currency`."""

    version: int = SNAPSHOT_VERSION
    number: str  # empty on a draft
    kind: Literal["invoice"] = "invoice"
    currency: str
    locale: str  # BCP 47, such as en or de-AT
    timezone: str
    issued_on: date
    due_on: date
    finalized_at: datetime | None  # None on a draft
    first_day: date  # service period, inclusive, in the customer's time zone
    last_day: date  # inclusive
    purchase_order: str = ""
    seller: Party
    buyer: Party
    bank: Bank = Bank()
    brand_color: str = "#3346a8"
    footer: str = ""
    notes: tuple[str, ...] = ()
    lines: tuple[Line, ...]
    subtotal_minor: int
    discount_minor: int
    taxes: tuple[TaxTotal, ...]
    total_minor: int
    credits_minor: int = 0
    due_minor: int
    chart: UsageChart | None = None


def to_json(snapshot: InvoiceSnapshot) -> dict[str, Any]:
    """Turn the snapshot into JSON values: decimals and dates as text."""
    document: dict[str, Any] = msgspec.to_builtins(snapshot)
    return document


def from_json(document: Mapping[str, Any]) -> InvoiceSnapshot:
    """Read a kept snapshot back; the inverse of `to_json`."""
    return msgspec.convert(document, InvoiceSnapshot)
