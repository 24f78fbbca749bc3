"""I2 as a property: whatever comes in, late, twice or corrected, in whatever zone, each aggregation keeps what events say."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.reconciliation.report import reconcile
from customers.models import Customer
from customers.services import update_customer
from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event, kept, recomputed
from usage.corrections import CorrectionError, replace_event, void_event
from usage.ingestion import IncomingEvent, ingest, partitions
from usage.models import Meter
from usage.rollups.rebuild import rebuild_meter

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 7, 12, tzinfo=UTC)  # on the 8th clocks go forward in St. John's
ZONES = {"acme": "UTC", "tokyo": "Asia/Tokyo", "johns": "America/St_Johns"}
MINUTES = st.one_of(st.sampled_from([0, 720, 930, 1440]), st.integers(0, 72 * 60 - 1))  # some meet at one instant
READINGS = st.tuples(
    st.sampled_from(list(ZONES)),
    MINUTES,
    st.sampled_from([0, 1, 5, "2.50", "0.000000000001", 10**12]),
    st.sampled_from([-3, 4, "-0.25", 0]),
    st.sampled_from(["eu", 7, True, None]),
    st.sampled_from(["ann", "ben", 7, "7"]),
    st.sampled_from(["200", 204, 500, None]),
    st.sampled_from(["test", "other"]),
)
PLACE = st.integers(0, 30)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ingest"), st.lists(READINGS, max_size=6), st.lists(PLACE, max_size=3)),
        st.tuples(st.just("void"), PLACE),
        st.tuples(st.just("replace"), PLACE, READINGS),
        st.tuples(st.just("move"), st.sampled_from(list(ZONES)), st.sampled_from([*ZONES.values(), "America/Havana"])),
    ),
    min_size=1,
    max_size=8,
)


def make_meters() -> None:
    """One meter of each aggregation, and one more that counts only what its filters let pass."""
    a_meter("count", dimensions=["region"])
    a_meter("sum", aggregation="sum", value_path="n", dimensions=["region"])
    a_meter("min", aggregation="min", value_path="n")
    a_meter("max", aggregation="max", value_path="n", dimensions=["region"])
    a_meter("latest", aggregation="latest", value_path="n")
    a_meter("unique", aggregation="unique_count", value_path="user", dimensions=["region"])
    a_meter("average", aggregation="average", value_path="n")
    a_meter("level", aggregation="weighted_sum", value_path="seats.change", dimensions=["region"])
    filters = {"status": {"in": ["200", "204"]}, "n": {"gte": "1", "lt": "1000"}, "region": {"not_equals": "eu"}}
    a_meter("filtered", aggregation="sum", value_path="n", dimensions=["status"], filters=filters)


def event_of(number: int, reading: Any) -> IncomingEvent:
    customer, minutes, n, change, region, user, status, source = reading
    data = {"n": n, "seats": {"change": change}, "region": region, "user": user, "status": status}
    return an_event(str(number), data, subject=customer, source=source, occurred_at=START + timedelta(minutes=minutes))


def take(step: Any, sent: list[IncomingEvent]) -> None:
    kind, first, *rest = step
    if kind == "ingest":
        made = [event_of(len(sent) + number, reading) for number, reading in enumerate(first)]
        sent += made
        again = [sent[place % len(sent)] for place in rest[0] if sent]
        ingest(made + again, now=NOW)
        return
    if kind == "move":
        customer = Customer.objects.get(external_id=first)
        update_customer(customer_id=customer.pk, changes={"timezone": rest[0]}, actor=ACTOR, now=NOW)
        return
    if not sent:
        return
    names = {"source": sent[first % len(sent)].source, "event_id": sent[first % len(sent)].event_id}
    told = {"reason": "a mistake", "actor": ACTOR, "now": NOW}
    try:
        if kind == "void":
            void_event(**names, **told)  # type: ignore[arg-type]
        else:
            by = event_of(len(sent), (sent[first % len(sent)].subject, *rest[0][1:]))
            replace_event(**names, **told, replacement=by)  # type: ignore[arg-type]
            sent.append(by)
    except CorrectionError as error:
        assert error.code == "already_corrected"  # noqa: PT017 (any other is a failure)


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_every_aggregation_keeps_what_its_events_say(steps: list[Any]) -> None:
    with transaction.atomic():
        partitions._known.clear()
        for external_id, timezone in ZONES.items():
            a_customer(external_id, timezone=timezone)
        make_meters()
        sent: list[IncomingEvent] = []
        for step in steps:
            take(step, sent)
            assert kept() == recomputed()
        assert reconcile().differences == ()
        before = kept()
        for meter in Meter.objects.all():
            rebuild_meter(meter)
        assert kept() == before
        transaction.set_rollback(True)


def test_of_two_events_at_one_instant_the_one_that_sorts_last_is_the_latest() -> None:
    a_customer()
    a_meter("latest", aggregation="latest", value_path="n")
    # By the id first and the source then, by code points: "Z" comes before "a", and "a" before "é".
    named = [("b", "Z", 1), ("a", "a", 2), ("a", "é", 3), ("b", "a", 4), ("z", "Z", 5)]

    for source, event_id, n in named:
        ingest([an_event(event_id, {"n": n}, source=source)], now=NOW)
    assert [row[-1] for row in kept()] == [3]
    assert kept() == recomputed()

    void_event(source="a", event_id="é", reason="a mistake", actor=ACTOR, now=NOW)
    assert [row[-1] for row in kept()] == [4]
    assert kept() == recomputed()
    assert reconcile().differences == ()
