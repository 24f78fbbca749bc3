"""How a catalogue file, or one plan of the API, is read into plain values. Nothing here touches the database."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from billing.catalog.plan_reading import read_entry, read_section, refuse_contradictions
from billing.catalog.reader import Reader
from billing.catalog.values import ADD_ON, PLAN, SECTIONS, CatalogSpec, ChargeSpec, MeterSpec, PlanSpec
from squill.lib.located import Located, LocatedError, Path, read_located
from usage.models import Meter

AGGREGATIONS = tuple(Meter.Aggregation.values)
_METER_MEMBERS = {"code", "name", "event_type", "aggregation", "value", "dimensions", "filters", "unit", "succeeds"}
_ENTRY: Final = re.compile(r"(plans|add_ons)\[0\]\.?")


def read_catalog(text: str) -> CatalogSpec:
    """
    Read a catalogue file.

    :raises LocatedError: naming the first line and member that cannot be used, and what to write instead
    """
    reader = Reader(read_located(text))
    top = reader.mapping((), allowed={"meters", *SECTIONS.values()})
    meters = tuple(_meter(reader, ("meters", index)) for index in range(reader.length(("meters",), top)))
    plans, add_ons = read_section(reader, PLAN), read_section(reader, ADD_ON)
    reader.refuse_repeats([meter.code for meter in meters], ("meters",))
    refuse_contradictions(reader, plans, add_ons)
    return CatalogSpec(meters, (*plans, *add_ons))


def read_plan(members: Mapping[str, Any], *, kind: str = PLAN) -> PlanSpec:
    """
    Read one plan, or add-on, from values that came through the API.

    :raises LocatedError: whose `path` names the member (`member_of` shortens it); the line says nothing here
    """
    section = SECTIONS[kind]
    return read_entry(Reader(Located({section: [_strings(members)]}, {})), (section, 0), kind)


def member_of(error: LocatedError) -> str:
    """Return the member that `read_plan` refused, as seen from the plan: `charges[1].tiers`."""
    return _ENTRY.sub("", error.path, count=1)


def _strings(value: Any) -> Any:
    """Write numbers of parsed JSON as the file reader leaves them: as text."""
    if isinstance(value, Mapping):
        return {str(key): _strings(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_strings(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _meter(reader: Reader, path: Path) -> MeterSpec:
    reader.mapping(path, allowed=_METER_MEMBERS)
    aggregation = reader.choice((*path, "aggregation"), AGGREGATIONS)
    value = reader.text((*path, "value"), default="")
    if (aggregation == "count") == bool(value):
        wanted = _("leave it out for count") if value else _("name the member of data that holds the value, such as gigabytes")
        raise reader.error((*path, "value"), wanted)
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


__all__ = [
    "CatalogSpec",
    "ChargeSpec",
    "LocatedError",
    "MeterSpec",
    "PlanSpec",
    "member_of",
    "read_catalog",
    "read_plan",
]
