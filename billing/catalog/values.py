"""The catalogue as plain values, written as the file has them. Nothing here touches the database."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from billing.models import Plan
from billing.pricing.charge import Charge, charge_members
from squill.lib.decimals import plain
from usage.rollups.filters import Filters

PLAN: Final = str(Plan.Kind.PLAN)
ADD_ON: Final = str(Plan.Kind.ADD_ON)
_TAX_CLASS: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
SECTIONS: Final = {PLAN: "plans", ADD_ON: "add_ons"}  # of the file, by kind


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSpec:
    """A meter as the file writes it (design section 9)."""

    code: str
    name: str
    event_type: str
    aggregation: str
    value: str = ""
    dimensions: tuple[str, ...] = ()
    filters: Filters = field(default_factory=dict)  # canonical
    unit: str = ""
    succeeds: str = ""  # the code of the meter whose place it takes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSpec:
    """A charge as the file writes it; `terms` is the parsed price."""

    code: str
    name: str
    terms: Charge
    meter: str = ""
    filter: dict[str, str] = field(default_factory=dict)
    billed: str = "in_arrears"
    default_quantity: Decimal | None = None  # of a fee by quantity (seats); None for a flat fee and for usage
    tax_class: str = "standard"  # what is sold, as the tax rates name it
    tax_rate: Decimal | None = None  # percent, in place of the rate of the class; None: that rate
    line: int | None = field(default=None, compare=False)  # of the file, counted from 1

    def members(self) -> dict[str, Any]:
        """Return the members that the catalogue file writes, defaults left out."""
        document: dict[str, Any] = {"code": self.code, "name": self.name}
        if self.meter:
            document["meter"] = self.meter
        if self.filter:
            document["filter"] = dict(self.filter)
        document |= charge_members(self.terms)
        if self.default_quantity is not None:
            document["default_quantity"] = plain(self.default_quantity)
        if self.billed != "in_arrears":
            document["billed"] = self.billed
        if self.tax_class != "standard":
            document["tax_class"] = self.tax_class
        if self.tax_rate is not None:
            document["tax_rate"] = plain(self.tax_rate)
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSpec:
    """
    What a plan or an add-on costs in one currency, as the file writes it.

    It is for everybody, or, with the external id of a `customer`, that customer's own.
    """

    code: str
    name: str
    currency: str
    kind: str = PLAN
    customer: str = ""
    interval: str = "monthly"
    interval_count: int = 1
    anchor: str = "calendar"
    billing_day: int = 1
    trial_days: int = 0
    charges: tuple[ChargeSpec, ...]
    minimum_commitment: Decimal | None = None
    line: int | None = field(default=None, compare=False)  # of the file, counted from 1

    @property
    def offer(self) -> tuple[str, str, str]:
        """Return what there can be one published version of: the code, the currency, and whose own it is."""
        return self.code, self.currency, self.customer

    def members(self) -> dict[str, Any]:
        """Return the members that the catalogue file writes."""
        document: dict[str, Any] = {"code": self.code, "name": self.name, "currency": self.currency}
        if self.customer:
            document["customer"] = self.customer
        document["interval"] = self.interval
        if self.interval_count != 1:
            document["interval_count"] = self.interval_count
        if self.kind == PLAN:
            document["anchor"] = self.anchor
        if self.billing_day != 1:
            document["billing_day"] = self.billing_day
        if self.trial_days:
            document["trial_days"] = self.trial_days
        document["charges"] = [charge.members() for charge in self.charges]
        if self.minimum_commitment is not None:
            document["minimum_commitment"] = plain(self.minimum_commitment)
        return document


@dataclass(frozen=True, slots=True)
class CatalogSpec:
    """A whole file. `plans` has the add-ons too, after the plans."""

    meters: tuple[MeterSpec, ...]
    plans: tuple[PlanSpec, ...]


def is_tax_class(name: object) -> bool:
    """Return whether a text can name a tax class: 1 to 32 small letters, digits, - and _, a letter first."""
    return isinstance(name, str) and _TAX_CLASS.fullmatch(name) is not None
