"""A question that needs raw events of a month put away is refused; all others are answered as before."""

from zoneinfo import ZoneInfo

import pytest
from pytest_django import Settings

from tests.usage.months import a_january_put_away, at, send
from usage.models import Meter
from usage.querying import EventsPutAway, MeterQuery, WindowSize, usage_rows

pytestmark = pytest.mark.django_db

TOKYO = ZoneInfo("Asia/Tokyo")
REASON = "The events of 2026-01 were put away: only the totals of their days are left."


@pytest.fixture
def meter(settings: Settings) -> Meter:
    a_january_put_away(settings)
    send("late", 3, "2026-01-10T06:00")
    return Meter.objects.get(code="bytes")


def test_whole_days_are_answered_from_totals_late_usage_among_them(meter: Meter) -> None:
    rows = usage_rows(MeterQuery(meter=meter, window_size=WindowSize.DAY, zone=TOKYO))

    # 2.5 + 4 and the late 3; 7 of January in UTC and 1 of February
    assert [(row.start.astimezone(TOKYO).day, str(row.value)) for row in rows] == [(10, "9.5"), (1, "8")]
    assert [str(row.value) for row in usage_rows(MeterQuery(meter=meter))] == ["17.5"]


@pytest.mark.parametrize(
    "asked",
    [
        {"window_size": WindowSize.HOUR},
        {"window_size": WindowSize.DAY},  # of UTC, which is not Acme's zone
        {"group_by": ("subject",)},
        {"start": at("2026-01-10T03:30")},  # cuts a day
        {"end": at("2026-01-31T16:30")},
    ],
)
def test_question_that_needs_single_events_is_refused(meter: Meter, asked: dict[str, object]) -> None:
    with pytest.raises(EventsPutAway) as refused:
        usage_rows(MeterQuery(meter=meter, **asked))  # type: ignore[arg-type]

    assert str(refused.value) == REASON


def test_single_events_of_kept_months_are_answered(meter: Meter) -> None:
    rows = usage_rows(MeterQuery(meter=meter, start=at("2026-02-01T00:00"), window_size=WindowSize.HOUR))

    assert [(row.start, str(row.value)) for row in rows] == [(at("2026-02-01T01:00"), "1")]
