"""What a user of OpenMeter's Python SDK does, with the address and the token of Squill."""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

from corehttp.exceptions import HttpResponseError
from openmeter import Client
from openmeter.models import Event

client = Client(endpoint=os.environ["SQUILL_URL"], token=os.environ["SQUILL_TOKEN"])
START, END = datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC)


def event(name: str, tokens: object, model: str, hour: int) -> Event:
    time = datetime(2026, 3, 10, hour, 30, tzinfo=UTC)
    data = {"tokens": tokens, "model": model}
    return Event(id=name, source="app", specversion="1.0", type="prompt", subject="cust-1", time=time, data=data)


def rows(answer: Any) -> list[Any]:
    return [[row.window_start.isoformat(), row.subject, dict(row.group_by), row.value] for row in answer.data]


told: dict[str, Any] = {}
created = client.meters.create(
    {
        "slug": "tokens_total",
        "name": "Tokens",
        "aggregation": "SUM",
        "eventType": "prompt",
        "valueProperty": "$.tokens",
        "groupBy": {"model": "$.model"},
    }
)
told["created"] = [created.id, created.slug, created.aggregation, created.value_property, dict(created.group_by)]

client.events.ingest_event(event("e1", 100, "a", 8))
client.events.ingest_events([event("e2", 10, "a", 9), event("e3", "0.5", "b", 9)])
client.events.ingest_events_json([event("e4", 7, "b", 10)])
client.events.ingest_events_json(event("e5", 1, "a", 10))
client.events.ingest_event(event("e1", 100, "a", 8))  # a retry

told["listed"] = [[item.event.id, item.customer_id, item.event.data] for item in client.events.list(subject="cust-1", limit=2)]
told["meters"] = [meter.slug for meter in client.meters.list()]
told["got"] = client.meters.get("tokens_total").event_type
told["by_hour"] = rows(
    client.meters.query_json(
        "tokens_total",
        from_parameter=START,
        to=END,
        window_size="HOUR",
        window_time_zone="Europe/Paris",
        subject=["cust-1"],
        group_by=["model", "subject"],
    )
)
told["by_post"] = rows(
    client.meters.query("tokens_total", {"windowSize": "DAY", "subject": ["cust-1"], "filterGroupBy": {"model": ["b"]}})
)
told["models"] = list(client.meters.list_group_by_values("tokens_total", "model"))
told["csv"] = client.meters.query_csv("tokens_total", window_size="DAY", group_by=["model"])
told["renamed"] = client.meters.update("tokens_total", {"name": "All tokens"}).name
client.meters.create({"slug": "calls", "aggregation": "COUNT", "eventType": "call"})
client.meters.delete("calls")
try:
    client.meters.delete("tokens_total")
except HttpResponseError as error:
    told["kept"] = [error.status_code, json.loads(error.response.text())["detail"]]  # type: ignore[union-attr, unused-ignore]
try:
    client.events.ingest_event(event("", 1, "a", 8))
except HttpResponseError as error:
    told["refused"] = [error.status_code, json.loads(error.response.text())["errors"]]  # type: ignore[union-attr, unused-ignore]
json.dump(told, sys.stdout, default=str)
