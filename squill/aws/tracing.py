"""
The trace that an invocation belongs to, and segments of it for X-Ray, sent as it takes them: a datagram each (ADR 0032).

Lambda traces the function itself (xray_tracing in zappa_settings.json) and says by _X_AMZN_TRACE_ID which trace it is. Where
there is none, or it is not sampled, nothing is sent.
"""

import json
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

TRACE_VARIABLE: Final = "_X_AMZN_TRACE_ID"
DAEMON_VARIABLE: Final = "AWS_XRAY_DAEMON_ADDRESS"
_HEAD: Final = b'{"format": "json", "version": 1}\n'
_ROOT: Final = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_parent: ContextVar[tuple[str, str]] = ContextVar("squill_trace_parent", default=("", ""))


class _Trace(NamedTuple):
    root: str
    parent: str
    is_sampled: bool


def trace_id() -> str:
    """Return the id of the trace that this invocation belongs to; empty where there is none."""
    return _trace().root


@contextmanager
def segment(name: str) -> Iterator[None]:
    """Have the block seen in X-Ray as a part of the trace, below the segment around it. It costs nothing where nobody traces."""
    trace, daemon = _trace(), os.environ.get(DAEMON_VARIABLE, "")
    if not (trace.root and trace.is_sampled and daemon):
        yield
        return
    known_root, known_parent = _parent.get()
    segment_id = secrets.token_hex(8)
    token = _parent.set((trace.root, segment_id))
    document: dict[str, Any] = {
        "name": name,
        "id": segment_id,
        "trace_id": trace.root,
        "parent_id": known_parent if known_root == trace.root else trace.parent,
        "type": "subsegment",
        "start_time": time.time(),
    }
    try:
        yield
    except BaseException:
        document["fault"] = True
        raise
    finally:
        _parent.reset(token)
        _send(document | {"end_time": time.time()}, daemon)


def _trace() -> _Trace:
    parts = dict(part.partition("=")[::2] for part in os.environ.get(TRACE_VARIABLE, "").split(";"))
    root = parts.get("Root", "")
    return _Trace(root if _ROOT.fullmatch(root) else "", parts.get("Parent", ""), parts.get("Sampled") == "1")


def _send(document: dict[str, Any], daemon: str) -> None:
    host, _colon, port = daemon.rpartition(":")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(_HEAD + json.dumps(document).encode(), (host, int(port)))
    except (OSError, ValueError):
        return  # a trace that is lost is no trouble of what was traced
