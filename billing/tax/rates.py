"""
Rates by country, class and day: those that somebody entered, then those that Squill knows.

Known are the standard rates of the EU's member states, GB, CH (with LI) and NO from 2020 on, and reduced ones where a country has
one reduced rate alone, so that the class says which is meant. Sources: European Commission, Taxes in Europe Database, as kept
with dates in github.com/vatnode/eu-vat-rates-data (data/eu-vat-rates-history.json, 2026-09-23); Zweites Corona-Steuerhilfegesetz,
Article 3 (DE, July to December 2020); for GB, CH and NO, and reduced rates, also github.com/ibericode/vat-rates and
github.com/kdeldycke/vat-rates; for Madeira, the Azores, Jungholz and Mittelberg, Articles 104 and 105 of Directive 2006/112/EC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from billing.tax.errors import TaxUnknown
from billing.tax.values import REDUCED, STANDARD, ZERO, Place

_FROM: Final = date(2020, 1, 1)
type _Dated = tuple[tuple[date, str], ...]  # in the order of days: from that day on, so many percent


def _always(rate: str) -> _Dated:
    return ((_FROM, rate),)


# (country, region, class) → its rates.
_KNOWN: Final[dict[tuple[str, str, str], _Dated]] = {
    ("AT", "", STANDARD): _always("20"),
    ("AT", "Jungholz", STANDARD): _always("19"),
    ("AT", "Mittelberg", STANDARD): _always("19"),
    ("BE", "", STANDARD): _always("21"),
    ("BG", "", STANDARD): _always("20"),
    ("BG", "", REDUCED): _always("9"),
    ("CH", "", STANDARD): ((_FROM, "7.7"), (date(2024, 1, 1), "8.1")),
    ("CH", "", REDUCED): ((_FROM, "2.5"), (date(2024, 1, 1), "2.6")),
    ("CY", "", STANDARD): _always("19"),
    ("CZ", "", STANDARD): _always("21"),
    ("CZ", "", REDUCED): ((date(2024, 1, 1), "12"),),
    ("DE", "", STANDARD): ((_FROM, "19"), (date(2020, 7, 1), "16"), (date(2021, 1, 1), "19")),
    ("DE", "", REDUCED): ((_FROM, "7"), (date(2020, 7, 1), "5"), (date(2021, 1, 1), "7")),
    ("DK", "", STANDARD): _always("25"),
    ("EE", "", STANDARD): ((_FROM, "20"), (date(2024, 1, 1), "22"), (date(2025, 7, 1), "24")),
    ("ES", "", STANDARD): _always("21"),
    ("FI", "", STANDARD): ((_FROM, "24"), (date(2024, 9, 1), "25.5")),
    ("FR", "", STANDARD): _always("20"),
    ("GB", "", STANDARD): _always("20"),
    ("GB", "", REDUCED): _always("5"),
    ("GR", "", STANDARD): _always("24"),
    ("HR", "", STANDARD): _always("25"),
    ("HU", "", STANDARD): _always("27"),
    ("IE", "", STANDARD): ((_FROM, "23"), (date(2020, 9, 1), "21"), (date(2021, 3, 1), "23")),
    ("IT", "", STANDARD): _always("22"),
    ("LT", "", STANDARD): _always("21"),
    ("LU", "", STANDARD): ((_FROM, "17"), (date(2023, 1, 1), "16"), (date(2024, 1, 1), "17")),
    ("LV", "", STANDARD): _always("21"),
    ("MT", "", STANDARD): _always("18"),
    ("NL", "", STANDARD): _always("21"),
    ("NL", "", REDUCED): _always("9"),
    ("NO", "", STANDARD): _always("25"),
    ("PL", "", STANDARD): _always("23"),
    ("PT", "", STANDARD): _always("23"),
    ("PT", "Azores", STANDARD): ((_FROM, "18"), (date(2021, 7, 1), "16")),
    ("PT", "Madeira", STANDARD): _always("22"),
    ("RO", "", STANDARD): ((_FROM, "19"), (date(2025, 8, 1), "21")),
    ("RO", "", REDUCED): ((date(2025, 8, 1), "11"),),
    ("SE", "", STANDARD): _always("25"),
    ("SI", "", STANDARD): _always("22"),
    ("SK", "", STANDARD): ((_FROM, "20"), (date(2025, 1, 1), "23")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredRate:
    """A rate that somebody entered: half-open, `valid_until` is the first day without it."""

    place: Place
    tax_class: str
    rate: Decimal  # percent
    label: str = ""  # "": the country's own word
    valid_from: date
    valid_until: date | None = None

    def holds(self, place: Place, tax_class: str, day: date) -> bool:
        """Return whether it is the rate of exactly this place and class on the day."""
        in_time = self.valid_from <= day and (self.valid_until is None or day < self.valid_until)
        return in_time and self.tax_class == tax_class and self.place == place


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate in percent, and the word that somebody wants on documents for it ("": the country's own)."""

    percent: Decimal
    label: str = ""


def rate_of(place: Place, tax_class: str, day: date, entered: Iterable[EnteredRate] = ()) -> Rate:
    """
    Return the rate of a class at a place on a day. The region goes before its country, and what was entered before what is known.

    A part apart has no rate of its country. Where two entered rates overlap, the one that began last holds.

    :raises TaxUnknown: if there is none, saying which to enter where
    """
    rates = tuple(entered)
    whole = Place(place.country)
    for candidate in (place,) if place.is_apart or place == whole else (place, whole):
        found = [rate for rate in rates if rate.holds(candidate, tax_class, day)]
        if found:
            latest = max(found, key=lambda rate: rate.valid_from)
            return Rate(latest.rate, latest.label)
        known = _known(candidate, tax_class, day)
        if known is not None:
            return Rate(known)
    if tax_class == ZERO:
        return Rate(Decimal(0))
    message = _(
        "There is no tax rate for %(place)s, class %(tax_class)s, on %(day)s: enter it under Settings, Tax rates, "
        "with the country %(country)s and the class %(tax_class)s."
    )
    where = f"{place.country}, {place.region}" if place.region else place.country
    values = {"place": where, "country": place.country, "tax_class": tax_class, "day": day.isoformat()}
    raise TaxUnknown(message % values, code="rate_missing")


def _known(place: Place, tax_class: str, day: date) -> Decimal | None:
    dated = _KNOWN.get((place.country, place.region, tax_class), ())
    before = [rate for first_day, rate in dated if first_day <= day]
    return Decimal(before[-1]) if before else None
