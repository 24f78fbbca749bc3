"""Eight clients send the same events again and again, in any order and at once: each is counted once."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import batched

import pytest
from django.db import connections

from tests.faults import FULL
from tests.usage.builders import NOW, a_customer, a_meter, an_event, counts, kept, recomputed
from usage.ingestion import IncomingEvent, Outcome, ingest

CLIENTS = 8
EVENTS = 100_000 if FULL else 3_000
BATCH = 1_000 if FULL else 100
SAME = 10  # batches that all clients send at the same moment


def _events() -> list[IncomingEvent]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        an_event(
            str(number),
            {"bytes": f"{number % 997}.{number % 1000:03}", "region": ("eu", "us", "ap")[number % 3]},
            subject=f"c{number % 10}",
            occurred_at=start + timedelta(seconds=number * 5_000_000 // EVENTS),  # January and February
        )
        for number in range(EVENTS)
    ]


def _send(batches: list[list[IncomingEvent]], starting: threading.Barrier, same: list[list[IncomingEvent]]) -> Counter[Outcome]:
    fates: Counter[Outcome] = Counter()
    try:
        for batch in same:
            starting.wait(60)
            fates.update(fate.outcome for fate in ingest(batch, now=NOW))
        for batch in batches:
            fates.update(fate.outcome for fate in ingest(batch, now=NOW))
    finally:
        connections.close_all()
    return fates


@pytest.mark.django_db(transaction=True)
def test_events_sent_one_to_five_times_by_eight_clients_are_counted_once() -> None:
    for number in range(9):  # c9 is nobody
        a_customer(f"c{number}", timezone=["UTC", "Asia/Tokyo", "America/St_Johns"][number % 3])
    a_meter("calls")
    a_meter("bytes", aggregation="sum", value_path="bytes", dimensions=["region"])
    for aggregation in ("min", "max", "latest", "average", "weighted_sum", "unique_count"):
        a_meter(aggregation, aggregation=aggregation, value_path="region" if aggregation == "unique_count" else "bytes")
    dice = random.Random(2026)  # noqa: S311 (no secret)
    events = _events()
    mine: list[list[IncomingEvent]] = [[] for _client in range(CLIENTS)]
    for event in events:
        for client in dice.sample(range(CLIENTS), dice.randint(1, 5)):
            mine[client].append(event)
    for each in mine:
        dice.shuffle(each)
    same = [dice.sample(events, BATCH) for _batch in range(SAME)]
    starting = threading.Barrier(CLIENTS)

    with ThreadPoolExecutor(CLIENTS) as pool:
        works = [pool.submit(_send, [list(b) for b in batched(each, BATCH)], starting, same) for each in mine]
        found: Counter[Outcome] = sum((work.result() for work in works), Counter())  # a deadlock would be raised here

    # A tenth of the events is nobody's; whatever was sent beyond the first time is a duplicate.
    sent = sum(map(len, mine)) + CLIENTS * SAME * BATCH
    assert found == {
        Outcome.ACCEPTED: EVENTS * 9 // 10,
        Outcome.QUARANTINED: EVENTS // 10,
        Outcome.DUPLICATE: sent - EVENTS,
    }
    assert counts() | {"rollup": 0} == {
        "event": EVENTS * 9 // 10,
        "eventkey": EVENTS,
        "quarantinedevent": EVENTS // 10,
        "rollup": 0,
    }
    assert kept() == recomputed()
