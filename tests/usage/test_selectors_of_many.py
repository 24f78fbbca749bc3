"""The usage of many customers at once is what each has by itself."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.usage.builders import NOW, a_customer, a_meter, an_event
from usage.ingestion import ingest
from usage.rollups.totals import Latest
from usage.selectors import MeteredUsage, metered_usage_by_span, metered_usage_of

pytestmark = pytest.mark.django_db

MARCH = date(2026, 3, 1), date(2026, 4, 1)
FIRST_DAYS = date(2026, 3, 1), date(2026, 3, 3)
LATER = date(2026, 3, 3), date(2026, 3, 5)


def _on(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def test_each_span_has_the_usage_of_its_own_customer_in_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    acme, bolt, idle = a_customer(), a_customer("bolt"), a_customer("idle")
    calls = a_meter("calls", dimensions=["region"])
    ingest(
        [
            an_event("1", {"region": "eu"}, occurred_at=_on(1)),
            an_event("2", {"region": "us"}, occurred_at=_on(2)),
            an_event("3", {"region": "eu"}, occurred_at=_on(3)),
            an_event("4", {"region": "eu"}, subject="bolt", occurred_at=_on(2)),
            an_event("5", {"region": "eu"}, subject="bolt", occurred_at=_on(4)),
        ],
        now=NOW,
    )

    with django_assert_num_queries(1):
        found = metered_usage_of(
            [(bolt.pk, *FIRST_DAYS), (acme.pk, *FIRST_DAYS), (idle.pk, *MARCH), (acme.pk, *MARCH), (bolt.pk, *LATER)]
        )

    eu: dict[str, str | None] = {"region": "eu"}
    us: dict[str, str | None] = {"region": "us"}
    assert found == [
        [MeteredUsage(meter_id=calls.pk, dimensions=eu, event_count=1)],
        [
            MeteredUsage(meter_id=calls.pk, dimensions=eu, event_count=1),
            MeteredUsage(meter_id=calls.pk, dimensions=us, event_count=1),
        ],
        [],
        [
            MeteredUsage(meter_id=calls.pk, dimensions=eu, event_count=2),
            MeteredUsage(meter_id=calls.pk, dimensions=us, event_count=1),
        ],
        [MeteredUsage(meter_id=calls.pk, dimensions=eu, event_count=1)],
    ]


def test_levels_of_customers_in_different_time_zones_go_on_from_before_their_own_spans() -> None:
    acme, bolt = a_customer(), a_customer("bolt", timezone="Asia/Tokyo")
    seats = a_meter("seats", event_type="seat", aggregation="weighted_sum", value_path="n")
    ingest(
        [
            an_event("1", {"n": 3}, event_type="seat", occurred_at=_on(1)),
            an_event("2", {"n": 4}, event_type="seat", occurred_at=_on(4)),
            # 15:00 UTC is midnight in Tokyo: on the 4th there are 8 from the first instant on.
            an_event("3", {"n": 8}, event_type="seat", subject="bolt", occurred_at=_on(3, 15)),
        ],
        now=NOW,
    )

    found = metered_usage_of([(acme.pk, *FIRST_DAYS), (bolt.pk, *FIRST_DAYS), (acme.pk, *LATER), (bolt.pk, *LATER)])

    assert [[(usage.meter_id, usage.event_count, usage.level) for usage in usages] for usages in found] == [
        [(seats.pk, 1, Fraction(9, 4))],  # 3 for one and a half of two days
        [],
        [(seats.pk, 1, Fraction(4))],  # 3, and 4 more for half a day of two: 3 + 4 / 4
        [(seats.pk, 1, Fraction(4))],  # 8 for one of two days
    ]


def test_meters_that_are_not_asked_for_are_left_out() -> None:
    acme = a_customer()
    calls = a_meter("calls")
    a_meter("seats", aggregation="weighted_sum", value_path="n")
    ingest([an_event("1", {"n": 3}, occurred_at=_on(1))], now=NOW)

    assert metered_usage_of([(acme.pk, *MARCH)], meter_ids=[calls.pk]) == [
        [MeteredUsage(meter_id=calls.pk, dimensions={}, event_count=1)]
    ]


def test_every_aggregation_is_what_the_customer_has_alone() -> None:
    customers = [a_customer(), a_customer("bolt")]
    for code, value_path in (("sum", "n"), ("max", "n"), ("latest", "n"), ("unique_count", "who"), ("weighted_sum", "n")):
        a_meter(code, aggregation=code, value_path=value_path)
    ingest(
        [
            an_event(f"{subject}-{day}", {"n": day, "who": f"user {day % 2}"}, subject=subject, occurred_at=_on(day))
            for subject in ("acme", "bolt")
            for day in range(1, 10)
        ],
        now=NOW,
    )
    spans = [FIRST_DAYS, LATER, MARCH]

    of_many = metered_usage_of([(customer.pk, *span) for customer in customers for span in spans])

    assert of_many == [usages for customer in customers for usages in metered_usage_by_span(customer_id=customer.pk, spans=spans)]
    latest = next(usage.latest for usage in of_many[0] if usage.latest)
    assert (type(latest), latest.value) == (Latest, Decimal(2))
    assert {len(usage.items) for usage in of_many[0]} == {0, 2}


def test_no_spans_are_no_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert metered_usage_of([]) == []
