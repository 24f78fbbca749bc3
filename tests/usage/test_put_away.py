from datetime import date
from decimal import Decimal

import pytest
from pytest_django import Settings

from customers.models import Customer
from tests.usage.builders import NOW
from tests.usage.months import JANUARY, a_january_put_away, at
from usage import put_away
from usage.encoding.identity import event_key
from usage.models import Event, PutAwayMonth, Rollup
from usage.rollups.totals import Place, Total

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("start", "end", "is_touched"),
    [
        ("2025-12-01T00:00", "2026-01-01T00:00", False),
        ("2025-12-01T00:00", "2026-01-01T00:00:01", True),
        ("2026-01-31T23:59:59", "2026-02-01T00:00", True),
        ("2026-02-01T00:00", "2026-02-02T00:00", False),
    ],
)
def test_instants_are_refused_where_they_reach_into_a_month_put_away(start: str, end: str, is_touched: bool) -> None:
    PutAwayMonth.objects.create(month=JANUARY, put_away_at=NOW, meter_ids=[])

    reason = put_away.reason_against([(at("2020-01-01T00:00"), at("2020-01-02T00:00")), (at(start), at(end))])

    assert reason == ("The events of 2026-01 were put away: only the totals of their days are left." if is_touched else "")


def test_every_month_that_is_reached_into_is_named_once_in_order() -> None:
    for month in (date(2025, 12, 1), JANUARY):
        PutAwayMonth.objects.create(month=month, put_away_at=NOW, meter_ids=[])

    reason = put_away.reason_against(
        [(at("2026-01-05T00:00"), at("2026-01-06T00:00")), (at("2025-12-31T00:00"), at("2026-03-01T00:00"))]
    )

    assert reason.startswith("The events of 2025-12, 2026-01 were put away")


def test_events_are_complete_since_the_end_of_the_latest_month_put_away() -> None:
    assert put_away.complete_since() is None
    for month in (date(2025, 12, 1), date(2024, 2, 1)):
        PutAwayMonth.objects.create(month=month, put_away_at=NOW, meter_ids=[])

    assert put_away.complete_since() == date(2026, 1, 1)


def test_identity_tells_an_event_that_was_put_away_from_one_that_never_came(settings: Settings) -> None:
    key = event_key("test", "1")
    assert not put_away.was_put_away(key, customer_id=None)

    a_january_put_away(settings)

    assert not Event.objects.filter(event_id="1").exists()
    assert put_away.was_put_away(key, customer_id=None)
    acme = Customer.objects.get()
    assert put_away.was_put_away(key, customer_id=acme.pk)
    assert not put_away.was_put_away(key, customer_id=acme.pk + 1)
    assert not put_away.was_put_away(event_key("test", "other"), customer_id=None)


def test_totals_are_those_of_the_events_put_away_alone(settings: Settings) -> None:
    a_january_put_away(settings)
    keys = [
        Place(rollup.customer_id, rollup.meter_id, rollup.day, rollup.dimensions_key.hex)
        for rollup in Rollup.objects.filter(meter__code="peak").order_by("day")
    ]

    # Of 1 February, event 4 is kept, whose 1 is not among them.
    assert put_away.totals_of(keys) == {keys[0]: Total(2, value_max=Decimal(4)), keys[1]: Total(1, value_max=Decimal(7))}


@pytest.mark.parametrize(
    ("day", "is_touched"), [("2025-12-30", False), ("2025-12-31", True), ("2026-02-01", True), ("2026-02-02", False)]
)
def test_totals_are_refused_while_a_month_that_reaches_into_the_day_is_not_counted(day: str, is_touched: bool) -> None:
    PutAwayMonth.objects.create(month=JANUARY, put_away_at=NOW, meter_ids=[])
    key = Place(1, 1, date.fromisoformat(day), "0" * 32)

    if is_touched:
        with pytest.raises(put_away.BeingPutAway, match="The events of 2026-01 are being put away just now: try again later"):
            put_away.totals_of([key])
    else:
        assert put_away.totals_of([key]) == {}
