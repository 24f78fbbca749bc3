"""
Addresses to places as tax sees them.

Territories by Articles 6 and 7 of Directive 2006/112/EC: Monaco, the Isle of Man and the like belong to a country; the parts
apart are no territory of the Union for VAT. Postcodes as in github.com/ibericode/vat-rates and github.com/kdeldycke/vat-rates.
Åland is a third territory for the Union, but services between it and Finland follow domestic rules (Finnish Tax
Administration, guidance VH/1343/00.01.00/2023).

Not handled: the British bases on Cyprus, the north of Cyprus, Italian waters of Lake Lugano, Northern Ireland for goods.
"""

import re
from dataclasses import dataclass
from typing import Final

from billing.tax.values import Place


@dataclass(frozen=True, slots=True)
class _Area:
    name: str
    country: str
    postcode: str  # a pattern for the beginning of the postcode
    names: frozenset[str] = frozenset()  # other names, in lower case
    is_apart: bool = True


_AREAS: Final = (
    _Area("Canary Islands", "ES", "35|38", frozenset({"islas canarias", "canarias", "las palmas", "santa cruz de tenerife"})),
    _Area("Ceuta", "ES", "51"),
    _Area("Melilla", "ES", "52"),
    _Area("Büsingen", "DE", "78266", frozenset({"büsingen am hochrhein"})),
    _Area("Heligoland", "DE", "27498", frozenset({"helgoland"})),
    _Area("Livigno", "IT", "23030|23041"),
    _Area("Campione d'Italia", "IT", "22060|22061"),
    _Area("Mount Athos", "GR", "63086|63087", frozenset({"agio oros"})),
    _Area("Åland", "FI", "22", frozenset({"ahvenanmaa", "aland"})),
    _Area("Guadeloupe", "FR", "971"),
    _Area("Martinique", "FR", "972"),
    _Area("French Guiana", "FR", "973", frozenset({"guyane"})),
    _Area("Réunion", "FR", "974", frozenset({"la réunion", "reunion"})),
    _Area("Mayotte", "FR", "976"),
    _Area("French territories overseas", "FR", "975|977|978|98[4678]"),
    _Area("Madeira", "PT", "9[0-4]", is_apart=False),
    _Area("Azores", "PT", "9[5-9]", frozenset({"açores"}), is_apart=False),
    _Area("Jungholz", "AT", "6691", is_apart=False),
    _Area("Mittelberg", "AT", "699[1-3]", frozenset({"kleinwalsertal"}), is_apart=False),
)
# Codes of ISO 3166 that are, for tax, a country or a part of one.
_PARTS: Final = {
    "MC": ("FR", ""),
    "IM": ("GB", ""),
    "LI": ("CH", ""),
    "AX": ("FI", "Åland"),
    "IC": ("ES", "Canary Islands"),
    "EA": ("ES", "Ceuta"),
    "GP": ("FR", "Guadeloupe"),
    "MQ": ("FR", "Martinique"),
    "GF": ("FR", "French Guiana"),
    "RE": ("FR", "Réunion"),
    "YT": ("FR", "Mayotte"),
}
# Regions whose tax differs from the next one's are written by their codes, however an address names them.
_STATES: Final = {
    "US": (
        "AL Alabama,AK Alaska,AZ Arizona,AR Arkansas,CA California,CO Colorado,CT Connecticut,DE Delaware,"
        "DC District of Columbia,FL Florida,GA Georgia,HI Hawaii,ID Idaho,IL Illinois,IN Indiana,IA Iowa,KS Kansas,KY Kentucky,"
        "LA Louisiana,ME Maine,MD Maryland,MA Massachusetts,MI Michigan,MN Minnesota,MS Mississippi,MO Missouri,MT Montana,"
        "NE Nebraska,NV Nevada,NH New Hampshire,NJ New Jersey,NM New Mexico,NY New York,NC North Carolina,ND North Dakota,"
        "OH Ohio,OK Oklahoma,OR Oregon,PA Pennsylvania,PR Puerto Rico,RI Rhode Island,SC South Carolina,SD South Dakota,"
        "TN Tennessee,TX Texas,UT Utah,VT Vermont,VA Virginia,WA Washington,WV West Virginia,WI Wisconsin,WY Wyoming"
    ),
    "CA": (
        "AB Alberta,BC British Columbia,MB Manitoba,NB New Brunswick,NL Newfoundland and Labrador,NT Northwest Territories,"
        "NS Nova Scotia,NU Nunavut,ON Ontario,PE Prince Edward Island,QC Quebec,QC Québec,SK Saskatchewan,YT Yukon"
    ),
}
_CODES: Final = {
    country: {name.casefold(): code for code, name in (entry.split(" ", 1) for entry in listed.split(","))}
    | {code.casefold(): code for code in (entry.split(" ", 1)[0] for entry in listed.split(","))}
    for country, listed in _STATES.items()
}


def place_of(country: str, region: str = "", postal_code: str = "") -> Place:
    """
    Return the place that an address is for tax.

    A region that differs in tax is found by its name or its postcode, and by its code in the US and in Canada.

    >>> place_of("ES", postal_code="35001")
    Place(country='ES', region='Canary Islands', is_apart=True)
    >>> place_of("US", "California")
    Place(country='US', region='CA', is_apart=False)
    """
    country, region = country.strip().upper(), " ".join(region.split())
    if country in _PARTS:
        country, part = _PARTS[country]
        if not part:
            return Place(country)
        region = part
    postcode = re.sub("^[A-Z]{1,2}-", "", postal_code.upper().replace(" ", ""))  # as in AX-22100
    for area in _AREAS:
        if area.country == country and _is_in(area, region.casefold(), postcode):
            return Place(country, area.name, area.is_apart)
    return Place(country, _written(country, region))


def _is_in(area: _Area, region: str, postcode: str) -> bool:
    if region in area.names or region == area.name.casefold():
        return True
    return re.match(area.postcode, postcode) is not None


def _written(country: str, region: str) -> str:
    codes = _CODES.get(country, {})
    name = region.casefold().removeprefix(f"{country.casefold()}-")
    return codes.get(name, region.casefold())
