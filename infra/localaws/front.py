"""
The front: turns HTTP requests into the events that API Gateway sends (REST API, payload version 1), and answers with what comes.

It stands for a custom domain, so paths carry no stage. Bodies arrive base64, since zappa declares every media type binary.
"""

import base64
import binascii
import json
import time
import uuid
from collections import defaultdict
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.localaws import ACCOUNT
from infra.localaws.functions import Functions, Throttled
from infra.localaws.http import Request, Response, Server, json_headers

# API Gateway's limits: 10 MB in; Lambda's: 6 MB out.
_LARGEST_REQUEST_BYTES: Final = 10 * 1024 * 1024
_LARGEST_ANSWER_BYTES: Final = 6 * 1024 * 1024
# Headers that belong to one connection, not to the message.
_OF_THE_CONNECTION: Final = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})


class Front:
    """The address of one web function."""

    def __init__(self, functions: Functions, *, function_name: str, stage: str, port: int = 0) -> None:
        self._functions = functions
        self._function_name = function_name
        self._stage = stage
        self._server = Server(self.answer, port=port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def close(self) -> None:
        """Stop answering."""
        self._server.close()

    def answer(self, request: Request) -> Response:
        """Ask the function, and turn its answer into one of HTTP."""
        if len(request.body) > _LARGEST_REQUEST_BYTES:
            return _said(413, "Request Too Long")
        payload = json.dumps(proxy_event(request, stage=self._stage)).encode()
        try:
            answer = self._functions.invoke(self._function_name, payload)
        except Throttled:
            return _said(500, "Internal server error")  # what API Gateway makes of Lambda's 429
        except LookupError:
            return _said(500, f"There is no function {self._function_name}: deploy it")
        if answer.error is not None or len(answer.payload) > _LARGEST_ANSWER_BYTES:
            return _said(502, "Internal server error")
        return _response(answer.payload)


def proxy_event(request: Request, *, stage: str) -> dict[str, Any]:
    """Return the event of a proxy integration for a request to a custom domain."""
    parts = urlsplit(request.target)
    path = unquote(parts.path) or "/"
    headers: dict[str, list[str]] = defaultdict(list)
    spelled: dict[str, str] = {}
    for name, value in request.headers.items():
        if name.lower() not in _OF_THE_CONNECTION:
            headers[spelled.setdefault(name.lower(), name)].append(value)
    scheme = request.headers.get("X-Forwarded-Proto", "http")
    host = request.headers.get("Host", "127.0.0.1")
    # Gateway and edge each append the address that they see.
    headers["X-Forwarded-For"] = [", ".join([*headers.pop("X-Forwarded-For", []), request.peer, "127.0.0.1"])]
    headers["X-Forwarded-Proto"] = [scheme]
    headers["X-Forwarded-Port"] = [host.partition(":")[2] or ("443" if scheme == "https" else "80")]
    if request.body:
        headers["Content-Length"] = [str(len(request.body))]
    query: dict[str, list[str]] = defaultdict(list)
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query[name].append(value)
    return {
        "resource": "/{proxy+}" if path != "/" else "/",
        "path": path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": dict(headers),
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": dict(query) or None,
        "pathParameters": {"proxy": path.lstrip("/")} if path != "/" else None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": host,
            "httpMethod": request.method,
            "identity": {"sourceIp": request.peer, "userAgent": request.headers.get("User-Agent")},
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": str(uuid.uuid4()),
            "requestTimeEpoch": int(time.time() * 1000),
            "resourcePath": "/{proxy+}" if path != "/" else "/",
            "stage": stage,
        },
        "body": base64.b64encode(request.body).decode() if request.body else None,
        "isBase64Encoded": bool(request.body),
    }


def _response(payload: bytes) -> Response:
    try:
        said = json.loads(payload)
        status = int(said["statusCode"])
        body = said.get("body") or ""
        content = base64.b64decode(body, validate=True) if said.get("isBase64Encoded") else body.encode()
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return _said(502, "Internal server error")  # "malformed Lambda proxy response" in API Gateway's log
    headers: list[tuple[str, str]] = []
    for name, values in (
        said.get("multiValueHeaders") or {name: [value] for name, value in (said.get("headers") or {}).items()}
    ).items():
        if name.lower() not in _OF_THE_CONNECTION:
            headers += [(name, str(value)) for value in values]
    return Response(status, content, headers)


def _said(status: int, message: str) -> Response:
    return Response(status, json.dumps({"message": message}).encode(), json_headers())
