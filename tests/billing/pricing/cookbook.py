"""docs/tariffs.md as values: every block of prices with the table below it, and what the engine makes of each row."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from billing.pricing.breakdown import Priced
from billing.pricing.charge import parse_charge, price, price_events
from billing.pricing.describe import number
from billing.pricing.document import breakdown_members, calculate
from squill.lib.located import read_located
from squill.postgres.home import CHECKOUT

DOC: Final[Path] = CHECKOUT / "docs" / "tariffs.md"
# What the catalogue file knows of a charge besides its price.
CATALOGUE_MEMBERS: Final = frozenset({"code", "name", "meter", "filter", "billed", "default_quantity", "tax_class", "tax_rate"})
NO_EVENTS: Final = "(none)"

type Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is written."""

    heading: Cells
    rows: tuple[Cells, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A block of YAML or JSON, and the table that the engine has to agree with."""

    chapter: str  # the heading of level two above it
    section: str  # the heading of level three, empty if there is none
    line: int  # of the block, counted from 1
    block: Any  # a list of one charge, a catalogue, or a document for `calculate`
    prose: str  # what stands between block and table
    table: Table | None

    @property
    def charge(self) -> dict[str, Any]:
        """The members of the price, where the block is one charge."""
        (members,) = self.block
        return terms(members)

    @property
    def column(self) -> str:
        """What the first column gives: quantity, events, step, member or month."""
        return self.table.heading[0] if self.table else ""


def terms(members: dict[str, Any]) -> dict[str, Any]:
    """Return the members that price a charge, without those of the catalogue."""
    return {name: value for name, value in members.items() if name not in CATALOGUE_MEMBERS}


def read_table(lines: list[str]) -> Table:
    cells = [tuple(cell.strip() for cell in line.strip().strip("|").split("|")) for line in lines]
    return Table(cells[0], tuple(cells[2:]))


@dataclass(slots=True)
class _Page:
    """The page while it is read from top to bottom."""

    lines: list[str]
    at: int = 0

    def take(self, *, until: str) -> list[str]:
        """Take the lines up to one that matches, which is left."""
        start = self.at
        while self.at < len(self.lines) and not re.match(until, self.lines[self.at]):
            self.at += 1
        return self.lines[start : self.at]


def read_page() -> tuple[list[Example], list[tuple[str, Table]]]:
    """Return the examples, and the tables that belong to no block with the chapter that each stands in."""
    page = _Page(DOC.read_text(encoding="utf-8").splitlines())
    examples: list[Example] = []
    loose: list[tuple[str, Table]] = []
    chapter = section = ""
    while page.at < len(page.lines):
        line = page.lines[page.at]
        if line.startswith("## "):
            chapter, section = line[3:], ""
        elif line.startswith("### "):
            section = line[4:]
        elif fence := re.fullmatch("```(yaml|json)", line):
            examples.append(_example(page, fence[1], chapter, section))
            continue
        elif line.startswith("|"):
            loose.append((chapter, read_table(page.take(until=r"[^|]|$"))))
            continue
        page.at += 1
    return examples, loose


def _example(page: _Page, language: str, chapter: str, section: str) -> Example:
    line = page.at + 1
    page.at += 1
    source = "\n".join(page.take(until="```"))
    page.at += 1
    block = json.loads(source) if language == "json" else read_located(source).value
    prose = " ".join(page.take(until=r"\||#|```")).strip()
    rows = page.take(until=r"[^|]|$")
    return Example(chapter, section, line, block, prose, read_table(rows) if rows else None)


def computed(example: Example) -> Iterator[Cells]:
    """Yield each row of the table as the engine would have it."""
    assert example.table
    if example.column == "step":
        yield from _breakdown(_priced(example.charge, _emphasised(example.prose), by_events="events" in example.prose))
        return
    for row in example.table.rows:
        if example.column == "member":
            answer = calculate(example.block)[row[0]]
            yield row[0], answer if isinstance(answer, str) else f"`{json.dumps(answer)}`"
        elif example.column == "month":
            yield _month(example.block, example.table.heading, row)
        else:
            priced = _priced(example.charge, row[0], by_events=example.column == "events")
            yield row[0], number(priced.exact_amount), *row[2:]


def _emphasised(prose: str) -> str:
    (given,) = re.findall(r"\*\*(.+?)\*\*", prose)
    return str(given)


def decimal(text: str) -> Decimal:
    """Read a number as the page writes it, with commas between thousands."""
    return Decimal(text.replace(",", ""))


def events(text: str) -> list[Decimal]:
    """Read the amounts of events."""
    return [] if text == NO_EVENTS else [decimal(amount) for amount in text.split("; ")]


def _priced(members: dict[str, Any], given: str, *, by_events: bool) -> Priced:
    charge = parse_charge(members)
    return price_events(charge, events(given)) if by_events else price(charge, decimal(given))


def _breakdown(priced: Priced) -> Iterator[Cells]:
    columns = ("above", "up_to", "quantity", "unit_amount", "flat_amount", "rate", "amount")
    for row in priced.breakdown:
        members = breakdown_members(row)
        shown = ["open" if members.get(name, "") is None else str(members.get(name, "")) for name in columns]
        yield f"`{row.step}`", *(number(Decimal(cell)) if cell not in ("", "open") else cell for cell in shown)


def _month(catalogue: dict[str, Any], heading: Cells, row: Cells) -> Cells:
    """Bill an example month: a line a charge, as `calculate` totals them."""
    (plan,) = catalogue["plans"]
    given = dict(zip(heading, row, strict=True))
    lines = [_line(charge, given) for charge in plan["charges"]]
    answer: dict[str, Any] = calculate({"currency": plan["currency"], "lines": lines})
    amounts = {f"`{line['id']}`, {plan['currency']}": money(line["amount"]) for line in answer["lines"]}
    amounts[f"total, {plan['currency']}"] = money(answer["total"])
    assert amounts.keys() <= given.keys(), f"the table needs the columns {', '.join(amounts)}"
    return tuple(amounts.get(column, given[column]) for column in heading)


def _line(charge: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    line: dict[str, Any] = {"id": charge["code"], "charge": terms(charge)}
    if charge["model"] == "flat":
        return line
    used = given[f"`{charge['code']}`"]
    if parse_charge(line["charge"]).prices_events:
        return {**line, "events": [str(amount) for amount in events(used)]}
    return {**line, "quantity": str(decimal(used))}


def money(amount: str) -> str:
    """Write an amount of a currency with cents."""
    return f"{Decimal(amount):,.2f}"


_TOKEN: Final = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|(.))")


def worth(expression: str) -> Fraction:
    """Return what an arithmetic expression with + - x / % and brackets is worth, exactly."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", expression).translate({0xD7: "*", 0x2212: "-", 0xF7: "/"})
    tokens = [found or sign for found, sign in _TOKEN.findall(plain) if found or sign.strip()]

    def atom() -> Fraction:
        token = tokens.pop(0)
        if token == "(":
            inner = total()
            assert tokens.pop(0) == ")", expression
        else:
            inner = Fraction(token)
        while tokens[:1] == ["%"]:
            tokens.pop(0)
            inner /= 100
        return inner

    def product() -> Fraction:
        value = atom()
        while tokens and tokens[0] in "*/":
            value = value * atom() if tokens.pop(0) == "*" else value / atom()
        return value

    def total() -> Fraction:
        value = product()
        while tokens and tokens[0] in "+-":
            value = value + product() if tokens.pop(0) == "+" else value - product()
        return value

    value = total()
    assert not tokens, f"cannot read {tokens} in {expression!r}"
    return value
