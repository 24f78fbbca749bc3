"""The cookbook cannot rot: every table in docs/tariffs.md is computed again from the JSON above it."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from billing.pricing.charge import parse_charge, price, price_events
from billing.pricing.charge_models import MODELS
from billing.pricing.document import calculate
from squill.lib.decimals import plain

DOC = Path(__file__).resolve().parents[3] / "docs" / "tariffs.md"


class Example(NamedTuple):
    members: dict[str, Any]
    given: str  # heading of the first column: quantity, events or member
    rows: list[tuple[str, str]]


def examples() -> list[Example]:
    """Read every block of JSON with the table that follows it."""
    found = []
    for block, table in re.findall(r"```json\n(.*?)```\n\n((?:\|[^\n]*\n)+)", DOC.read_text(encoding="utf-8"), re.DOTALL):
        heading, _, *rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table.splitlines()]
        found.append(Example(json.loads(block), heading[0], [(first, second) for first, second in rows]))
    return found


def computed(example: Example, given: str) -> str:
    if example.given == "member":
        answer = calculate(example.members)[given]
        return answer if isinstance(answer, str) else f"`{json.dumps(answer)}`"
    charge = parse_charge(example.members)
    if example.given == "events":
        amounts = [] if given == "(none)" else [Decimal(amount) for amount in given.split(", ")]
        return plain(price_events(charge, amounts).exact_amount)
    return plain(price(charge, Decimal(given)).exact_amount)


@pytest.mark.parametrize("example", examples(), ids=lambda example: str(example.members.get("model", "invoice")))
def test_every_table_says_what_the_engine_says(example: Example) -> None:
    assert example.rows
    assert example.rows == [(given, computed(example, given)) for given, _ in example.rows]


def test_no_block_is_without_a_table() -> None:
    assert len(examples()) == DOC.read_text(encoding="utf-8").count("```json")


def test_every_model_has_a_table() -> None:
    assert {example.members["model"] for example in examples() if "model" in example.members} == set(MODELS)


def test_there_are_tables_for_well_known_tariffs() -> None:
    known = DOC.read_text(encoding="utf-8").split("## Tariffs that you know")[1].split("\n## ")[0]
    assert known.count("```json") >= 9
