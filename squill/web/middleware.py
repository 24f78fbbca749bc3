"""What happens to every request before its view: it gets an id, and the body of an API call is made readable."""

import logging
import re
import time
import uuid
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from squill.aws import metrics, tracing
from squill.db.limits import waiting_at_most
from squill.lib.context import working_on
from squill.web.problems import API_PREFIXES, REQUEST_ID_KEY, TRACE_ID_KEY, Problem, problem_response

type View = Callable[[HttpRequest], HttpResponseBase]

requests = logging.getLogger("squill.requests")
REQUEST_ID_HEADER: Final = "X-Request-ID"
TRACE_ID_HEADER: Final = "X-Amzn-Trace-Id"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CHUNK_BYTES: Final = 65_536
_GZIP: Final = 16 + zlib.MAX_WBITS  # the gzip container, and not bare zlib


def request_id(get_response: View) -> View:
    """
    Name every request: by the X-Request-ID that it came with if that is a plain word, else by a new one.

    The id is on every line that is logged meanwhile, with those of Lambda's invocation and of the trace, where there are any; the
    trace is told in the answer, too. What was counted is written at the end.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(REQUEST_ID_HEADER, "")
        name = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        trace = tracing.trace_id()
        request.META[REQUEST_ID_KEY], request.META[TRACE_ID_KEY] = name, trace
        invocation = getattr(request.META.get("lambda.context"), "aws_request_id", None)  # zappa's name for it
        with working_on(request_id=name, aws_request_id=invocation, trace_id=trace), metrics.collected():
            started = time.monotonic_ns()
            response = get_response(request)
            _tell(request, response, (time.monotonic_ns() - started) // 1_000_000)
        response.headers[REQUEST_ID_HEADER] = name
        if trace:
            response.headers[TRACE_ID_HEADER] = f"Root={trace}"
        return response

    return middleware


def _tell(request: HttpRequest, response: HttpResponseBase, milliseconds: int) -> None:
    """Log the request by its route, since a path holds what is nobody else's business."""
    match = request.resolver_match
    members = {
        "method": request.method,
        "route": match.route if match is not None else None,
        "status": response.status_code,
        "duration_ms": milliseconds,
    }
    requests.info("%s %s %d", request.method, members["route"] or "(no route)", response.status_code, extra={"members": members})


def database_limits(get_response: View) -> View:
    """Have somebody who waits for an answer wait neither long for a database that wakes up, nor for a statement without end."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with waiting_at_most(
            patience_seconds=settings.SQUILL_DATABASE_WAKE_SECONDS,
            statement_seconds=settings.SQUILL_DATABASE_STATEMENT_SECONDS,
        ):
            return get_response(request)

    return middleware


def request_body(get_response: View) -> View:
    """
    Make the body of every call of an API plain bytes of a known length, at most SQUILL_EVENTS_MAX_BYTES.

    Django takes a body without Content-Length for an empty one, so that chunked events would vanish: they are read in full where
    the server ends the stream (gunicorn), and refused with 411 where it does not (runserver). Zappa sets Content-Length itself.
    A gzipped body is unpacked here, never further than the limit.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(API_PREFIXES):
            try:
                _make_readable(request)
            except Problem as problem:
                return problem_response(request, problem)
        return get_response(request)

    return middleware


def _make_readable(request: HttpRequest) -> None:
    limit = settings.SQUILL_EVENTS_MAX_BYTES
    meta = request.META
    length = meta.get("CONTENT_LENGTH") or ""
    if length and not (length.isascii() and length.isdigit()):
        raise Problem(type="malformed", detail=_("Content-Length must be a whole number."))
    if length and int(length) > limit:
        raise _too_large(limit)
    encoding = meta.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        detail = _("Content-Encoding %(encoding)s is not understood: send gzip or nothing.") % {"encoding": encoding}
        raise Problem(type="unsupported-media-type", detail=detail, headers={"Accept-Encoding": "gzip"})
    body: bytes | None = None
    if not length and meta.get("HTTP_TRANSFER_ENCODING"):
        body = _chunked(meta, limit)
    if encoding in ("gzip", "x-gzip"):
        packed = request.read() if body is None else body
        body = _unpacked(packed, limit) if packed else b""
        del meta["HTTP_CONTENT_ENCODING"]
    if body is not None:
        _replace_body(request, body)


def _chunked(meta: dict[str, Any], limit: int) -> bytes:
    if not meta.get("wsgi.input_terminated"):
        detail = _("This server cannot read a chunked body: send it with a Content-Length.")
        raise Problem(type="length-required", detail=detail)
    stream = meta["wsgi.input"]
    pieces, size = [], 0
    # One byte more than the limit tells that there is too much.
    while piece := stream.read(min(_CHUNK_BYTES, limit + 1 - size)):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
    return b"".join(pieces)


def _unpacked(packed: bytes, limit: int) -> bytes:
    body = b""
    while packed:  # a gzip file may be several, one after the other
        unpacker = zlib.decompressobj(_GZIP)
        try:
            body += unpacker.decompress(packed, limit + 1 - len(body))
        except zlib.error:
            raise Problem(type="malformed", detail=_("The body is not gzip, though Content-Encoding says so.")) from None
        if len(body) > limit:
            raise _too_large(limit)
        if not unpacker.eof:
            raise Problem(type="malformed", detail=_("The gzipped body is cut off before its end."))
        packed = unpacker.unused_data
    return body


def _replace_body(request: HttpRequest, body: bytes) -> None:
    # What WSGIRequest reads from; nothing has read from it yet, or it would already be spent.
    request._stream = BytesIO(body)
    request._read_started = False  # type: ignore[attr-defined]
    request.META["CONTENT_LENGTH"] = str(len(body))


def _too_large(limit: int) -> Problem:
    detail = _("The body is larger than the %(limit)d bytes that SQUILL_EVENTS_MAX_BYTES allows: send it in parts.")
    return Problem(type="too-large", detail=detail % {"limit": limit})
