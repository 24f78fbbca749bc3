from datetime import UTC, date, datetime

import pytest
from django.db import connection, transaction

from tests.usage.builders import NOW, a_customer, a_meter, an_event, in_threads
from usage.ingestion import Outcome, ingest, partitions
from usage.models import Event


def _partitions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'usage_event'::regclass")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db
def test_present_month_and_those_ahead_are_made_once(no_known_partitions: None) -> None:
    for _attempt in range(2):
        partitions.ensure_partitions(datetime(2031, 11, 30, 23, 59, tzinfo=UTC), months_ahead=2)

    assert {"usage_event_2031_11", "usage_event_2031_12", "usage_event_2032_01"} <= _partitions()
    assert "usage_event_2032_02" not in _partitions()


@pytest.mark.django_db
def test_event_lies_in_the_partition_of_its_utc_month(no_known_partitions: None) -> None:
    a_customer(timezone="Asia/Tokyo")
    a_meter()

    first, last = datetime(2019, 2, 28, 23, 59, 59, 999999, tzinfo=UTC), datetime(2019, 3, 1, tzinfo=UTC)
    ingest([an_event("last of February", occurred_at=first), an_event("first of March", occurred_at=last)], now=NOW)

    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, event_id FROM usage_event ORDER BY occurred_at")
        assert cursor.fetchall() == [("usage_event_2019_02", "last of February"), ("usage_event_2019_03", "first of March")]


@pytest.mark.django_db
def test_event_of_a_month_without_a_partition_is_taken_whatever_the_month(no_known_partitions: None) -> None:
    a_customer()
    a_meter()
    instants = [datetime(2000, 1, 1, tzinfo=UTC), datetime(2012, 2, 29, tzinfo=UTC), datetime(2024, 12, 31, 23, tzinfo=UTC)]
    assert not {"usage_event_2000_01", "usage_event_2012_02", "usage_event_2024_12"} & _partitions()

    fates = ingest([an_event(str(instant.year), occurred_at=instant) for instant in instants], now=NOW)

    assert {fate.outcome for fate in fates} == {Outcome.ACCEPTED}
    assert list(Event.objects.order_by("occurred_at").values_list("occurred_at", flat=True)) == instants
    assert {"usage_event_2000_01", "usage_event_2012_02", "usage_event_2024_12"} <= _partitions()


@pytest.mark.django_db
def test_existing_months_are_those_of_the_partitions_in_order(no_known_partitions: None) -> None:
    before = partitions.existing_months()
    partitions.make_missing([date(2033, 1, 1), date(2013, 12, 1)])

    assert partitions.existing_months() == sorted([*before, date(2033, 1, 1), date(2013, 12, 1)])


@pytest.mark.django_db
def test_month_that_is_swapped_out_leaves_an_empty_partition_that_takes_events() -> None:
    a_customer()
    a_meter()
    month, instant = date(2014, 4, 1), datetime(2014, 4, 30, 23, 59, tzinfo=UTC)
    ingest([an_event("before", occurred_at=instant)], now=NOW)

    partitions.swap_out(month)
    ingest([an_event("after", occurred_at=instant)], now=NOW)

    assert Event.objects.get().event_id == "after"
    with connection.cursor() as cursor:
        cursor.execute("SELECT event_id FROM usage_event_2014_04_put_away")
        assert cursor.fetchall() == [("before",)]
        cursor.execute(
            "SELECT count(*) FILTER (WHERE tablename = 'usage_event_2014_04'), "
            "count(*) FILTER (WHERE tablename = 'usage_event_2014_04_put_away') FROM pg_indexes"
        )
        fresh, put_away = cursor.fetchone()
        assert fresh == put_away > 0
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        Event.objects.update(subject="other")


@pytest.mark.django_db
def test_event_in_a_partition_cannot_be_edited(no_known_partitions: None) -> None:
    a_customer()
    a_meter()
    ingest([an_event("1", occurred_at=datetime(2018, 5, 5, tzinfo=UTC))], now=NOW)

    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        Event.objects.update(subject="other")

    assert Event.objects.get().subject is None


@pytest.mark.django_db(transaction=True)
def test_partition_of_a_transaction_that_rolled_back_is_made_again(no_known_partitions: None) -> None:
    month = datetime(2017, 7, 1, tzinfo=UTC).date()

    with transaction.atomic():
        partitions.make_missing([month])
        transaction.set_rollback(True)
    assert "usage_event_2017_07" not in _partitions()

    partitions.make_missing([month])
    assert "usage_event_2017_07" in _partitions()


@pytest.mark.django_db(transaction=True)
def test_partition_that_two_need_at_once_is_made_by_one(no_known_partitions: None) -> None:
    a_customer()
    a_meter()
    instant = datetime(2016, 6, 6, tzinfo=UTC)

    in_threads(*[lambda number=number: ingest([an_event(str(number), occurred_at=instant)], now=NOW) for number in range(4)])

    assert Event.objects.filter(occurred_at=instant).count() == 4


def test_months_are_those_of_utc() -> None:
    in_tokyo = datetime.fromisoformat("2026-03-01T08:59:59+09:00")  # 28 February, 23:59:59 in UTC

    assert partitions.months_of([in_tokyo, NOW, NOW]) == {date(2026, 2, 1), date(2026, 3, 1)}
    assert partitions.months_of([]) == set()
