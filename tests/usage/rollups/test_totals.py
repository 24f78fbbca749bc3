from decimal import Decimal

import pytest

from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event, kept, recomputed, rollups
from usage.corrections import replace_event, void_event
from usage.ingestion import ingest
from usage.models import Meter
from usage.rollups.rebuild import rebuild_meter

pytestmark = pytest.mark.django_db


def test_meters_split_by_other_members_keep_their_own_names_where_the_values_are_the_same() -> None:
    a_customer()
    a_meter("by-region", dimensions=["region"])
    a_meter("by-model", aggregation="sum", value_path="n", dimensions=["model"])
    a_meter("items", aggregation="unique_count", value_path="model")

    ingest([an_event("1", {"region": "x", "model": "x", "n": 2}), an_event("2", {"n": 3, "model": "y"})], now=NOW)

    expected = [
        ("acme", "by-model", "2026-03-10", {"model": "x"}, 1, Decimal(2)),
        ("acme", "by-model", "2026-03-10", {"model": "y"}, 1, Decimal(3)),
        ("acme", "by-region", "2026-03-10", {"region": "x"}, 1, Decimal(1)),
        ("acme", "by-region", "2026-03-10", {"region": None}, 1, Decimal(1)),
        ("acme", "items", "2026-03-10", {}, 1, Decimal(1)),
        ("acme", "items", "2026-03-10", {}, 1, Decimal(1)),
    ]
    assert rollups() == expected
    assert kept() == recomputed()

    for meter in Meter.objects.all():
        rebuild_meter(meter)
    assert kept() == recomputed()

    by = an_event("3", {"region": "y", "model": "y", "n": 1})
    moved = replace_event(source="test", event_id="1", replacement=by, reason="wrong", actor=ACTOR, now=NOW).moved
    assert sorted(each.dimensions for each in moved if each.dimensions != "{}") == [
        '{"model":"x"}', '{"model":"y"}', '{"region":"x"}', '{"region":"y"}'
    ]  # fmt: skip
    void_event(source="test", event_id="2", reason="wrong", actor=ACTOR, now=NOW)
    assert kept() == recomputed()
