"""Races of corrections with one another and with ingestion, over real connections; the books are recomputed afterwards."""

import random
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import pytest

from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event, in_threads, kept, recomputed, rollups
from usage.corrections import CorrectionError, replace_event, void_event
from usage.ingestion import ingest
from usage.models import Correction, Event

pytestmark = pytest.mark.django_db(transaction=True)


def _void(event_id: str) -> bool:
    return void_event(source="test", event_id=event_id, reason="mistake", actor=ACTOR, now=NOW).is_new


def test_void_of_one_event_by_eight_at_once_is_one_correction() -> None:
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes")
    ingest([an_event("1", {"bytes": 5}), an_event("2", {"bytes": 9})], now=NOW)

    made = in_threads(*[partial(_void, "2")] * 8)

    assert sorted(map(str, made)) == ["False"] * 7 + ["True"]
    assert Correction.objects.count() == 1
    assert [row[4:] for row in rollups()] == [(1, Decimal(5))]


def test_one_replacement_for_two_events_at_once_replaces_one_of_them() -> None:
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes")
    ingest([an_event("1", {"bytes": 5}), an_event("2", {"bytes": 9})], now=NOW)

    def replace(event_id: str) -> str:
        by = an_event("new", {"bytes": 1})
        try:
            replace_event(source="test", event_id=event_id, replacement=by, reason="mistake", actor=ACTOR, now=NOW)
        except CorrectionError as error:
            return error.code
        return "replaced"

    assert sorted(map(str, in_threads(partial(replace, "1"), partial(replace, "2")))) == ["id_taken", "replaced"]
    assert kept() == recomputed()


def test_rollups_are_exact_after_voids_replacements_and_ingestion_into_the_same_ones() -> None:
    a_customer()
    a_customer("tokyo", timezone="Asia/Tokyo")
    a_meter("calls")
    a_meter("bytes", aggregation="sum", value_path="bytes", dimensions=["region"])
    a_meter("peak", aggregation="max", value_path="bytes")

    def event(name: str, number: int) -> object:
        return an_event(
            f"{name}-{number}",
            {"bytes": f"{number * 7 % 13}.5", "region": "eu us".split()[number % 2]},
            subject=["acme", "tokyo"][number % 2],
            occurred_at=datetime(2026, 3, 1 + number % 3, 12, tzinfo=UTC),
        )

    first = [event("first", number) for number in range(60)]
    ingest(first, now=NOW)  # type: ignore[arg-type]

    def send(seed: int) -> None:
        for start in range(0, 60, 10):
            batch = [event(f"more{seed % 2}", number) for number in range(start, start + 10)]
            random.Random(seed + start).shuffle(batch)  # noqa: S311 (no secret)
            ingest(batch, now=NOW)  # type: ignore[arg-type]

    def void(seed: int) -> None:
        numbers = list(range(0, 60, 2))
        random.Random(seed).shuffle(numbers)  # noqa: S311 (no secret)
        for number in numbers:
            _void(f"first-{number}")

    def replace(seed: int) -> None:
        numbers = list(range(1, 60, 2))
        random.Random(seed).shuffle(numbers)  # noqa: S311 (no secret)
        for number in numbers:
            by = event("by", number + 20)  # of the same customer, in other rollups
            kwargs = {"replacement": by, "reason": "mistake", "actor": ACTOR, "now": NOW}
            replace_event(source="test", event_id=f"first-{number}", **kwargs)  # type: ignore[arg-type]

    works = [partial(send, 0), partial(send, 2), partial(send, 1), partial(void, 1), partial(void, 2)]
    in_threads(*works, partial(replace, 1), partial(replace, 2))

    # 60 at first, twice 60 more (each sent by one or two), 30 that replace; 30 voided and 30 replaced.
    assert (Event.objects.count(), Correction.objects.count()) == (210, 60)
    assert kept() == recomputed()
