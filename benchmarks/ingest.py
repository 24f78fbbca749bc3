"""
Events through the HTTP API: granian with 2 workers, the load made on the same machine by clients that keep their connection.

Ratios are to COPY of the same rows, in each round anew: into tables like those of the events and of their keys with the same
indexes, and into bare ones. They say what HTTP, checking, idempotency and rollups cost, and can be compared between machines.
Each figure is the median of 5 rounds.
"""

import itertools
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import django

django.setup()

from django.db import connection, transaction  # noqa: E402 (after set-up)

from benchmarks.server import Client, Web, running  # noqa: E402
from customers.api_keys import issue_api_key  # noqa: E402
from customers.models import Scope  # noqa: E402
from customers.services import create_customer  # noqa: E402
from squill.lib import clock  # noqa: E402
from squill.lib.actor import system  # noqa: E402
from usage.models import Event, Rollup  # noqa: E402
from usage.services import create_meter  # noqa: E402

ACTOR = system("benchmark")
CUSTOMERS = 500
ROUNDS = 5
COPIED = 30_000  # rows of one COPY
# Events a request: (clients, requests of each in a round)
SIZES = {1: (4, 250), 100: (2, 50), 1000: (2, 15)}
PACED_PER_SECOND, PACED_SECONDS, PACED_CLIENTS = 200, 5, 4
HOT_WRITERS, HOT_REQUESTS = 4, 20

names = itertools.count()
sent = 0


def main() -> None:
    now = clock.now()
    for number in range(CUSTOMERS):
        create_customer(external_id=f"c{number}", name=f"Customer {number}", actor=ACTOR, now=now)
    create_meter(code="calls", name="Calls", event_type="api.call", aggregation="count", actor=ACTOR, now=now)
    fields = {"aggregation": "sum", "value_path": "bytes", "dimensions": ["region"]}
    create_meter(code="bytes", name="Bytes", event_type="api.call", actor=ACTOR, now=now, **fields)  # type: ignore[arg-type]
    _key, secret = issue_api_key(name="benchmark", scopes=[Scope.EVENTS_WRITE], actor=ACTOR, now=now)
    make_copy_tables()
    with tempfile.TemporaryFile() as log, running(log) as web:
        send_at_once(web, secret, [[batch(100)] for _client in range(4)])  # the first requests of a process are slower
        throughput(web, secret)
        with connection.cursor() as cursor:
            cursor.execute("CHECKPOINT")  # what the load has left to be written is not what single events wait for
        singles(web, secret)
        paced(web, secret)
        hot(web, secret)
    stored = Event.objects.count()
    counted = sum(Rollup.objects.filter(meter__code="calls").values_list("event_count", flat=True))
    print(f"sent {sent:,}, stored {stored:,}, counted {counted:,}, by 2 meters")
    if not sent == stored == counted:
        sys.exit("the books do not agree")


def throughput(web: Web, secret: str) -> None:
    """Print events per second by size of the request, and what they cost beside COPY."""
    print("events/request  clients  events/s  of indexed COPY  of bare COPY  web CPU µs/event  p50 ms  p95 ms")
    for size, (clients, requests) in SIZES.items():
        rates, indexed, bare, cpu = [], [], [], []
        latencies: list[float] = []
        for _round in range(ROUNDS):
            copied_indexed, copied_bare = copy("indexed"), copy("bare")
            bodies = [[batch(size) for _request in range(requests)] for _client in range(clients)]
            before = web.cpu_seconds()
            seconds, found = send_at_once(web, secret, bodies)
            events = clients * requests * size
            cpu.append((web.cpu_seconds() - before) / events * 1e6)
            rates.append(events / seconds)
            indexed.append(rates[-1] / copied_indexed)
            bare.append(rates[-1] / copied_bare)
            latencies += found
        figures = f"{size:>14} {clients:>8} {median(rates):>9,.0f} {median(indexed):>16.2f} {median(bare):>13.2f}"
        ms = [value * 1000 for value in sorted(latencies)]
        print(f"{figures} {median(cpu):>17.1f} {median(ms):>7.1f} {quantile(ms, 0.95):>7.1f}", flush=True)


def singles(web: Web, secret: str) -> None:
    """Print how long 1,000 requests of one event take, one after the other."""
    _seconds, found = send_at_once(web, secret, [[batch(1) for _request in range(1000)]])
    print(f"1,000 single events, one after the other: {told(found)}")


def paced(web: Web, secret: str) -> None:
    """Print how long single events take that come at a steady rate, waiting for a free client included."""
    each = PACED_PER_SECOND * PACED_SECONDS // PACED_CLIENTS
    bodies = [[batch(1) for _request in range(each)] for _client in range(PACED_CLIENTS)]
    start = time.perf_counter() + 0.1

    def send(position: int) -> list[float]:
        client, took = Client(web.port, secret), []
        for turn, body in enumerate(bodies[position]):
            due = start + (turn * PACED_CLIENTS + position) / PACED_PER_SECOND
            time.sleep(max(0, due - time.perf_counter()))
            client.send(body)
            took.append(time.perf_counter() - due)
        return took

    found = in_threads([lambda position=position: send(position) for position in range(PACED_CLIENTS)])
    count(PACED_CLIENTS * each)
    print(f"single events at {PACED_PER_SECOND} a second: {told([seconds for took in found for seconds in took])}")


def hot(web: Web, secret: str) -> None:
    """Print what it costs that all events are of one customer and meter, with several writers."""
    ratios = []
    for _round in range(ROUNDS):
        rates = []
        for customers in (CUSTOMERS, 1):
            bodies = [[batch(100, customers) for _request in range(HOT_REQUESTS)] for _writer in range(HOT_WRITERS)]
            seconds, _found = send_at_once(web, secret, bodies)
            rates.append(HOT_WRITERS * HOT_REQUESTS * 100 / seconds)
        ratios.append(rates[1] / rates[0])
    print(f"one hot customer, {HOT_WRITERS} writers of 100 events: {median(ratios):.2f} of the rate of {CUSTOMERS} customers")


def send_at_once(web: Web, secret: str, bodies: Sequence[Sequence[bytes]]) -> tuple[float, list[float]]:
    """Send each list of bodies by a client of its own; return the seconds it took and those of each request."""
    clients = [Client(web.port, secret) for _each in bodies]
    started = time.perf_counter()
    found = in_threads(
        [
            lambda client=client, mine=mine: [client.send(body) for body in mine]
            for client, mine in zip(clients, bodies, strict=True)
        ]
    )
    elapsed = time.perf_counter() - started
    count(sum(body.count(b'"specversion"') for mine in bodies for body in mine))
    return elapsed, [seconds for took in found for seconds in took]


def in_threads(works: Sequence[Callable[[], list[float]]]) -> list[list[float]]:
    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(work) for work in works]]


def count(events: int) -> None:
    global sent
    sent += events


def batch(size: int, customers: int = CUSTOMERS) -> bytes:
    """Return a CloudEvents batch of `size` new events."""
    now, name = clock.now(), next(names)
    return json.dumps(
        [
            {
                "specversion": "1.0",
                "id": f"{name}-{number}",
                "source": "benchmark",
                "type": "api.call",
                "subject": f"c{(name * 7919 + number * 104729) % customers}",
                "time": (now - timedelta(minutes=number % 600)).isoformat(),
                "data": {"bytes": number, "region": ("eu", "us", "ap")[number % 3], "route": "/v1/things/42", "status": 200},
            }
            for number in range(size)
        ]
    ).encode()


def make_copy_tables() -> None:
    # Never vacuumed: that would happen while single events are timed, and those tables are none of Squill's.
    with connection.cursor() as cursor:
        for table in ("event", "eventkey"):
            cursor.execute(f"CREATE TABLE bench_bare_{table} (LIKE usage_{table}) WITH (autovacuum_enabled = off)")
            cursor.execute(
                f"CREATE TABLE bench_indexed_{table} (LIKE usage_{table} INCLUDING INDEXES) WITH (autovacuum_enabled = off)"
            )


def copy(kind: str) -> float:
    """COPY new events as they are stored, encoded beforehand, into both tables of this kind; return events a second."""
    data = json.dumps({"bytes": 1, "region": "eu", "route": "/v1/things/42", "status": 200}, separators=(",", ":"))
    now = clock.now()
    batch_name = next(names)
    events, keys = [], []
    for number in range(COPIED):
        at, customer = now - timedelta(minutes=number % 600), number * 104729 % CUSTOMERS
        events.append(f"{at}\t{now}\t{customer}\t\\N\tapi.call\tbenchmark\t{batch_name}-{number}\t{data}\n")
        keys.append(f"{uuid.uuid4()}\t{uuid.uuid4().int >> 65}\t{customer}\t{at.date()}\n")
    texts = {"eventkey": "".join(keys).encode(), "event": "".join(events).encode()}
    with transaction.atomic(), connection.cursor() as cursor:
        started = time.perf_counter()
        for table, text in texts.items():
            with cursor.copy(f"COPY bench_{kind}_{table} FROM STDIN") as stream:
                stream.write(text)
        return COPIED / (time.perf_counter() - started)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def quantile(ordered: Sequence[float], part: float) -> float:
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def told(seconds: Sequence[float]) -> str:
    ms = [value * 1000 for value in sorted(seconds)]
    return f"p50 {median(ms):.1f} ms, p95 {quantile(ms, 0.95):.1f} ms, p99 {quantile(ms, 0.99):.1f} ms, slowest {ms[-1]:.1f} ms"


if __name__ == "__main__":
    main()
