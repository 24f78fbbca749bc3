"""What of a request is logged, counted and told: ids, the route, the trace."""

import json
import logging
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from customers.api_keys import issue_api_key
from squill.aws import tracing
from squill.lib.context import named
from tests.usage.builders import ACTOR, NOW, a_customer, a_meter

ROOT = "1-5759e988-bd862e3fe1be46a994272793"


class Context:
    aws_request_id = "8f5b1c1e-6a52-4c7d-9f3e-000000000001"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The ids on each line about a request, with what the line says of it."""
    found: list[dict[str, Any]] = []

    class Taken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append({**named(), **record.__dict__.get("members", {})})

    logger = logging.getLogger("squill.requests")
    monkeypatch.setattr(logger, "level", logging.INFO)
    monkeypatch.setattr(logger, "handlers", [Taken()])
    logger.manager._clear_cache()  # type: ignore[attr-defined]
    return found


def test_a_request_is_told_with_its_ids_its_route_and_its_trace(
    client: Client, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(tracing.TRACE_VARIABLE, f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=0")
    answer = client.get("/healthz", headers={"X-Request-ID": "mine"}, **{"lambda.context": Context()})  # type: ignore[arg-type]
    assert answer.headers["X-Amzn-Trace-Id"] == f"Root={ROOT}"
    [line] = lines
    assert line.pop("duration_ms") >= 0
    assert line == {
        "request_id": "mine",
        "aws_request_id": Context.aws_request_id,
        "trace_id": ROOT,
        "method": "GET",
        "route": "healthz",
        "status": 200,
    }
    problem = client.get("/api/v1/nothing-of-the-kind").json()
    assert problem["traceId"] == ROOT


def test_without_a_trace_none_is_told(client: Client) -> None:
    answer = client.get("/api/v1/nothing-of-the-kind")
    assert "X-Amzn-Trace-Id" not in answer.headers
    assert "traceId" not in answer.json()


@pytest.mark.django_db
def test_events_are_counted_by_what_became_of_them(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SQUILL_METRICS = "emf"
    monkeypatch.setenv("SQUILL_NOW", NOW.isoformat())
    a_customer()
    a_meter("bytes", aggregation="count")
    _key, secret = issue_api_key(name="test", scopes=["events:write"], actor=ACTOR, now=NOW)
    event = {"id": "1", "source": "app", "type": "api.call", "subject": "acme"}
    body = json.dumps([event, event, event | {"id": "2", "subject": "nobody"}])

    client.post("/api/v1/events", body, content_type="application/json", headers={"Authorization": f"Bearer {secret}"})

    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = {name: line[name] for name in ("EventsReceived", "EventsDuplicate", "EventsQuarantined")}
    assert counted == {"EventsReceived": 3, "EventsDuplicate": 1, "EventsQuarantined": 1}
