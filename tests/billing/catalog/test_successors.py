"""Meters in the catalogue file that count by filters or take the place of others."""

import json
from typing import Any

import pytest
import yaml

from billing.catalog.plans import CatalogError
from billing.catalog.specs import export_catalog
from squill.lib.located import LocatedError
from tests.billing.builders import make_catalog, row_counts
from usage.models import Meter

pytestmark = pytest.mark.django_db

FIRST = "  - {code: calls, event_type: call, aggregation: sum, value: n}\n"
SECOND = (
    "  - {code: calls-2, event_type: call, aggregation: sum, value: n, succeeds: calls,"
    ' filters: {status: {in: ["204", 200], not_equals: "500"}, bytes: {gte: 1e3}, test: {exists: false}}}\n'
)
THIRD = "  - {code: a-calls, event_type: call, aggregation: max, value: n, succeeds: calls-2}\n"


def made() -> list[tuple[str, str | None]]:
    meters = Meter.objects.select_related("predecessor").order_by("pk")
    return [(meter.code, meter.predecessor.code if meter.predecessor else None) for meter in meters]


def test_filters_are_read_in_their_one_spelling() -> None:
    make_catalog(f"meters:\n{FIRST}{SECOND}")
    assert Meter.objects.get(code="calls-2").filters == {
        "bytes": {"gte": "1000"},
        "status": {"in": ["200", "204"], "not_equals": "500"},
        "test": {"exists": False},
    }


@pytest.mark.parametrize("order", [(FIRST, SECOND, THIRD), (THIRD, SECOND, FIRST), (SECOND, FIRST, THIRD)])
def test_meter_is_made_after_the_one_that_it_succeeds_wherever_it_stands(order: tuple[str, ...]) -> None:
    changes = make_catalog("meters:\n" + "".join(order))
    assert made() == [("calls", None), ("calls-2", "calls"), ("a-calls", "calls-2")]
    assert [change.kind for change in changes] == ["created"] * 3


@pytest.mark.parametrize("as_json", [False, True])
def test_export_applies_without_a_change_and_makes_the_same_elsewhere(as_json: bool) -> None:
    make_catalog(f"meters:\n{FIRST}{SECOND}{THIRD}")
    document = export_catalog()
    text = json.dumps(document) if as_json else yaml.safe_dump(document, sort_keys=False)
    before = row_counts()

    assert {change.kind for change in make_catalog(text)} == {"unchanged"}
    assert row_counts() == before

    for code in ("a-calls", "calls-2", "calls"):
        Meter.objects.get(code=code).delete()
    make_catalog(text)
    assert export_catalog() == document


def test_successor_of_a_meter_that_is_there_already_is_made() -> None:
    make_catalog(f"meters:\n{FIRST}")
    make_catalog(f"meters:\n{SECOND}")
    assert made() == [("calls", None), ("calls-2", "calls")]


@pytest.mark.parametrize(
    ("meters", "message"),
    [
        (FIRST.replace("value: n", "value: n, succeeds: calls"), "these meters succeed one another in a circle: calls"),
        (
            FIRST.replace("value: n", "value: n, succeeds: calls-2") + SECOND,
            "these meters succeed one another in a circle: calls, calls-2",
        ),
        (SECOND, "meter calls-2: succeeds: there is no meter calls"),
        (
            FIRST + FIRST.replace("code: calls", "code: c, succeeds: calls"),
            "meter c: .*Nothing that the meter means would change",
        ),
        (FIRST + SECOND + THIRD.replace("succeeds: calls-2", "succeeds: calls"), "calls-2 succeeds this meter already"),
    ],
)
def test_succession_that_cannot_be_is_refused_and_nothing_is_made(meters: str, message: str) -> None:
    before = row_counts()
    with pytest.raises(CatalogError, match=message):
        make_catalog(f"meters:\n{meters}")
    assert row_counts() == before


def test_what_a_meter_succeeds_never_changes() -> None:
    make_catalog(f"meters:\n{FIRST}{SECOND}")
    before = row_counts()
    for text in (SECOND.replace("succeeds: calls,", ""), FIRST.replace("value: n", "value: n, succeeds: calls-2")):
        with pytest.raises(CatalogError, match="is decided when a meter is made, and cannot change"):
            make_catalog(f"meters:\n{text}")
    assert row_counts() == before


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ("[status]", 'must be an object, such as {"status"'),
        ("{status: ok}", "status: must be an object"),
        ("{status: {like: ok}}", "status: like is none of"),
        ("{bytes: {gte: many}}", "bytes.gte: must be a number"),
        ("{test: {exists: maybe}}", "test.exists: must be true or false"),
    ],
)
def test_bad_filter_is_named_with_its_line(filters: str, message: str) -> None:
    before = row_counts()
    with pytest.raises(LocatedError) as caught:
        make_catalog(f"meters:\n{FIRST.replace('value: n', f'value: n, filters: {filters}')}")
    shown: Any = str(caught.value)
    assert message in shown
    assert "line 2" in shown
    assert row_counts() == before
