import gzip
import json
import zlib
from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from squill.web.middleware import request_body, request_id

LIMIT = 2000


class OneAtATime(BytesIO):
    """A stream that gives a little at each read, as a network does."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size, 7) if size and size > 0 else size)


@pytest.fixture(autouse=True)
def _limit(settings: Settings) -> None:
    settings.SQUILL_EVENTS_MAX_BYTES = LIMIT
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = LIMIT


def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body, headers={"X-Length": request.META.get("CONTENT_LENGTH", "")})


def send(body: bytes, path: str = "/api/v1/events", stream: type[BytesIO] = BytesIO, **environ: Any) -> HttpResponse:
    """Give the middleware what a WSGI server gives: an environ and a stream, with nothing added."""
    request = WSGIRequest(
        {"REQUEST_METHOD": "POST", "PATH_INFO": path, "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.input": stream(body)}
        | environ
    )
    answer = request_body(echo)(request)
    assert isinstance(answer, HttpResponse)
    return answer


def chunked(body: bytes, **environ: Any) -> HttpResponse:
    terminated: dict[str, Any] = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return send(body, stream=OneAtATime, **(terminated | environ))


def refusal(answer: HttpResponse, status: int) -> str:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    return str(json.loads(answer.content)["detail"])


def test_a_body_of_known_length_passes_untouched() -> None:
    assert send(b'{"a": 1}', CONTENT_LENGTH="8").content == b'{"a": 1}'


def test_no_body_passes() -> None:
    assert send(b"").content == b""


def test_a_chunked_body_is_read_in_full_where_the_server_ends_it() -> None:
    answer = chunked(b"x" * LIMIT)
    assert (answer.content, answer.headers["X-Length"]) == (b"x" * LIMIT, str(LIMIT))


def test_a_chunked_body_that_no_one_ends_is_refused_and_not_taken_for_empty() -> None:
    detail = refusal(send(b'{"a": 1}', HTTP_TRANSFER_ENCODING="chunked"), 411)
    assert detail == "This server cannot read a chunked body: send it with a Content-Length."


def test_a_chunked_body_over_the_limit_is_refused_without_reading_on() -> None:
    endless = OneAtATime(b"x" * 100 * LIMIT)
    environ: dict[str, Any] = {"wsgi.input": endless}
    detail = refusal(chunked(b"", **environ), 413)
    assert detail == "The body is larger than the 2000 bytes that SQUILL_EVENTS_MAX_BYTES allows: send it in parts."
    assert endless.tell() == LIMIT + 1


def test_a_length_over_the_limit_is_refused_before_reading() -> None:
    stream = BytesIO(b"x" * (LIMIT + 1))
    environ: dict[str, Any] = {"wsgi.input": stream, "CONTENT_LENGTH": str(LIMIT + 1)}
    assert "SQUILL_EVENTS_MAX_BYTES" in refusal(send(b"", **environ), 413)
    assert stream.tell() == 0


def test_a_body_of_exactly_the_limit_passes() -> None:
    assert len(send(b"x" * LIMIT, CONTENT_LENGTH=str(LIMIT)).content) == LIMIT


@pytest.mark.parametrize("length", ["-1", "1e3", "٣", "x"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    assert refusal(send(b"", CONTENT_LENGTH=length), 400) == "Content-Length must be a whole number."


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_a_gzipped_body_is_unpacked(encoding: str) -> None:
    packed = gzip.compress(b'{"a": 1}')
    answer = send(packed, CONTENT_LENGTH=str(len(packed)), HTTP_CONTENT_ENCODING=encoding)
    assert (answer.content, answer.headers["X-Length"]) == (b'{"a": 1}', "8")


def test_a_gzipped_and_chunked_body_of_several_members_is_unpacked() -> None:
    packed = gzip.compress(b"[1,") + gzip.compress(b"2]")
    assert chunked(packed, HTTP_CONTENT_ENCODING="gzip").content == b"[1,2]"


def test_an_empty_gzipped_body_is_empty() -> None:
    assert send(b"", CONTENT_LENGTH="0", HTTP_CONTENT_ENCODING="gzip").content == b""


@pytest.mark.parametrize("members", [1, 3])
def test_a_zip_bomb_is_refused(members: int) -> None:
    packed = gzip.compress(b"\0" * 1_000_000) if members == 1 else gzip.compress(b"\0" * 900) * members
    assert len(packed) < LIMIT
    assert "SQUILL_EVENTS_MAX_BYTES" in refusal(send(packed, CONTENT_LENGTH=str(len(packed)), HTTP_CONTENT_ENCODING="gzip"), 413)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"a": 1}', "The body is not gzip, though Content-Encoding says so."),
        (zlib.compress(b"[]"), "The body is not gzip, though Content-Encoding says so."),
        (gzip.compress(b"[1, 2, 3]")[:-6], "The gzipped body is cut off before its end."),
        (gzip.compress(b"[]") + b"rest", "The body is not gzip, though Content-Encoding says so."),
    ],
    ids=["plain", "zlib", "cut off", "followed by rest"],  # not the bytes, which hold the time of day
)
def test_what_is_not_whole_gzip_is_refused(body: bytes, detail: str) -> None:
    assert refusal(send(body, CONTENT_LENGTH=str(len(body)), HTTP_CONTENT_ENCODING="gzip"), 400) == detail


def test_another_encoding_is_refused_with_what_is_taken() -> None:
    answer = send(b"x", CONTENT_LENGTH="1", HTTP_CONTENT_ENCODING="br")
    assert refusal(answer, 415) == "Content-Encoding br is not understood: send gzip or nothing."
    assert answer.headers["Accept-Encoding"] == "gzip"


def test_only_the_api_is_concerned() -> None:
    packed = gzip.compress(b"x")
    answer = send(packed, path="/portal/sign-in", CONTENT_LENGTH=str(len(packed)), HTTP_CONTENT_ENCODING="gzip")
    assert answer.content == packed


def test_every_answer_has_a_request_id() -> None:
    middleware = request_id(lambda request: HttpResponse(request.META["SQUILL_REQUEST_ID"]))
    first, second = middleware(RequestFactory().get("/")), middleware(RequestFactory().get("/"))
    assert isinstance(first, HttpResponse)
    assert first.headers["X-Request-ID"] == first.content.decode()
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("given", "is_kept"), [("trace-1.a_B", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("", False)]
)
def test_a_plain_id_that_comes_along_is_kept(given: str, is_kept: bool) -> None:
    middleware = request_id(lambda _request: HttpResponse())
    answer = middleware(RequestFactory().get("/", headers={"X-Request-ID": given}))
    assert (answer.headers["X-Request-ID"] == given) is is_kept
