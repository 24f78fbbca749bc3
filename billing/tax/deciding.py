"""
How a supply is taxed: pure rules on plain values, a row each in ADR 0024.

Sources: Directive 2006/112/EC as amended, Articles 44 and 58 (where services are supplied), 59c (the threshold under which a
seller taxes consumers elsewhere in the Union at home), 196 (the customer owes the tax), 369a onwards (one-stop shop). HMRC VAT
Notice 741A (services to and from the United Kingdom). Merverdiavgiftsloven § 3-30 (remote services to Norway).
"""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from billing.tax.errors import TaxUnknown
from billing.tax.values import EXEMPT, TAXED_BY_REGION, Buyer, Decision, Place, Seller, Supply, Treatment

# A seller from abroad charges nothing to a business there, though it is registered for its consumers.
_RECIPIENT_ACCOUNTS: Final = frozenset({"GB", "NO"})
# Services to a part that is apart follow the rules of the country itself.
_ONE_FOR_SERVICES: Final = frozenset({"FI"})
_TAXED: Final = frozenset({Treatment.DOMESTIC, Treatment.DESTINATION, Treatment.ORIGIN})
_NONE: Final = Decimal(0)


def decide(seller: Seller, buyer: Buyer, supply: Supply) -> Decision:
    """
    Decide how a supply is taxed. The first of these that applies:

    1. The customer is exempt. 2. The customer has a fixed rate. 3. The charge has a rate of its own, which replaces the rate but
    not the rules: where a customer is owed no tax (reverse charge, export, no registration), it is still owed none. 4. The
    rules of the places, with the rate of the class.

    :raises TaxUnknown: if the seller is registered in states of the buyer's country and the buyer's state is not known
    """
    if buyer.exemption_reason:
        return Decision(treatment=Treatment.EXEMPT_CUSTOMER, place=seller.place, rate=_NONE)
    if buyer.fixed_rate is not None:
        return Decision(treatment=Treatment.FIXED_RATE, place=seller.place, rate=buyer.fixed_rate)
    treatment, place = _by_places(seller, buyer, supply)
    if treatment in _TAXED and supply.tax_class == EXEMPT:
        return Decision(treatment=Treatment.EXEMPT_SUPPLY, place=place, rate=_NONE)
    if treatment in _TAXED:
        return Decision(treatment=treatment, place=place, rate=supply.rate_override)
    if treatment is Treatment.NO_COUNTRY and supply.rate_override is not None:
        return Decision(treatment=Treatment.DOMESTIC, place=place, rate=supply.rate_override)
    return Decision(treatment=treatment, place=place, rate=_NONE)


def _by_places(seller: Seller, buyer: Buyer, supply: Supply) -> tuple[Treatment, Place]:
    here = seller.place
    if not here.country:
        return Treatment.NO_COUNTRY, here
    there = buyer.place if buyer.place.country else here
    seller = replace(seller, registrations=tuple(one for one in seller.registrations if one.holds(supply.day)))
    _refuse_unknown_state(seller, there)
    if _is_domestic(here, there):
        taxed = _home(here, there)
        return (Treatment.DOMESTIC if _is_registered(seller, taxed) else Treatment.NOT_REGISTERED), taxed
    untaxed = Treatment.EXPORT if _is_registered(seller, here) else Treatment.NOT_REGISTERED
    if there.is_in_eu:
        return _within_eu(seller, buyer, there) or (untaxed, here)
    if _is_registered(seller, there):
        if buyer.has_vat_id and there.country in _RECIPIENT_ACCOUNTS:
            return Treatment.RECIPIENT_ACCOUNTS, there
        return Treatment.DESTINATION, there
    return untaxed, here


def _within_eu(seller: Seller, buyer: Buyer, there: Place) -> tuple[Treatment, Place] | None:
    """Decide for a buyer in a member state that is not the seller's; None: the seller has nothing to do with VAT of the Union."""
    at_home = seller.place.is_in_eu and _is_registered(seller, seller.place)
    in_one_stop_shop = any(one.is_one_stop_shop for one in seller.registrations)
    if not (at_home or in_one_stop_shop or any(one.place.is_in_eu for one in seller.registrations)):
        return None
    if buyer.has_vat_id:
        return Treatment.REVERSE_CHARGE, there
    if in_one_stop_shop or _is_registered(seller, there):
        return Treatment.DESTINATION, there
    return (Treatment.ORIGIN, seller.place) if at_home else None


def _is_domestic(here: Place, there: Place) -> bool:
    if here.country != there.country:
        return False
    return here.country in _ONE_FOR_SERVICES or _same_part(here, there)


def _home(here: Place, there: Place) -> Place:
    return Place(here.country) if here.country in _ONE_FOR_SERVICES else there


def _same_part(one: Place, other: Place) -> bool:
    return one.is_apart == other.is_apart and (not one.is_apart or one.region == other.region)


def _is_registered(seller: Seller, place: Place) -> bool:
    """Return whether the seller charges the tax of a place. Its tax id counts at home, but not where tax is a state's."""
    here = seller.place
    at_home = place.country == here.country and (_same_part(here, place) or place.country in _ONE_FOR_SERVICES)
    if seller.has_tax_id and at_home and place.country not in TAXED_BY_REGION:
        return True
    return any(registration.covers(place) for registration in seller.registrations)


def _refuse_unknown_state(seller: Seller, there: Place) -> None:
    states = {one.place.region for one in seller.registrations if one.place.country == there.country}
    if there.country in TAXED_BY_REGION and not there.region and states - {""}:
        message = _("The state of the customer in %(country)s is not known, and tax depends on it: enter it with the address.")
        raise TaxUnknown(message % {"country": there.country}, code="region_missing")
