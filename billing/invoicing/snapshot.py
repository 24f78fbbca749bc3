"""
Everything that an invoice, a credit note or a receipt prints, as one plain value.

It is taken when the document is made final and kept on its row as JSON; the PDF, the portal page and (later) the e-invoice XML
read this value and nothing else, so a change of a customer, plan or tax never reaches an old document (I5). Members are only
ever added, each with a default, so that the oldest snapshot can be read.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

SNAPSHOT_VERSION = 2

LineGroup = Literal["subscription", "usage", "adjustment", "item"]
DocumentKind = Literal["invoice", "credit_note", "receipt"]
CreditKind = Literal["credit_note", "promotional", "paid"]


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """
    The seller or the buyer as printed; `address` holds the lines between the name and the country, in order.

    The parts of the address stand beside it once more, for readers that need them apart (EN 16931).
    """

    legal_name: str
    name: str = ""
    address: tuple[str, ...] = ()
    street: tuple[str, ...] = ()
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""  # ISO 3166-1 alpha-2
    tax_id: str = ""
    email: str = ""
    registration: str = ""  # seller: company register and number
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
    discount_minor: int = 0  # the line's share of all discounts
    tax_rate: Decimal  # percent
    tax_category: str = "S"  # UNCL 5305: S, Z, E, AE, K, G, O
    unit_code: str = "C62"  # UN/ECE recommendation 20
    tax_override: Decimal | None = None  # percent; one-off items whose rate was given by hand, so that they can be billed anew
    breakdown: tuple[BreakdownStep, ...] = ()


class Discount(msgspec.Struct, frozen=True, kw_only=True):
    """What one coupon takes off; `percent` is None where the coupon is of an amount."""

    label: str
    code: str = ""
    percent: Decimal | None = None
    amount_minor: int


class TaxTotal(msgspec.Struct, frozen=True, kw_only=True):
    """Tax of one category and rate on the rounded, discounted subtotal of its lines."""

    rate: Decimal  # percent
    category: str = "S"  # UNCL 5305
    label: str = ""  # the word for the tax, such as VAT; empty on documents of version 1
    exemption_code: str = ""  # VATEX code list, where no tax is due
    note: str = ""  # the words that the law asks for, such as "Reverse charge"
    base_minor: int
    amount_minor: int


class CreditUsed(msgspec.Struct, frozen=True, kw_only=True):
    """A credit that paid a part of the invoice when it was made final."""

    kind: CreditKind
    label: str  # the number of the credit note, or the name of the grant
    amount_minor: int


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a credit note's total: the three add up to it."""

    to_invoice_minor: int = 0  # lowers what is left to pay of the invoice
    to_balance_minor: int = 0  # kept for the next invoices
    to_refund_minor: int = 0  # paid back


class ReceivedPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that a receipt confirms, or that an invoice takes from the balance when it is made final."""

    reference: str
    method: str = ""
    received_on: date
    amount_minor: int


class Related(msgspec.Struct, frozen=True, kw_only=True):
    """Another document that this one is about: the invoice that is corrected, credited or paid."""

    number: str
    issued_on: date
    amount_minor: int = 0  # receipts: what the payment paid of it


class UsageChart(msgspec.Struct, frozen=True, kw_only=True):
    """A day-by-day chart of the main meter; `values` has one number a day from `first_day` on."""

    title: str
    unit: str = ""
    first_day: date
    values: tuple[Decimal, ...]


class InvoiceSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """
    The whole document. Amounts are minor units of `currency`, and positive on a credit note too: what is credited.

    A receipt has no lines and no taxes: its total is the payment, and `related` are the invoices that it paid.
    """

    version: int = SNAPSHOT_VERSION
    number: str  # empty on a draft
    kind: DocumentKind = "invoice"
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
    buyer_reference: str = ""  # what public buyers route by (EN 16931 BT-10)
    bank: Bank = Bank()
    payment_means: str = "30"  # UNCL 4461: 30 credit transfer, 58 SEPA credit transfer
    payment_url: str = ""  # where it can be paid online; empty: nowhere
    payment_terms: str = ""  # the words of the terms
    brand_color: str = "#3346a8"
    logo_sha256: str = ""  # of a BrandAsset; empty: the seller's initial is printed
    footer: str = ""
    notes: tuple[str, ...] = ()
    reason: str = ""  # credit notes: why
    related: tuple[Related, ...] = ()
    lines: tuple[Line, ...]
    subtotal_minor: int
    discounts: tuple[Discount, ...] = ()
    discount_minor: int
    taxes: tuple[TaxTotal, ...]
    total_minor: int
    credits: tuple[CreditUsed, ...] = ()
    credits_minor: int = 0
    due_minor: int
    payments: tuple[ReceivedPayment, ...] = ()
    paid_minor: int = 0  # invoices: taken from earlier payments when it was made final
    settlement: Settlement | None = None  # credit notes
    chart: UsageChart | None = None


def to_json(snapshot: InvoiceSnapshot) -> dict[str, Any]:
    """Turn the snapshot into JSON values: decimals and dates as text."""
    document: dict[str, Any] = msgspec.to_builtins(snapshot)
    return document


def from_json(document: Mapping[str, Any]) -> InvoiceSnapshot:
    """Read a kept snapshot back; the inverse of `to_json`."""
    return msgspec.convert(document, InvoiceSnapshot)
