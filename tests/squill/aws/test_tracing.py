"""Segments as X-Ray's daemon gets them: a datagram each, here to a socket of the test."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from squill.aws import tracing

ROOT = "1-5759e988-bd862e3fe1be46a994272793"


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(2)
        monkeypatch.setenv(tracing.DAEMON_VARIABLE, f"127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv(tracing.TRACE_VARIABLE, f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1")
        yield listener


def received(daemon: socket.socket) -> dict[str, Any]:
    head, document = daemon.recv(65_536).split(b"\n", 1)
    assert json.loads(head) == {"format": "json", "version": 1}
    found = json.loads(document)
    assert isinstance(found, dict)
    return found


def test_a_segment_lies_below_the_one_around_it_and_that_below_the_function(daemon: socket.socket) -> None:
    with tracing.segment("bill"), tracing.segment("draft"):
        pass
    inner, outer = received(daemon), received(daemon)
    assert (outer["name"], outer["trace_id"], outer["parent_id"], outer["type"]) == (
        "bill",
        ROOT,
        "53995c3f42cd8ad8",
        "subsegment",
    )
    assert (inner["name"], inner["parent_id"]) == ("draft", outer["id"])
    assert outer["start_time"] <= inner["start_time"] <= inner["end_time"] <= outer["end_time"]


def test_a_segment_that_fails_says_so_and_the_error_flies_on(daemon: socket.socket) -> None:
    with pytest.raises(ValueError, match="no"), tracing.segment("bill"):
        raise ValueError("no")
    assert received(daemon)["fault"] is True


@pytest.mark.parametrize("header", ["", "nonsense", f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=0"])
def test_what_is_not_traced_sends_nothing(header: str, daemon: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tracing.TRACE_VARIABLE, header)
    with tracing.segment("bill"):
        pass
    daemon.settimeout(0.1)
    with pytest.raises(TimeoutError):
        daemon.recv(1)


def test_the_id_of_a_trace_is_believed_only_if_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tracing.TRACE_VARIABLE, f"Root={ROOT}")
    assert tracing.trace_id() == ROOT
    monkeypatch.setenv(tracing.TRACE_VARIABLE, "Root=<script>")
    assert tracing.trace_id() == ""


def test_a_daemon_that_is_not_there_is_no_trouble(daemon: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tracing.DAEMON_VARIABLE, "no-such-place")
    with tracing.segment("bill"):
        pass
