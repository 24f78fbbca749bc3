"""I1 to I3 as a property: however usage is split, ordered and repeated on its way in, the books are the same."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.reconciliation.report import reconcile
from tests.billing.builders import at, bill, books, make_customer, subscribe, usage
from tests.billing.builders import make_catalog as make
from tests.billing.runs.worlds import PLANS
from usage.ingestion import IncomingEvent, ingest

pytestmark = pytest.mark.django_db

START = datetime(2026, 1, 1, tzinfo=UTC)
readings = st.lists(
    st.tuples(
        st.integers(0, 90 * 24 * 60 - 1),  # minutes after the start: January to March
        st.decimals(min_value=0, max_value=10**6, places=3),
        st.sampled_from(["eu", "us", None]),
        st.sampled_from(["anna", "bert"]),
    ),
    min_size=1,
    max_size=15,
)


def events_of(found: list[tuple[int, object, str | None, str]]) -> list[IncomingEvent]:
    return [
        usage(
            customer,
            "call",
            f"{value:f}",
            (START + timedelta(minutes=minute)).isoformat(),
            {"region": region} if region else None,
            event_id=str(number),
        )
        for number, (minute, value, region, customer) in enumerate(found)
    ]


def books_of(batches: list[list[IncomingEvent]]) -> str:
    """The books of two customers whose usage came in these batches; nothing of it stays."""
    with transaction.atomic():
        make(PLANS)
        subscribe(make_customer("anna", timezone="Asia/Tokyo"), "basic", "2026-01-05T15:00:00Z")
        subscribe(make_customer("bert", timezone="America/New_York"), "volume", "2026-01-01T05:00:00Z")
        for batch in batches:
            ingest(batch, now=at("2026-04-01"))
        bill("2026-04-02")
        found = books()
        assert reconcile().differences == ()
        transaction.set_rollback(True)
    return found


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=readings, data=st.data())
def test_usage_in_any_order_and_any_batches_gives_the_same_books(
    found: list[tuple[int, object, str | None, str]], data: st.DataObject
) -> None:
    events = events_of(found)
    shuffled = data.draw(st.permutations(events))
    cut = data.draw(st.integers(0, len(events)))
    repeated = data.draw(st.lists(st.sampled_from(events), max_size=5))
    assert books_of([shuffled[:cut], shuffled[cut:], repeated]) == books_of([events])
