"""A provider of mail as SES v2 speaks, and a proxy that fails requests in the ways in which networks fail."""

import email
import json
import socket
import struct
import threading
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Literal

# What becomes of one request. `cut` ends the connection before it is passed on, `lost` after the other side has answered.
type Fate = Literal["pass", "busy", "throttled", "cut", "lost"]
_ANSWERS = {"busy": (503, "ServiceUnavailableException"), "throttled": (429, "TooManyRequestsException")}


class Quiet(BaseHTTPRequestHandler):
    """A handler that logs nothing and closes after each answer."""

    def log_message(self, format: str, *args: Any) -> None: ...

    def body(self) -> bytes:
        if "100-continue" in self.headers.get("Expect", ""):
            self.send_response_only(100)
            self.end_headers()
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, content: bytes, headers: Sequence[tuple[str, str]] = ()) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


class Provider:
    """Takes mails as SES v2 does, and remembers each by our reference."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self._numbers = count(1)

    def handler(self) -> type[Quiet]:
        provider = self

        class Handler(Quiet):
            def do_POST(self) -> None:
                raw = b64decode(json.loads(self.body())["Content"]["Raw"]["Data"])
                provider.taken.append(str(email.message_from_bytes(raw)["X-Entity-Ref-ID"]))
                message_id = {"MessageId": f"ses-{next(provider._numbers)}"}
                headers = [("Content-Type", "application/json"), ("x-amzn-RequestId", "request-1")]
                self.answer(200, json.dumps(message_id).encode(), headers)

        return Handler


class Proxy:
    """
    Passes requests on to a server, or fails them by the plan: one fate a request, round and round.

    `lost` and `cut` count the requests of which the client never saw an answer.
    """

    def __init__(self, upstream: tuple[str, int], plan: Sequence[Fate]) -> None:
        self.upstream = upstream
        self.plan = list(plan)
        self.fates: list[Fate] = []

    def handler(self) -> type[Quiet]:
        proxy = self

        class Handler(Quiet):
            def handle_any(self) -> None:
                fate = proxy.plan[len(proxy.fates) % len(proxy.plan)]
                proxy.fates.append(fate)
                content = self.body()
                if fate in _ANSWERS:
                    status, code = _ANSWERS[fate]
                    error = json.dumps({"message": fate}).encode()
                    self.answer(status, error, [("Content-Type", "application/json"), ("x-amzn-ErrorType", code)])
                    return
                if fate == "cut":
                    self.reset()
                    return
                status, headers, answer = proxy.ask(self, content)
                if fate == "lost":
                    self.reset()
                    return
                self.answer(status, answer, headers)

            def reset(self) -> None:
                """End the connection as a machine does that was switched off: with RST, and without an answer."""
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

        return Handler

    def ask(self, request: Quiet, content: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Ask the server what the client asked."""
        connection = HTTPConnection(*self.upstream, timeout=10)
        kept = {name: value for name, value in request.headers.items() if name.lower() not in ("connection", "expect")}
        connection.request(request.command, request.path, content or None, kept)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        skipped = {"content-length", "connection", "transfer-encoding", "date", "server"}
        headers = [(name, value) for name, value in response.getheaders() if name.lower() not in skipped]
        if request.command == "HEAD":  # says how long the body would be
            headers += [("X-Length", response.headers.get("Content-Length", "0"))]
        return response.status, headers, answer


@contextmanager
def serving(handler: type[Quiet]) -> Iterator[tuple[str, int]]:
    """Serve on a port of this machine meanwhile."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_arguments: None  # type: ignore[method-assign]  # a connection that we cut ourselves
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield "127.0.0.1", server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def nobody() -> tuple[str, int]:
    """An address at which every connection is refused."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return "127.0.0.1", probe.getsockname()[1]
