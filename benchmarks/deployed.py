"""
The deployed zip on the local AWS: how long a deployment takes, how long a cold start, and a warm request from end to end.

Functions have this machine's processors to themselves, so durations compare versions of Squill, not Lambda's sizes of memory.
"""

import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.localaws import demo
from infra.localaws.deployment import Deployment
from infra.localaws.front import Front
from infra.localaws.local_aws import LocalAws, running
from infra.localaws.visitor import Visitor
from infra.package import assemble
from squill.lib import clock

DOMAIN = "billing.example.com"
COLD_STARTS = 5
REQUESTS = 100


def main() -> None:
    with TemporaryDirectory(prefix="squill-bench-") as folder, running(Path(folder) / "aws") as aws:
        stage = Deployment(aws, "dev", Path(folder) / "stage", DOMAIN)
        timed("package (again: what has not changed is kept)", assemble.base)
        timed("stack", stage.make_stack)
        timed("zappa deploy, jobs", lambda: stage.zappa("deploy", stage.jobs_stage))
        timed("migrations, with a cold start", lambda: stage.zappa("invoke", stage.jobs_stage, "squill.entrypoints.migrate"))
        timed("zappa deploy, web", lambda: stage.zappa("deploy", stage.stage))
        front = aws.front(function_name="squill-dev", stage="dev")
        key = stage.make_key("bench", "read", "write", "events:write", "events:backfill")
        api = Visitor(front.url, DOMAIN, key)
        timed(
            "four customers, their usage and eight invoices with PDFs and mails", lambda: demo.seed(aws, api, clock.now(), quiet)
        )
        cold(aws, front)
        warm(api)
        timed("zappa update, web", lambda: stage.zappa("update", stage.stage))


def cold(aws: LocalAws, front: Front) -> None:
    """Print how long the first answer of an environment takes that is started for it."""
    durations = []
    for _start in range(COLD_STARTS):
        for environment in aws.functions.environments("squill-dev"):
            environment.close()
        began = time.perf_counter()
        Visitor(front.url, DOMAIN).page("/readyz")
        durations.append(time.perf_counter() - began)
    print(f"cold start to the first answer (/readyz): {statistics.median(durations):.2f} s, {max(durations):.2f} s at most")


def warm(api: Visitor) -> None:
    """Print percentiles of requests that are made one after the other."""
    calls: dict[str, Callable[[int], Any]] = {
        "POST /events, one event": lambda number: api.ask("POST", "/events", event(number), expect=204),
        "GET /invoices": lambda _number: api.ask("GET", "/invoices"),
        "GET upcoming_invoice": lambda _number: api.ask("GET", "/customers/brightline/upcoming_invoice"),
        "GET …/pdf, a signed link": lambda _number: api.ask("GET", "/invoices/INV-000001/pdf", expect=302),
        "GET /portal/sign-in": lambda _number: api.page("/portal/sign-in"),
    }
    for name, make_request in calls.items():
        durations = []
        for number in range(REQUESTS):
            began = time.perf_counter()
            make_request(number)
            durations.append(time.perf_counter() - began)
        ordered = sorted(durations)
        p50, p95 = (ordered[math.ceil(REQUESTS * part) - 1] * 1000 for part in (0.5, 0.95))
        print(f"{name}: p50 {p50:.0f} ms, p95 {p95:.0f} ms", flush=True)


def event(number: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "source": "bench",
        "id": str(number),
        "type": "api.call",
        "subject": "brightline",
        "time": clock.now().isoformat(),
        "data": {"calls": 1},
    }


def timed(what: str, work: Callable[[], object]) -> None:
    began = time.perf_counter()
    work()
    print(f"{what}: {time.perf_counter() - began:.1f} s", flush=True)


def quiet(_line: str) -> None:
    """Say nothing of the chapters of the demo."""


if __name__ == "__main__":
    main()
