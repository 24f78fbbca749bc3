"""
Events per second through the HTTP API (gunicorn, 2 workers of 4 threads) at 1, 100 and 1000 events a request.

The load is made on the same machine, by 2 clients with keep-alive. The ratio is to COPY into a bare table without indexes, right
before: it says what idempotency, indexes, rollups and HTTP cost, and can be compared between machines.
"""

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import django

django.setup()

from django.db import connection  # noqa: E402 (after set-up)

from customers.api_keys import issue_api_key  # noqa: E402
from customers.models import Scope  # noqa: E402
from customers.services import create_customer  # noqa: E402
from squill.lib import clock  # noqa: E402
from squill.lib.actor import system  # noqa: E402
from usage.models import Event, Rollup  # noqa: E402
from usage.services import create_meter  # noqa: E402

CHECKOUT = Path(__file__).resolve().parent.parent
ACTOR = system("benchmark")
SECONDS = 4.0  # for each size
CLIENTS = 2
CUSTOMERS = 500
COPIED = 50_000
# Events a request, and how many requests each client has ready.
TURNS = {1: 6000, 100: 800, 1000: 120}


def main() -> None:
    now = clock.now()
    for number in range(CUSTOMERS):
        create_customer(external_id=f"c{number}", name=f"Customer {number}", actor=ACTOR, now=now)
    create_meter(code="calls", name="Calls", event_type="api.call", aggregation="count", actor=ACTOR, now=now)
    fields = {"aggregation": "sum", "value_path": "bytes", "dimensions": ["region"]}
    create_meter(code="bytes", name="Bytes", event_type="api.call", actor=ACTOR, now=now, **fields)  # type: ignore[arg-type]
    _key, secret = issue_api_key(name="benchmark", scopes=[Scope.EVENTS_WRITE], actor=ACTOR, now=now)
    port = free_port()
    with tempfile.TemporaryFile() as log:
        server = start_server(port, log)
        try:
            print("events/request   events/s   requests/s   p50 ms   p95 ms   COPY rows/s   ratio")
            sent = sum(measure(size, port, secret) for size in TURNS)
        finally:
            server.terminate()
            server.wait(20)
    stored = Event.objects.count()
    counted = sum(Rollup.objects.filter(meter__code="calls").values_list("event_count", flat=True))
    print(f"sent {sent:,}, stored {stored:,}, counted {counted:,}, by 2 meters")
    if not sent == stored == counted:
        sys.exit("the books do not agree")


def measure(size: int, port: int, secret: str) -> int:
    """Send for some seconds from all clients; print the figures and return how many events were sent."""
    copied = copy_rows_per_second()
    with ThreadPoolExecutor(CLIENTS) as pool:
        bodies = [[batch(f"{size}-{client}-{turn}", size) for turn in range(TURNS[size])] for client in range(CLIENTS)]
        started = time.perf_counter()
        found = list(pool.map(lambda mine: send_for_a_while(mine, port, secret), bodies))
        elapsed = time.perf_counter() - started
    latencies = sorted(latency for latencies in found for latency in latencies)
    rate = len(latencies) * size / elapsed
    p50, p95 = statistics.median(latencies), latencies[int(len(latencies) * 0.95)]
    figures = f"{size:>14} {rate:>10,.0f} {rate / size:>12,.0f} {p50 * 1000:>8.1f} {p95 * 1000:>8.1f}"
    print(f"{figures} {copied:>13,.0f} {rate / copied:>7.3f}", flush=True)
    return len(latencies) * size


def send_for_a_while(bodies: list[bytes], port: int, secret: str) -> list[float]:
    """Return the seconds that each request took; stops when the time is up, or all is sent."""
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/cloudevents-batch+json"}
    latencies: list[float] = []
    end = time.perf_counter() + SECONDS
    for body in bodies:
        started = time.perf_counter()
        if started >= end:
            break
        server.request("POST", "/api/v1/events", body, headers)
        response = server.getresponse()
        answer = response.read()
        if response.status != 204:
            raise SystemExit(f"{response.status}: {answer.decode()}")
        latencies.append(time.perf_counter() - started)
    return latencies


def batch(name: str, size: int) -> bytes:
    """Return a CloudEvents batch of `size` new events."""
    now = clock.now()
    return json.dumps(
        [
            {
                "specversion": "1.0",
                "id": f"{name}-{number}",
                "source": "benchmark",
                "type": "api.call",
                "subject": f"c{hash((name, number)) % CUSTOMERS}",
                "time": (now - timedelta(minutes=number % 600)).isoformat(),
                "data": {"bytes": number, "region": ("eu", "us", "ap")[number % 3], "route": "/v1/things/42", "status": 200},
            }
            for number in range(size)
        ]
    ).encode()


def copy_rows_per_second() -> float:
    """COPY rows of the same width into a bare table, encoded beforehand."""
    data = json.dumps({"bytes": 1, "region": "eu", "route": "/v1/things/42", "status": 200})
    rows = "".join(
        f"{number}\t2026-03-10T12:00:00Z\tc1\tapi.call\tbenchmark\tname-{number}\t{data}\n" for number in range(COPIED)
    ).encode()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS bench_bare (n int, at timestamptz, a text, b text, c text, d text, data jsonb)"
        )
        cursor.execute("TRUNCATE bench_bare")
        started = time.perf_counter()
        with cursor.copy("COPY bench_bare FROM STDIN") as copy:
            copy.write(rows)
        return COPIED / (time.perf_counter() - started)


def start_server(port: int, log: object) -> "subprocess.Popen[bytes]":
    """Start gunicorn on the benchmark's own home, and wait until it answers."""
    command = [sys.executable, "-m", "gunicorn", "squill.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--keep-alive", "30"]
    server = subprocess.Popen(command, cwd=CHECKOUT, env=dict(os.environ), stdout=log, stderr=log)  # type: ignore[call-overload]
    answered = 0
    for _attempt in range(600):
        try:
            warm_up(port)
            answered += 1
        except OSError:
            time.sleep(0.1)
        if answered == 40:  # both workers have loaded everything by then
            return server
    server.terminate()
    raise SystemExit("gunicorn does not answer")


def warm_up(port: int) -> None:
    """Have a worker refuse a request, on a connection of its own."""
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    server.request("POST", "/api/v1/events", b"[]", {"Content-Type": "application/json"})
    server.getresponse().read()
    server.close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
