"""Which charge takes which usage: filters first, the charge without one takes the rest, what nobody takes is reported."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from billing.rating.terms import ChargeTerms, VersionTerms
from usage.selectors import MeteredUsage


@dataclass(frozen=True, slots=True)
class Allotment:
    """The usage of a period, by the id of the charge that prices it; `unpriced` is what no charge of a priced meter takes."""

    by_charge: Mapping[int, list[MeteredUsage]]
    unpriced: tuple[MeteredUsage, ...]


def allot(terms: VersionTerms, usage: Iterable[MeteredUsage]) -> Allotment:
    """
    Hand each piece of usage to one charge.

    A charge with a filter takes usage whose dimensions have all of its values; at most one can (the catalogue refuses
    competing filters). Usage of meters that the plan does not name at all is not the plan's business and is left out.
    """
    filtered: dict[int, list[ChargeTerms]] = {}
    rest: dict[int, ChargeTerms] = {}
    for charge in terms.charges:
        if charge.meter is None:
            continue
        filtered.setdefault(charge.meter.pk, [])
        if charge.filter:
            filtered[charge.meter.pk].append(charge)
        else:
            rest[charge.meter.pk] = charge
    by_charge: dict[int, list[MeteredUsage]] = {charge.id: [] for charge in terms.charges}
    unpriced: list[MeteredUsage] = []
    for piece in usage:
        if piece.meter_id not in filtered:
            continue
        taker = next(
            (charge for charge in filtered[piece.meter_id] if _takes(charge, piece.dimensions)), rest.get(piece.meter_id)
        )
        if taker is None:
            unpriced.append(piece)
        else:
            by_charge[taker.id].append(piece)
    return Allotment(by_charge, tuple(unpriced))


def every_usage(terms: VersionTerms, usage: Iterable[MeteredUsage]) -> tuple[MeteredUsage, ...]:
    """Return the usage of all meters that the plan prices, whichever charge would take it."""
    priced = {charge.meter.pk for charge in terms.charges if charge.meter is not None}
    return tuple(piece for piece in usage if piece.meter_id in priced)


def taker_of(terms: VersionTerms, meter_id: int, dimensions: Mapping[str, str | None]) -> int | None:
    """Return the id of the charge that prices usage of a meter with these dimension values; None if it is unpriced."""
    charges = [charge for charge in terms.charges if charge.meter is not None and charge.meter.pk == meter_id]
    filtered = (charge for charge in charges if charge.filter and _takes(charge, dimensions))
    rest = (charge for charge in charges if not charge.filter)
    taker = next(filtered, None) or next(rest, None)
    return taker.id if taker else None


def _takes(charge: ChargeTerms, dimensions: Mapping[str, str | None]) -> bool:
    return all(dimensions.get(name) == value for name, value in charge.filter.items())
