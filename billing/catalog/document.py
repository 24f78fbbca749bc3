"""The catalogue as plain values, and how a file is read into them. Nothing here touches the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from billing.pricing.charge import Charge, ChargeError, charge_members, parse_charge
from billing.pricing.members import InvalidMember, read_number
from squill.lib import currency as currencies
from squill.lib.decimals import plain
from squill.lib.located import Located, LocatedError, Path, read_located
from usage.models import Meter
from usage.rollups.filters import Filters, canonical

INTERVALS = ("weekly", "monthly", "quarterly", "yearly")
ANCHORS = ("calendar", "anniversary")
BILLED = ("in_advance", "in_arrears")
AGGREGATIONS = tuple(Meter.Aggregation.values)
_METER_MEMBERS = {"code", "name", "event_type", "aggregation", "value", "dimensions", "filters", "unit", "succeeds"}
_CHARGE_MEMBERS = frozenset({"code", "name", "meter", "filter", "billed"})


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
    line: int | None = field(default=None, compare=False)  # of the file, counted from 1

    def members(self) -> dict[str, Any]:
        """Return the members that the catalogue file writes, defaults left out."""
        document: dict[str, Any] = {"code": self.code, "name": self.name}
        if self.meter:
            document["meter"] = self.meter
        if self.filter:
            document["filter"] = dict(self.filter)
        document |= charge_members(self.terms)
        if self.billed != "in_arrears":
            document["billed"] = self.billed
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSpec:
    """A plan as the file writes it."""

    code: str
    name: str
    currency: str
    interval: str = "monthly"
    anchor: str = "calendar"
    charges: tuple[ChargeSpec, ...]
    minimum_commitment: Decimal | None = None

    def members(self) -> dict[str, Any]:
        """Return the members that the catalogue file writes."""
        document: dict[str, Any] = {"code": self.code, "name": self.name, "currency": self.currency}
        document |= {"interval": self.interval, "anchor": self.anchor, "charges": [charge.members() for charge in self.charges]}
        if self.minimum_commitment is not None:
            document["minimum_commitment"] = plain(self.minimum_commitment)
        return document


@dataclass(frozen=True, slots=True)
class CatalogSpec:
    """A whole file."""

    meters: tuple[MeterSpec, ...]
    plans: tuple[PlanSpec, ...]


def read_catalog(text: str) -> CatalogSpec:
    """
    Read a catalogue file.

    :raises LocatedError: naming the first line and member that cannot be used, and what to write instead
    """
    reader = _Reader(read_located(text))
    top = reader.mapping((), allowed={"meters", "plans"})
    meters = tuple(_meter(reader, ("meters", index)) for index in range(reader.length(("meters",), top)))
    plans = tuple(_plan(reader, ("plans", index)) for index in range(reader.length(("plans",), top)))
    for kind, codes in (("meters", [meter.code for meter in meters]), ("plans", [plan.code for plan in plans])):
        reader.refuse_repeats(codes, (kind,))
    return CatalogSpec(meters, plans)


def read_plan(members: Mapping[str, Any]) -> PlanSpec:
    """
    Read one plan from values that came through the API.

    :raises LocatedError: whose `path` names the member; the line says nothing here
    """
    return _plan(_Reader(Located({"plans": [_strings(members)]}, {})), ("plans", 0))


def _strings(value: Any) -> Any:
    """Write numbers of parsed JSON as the file reader leaves them: as text."""
    if isinstance(value, Mapping):
        return {str(key): _strings(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_strings(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _meter(reader: "_Reader", path: Path) -> MeterSpec:
    reader.mapping(path, allowed=_METER_MEMBERS)
    aggregation = reader.choice((*path, "aggregation"), AGGREGATIONS)
    value = reader.text((*path, "value"), default="")
    if (aggregation == "count") == bool(value):
        wanted = _("leave it out for count") if value else _("name the member of data that holds the value, such as gigabytes")
        raise reader.located.error((*path, "value"), wanted)
    return MeterSpec(
        code=reader.code((*path, "code")),
        name=reader.text((*path, "name"), default=reader.code((*path, "code"))),
        event_type=reader.text((*path, "event_type")),
        aggregation=aggregation,
        value=value,
        dimensions=reader.words((*path, "dimensions")),
        filters=reader.filters((*path, "filters")),
        unit=reader.text((*path, "unit"), default="", longest=32),
        succeeds=reader.text((*path, "succeeds"), default=""),
    )


def _plan(reader: "_Reader", path: Path) -> PlanSpec:
    members = reader.mapping(path, allowed={"code", "name", "currency", "interval", "anchor", "charges", "minimum_commitment"})
    currency = reader.text((*path, "currency"))
    try:
        currencies.exponent(currency)
    except ValueError as error:
        raise reader.located.error((*path, "currency"), str(error)) from None
    charges = tuple(_charge(reader, (*path, "charges", index)) for index in range(reader.length((*path, "charges"), members)))
    if not charges:
        raise reader.located.error((*path, "charges"), _("a plan needs at least one charge"))
    reader.refuse_repeats([charge.code for charge in charges], (*path, "charges"))
    _refuse_competing(charges, reader, path)
    return PlanSpec(
        code=reader.code((*path, "code")),
        name=reader.text((*path, "name"), default=reader.code((*path, "code"))),
        currency=currency,
        interval=reader.choice((*path, "interval"), INTERVALS, default="monthly"),
        anchor=reader.choice((*path, "anchor"), ANCHORS, default="calendar"),
        charges=charges,
        minimum_commitment=reader.amount((*path, "minimum_commitment")),
    )


def _charge(reader: "_Reader", path: Path) -> ChargeSpec:
    members = reader.mapping(path)
    terms = {key: value for key, value in members.items() if key not in _CHARGE_MEMBERS}
    try:
        charge = parse_charge(terms)
    except ChargeError as error:
        raise reader.located.error((*path, *_split(error.path)), error.message) from None
    meter = reader.text((*path, "meter"), default="")
    billed = reader.choice((*path, "billed"), BILLED, default="in_arrears")
    if not meter and terms.get("model") != "flat":
        raise reader.located.error(
            (*path, "meter"), _("only a flat charge can do without a meter: name the meter whose usage it prices")
        )
    if meter and billed == "in_advance":
        raise reader.located.error((*path, "billed"), _("usage is known only afterwards: bill it in_arrears"))
    if charge.needs_events:
        raise reader.located.error(
            (*path, "model"), _("prices single events, which meters do not hand to plans yet: use calculate, or another model")
        )
    filters = reader.mapping((*path, "filter")) if "filter" in members else {}
    for key, value in filters.items():
        if not isinstance(value, str):
            raise reader.located.error((*path, "filter", key), _("write the dimension's value as text, in quotes"))
    if filters and not meter:
        raise reader.located.error((*path, "filter"), _("a filter needs a meter"))
    return ChargeSpec(
        code=reader.code((*path, "code")),
        name=reader.text((*path, "name"), default=reader.code((*path, "code"))),
        terms=charge,
        meter=meter,
        filter={key: str(value) for key, value in filters.items()},
        billed=billed,
        line=reader.located.lines.get(path),
    )


def _refuse_competing(charges: tuple[ChargeSpec, ...], reader: "_Reader", path: Path) -> None:
    """
    Refuse two charges of a meter that could take the same usage.

    Two filters compete unless some dimension is in both with different values; a charge without one takes the rest,
    so there can be only one of it.
    """
    for index, charge in enumerate(charges):
        for earlier in charges[:index]:
            if not charge.meter or charge.meter != earlier.meter or bool(charge.filter) != bool(earlier.filter):
                continue
            if any(earlier.filter[key] != value for key, value in charge.filter.items() if key in earlier.filter):
                continue
            message = _("takes the same usage as charge %(other)s: give the two filters different values of one dimension")
            raise reader.located.error((*path, "charges", index, "filter"), message % {"other": earlier.code})


def _split(path: str) -> Path:
    """Turn tiers[1].up_to into its parts."""
    parts: list[str | int] = []
    for word in path.replace("[", ".[").split("."):
        if word.startswith("["):
            parts.append(int(word[1:-1]))
        elif word:
            parts.append(word)
    return tuple(parts)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Typed access to a located document; every refusal names line and member."""

    located: Located

    def get(self, path: Path) -> Any:
        value: Any = self.located.value
        for part in path:
            if isinstance(value, dict):
                value = value.get(str(part))
            elif isinstance(value, list) and isinstance(part, int):
                value = value[part]
            else:
                return None
        return value

    def mapping(self, path: Path, *, allowed: set[str] | None = None) -> dict[str, Any]:
        value = self.get(path)
        if not isinstance(value, dict):
            raise self.located.error(path, _("write an object with named members here"))
        for key in value:
            if allowed is not None and key not in allowed:
                known = ", ".join(sorted(allowed))
                raise self.located.error((*path, key), _("unknown member: use %(known)s") % {"known": known})
        return value

    def length(self, path: Path, holder: Mapping[str, Any]) -> int:
        value = holder.get(str(path[-1]), [])
        if not isinstance(value, list):
            raise self.located.error(path, _("write a list here"))
        return len(value)

    def text(self, path: Path, *, default: str | None = None, longest: int = 255) -> str:
        value = self.get(path)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise self.located.error(path, _("write a text here") if value is not None else _("is missing"))
        if len(value) > longest:
            raise self.located.error(path, _("is longer than %(longest)d characters") % {"longest": longest})
        return value

    def code(self, path: Path) -> str:
        value = self.text(path, longest=64)
        if not all(character.isalnum() or character in "-_.:" for character in value) or not value.isascii():
            raise self.located.error(path, _("a code has letters, digits, and - _ . : only"))
        if not value[0].isalnum():  # Squill's own lines have codes that begin with a colon
            raise self.located.error(path, _("a code must begin with a letter or digit"))
        return value

    def choice(self, path: Path, choices: tuple[str, ...], *, default: str | None = None) -> str:
        value = self.text(path, default=default)
        if value not in choices:
            raise self.located.error(path, _("write one of %(choices)s") % {"choices": ", ".join(choices)})
        return value

    def words(self, path: Path) -> tuple[str, ...]:
        value = self.get(path)
        if value is None:
            return ()
        if (
            not isinstance(value, list)
            or not all(isinstance(word, str) and word for word in value)
            or len(set(value)) != len(value)
        ):
            raise self.located.error(path, _("write a list of different names here"))
        return tuple(value)

    def filters(self, path: Path) -> Filters:
        value = self.get(path)
        try:
            return {} if value is None else canonical(value)
        except ValueError as error:
            raise self.located.error(path, str(error)) from None

    def amount(self, path: Path) -> Decimal | None:
        value = self.get(path)
        if value is None:
            return None
        try:
            return read_number(value, path="", error=InvalidMember, above_zero=True)
        except InvalidMember as error:
            raise self.located.error(path, error.message) from None

    def refuse_repeats(self, codes: list[str], path: Path) -> None:
        for index, code in enumerate(codes):
            if code in codes[:index]:
                raise self.located.error((*path, index, "code"), _("%(code)s stands twice") % {"code": code})


__all__ = ["CatalogSpec", "ChargeSpec", "LocatedError", "MeterSpec", "PlanSpec", "read_catalog", "read_plan"]
