import re
from decimal import Decimal
from typing import Any

import pytest

from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event, counts
from usage.ingestion import ingest
from usage.models import Meter
from usage.rollups.filters import canonical, conditions_of, passes
from usage.services import MeterError, create_meter


def counts_for(filters: dict[str, Any], data: dict[str, Any]) -> bool:
    return passes(conditions_of(canonical(filters)), data)


@pytest.mark.parametrize(
    ("asked", "passing", "failing"),
    [
        ({"equals": "eu"}, ["eu"], ["EU", "eu ", "", None, ["eu"], {"eu": 1}]),
        ({"equals": ""}, [""], [None, " ", 0]),
        ({"equals": "200"}, [200, "200"], ["200.0", 201, True]),
        ({"equals": Decimal("1.5")}, [Decimal("1.5"), "1.5"], ["1.50", 15]),
        ({"equals": True}, [True, "true"], [False, 1, "True"]),
        ({"not_equals": "eu"}, ["us", "", None, 5, ["eu"], {}], ["eu"]),
        ({"in": ["200", "204"]}, [200, "204"], [500, None, [200], "20"]),
        ({"not_in": ["200", "204"]}, [500, None, [200], {}], [200, "204"]),
        ({"exists": True}, ["", 0, False, [], {}], [None]),
        ({"exists": False}, [None], ["", 0, False, [], {}]),
        ({"gt": "10"}, [11, "10.1", Decimal("10.000001"), "1e2"], [10, "10", "9", "ten", None, True, [11], ""]),
        ({"gte": "10"}, [10, "10.0", "+10", 11], [9, "9.99", "ten", None, True, " 10"]),
        ({"lt": "0.5"}, [0, "-1", Decimal("0.49")], ["0.5", 1, "", None, False]),
        ({"lte": "0.5"}, [0, "0.50", Decimal("0.5")], ["0.51", 1, None, False]),
        ({"gte": "1", "lt": "3"}, [1, 2, "2.9"], [0, 3]),
        ({"gt": "-5"}, [-4, "-4.9"], [-5, "-6"]),
    ],
)
def test_operator_lets_pass_what_it_says(asked: dict[str, Any], passing: list[Any], failing: list[Any]) -> None:
    assert [sent for sent in passing if not counts_for({"m": asked}, {"m": sent})] == []
    assert [sent for sent in failing if counts_for({"m": asked}, {"m": sent})] == []


@pytest.mark.parametrize(
    ("asked", "passing"),
    [
        ({"equals": "x"}, False),
        ({"not_equals": "x"}, True),
        ({"in": ["x"]}, False),
        ({"not_in": ["x"]}, True),
        ({"exists": True}, False),
        ({"exists": False}, True),
        ({"gt": "0"}, False),
        ({"lte": "0"}, False),
    ],
)
def test_missing_member_equals_nothing_and_is_in_no_list(asked: dict[str, Any], passing: bool) -> None:
    for data in ({}, {"m": None}, {"other": "x"}):
        assert counts_for({"m": asked}, data) is passing


def test_all_conditions_must_hold() -> None:
    filters = {"region": {"equals": "eu"}, "bytes": {"gte": "10"}}
    assert counts_for(filters, {"region": "eu", "bytes": 10})
    assert not counts_for(filters, {"region": "us", "bytes": 10})
    assert not counts_for(filters, {"region": "eu", "bytes": 9})
    assert counts_for({}, {})


def test_path_leads_into_objects_only_and_a_name_with_dots_goes_first() -> None:
    filters = {"a.b": {"equals": "1"}}
    assert counts_for(filters, {"a": {"b": 1}})
    assert counts_for(filters, {"a.b": 1, "a": {"b": 2}})
    assert not counts_for(filters, {"a.b": None, "a": {"b": 1}})
    assert not counts_for(filters, {"a": [1], "b": 1})
    assert not counts_for({"a.0": {"equals": "1"}}, {"a": [1]})


def test_canonical_form_is_one_spelling() -> None:
    sent = {"z": {"lt": Decimal("1.50"), "gte": "1e3"}, "a": {"in": [204, "200", "204", True], "equals": 5, "exists": False}}
    assert list(canonical(sent).items()) == [
        ("a", {"equals": "5", "exists": False, "in": ["200", "204", "true"]}),
        ("z", {"gte": "1000", "lt": "1.5"}),
    ]
    assert list(canonical(sent)["a"]) == ["equals", "exists", "in"]
    assert canonical(canonical(sent)) == canonical(sent)


def test_small_number_is_written_out_as_all_numbers_are() -> None:
    small = Decimal("0.0000001")
    assert canonical({"m": {"equals": small, "gt": small}}) == {"m": {"equals": "0.0000001", "gt": "0.0000001"}}
    assert counts_for({"m": {"equals": "0.0000001"}}, {"m": small})


KNOWN = "equals, not_equals, in, not_in, exists, gt, gte, lt, lte"
REFUSED: list[tuple[Any, str]] = [
    ([], 'must be an object, such as {"status": {"in": ["200", "204"]}}'),
    ("x", 'must be an object, such as {"status": {"in": ["200", "204"]}}'),
    ({f"m{number}": {"exists": True} for number in range(11)}, "at most 10 conditions"),
    ({"": {"exists": True}}, "each must name a member of data by a printable text"),
    ({"x" * 256: {"exists": True}}, "each must name a member of data by a printable text"),
    ({"a\0": {"exists": True}}, "each must name a member of data by a printable text"),
    ({5: {"exists": True}}, "each must name a member of data by a printable text"),
    ({"m": "eu"}, 'm: must be an object, such as {"equals": "eu"}'),
    ({"m": {}}, 'm: must be an object, such as {"equals": "eu"}'),
    ({"m": {"exists": "true"}}, "m.exists: must be true or false"),
    ({"m": {"exists": None}}, "m.exists: must be true or false"),
    ({"m": {"gt": "many"}}, 'm.gt: must be a number, such as "1024"'),
    ({"m": {"gte": True}}, 'm.gte: must be a number, such as "1024"'),
    ({"m": {"lt": None}}, 'm.lt: must be a number, such as "1024"'),
    ({"m": {"lte": "1e99"}}, 'm.lte: must be a number, such as "1024"'),
    ({"m": {"equals": None}}, "m.equals: must be a text, a number, true or false"),
    ({"m": {"not_equals": ["eu"]}}, "m.not_equals: must be a text, a number, true or false"),
    ({"m": {"equals": "x" * 256}}, "m.equals: must be a text, a number, true or false"),
    ({"m": {"equals": "a\0"}}, "m.equals: must be a text, a number, true or false"),
    ({"m": {"in": "eu"}}, "m.in: must be a list of 1 to 100 texts"),
    ({"m": {"in": []}}, "m.in: must be a list of 1 to 100 texts"),
    ({"m": {"not_in": ["x"] * 101}}, "m.not_in: must be a list of 1 to 100 texts"),
    ({"m": {"in": ["eu", None]}}, "m.in: must be a text, a number, true or false"),
    ({"m": {"eq": "eu"}}, f"m: eq is none of {KNOWN}"),
]


@pytest.mark.parametrize(("sent", "message"), REFUSED)
def test_refusal_says_what_to_write(sent: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        canonical(sent)
    assert str(caught.value) == message


@pytest.mark.django_db
@pytest.mark.parametrize(("sent", "message"), [REFUSED[0], REFUSED[2], REFUSED[9], REFUSED[-1]])
def test_meter_with_filters_that_cannot_be_used_is_not_made(sent: Any, message: str) -> None:
    with pytest.raises(MeterError) as caught:
        create_meter(code="m", name="M", event_type="api.call", aggregation="count", filters=sent, actor=ACTOR, now=NOW)
    assert caught.value.errors == {"filters": message}
    assert not Meter.objects.exists()


@pytest.mark.django_db
def test_event_that_all_filters_leave_out_is_taken_and_counts_for_none() -> None:
    a_customer()
    a_meter(aggregation="sum", value_path="n", filters={"region": {"equals": "eu"}})

    ingest([an_event("1", {"region": "us", "n": "no number"})], now=NOW)

    assert counts() == {"event": 1, "eventkey": 1, "rollup": 0, "quarantinedevent": 0}
