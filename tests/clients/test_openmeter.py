"""OpenMeter's own SDKs work with nothing changed but the address and the token."""

from decimal import Decimal

import pytest

from tests.clients.conftest import Talk
from tests.usage.builders import kept, recomputed, rollups

pytestmark = pytest.mark.django_db(transaction=True)


def test_python_sdk_sends_lists_and_queries(talk: Talk) -> None:
    told = talk("openmeter_sdk.py", "/openmeter")

    assert told["created"] == ["tokens_total", "tokens_total", "SUM", "$.tokens", {"model": "$.model"}]
    # Newest first: e4 and e5 happened at the same time, and each event came once.
    assert sorted(told["listed"]) == [
        ["e4", "cust-1", {"tokens": 7, "model": "b"}],
        ["e5", "cust-1", {"tokens": 1, "model": "a"}],
    ]
    assert told["meters"] == ["tokens_total"]
    assert told["got"] == "prompt"
    assert told["by_hour"] == [
        ["2026-03-10T08:00:00+00:00", "cust-1", {"model": "a"}, 100],
        ["2026-03-10T09:00:00+00:00", "cust-1", {"model": "a"}, 10],
        ["2026-03-10T09:00:00+00:00", "cust-1", {"model": "b"}, 0.5],
        ["2026-03-10T10:00:00+00:00", "cust-1", {"model": "a"}, 1],
        ["2026-03-10T10:00:00+00:00", "cust-1", {"model": "b"}, 7],
    ]
    # 0.5 + 7
    assert told["by_post"] == [["2026-03-10T00:00:00+00:00", None, {}, 7.5]]
    assert told["models"] == ["a", "b"]
    assert told["csv"].splitlines() == [
        "window_start,window_end,subject,model,value",
        "2026-03-10T00:00:00Z,2026-03-11T00:00:00Z,,a,111",
        "2026-03-10T00:00:00Z,2026-03-11T00:00:00Z,,b,7.5",
    ]
    assert told["renamed"] == "All tokens"
    assert told["kept"] == [409, "The meter tokens_total has counted usage, which stays readable."]
    assert told["refused"][0] == 400
    assert told["refused"][1][0]["field"] == "id"
    assert [(str(rollup[3]), *rollup[4:6]) for rollup in rollups()] == [
        ("{'model': 'a'}", 3, Decimal(111)),
        ("{'model': 'b'}", 2, Decimal("7.5")),
    ]
    assert kept() == recomputed()


def test_javascript_sdk_sends_lists_and_queries(talk: Talk) -> None:
    told = talk("openmeter_sdk.mjs", "/openmeter")

    assert told["created"] == ["tokens_total", "tokens_total", True]
    assert [name for name, _customer in told["listed"]][-1] == "j1"
    assert sorted(told["listed"]) == [["j1", "cust-1"], ["j2", "cust-1"], ["j3", "cust-1"]]
    assert told["meters"] == ["tokens_total"]
    assert told["got"] == "prompt"
    assert told["byHour"] == [
        ["2026-03-10T08:00:00.000Z", {"model": "a"}, 100],
        ["2026-03-10T09:00:00.000Z", {"model": "a"}, 10],
    ]
    assert told["renamed"] == "All tokens"
    assert "region is no dimension of the meter, which has: model." in told["refused"][1]
    assert kept() == recomputed()
