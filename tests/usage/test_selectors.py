from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.usage.builders import NOW, a_customer, a_meter, an_event
from usage.ingestion import ingest
from usage.models import Meter
from usage.rollups.totals import Latest
from usage.selectors import MeteredUsage, daily_quantities, metered_usage_by_span, quantity_of


def _on(day: int) -> datetime:
    return datetime(2026, 3, day, 12, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_usage_by_span_is_half_open_split_by_dimensions_and_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    customer = a_customer()
    a_customer("bolt")
    calls = a_meter("calls")
    storage = a_meter("storage", event_type="storage", aggregation="sum", value_path="gb", dimensions=["region"])
    ingest(
        [
            an_event("1", occurred_at=_on(1)),
            an_event("2", occurred_at=_on(2)),
            an_event("3", occurred_at=_on(3)),
            an_event("4", subject="bolt", occurred_at=_on(1)),
            an_event("5", {"gb": "1.5", "region": "eu"}, event_type="storage", occurred_at=_on(1)),
            an_event("6", {"gb": "2", "region": "eu"}, event_type="storage", occurred_at=_on(2)),
            an_event("7", {"gb": "4"}, event_type="storage", occurred_at=_on(2)),
        ],
        now=NOW,
    )

    with django_assert_num_queries(1):
        spans = [
            (date(2026, 3, 1), date(2026, 3, 3)),
            (date(2026, 3, 3), date(2026, 3, 31)),
            (date(2026, 4, 1), date(2026, 5, 1)),
        ]
        found = metered_usage_by_span(customer_id=customer.pk, spans=spans)

    assert found == [
        [
            MeteredUsage(meter_id=calls.pk, dimensions={}, event_count=2),
            MeteredUsage(meter_id=storage.pk, dimensions={"region": "eu"}, event_count=2, value_sum=Decimal("3.5")),  # 1.5 + 2
            MeteredUsage(meter_id=storage.pk, dimensions={"region": None}, event_count=1, value_sum=Decimal(4)),
        ],
        [MeteredUsage(meter_id=calls.pk, dimensions={}, event_count=1)],
        [],
    ]


@pytest.mark.django_db
def test_no_spans_are_no_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert metered_usage_by_span(customer_id=1, spans=[]) == []


def _usage(**fields: Any) -> MeteredUsage:
    values: dict[str, Any] = {"meter_id": 1, "dimensions": {}, "event_count": 1} | fields
    return MeteredUsage(**values)


def test_quantity_is_what_the_aggregation_says() -> None:
    early, late = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    two = [
        _usage(
            event_count=2, value_sum=Decimal("3.5"), value_min=Decimal(1), value_max=Decimal(2), items=frozenset({"ann", "bob"}),
            latest=Latest(late, "1", Decimal(7)), level=Fraction(1, 3),
        ),
        _usage(
            event_count=1, value_sum=Decimal(4), value_min=Decimal(4), value_max=Decimal(4), items=frozenset({"ann"}),
            latest=Latest(early, "2", Decimal(9)), level=Fraction(1, 3),
        ),
    ]  # fmt: skip

    assert quantity_of("count", two) == 3  # 2 + 1
    assert quantity_of("sum", two) == Decimal("7.5")  # 3.5 + 4
    assert quantity_of("min", two) == 1
    assert quantity_of("max", two) == 4
    assert quantity_of("latest", two) == 7
    assert quantity_of("unique_count", two) == 2  # ann counts once
    assert quantity_of("average", two) == Decimal("2.5")  # 7.5 / 3
    assert quantity_of("weighted_sum", two) == Decimal("0.666666666667")  # 2/3, rounded once
    assert [quantity_of(aggregation, []) for aggregation in Meter.Aggregation] == [0] * 8
    with pytest.raises(ValueError, match="unknown aggregation 'median'"):
        quantity_of("median", two)


def test_of_two_latest_at_one_time_the_name_that_sorts_last_wins() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    usages = [_usage(latest=Latest(at, "b", Decimal(5))), _usage(latest=Latest(at, "a", Decimal(6)))]

    assert quantity_of("latest", usages) == quantity_of("latest", usages[::-1]) == 5


def test_level_below_zero_is_no_quantity() -> None:
    assert quantity_of("weighted_sum", [_usage(level=Fraction(-5)), _usage(level=Fraction(2))]) == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        ("count", 2),
        ("sum", Decimal("3.5")),
        ("min", Decimal("1.5")),
        ("max", 2),
        ("average", Decimal("1.75")),
        ("unique_count", 2),
        ("latest", 2),  # both at one time; the id of the second sorts last
    ],
)
def test_daily_quantities_name_every_day(
    aggregation: str, expected: Decimal, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    customer = a_customer()
    value_path = "" if aggregation == "count" else "gb"
    meter = a_meter("m", aggregation=aggregation, value_path=value_path, dimensions=["region"])
    ingest(
        [an_event("1", {"gb": "1.5", "region": "eu"}, occurred_at=_on(2)), an_event("2", {"gb": "2"}, occurred_at=_on(2))],
        now=NOW,
    )

    with django_assert_num_queries(1):
        days = daily_quantities(customer_id=customer.pk, meter=meter, first_day=date(2026, 3, 1), end_day=date(2026, 3, 4))

    assert days == [(date(2026, 3, 1), 0), (date(2026, 3, 2), expected), (date(2026, 3, 3), 0)]
