"""A small HTTP/1.1 server: bodies that come chunked are read, and a handler is one function."""

import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

_NO_BODY: Final = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came: headers keep their order and repetition."""

    method: str
    target: str  # the path with its query, as written
    headers: Message
    body: bytes
    peer: str


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; Content-Length is added."""

    status: int
    body: bytes = b""
    headers: Iterable[tuple[str, str]] = field(default=())


Handler = Callable[[Request], Response]


class Server:
    """Answers on 127.0.0.1 in threads of its own until it is closed."""

    def __init__(self, handler: Handler, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        class Connection(_Connection):
            answer = staticmethod(handler)

        self.server = _Listener(("127.0.0.1", port), Connection)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def close(self) -> None:
        """Stop listening. Connections that are open end with their peers."""
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    # A client that has gone is no news.
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that broke."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Small answers go out at once, rather than 40 ms later with the acknowledgement of the headers.
    disable_nagle_algorithm = True
    wbufsize = -1
    answer: Handler

    def log_message(self, format: str, *args: object) -> None:
        """Keep no access log; what functions say is logged by the runtime."""

    def handle_one_request(self) -> None:
        """Read a request with its body, whatever the method, and write what the handler answers."""
        self.raw_requestline = self.rfile.readline(65_537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        request = Request(
            method=self.command,
            target=self.path,
            headers=self.headers,
            body=self._body(),
            peer=self.client_address[0],
        )
        response = self.answer(request)
        self.send_response_only(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if response.status not in _NO_BODY:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD" and response.status not in _NO_BODY:
            self.wfile.write(response.body)
        self.wfile.flush()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return bytes(body)


def json_headers(more: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """Return the headers of an answer in JSON."""
    return [("Content-Type", "application/json"), *(more or {}).items()]
