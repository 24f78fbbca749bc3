"""What tax is decided from and what comes out of it, as plain values (ADR 0024)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Final

# What a charge can say about what it sells; other names are classes that somebody entered rates for.
STANDARD: Final = "standard"
REDUCED: Final = "reduced"
ZERO: Final = "zero"
EXEMPT: Final = "exempt"

EU_COUNTRIES: Final = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())
# Sales tax follows the state: being registered with one says nothing about the others, and the home state is no exception.
TAXED_BY_REGION: Final = frozenset({"US"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """What one line is taxed with."""

    rate: Decimal  # percent
    category: str  # UNCL 5305 as in EN 16931: S, Z, E, AE, O
    label: str  # the word on documents in the active language: VAT, USt., TVA, IVA, GST, Sales tax …
    exemption_code: str = ""  # VATEX-EU-AE, VATEX-EU-O, … where no tax is due
    note: str = ""  # the words that the law wants printed, in the active language


@dataclass(frozen=True, slots=True)
class Place:
    """
    A place as tax sees it: Monaco is France, the Isle of Man the United Kingdom, Liechtenstein Switzerland.

    `is_apart`: a part of the country in which the country's tax does not hold, such as the Canary Islands.
    """

    country: str  # ISO 3166; "" is unknown
    region: str = ""  # as billing.tax.territories writes it, so that equal regions are equal texts
    is_apart: bool = False

    @property
    def is_in_eu(self) -> bool:
        """Return whether Directive 2006/112/EC holds there."""
        return self.country in EU_COUNTRIES and not self.is_apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Where a seller is registered for tax, and when: half-open, `valid_until` is the first day without it."""

    place: Place
    is_one_stop_shop: bool = False
    valid_from: date = date.min
    valid_until: date | None = None

    def holds(self, day: date) -> bool:
        """Return whether the registration is in force on the day."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)

    def covers(self, place: Place) -> bool:
        """Return whether tax of this place is charged by it: its region alone, or all of a country without the parts apart."""
        if self.is_one_stop_shop or self.place.country != place.country:
            return False
        return self.place.region == place.region or (not self.place.region and not place.is_apart)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """Who sells: where it is established, whether it has a tax id there, and where else it is registered."""

    place: Place
    has_tax_id: bool = False
    registrations: tuple[Registration, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who buys. A VAT id counts only where it was checked and belongs to the place (billing.tax.vat_ids)."""

    place: Place = Place("")
    has_vat_id: bool = False
    fixed_rate: Decimal | None = None  # percent; None: the rules decide
    exemption_reason: str = ""  # "": not exempt
    exemption_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What is sold, and the day whose law holds."""

    day: date
    tax_class: str = STANDARD
    rate_override: Decimal | None = None  # percent, of the charge; None: the rate of its class


class Treatment(Enum):
    """Why a line is taxed as it is."""

    EXEMPT_CUSTOMER = "exempt_customer"
    EXEMPT_SUPPLY = "exempt_supply"
    FIXED_RATE = "fixed_rate"  # the customer's own
    DOMESTIC = "domestic"
    DESTINATION = "destination"  # the seller is registered where the buyer is, or in the one-stop shop
    ORIGIN = "origin"  # a consumer in another member state, and the seller below the threshold
    REVERSE_CHARGE = "reverse_charge"
    RECIPIENT_ACCOUNTS = "recipient_accounts"  # reverse charge by the law of a country outside the EU
    EXPORT = "export"
    NOT_REGISTERED = "not_registered"
    NO_COUNTRY = "no_country"  # of the seller, so nothing can be decided


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How a line is taxed, before its rate is looked up: whose tax, and the rate where the rules fix it."""

    treatment: Treatment
    place: Place  # whose tax is charged, or is not
    rate: Decimal | None  # percent; None: that of the class at the place
