from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.usage.builders import NOW, a_customer, a_meter, an_event
from usage.ingestion import ingest
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
            MeteredUsage(calls.pk, {}, 2, Decimal(2), Decimal(1)),
            MeteredUsage(storage.pk, {"region": "eu"}, 2, Decimal("3.5"), Decimal(2)),  # 1.5 + 2
            MeteredUsage(storage.pk, {"region": None}, 1, Decimal(4), Decimal(4)),
        ],
        [MeteredUsage(calls.pk, {}, 1, Decimal(1), Decimal(1))],
        [],
    ]


@pytest.mark.django_db
def test_no_spans_are_no_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert metered_usage_by_span(customer_id=1, spans=[]) == []


def test_quantity_is_what_the_aggregation_says() -> None:
    usages = [MeteredUsage(1, {"a": "x"}, 2, Decimal("3.5"), Decimal(2)), MeteredUsage(1, {"a": "y"}, 1, Decimal(4), Decimal(4))]

    assert quantity_of("count", usages) == 3  # 2 + 1
    assert quantity_of("sum", usages) == Decimal("7.5")  # 3.5 + 4
    assert quantity_of("max", usages) == 4
    assert [quantity_of(aggregation, []) for aggregation in ("count", "sum", "max")] == [0, 0, 0]
    with pytest.raises(ValueError, match="unknown aggregation 'median'"):
        quantity_of("median", usages)


@pytest.mark.django_db
@pytest.mark.parametrize(("aggregation", "expected"), [("count", 2), ("sum", Decimal("3.5")), ("max", 2)])
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
