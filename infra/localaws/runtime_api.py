"""
The Runtime API: how an execution environment asks for invocations and answers them (Lambda's, version 2018-06-01).

One server for each environment, which has one invocation in hand at a time, as on Lambda.
"""

import json
import queue
import time
from dataclasses import dataclass, field
from typing import Any, Final

from infra.localaws.http import Request, Response, Server, json_headers

_ROOT: Final = "/2018-06-01/runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What the environment is asked to do."""

    request_id: str
    payload: bytes
    function_arn: str
    trace_id: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of it; `error` is Lambda's word for the kind of failure (Unhandled), None for success."""

    payload: bytes
    error: str | None = None
    log: str = ""


@dataclass(slots=True)
class RuntimeApi:
    """
    The door of one environment.

    `asked` gets an item whenever the environment asks for work: that it does so for the first time ends its initialisation.
    `answered` gets what it says of the invocation in hand, or of an initialisation that failed.
    """

    asked: "queue.Queue[float]" = field(default_factory=queue.Queue)
    answered: "queue.Queue[Answer]" = field(default_factory=queue.Queue)
    _work: "queue.Queue[Invocation | None]" = field(default_factory=queue.Queue)
    _server: Server = field(init=False)

    def __post_init__(self) -> None:
        self._server = Server(self._handle)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.port}"

    def give(self, invocation: Invocation) -> None:
        """Hand an invocation to the environment, which waits for it or will ask."""
        self._work.put(invocation)

    def close(self) -> None:
        """Let an environment that waits for work go without, and stop listening."""
        self._work.put(None)
        self._server.close()

    def _handle(self, request: Request) -> Response:
        path = request.target
        if request.method == "GET" and path == f"{_ROOT}/invocation/next":
            return self._next()
        if request.method == "POST" and path == f"{_ROOT}/init/error":
            self.answered.put(Answer(payload=request.body, error="Unhandled"))
        elif request.method == "POST" and path.endswith("/response"):
            self.answered.put(Answer(payload=request.body))
        elif request.method == "POST" and path.endswith("/error"):
            self.answered.put(Answer(payload=request.body, error="Unhandled"))
        else:
            return Response(404, b"{}", json_headers())
        return Response(202, b'{"status": "OK"}', json_headers())

    def _next(self) -> Response:
        self.asked.put(time.monotonic())
        work = self._work.get()
        if work is None:
            return Response(410)
        deadline = int((time.time() + work.timeout_seconds) * 1000)
        headers = {
            "Lambda-Runtime-Aws-Request-Id": work.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": work.function_arn,
            "Lambda-Runtime-Trace-Id": work.trace_id,
        }
        return Response(200, work.payload, json_headers(headers))


def failure(kind: str, message: str) -> Answer:
    """Return what Lambda itself answers where the function cannot: it was killed, or has ended."""
    said: dict[str, Any] = {"errorType": kind, "errorMessage": message}
    return Answer(payload=json.dumps(said).encode(), error="Unhandled")
