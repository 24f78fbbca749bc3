"""
Numbers for CloudWatch, as lines of the log in its Embedded Metric Format: no call, no client, nothing to wait for.

They are counted where things happen and written once at the end of a request, a job or a scheduled function, so that one that
fails halfway has said what it did. docs/operations.md tells what each means. Nothing is written unless SQUILL_METRICS is emf.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from django.conf import settings

NAMESPACE: Final = "Squill"
_counted: ContextVar[dict[str, int] | None] = ContextVar("squill_metrics", default=None)


def count(name: str, value: int = 1) -> None:
    """Add to a metric of what is being done; nothing where nobody collects."""
    counted = _counted.get()
    if counted is not None:
        counted[name] = counted.get(name, 0) + value


@contextmanager
def collected() -> Iterator[None]:
    """Collect what is counted within the block, and write it as one line at its end; none where nothing was."""
    counted: dict[str, int] = {}
    token = _counted.set(counted)
    try:
        yield
    finally:
        _counted.reset(token)
        if counted and settings.SQUILL_METRICS == "emf":
            # Standard output, since the log goes to the other; CloudWatch takes both.
            sys.stdout.write(embedded(counted, stage=settings.SQUILL_STAGE, at_ms=time.time_ns() // 1_000_000) + "\n")
            sys.stdout.flush()


def embedded(values: dict[str, int], *, stage: str, at_ms: int) -> str:
    """Return values as a line of the Embedded Metric Format. Pure."""
    described = [{"Name": name, "Unit": "Seconds" if name.endswith("Seconds") else "Count"} for name in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["Stage"]], "Metrics": described}
    return json.dumps({"_aws": {"Timestamp": at_ms, "CloudWatchMetrics": [directive]}, "Stage": stage, **values})
