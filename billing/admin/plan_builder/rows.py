"""
What a form of a plan holds, as rows of text: read from a request or from the members of a plan, and turned into either.

A row is a charge: its fields by name, and its tiers. Only what is not empty is in it. Without a script the page is sent for
each row that comes or goes; both ways end here.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from billing.admin.plan_builder.choices import FLAT, QUANTITY, USAGE

_KEY: Final = re.compile(r"charges-([0-9]{1,4})-(?:tiers-([0-9]{1,4})-)?(.+)")
# What a row has that nobody has filled in.
_PRESET: Final = frozenset({"prices", "billed"})
ONLY: Final = "only:"  # before the name of a dimension


@dataclass(slots=True)
class ChargeRow:
    """The fields of a charge as they were typed, and those of its tiers."""

    fields: dict[str, str] = field(default_factory=dict)
    tiers: list[dict[str, str]] = field(default_factory=list)

    @property
    def is_blank(self) -> bool:
        """Whether nobody has filled anything in."""
        return not (self.fields.keys() - _PRESET) and not any(self.tiers)


def new_row() -> ChargeRow:
    """Return a charge that is still to be filled in, with room for two tiers."""
    return ChargeRow({"prices": USAGE}, [{}, {}])


def rows_of_request(data: Mapping[str, str]) -> list[ChargeRow]:
    """Read the charges of a form that was sent, in their order; numbers that were left out on the way are no gap."""
    fields: dict[int, dict[str, str]] = {}
    tiers: dict[int, dict[int, dict[str, str]]] = {}
    for key in data:
        match = _KEY.fullmatch(key)
        if match is None:
            continue
        charge, tier, name = int(match[1]), match[2], match[3]
        row = fields.setdefault(charge, {})
        into = row if tier is None else tiers.setdefault(charge, {}).setdefault(int(tier), {})
        if value := str(data[key]).strip():
            into[name] = value
    return [
        ChargeRow(fields[charge], [tier for _place, tier in sorted(tiers.get(charge, {}).items())]) for charge in sorted(fields)
    ]


def rows_of_members(members: Mapping[str, Any]) -> list[ChargeRow]:
    """Read the charges of a plan that is there."""
    return [_row(charge) for charge in members["charges"]]


def _row(charge: Mapping[str, Any]) -> ChargeRow:
    named = {name: str(value) for name, value in charge.items() if name not in ("tiers", "filter", "charge_when_unused")}
    named |= {f"{ONLY}{dimension}": value for dimension, value in charge.get("filter", {}).items()}
    named["prices"] = USAGE if charge.get("meter") else QUANTITY if charge.get("default_quantity") else FLAT
    if charge.get("charge_when_unused") is False:
        named["free_when_unused"] = "on"
    tiers = [{name: value for name, value in tier.items() if value is not None} for tier in charge.get("tiers", ())]
    return ChargeRow(named, tiers)


def form_data(rows: Sequence[ChargeRow]) -> dict[str, str]:
    """Write rows as the fields of a form, numbered from zero."""
    data: dict[str, str] = {}
    for index, row in enumerate(rows):
        data |= {f"charges-{index}-{name}": value for name, value in row.fields.items()}
        for place, tier in enumerate(row.tiers):
            data |= {f"charges-{index}-tiers-{place}-{name}": value for name, value in tier.items()}
    return data


def charge_members(row: ChargeRow) -> dict[str, Any]:
    """Write a row as the members of a charge. What does not belong to its model goes along: the reader refuses it by name."""
    members: dict[str, Any] = {}
    for name, value in row.fields.items():
        if name == "prices":
            continue
        if name == "free_when_unused":
            members["charge_when_unused"] = False
        elif name.startswith(ONLY):
            members.setdefault("filter", {})[name.removeprefix(ONLY)] = value
        else:
            members[name] = value
    if row.fields.get("prices") == FLAT:
        members.setdefault("model", FLAT)
    if row.tiers:
        members["tiers"] = [{"up_to": None, **tier} for tier in row.tiers]
    return members


def stepped(rows: list[ChargeRow], step: str) -> list[ChargeRow]:
    """
    Do to the rows what a button of the page says, such as `tier:1` or `up:2`; for browsers that run no script.

    Anything else leaves them as they are.
    """
    act, _colon, place = step.partition(":")
    index = int(place) if place.isdecimal() and len(place) < 5 else -1
    if act == "add":
        return [*rows, new_row()]
    if not 0 <= index < len(rows):
        return rows
    if act == "remove":
        return rows[:index] + rows[index + 1 :] or [new_row()]
    if act == "tier":
        tiers = rows[index].tiers
        tiers.insert(max(len(tiers) - 1, 0), {})
    elif act in ("up", "down"):
        other = index + (1 if act == "down" else -1)
        if 0 <= other < len(rows):
            rows[index], rows[other] = rows[other], rows[index]
    return rows


def filled(rows: Iterable[ChargeRow]) -> list[ChargeRow]:
    """
    Return the rows that somebody has filled in, without the empty rows of their tiers.

    After a tier that has a bound one empty row stays: it is the one that goes on without end, and lacks its price.
    """
    return [ChargeRow(row.fields, _filled_tiers(row)) for row in rows if not row.is_blank]


def _filled_tiers(row: ChargeRow) -> list[dict[str, str]]:
    tiers = [tier for tier in row.tiers if tier]
    lacks_last = bool(tiers) and "up_to" in tiers[-1] and len(row.tiers) > 1 and not row.tiers[-1]
    return [*tiers, {}] if lacks_last else tiers
