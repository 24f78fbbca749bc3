"""The cast of the usage tests, and an independent recomputation of rollups to hold the real ones against."""

import json
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, connections

from customers.models import Customer, Subject
from squill.lib.actor import system
from usage.ingestion import IncomingEvent, incoming_event
from usage.models import Meter, Rollup
from usage.services import create_meter

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ACTOR = system("tests")
USAGE_TABLES = ("usage_event", "usage_eventkey", "usage_rollup", "usage_quarantinedevent")


def a_customer(external_id: str = "acme", *, timezone: str = "UTC", keys: Sequence[str] = ()) -> Customer:
    customer = Customer.objects.create(external_id=external_id, name=external_id.title(), timezone=timezone, created_at=NOW)
    for key in (external_id, *keys):
        Subject.objects.create(customer=customer, key=key)
    return customer


def a_meter(code: str = "calls", **fields: Any) -> Meter:
    fields = {"name": code, "event_type": "api.call", "aggregation": "count"} | fields
    return create_meter(code=code, actor=ACTOR, now=NOW, **fields)


def an_event(event_id: str, data: dict[str, Any] | None = None, **fields: Any) -> IncomingEvent:
    values: dict[str, Any] = {"source": "test", "event_type": "api.call", "subject": "acme", "occurred_at": NOW}
    return incoming_event(event_id=event_id, data=data or {}, **(values | fields))


type Kept = tuple[Any, ...]  # (customer, meter, day, dimensions, item, count, sum, min, max, weight, latest at, latest)


def rollups() -> list[tuple[str, str, str, dict[str, str | None], int, Decimal]]:
    """Every rollup as (customer, meter, day, dimensions, events, what its aggregation keeps), sorted."""
    found = []
    for *head, _item, count, value_sum, value_min, value_max, _weight, _at, latest in kept():
        values = [value for value in (value_sum, value_min, value_max, latest) if value is not None]
        found.append((*head, count, values[0] if values else Decimal(count)))
    return found


def kept() -> list[Kept]:
    """Every rollup with all its columns, sorted."""
    return sorted(
        (
            (
                rollup.customer.external_id,
                rollup.meter.code,
                rollup.day.isoformat(),
                dict(sorted(rollup.dimensions.items())),
                rollup.item,
                rollup.event_count,
                rollup.value_sum,
                rollup.value_min,
                rollup.value_max,
                rollup.value_weight,
                rollup.latest_at,
                rollup.value_latest,
            )
            for rollup in Rollup.objects.select_related("customer", "meter")
        ),
        key=str,
    )


def recomputed() -> list[Kept]:
    """What `kept` must be, from raw events, by plain Python that shares nothing with the code under test."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.external_id, c.timezone, e.event_type, e.occurred_at, e.source, e.event_id, e.data FROM usage_event e "
            "JOIN customers_customer c ON c.id = e.customer_id "
            "WHERE (e.source, e.event_id) NOT IN (SELECT source, event_id FROM usage_correction)"
        )
        events = cursor.fetchall()
    groups: dict[str, tuple[Any, Meter, str, list[_Counted]]] = {}
    for external_id, timezone, event_type, occurred_at, source, event_id, text in events:
        data = json.loads(text, parse_float=Decimal)
        for meter in Meter.objects.filter(event_type=event_type):
            if not all(_holds(meter.filters[path], _sent(data, path)) for path in meter.filters):
                continue
            day = occurred_at.astimezone(ZoneInfo(timezone)).date()
            dimensions = {name: _as_text(_sent(data, name)) for name in sorted(meter.dimensions)}
            value = _sent(data, meter.value_path) if meter.value_path else 1
            item = _as_text(value) if meter.aggregation == "unique_count" else None
            head = (external_id, meter.code, day.isoformat(), dimensions, item)
            groups.setdefault(str(head), (head, meter, timezone, []))[3].append((occurred_at, (event_id, source), value))
    return sorted((_kept(*group) for group in groups.values()), key=str)


type _Counted = tuple[datetime, tuple[str, str], Any]  # time, name and value of an event


def _sent(data: dict[str, Any], path: str) -> Any:
    if path in data:
        return data[path]
    first, dot, rest = path.partition(".")
    inner = data.get(first)
    return _sent(inner, rest) if dot and isinstance(inner, dict) else None


def _as_text(sent: Any) -> str | None:
    if isinstance(sent, bool):
        return "true" if sent else "false"
    if isinstance(sent, int | Decimal):
        return f"{sent:f}" if isinstance(sent, Decimal) else str(sent)
    return sent if isinstance(sent, str) else None


def _holds(asked: dict[str, Any], sent: Any) -> bool:
    """Whether what was sent meets all conditions on one member; numbers in the tests are decimals without exponents."""
    text = _as_text(sent)
    number = None if isinstance(sent, bool) or text is None or not re.fullmatch(r"-?\d+(\.\d+)?", text) else Decimal(text)
    told: dict[str, Callable[[Any], bool]] = {
        "exists": lambda wanted: (sent is not None) == wanted,
        "equals": lambda wanted: text == wanted,
        "not_equals": lambda wanted: text != wanted,
        "in": lambda wanted: text in wanted,
        "not_in": lambda wanted: text not in wanted,
        "gt": lambda wanted: number is not None and number > Decimal(wanted),
        "gte": lambda wanted: number is not None and number >= Decimal(wanted),
        "lt": lambda wanted: number is not None and number < Decimal(wanted),
        "lte": lambda wanted: number is not None and number <= Decimal(wanted),
    }
    return all(told[operator](wanted) for operator, wanted in asked.items())


def _kept(head: Any, meter: Meter, timezone: str, found: list[_Counted]) -> Kept:
    aggregation = meter.aggregation
    values = [Decimal(0 if aggregation == "unique_count" else value) for _at, _name, value in found]
    midnight = datetime.combine(datetime.fromisoformat(head[2]) + timedelta(days=1), time(), ZoneInfo(timezone)).astimezone(UTC)
    weights = [value * ((midnight - at) // timedelta(microseconds=1)) for (at, _n, _v), value in zip(found, values, strict=True)]
    latest_at, _name, latest = max(found)
    with localcontext(prec=60):
        return (
            *head,
            len(values),
            sum(values, Decimal(0)) if aggregation in ("sum", "average", "weighted_sum") else None,
            min(values) if aggregation == "min" else None,
            max(values) if aggregation == "max" else None,
            sum(weights, Decimal(0)) if aggregation == "weighted_sum" else None,
            latest_at if aggregation == "latest" else None,
            Decimal(latest) if aggregation == "latest" else None,
        )


def in_threads(*works: Callable[[], object]) -> list[object]:
    """Run each work in a thread with a connection of its own, all starting at once; return results in order, or raise."""
    results: dict[int, object] = {}
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(works))

    def run(position: int, work: Callable[[], object]) -> None:
        try:
            barrier.wait(10)
            results[position] = work()
        except BaseException as error:  # noqa: BLE001 (handed to the test's thread)
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=each, daemon=True) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not [thread for thread in threads if thread.is_alive()], "a thread hangs"
    if errors:
        raise errors[0]
    return [results[position] for position in range(len(works))]


def counts() -> dict[str, int]:
    """How many rows each table of usage holds."""
    found: dict[str, int] = defaultdict(int)
    with connection.cursor() as cursor:
        for table in USAGE_TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 (a constant)
            found[table.removeprefix("usage_")] = cursor.fetchone()[0]
    return dict(found)
