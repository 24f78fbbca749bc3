from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from billing.tax.deciding import decide
from billing.tax.errors import TaxUnknown
from billing.tax.territories import place_of
from billing.tax.values import Buyer, Decision, Place, Registration, Seller, Supply, Treatment

DAY = date(2026, 3, 1)
PLAIN = Supply(day=DAY)


def registered(country: str, region: str = "", *, one_stop_shop: bool = False) -> Registration:
    return Registration(place=place_of(country, region), is_one_stop_shop=one_stop_shop)


def seller(country: str, *registrations: Registration, region: str = "", tax_id: bool = True) -> Seller:
    return Seller(place=place_of(country, region), has_tax_id=tax_id, registrations=registrations)


def buyer(country: str = "", region: str = "", postal_code: str = "") -> Buyer:
    return Buyer(place=place_of(country, region, postal_code))


def business(country: str, postal_code: str = "") -> Buyer:
    return replace(buyer(country, postal_code=postal_code), has_vat_id=True)


NOBODY = Seller(place=Place(""))
GERMAN = seller("DE")
GERMAN_IN_SHOP = seller("DE", registered("DE", one_stop_shop=True))
BRITISH = seller("GB")
BRITISH_IN_SHOP = seller("GB", registered("IE", one_stop_shop=True))
ISLANDS = registered("ES", "Canary Islands")
UNREGISTERED = seller("DE", tax_id=False)
CALIFORNIAN = seller("US", registered("US", "CA"), region="California")

ROWS = [
    # seller, buyer, treatment, whose tax
    ("a seller without a country charges nothing", NOBODY, buyer("DE"), "no_country", ""),
    ("domestic", GERMAN, buyer("DE"), "domestic", "DE"),
    ("domestic, to a business", GERMAN, business("DE"), "domestic", "DE"),
    ("a customer without a country is domestic", GERMAN, buyer(), "domestic", "DE"),
    ("a small business is not registered at home", UNREGISTERED, buyer("DE"), "not_registered", "DE"),
    ("a registration instead of a tax id", seller("DE", registered("DE"), tax_id=False), buyer("DE"), "domestic", "DE"),
    ("reverse charge", GERMAN, business("FR"), "reverse_charge", "FR"),
    ("reverse charge in spite of the shop", GERMAN_IN_SHOP, business("FR"), "reverse_charge", "FR"),
    ("Monaco is France", GERMAN, business("MC"), "reverse_charge", "FR"),
    ("consumer elsewhere, below the threshold", GERMAN, buyer("FR"), "origin", "DE"),
    ("consumer elsewhere, one-stop shop", GERMAN_IN_SHOP, buyer("FR"), "destination", "FR"),
    ("consumer elsewhere, registered there", seller("DE", registered("FR")), buyer("FR"), "destination", "FR"),
    ("registered in another state than the buyer's", seller("DE", registered("FR")), buyer("IT"), "origin", "DE"),
    ("not registered at all, to a business", UNREGISTERED, business("FR"), "not_registered", "DE"),
    ("export", GERMAN, buyer("US", "NY"), "export", "DE"),
    ("export to a business", GERMAN, business("CH"), "export", "DE"),
    ("Northern Ireland is abroad for services", GERMAN, business("GB"), "export", "DE"),
    ("registered in Switzerland", seller("DE", registered("CH")), business("CH"), "destination", "CH"),
    ("Liechtenstein is Switzerland", seller("DE", registered("CH")), buyer("LI"), "destination", "CH"),
    ("registered in the UK, to a consumer", seller("DE", registered("GB")), buyer("GB"), "destination", "GB"),
    ("registered in the UK, to a business", seller("DE", registered("GB")), business("GB"), "recipient_accounts", "GB"),
    ("registered in Norway, to a business", seller("DE", registered("NO")), business("NO"), "recipient_accounts", "NO"),
    ("the Isle of Man is the UK", BRITISH, buyer("IM"), "domestic", "GB"),
    ("the Canary Islands are outside", GERMAN, business("ES", postal_code="35001"), "export", "DE"),
    ("outside from Spain too", seller("ES"), buyer("ES", postal_code="38001"), "export", "ES"),
    ("registered on the Canary Islands", seller("ES", ISLANDS), buyer("IC"), "destination", "ES Canary Islands"),
    ("Spain's registration is not the islands'", seller("DE", registered("ES")), buyer("IC"), "export", "DE"),
    ("established on the Canary Islands", seller("ES", region="Canarias"), buyer("IC"), "domestic", "ES Canary Islands"),
    ("Büsingen is outside", GERMAN, buyer("DE", postal_code="78266"), "export", "DE"),
    ("Åland is Finland for a Finn", seller("FI"), buyer("AX"), "domestic", "FI"),
    ("Åland is outside for others", GERMAN_IN_SHOP, buyer("FI", postal_code="22100"), "export", "DE"),
    (
        "Madeira is Portugal with a rate of its own",
        GERMAN_IN_SHOP,
        buyer("PT", postal_code="9000-100"),
        "destination",
        "PT Madeira",
    ),
    ("British, domestic", BRITISH, buyer("GB"), "domestic", "GB"),
    ("British to a business in the EU", BRITISH, business("DE"), "export", "GB"),
    ("British in the EU's shop, to a consumer", BRITISH_IN_SHOP, buyer("DE"), "destination", "DE"),
    ("British in the EU's shop, to a business", BRITISH_IN_SHOP, business("DE"), "reverse_charge", "DE"),
    ("British registered in France, to Italy", seller("GB", registered("FR")), buyer("IT"), "export", "GB"),
    ("US, state with nexus", CALIFORNIAN, buyer("US", "California"), "domestic", "US CA"),
    ("US, state without nexus", CALIFORNIAN, buyer("US", "TX"), "not_registered", "US TX"),
    ("US, no nexus anywhere", seller("US", region="CA"), buyer("US", "CA"), "not_registered", "US CA"),
    ("US abroad", seller("US"), business("DE"), "not_registered", "US"),
    ("Canada, registered once", seller("CA", region="ON"), buyer("CA", "Québec"), "domestic", "CA QC"),
    ("Australia", seller("AU"), buyer("AU"), "domestic", "AU"),
]


@pytest.mark.parametrize(("sells", "buys", "treatment", "place"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_places_decide(sells: Seller, buys: Buyer, treatment: str, place: str) -> None:
    decision = decide(sells, buys, PLAIN)
    taxed = treatment in ("domestic", "destination", "origin")
    assert (decision.treatment.value, f"{decision.place.country} {decision.place.region}".strip()) == (treatment, place)
    assert decision.rate == (None if taxed else 0)


def test_exemption_goes_before_the_fixed_rate_and_that_before_the_charge() -> None:
    exempt = replace(buyer("DE"), exemption_reason="Non-profit", fixed_rate=Decimal(5))
    supply = replace(PLAIN, rate_override=Decimal(7))
    assert decide(GERMAN, exempt, supply) == Decision(treatment=Treatment.EXEMPT_CUSTOMER, place=Place("DE"), rate=Decimal(0))
    fixed = replace(exempt, exemption_reason="")
    assert decide(GERMAN, fixed, supply) == Decision(treatment=Treatment.FIXED_RATE, place=Place("DE"), rate=Decimal(5))
    open_to_rules = replace(fixed, fixed_rate=None)
    assert decide(GERMAN, open_to_rules, supply) == Decision(treatment=Treatment.DOMESTIC, place=Place("DE"), rate=Decimal(7))


def test_fixed_rate_of_zero_is_a_rate() -> None:
    assert decide(GERMAN, replace(buyer("DE"), fixed_rate=Decimal(0)), PLAIN).treatment is Treatment.FIXED_RATE


@pytest.mark.parametrize("buys", [business("FR"), buyer("US", "NY")], ids=["reverse charge", "export"])
def test_rate_of_the_charge_taxes_nobody_who_owes_none(buys: Buyer) -> None:
    assert decide(GERMAN, buys, replace(PLAIN, rate_override=Decimal(7))).rate == 0


def test_rate_of_the_charge_holds_where_the_seller_has_no_country() -> None:
    decision = decide(NOBODY, buyer("DE"), replace(PLAIN, rate_override=Decimal(7)))
    assert (decision.treatment, decision.rate) == (Treatment.DOMESTIC, Decimal(7))


def test_exempt_class_is_exempt_where_it_would_be_taxed() -> None:
    exempt = replace(PLAIN, tax_class="exempt")
    assert decide(GERMAN, buyer("DE"), exempt).treatment is Treatment.EXEMPT_SUPPLY
    assert decide(GERMAN, buyer("US"), exempt).treatment is Treatment.EXPORT


def test_registration_holds_from_its_first_day_until_the_day_it_ends() -> None:
    since_may = replace(registered("FR"), valid_from=date(2026, 5, 1), valid_until=date(2026, 7, 1))
    sells = seller("DE", since_may)
    treatments = [
        decide(sells, buyer("FR"), Supply(day=day)).treatment
        for day in (date(2026, 4, 30), date(2026, 5, 1), date(2026, 6, 30), date(2026, 7, 1))
    ]
    assert treatments == [Treatment.ORIGIN, Treatment.DESTINATION, Treatment.DESTINATION, Treatment.ORIGIN]


def test_customer_without_a_state_is_refused_where_tax_is_a_states() -> None:
    with pytest.raises(TaxUnknown, match="state of the customer in US is not known") as refused:
        decide(CALIFORNIAN, buyer("US"), PLAIN)
    assert refused.value.code == "region_missing"


def test_unknown_state_of_the_seller_refuses_nothing() -> None:
    assert decide(seller("US", registered("US", "CA")), buyer("DE"), PLAIN).treatment is Treatment.NOT_REGISTERED
