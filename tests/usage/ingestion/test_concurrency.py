"""Races, with real connections: the same events at once, a meter made while events come in, a zone that changes."""

import random
import time
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from customers.models import Customer
from tests.usage.builders import NOW, a_customer, a_meter, an_event, counts, in_threads, kept, recomputed
from usage.ingestion import Outcome, ingest, replay_waiting
from usage.ingestion.ingest import ingest as ingest_in_transaction
from usage.models import Event, Rollup

pytestmark = pytest.mark.django_db(transaction=True)


def test_same_batches_shuffled_in_eight_threads_count_once_and_never_deadlock() -> None:
    for number in range(4):
        a_customer(f"c{number}", timezone=["UTC", "Asia/Tokyo"][number % 2])
    a_meter("calls")
    a_meter("bytes", aggregation="sum", value_path="bytes", dimensions=["region"])
    batches = [
        [
            an_event(
                f"{batch}-{number}",
                {"bytes": f"{number}.{batch}", "region": "eu us ap".split()[number % 3]},
                subject=f"c{number % 5}",  # c4 is nobody
                occurred_at=datetime(2026, 1 + number % 2, 1 + number % 20, tzinfo=UTC),
            )
            for number in range(100)
        ]
        for batch in range(6)
    ]

    def send(seed: int) -> Counter[Outcome]:
        shuffle = random.Random(seed).shuffle  # noqa: S311 (no secret)
        fates: Counter[Outcome] = Counter()
        for batch in batches:
            mine = list(batch)
            shuffle(mine)
            fates.update(fate.outcome for fate in ingest(mine, now=NOW))
        return fates

    found: Any = in_threads(*[lambda seed=seed: send(seed) for seed in range(8)])

    total: Counter[Outcome] = sum(found, Counter())
    # 6 batches of 100 events, a fifth of them of nobody; every other of the 8 times 600 is a duplicate.
    assert total == {Outcome.ACCEPTED: 480, Outcome.QUARANTINED: 120, Outcome.DUPLICATE: 4200}
    assert counts() | {"rollup": 0} == {"event": 480, "eventkey": 600, "quarantinedevent": 120, "rollup": 0}
    assert kept() == recomputed()


def test_conflicting_contents_at_once_leave_one_event_and_each_other_content_once() -> None:
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes")

    def send(value: int) -> list[Outcome]:
        return [fate.outcome for fate in ingest([an_event(str(number), {"bytes": value}) for number in range(20)], now=NOW)]

    in_threads(*[lambda value=value: send(value % 4) for value in range(8)])

    # 20 keys, each with 4 contents: one is the event, three are conflicts.
    assert counts() | {"rollup": 0} == {"event": 20, "eventkey": 20, "quarantinedevent": 60, "rollup": 0}
    assert kept() == recomputed()


def test_meter_that_is_made_while_events_come_in_counts_each_once() -> None:
    a_customer()
    a_meter("calls")

    def send(sender: int) -> None:
        for number in range(30):
            ingest([an_event(f"{sender}-{number}-{each}", {"bytes": 1}) for each in range(5)], now=NOW)

    def make() -> None:
        time.sleep(0.05)
        a_meter("bytes", aggregation="sum", value_path="bytes")

    in_threads(*[lambda sender=sender: send(sender) for sender in range(3)], make)

    # 3 senders, 30 requests each, 5 events each
    assert Rollup.objects.get(meter__code="bytes").value_sum == 450
    assert kept() == recomputed()


def test_meter_waits_for_events_that_are_being_stored() -> None:
    a_customer()
    a_meter("calls")
    order: list[str] = []

    def send() -> None:
        with transaction.atomic():
            ingest_in_transaction([an_event("1", {"bytes": 3})], now=NOW)
            time.sleep(0.5)
            order.append("stored")

    def make() -> None:
        time.sleep(0.2)
        a_meter("bytes", aggregation="sum", value_path="bytes")
        order.append("made")

    in_threads(send, make)

    assert order == ["stored", "made"]
    assert kept() == recomputed()
    assert Rollup.objects.get(meter__code="bytes").value_sum == Decimal(3)


def test_time_zone_cannot_change_under_events_that_are_being_stored() -> None:
    customer = a_customer(timezone="UTC")
    a_meter()
    refused: list[str] = []

    def send() -> None:
        with transaction.atomic():
            ingest_in_transaction([an_event("1", occurred_at=datetime(2026, 3, 1, 0, 30, tzinfo=UTC))], now=NOW)
            time.sleep(0.5)

    def move() -> None:
        time.sleep(0.2)
        try:
            Customer.objects.filter(pk=customer.pk).update(timezone="America/New_York")
        except IntegrityError as error:
            refused.append(str(error))

    in_threads(send, move)

    assert "has usage: the time zone is fixed" in refused[0]
    assert kept() == recomputed()


def test_replay_twice_at_once_counts_once() -> None:
    a_meter()
    ingest([an_event(str(number)) for number in range(200)], now=NOW)
    a_customer()

    replayed: Any = in_threads(*[lambda: replay_waiting(now=NOW) for _thread in range(4)])

    assert sum(replayed) == 200
    assert Event.objects.count() == 200
    assert Rollup.objects.get().event_count == 200


def test_replay_beside_ingestion_of_the_same_events_counts_once() -> None:
    a_meter()
    events = [an_event(str(number)) for number in range(200)]
    ingest(events, now=NOW)
    a_customer()

    in_threads(lambda: replay_waiting(now=NOW), lambda: ingest(list(reversed(events)), now=NOW), lambda: ingest(events, now=NOW))

    assert Rollup.objects.get().event_count == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT (source, event_id)) FROM usage_event")
        assert cursor.fetchone() == (200, 200)
